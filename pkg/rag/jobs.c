#include "pkg/rag/jobs.h"

int job_write(struct task *task, struct pg *pg, struct arena *arena, const struct job *job,
              struct error *error)
{
    return pg_run(task, pg, arena,
                  "INSERT INTO rag.jobs (id, source, state, done, total, error, updated_at)"
                  " VALUES ($1, $2, $3, $4::int, $5::int, $6, now())"
                  " ON CONFLICT (id) DO UPDATE SET source = excluded.source,"
                  " state = excluded.state, done = excluded.done, total = excluded.total,"
                  " error = excluded.error, updated_at = now()",
                  PG_VALUES(pg_text(job->id), pg_text(job->source), pg_text(job->state),
                            pg_int(job->done), pg_int(job->total), pg_text_or_null(job->error)),
                  NULL, error);
}

int job_list(struct task *task, struct pg *pg, struct arena *arena, int limit, struct value **out,
             struct error *error)
{
    struct pg_rows rows;
    int result = pg_run(task, pg, arena,
                        "SELECT id, source, state, done, total, error,"
                        " to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
                        " FROM rag.jobs ORDER BY updated_at DESC, id LIMIT $1::int",
                        PG_VALUES(pg_int(limit)), &rows, error);
    *out = value_list(arena);
    for (size_t i = 0; result == 0 && i < rows.count; i++) {
        struct value *row = value_map(arena);
        value_set_text(arena, row, "id", pg_cell(&rows, i, 0));
        value_set_text(arena, row, "source", pg_cell(&rows, i, 1));
        value_set_text(arena, row, "state", pg_cell(&rows, i, 2));
        value_set_int(arena, row, "done", pg_cell_int(&rows, i, 3));
        value_set_int(arena, row, "total", pg_cell_int(&rows, i, 4));
        value_set_text(arena, row, "error", pg_cell(&rows, i, 5));
        value_set_text(arena, row, "updated", pg_cell(&rows, i, 6));
        value_push(arena, *out, row);
    }
    return result;
}
