/* The database, brought up to date. */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/buffer.h"
#include "pkg/base/hex.h"
#include "pkg/base/panic.h"
#include "pkg/rag/migrations.h"
#include "pkg/rag/schema.h"

enum {
    VECTOR_MAJOR = 0,
    VECTOR_MINOR = 8,  /* iterative scans */
    HNSW_FROM = 10000, /* units: below, a full scan takes some 30 ms */
    HALF_BYTES = 2,
    HNSW_NODE_BYTES = 300 /* of links and headers, about, with m = 16 */
};

int schema_newest(void)
{
    int newest = 0;
    for (const struct migration *row = migrations; row->number; row++)
        newest = row->number;
    return newest;
}

static const char *checksum(struct arena *arena, const char *text)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)text, strlen(text), digest);
    return hex_text(arena, digest, sizeof digest);
}

/* -- looking -- */

static int one_cell(struct task *task, struct pg *pg, struct arena *arena, const char *sql,
                    const char **out, struct error *error)
{
    struct pg_rows rows;
    int result = pg_run(task, pg, arena, sql, NULL, 0, &rows, error);
    *out = result == 0 && rows.count ? pg_cell(&rows, 0, 0) : NULL;
    return result;
}

/* A migrations table tells that there is a schema at all. */
static int is_there(struct task *task, struct pg *pg, struct arena *arena, bool *out,
                    struct error *error)
{
    const char *name;
    int result =
        one_cell(task, pg, arena, "SELECT to_regclass('rag.migrations')::text", &name, error);
    *out = name != NULL;
    return result;
}

static int check_applied(struct arena *arena, const struct pg_rows *rows, struct error *error)
{
    for (size_t i = 0; i < rows->count; i++) {
        int64_t number = pg_cell_int(rows, i, 0);
        if (number > schema_newest())
            return error_set(
                error, ERR_CONFLICT,
                "the database is at migration %lld, this program knows %d: use a newer "
                "ragstack",
                (long long)number, schema_newest());
        const struct migration *migration = &migrations[number - 1];
        if (strcmp(pg_cell(rows, i, 1), checksum(arena, migration->sql)) != 0)
            return error_set(error, ERR_CONFLICT,
                             "migration %d (%s) was applied in another form than this program has",
                             migration->number, migration->name);
    }
    return 0;
}

static int look_at_migrations(struct task *task, struct pg *pg, struct arena *arena, int *applied,
                              struct error *error)
{
    struct pg_rows rows;
    bool there;
    *applied = 0;
    int result = is_there(task, pg, arena, &there, error);
    if (result < 0 || !there)
        return result;
    result = pg_run(task, pg, arena, "SELECT number, checksum FROM rag.migrations ORDER BY number",
                    NULL, 0, &rows, error);
    if (result < 0)
        return result;
    *applied = (int)rows.count;
    return check_applied(arena, &rows, error);
}

static int look_at_contents(struct task *task, struct pg *pg, struct arena *arena,
                            struct schema_report *report, struct error *error)
{
    struct pg_rows rows;
    int result = pg_run(
        task, pg, arena,
        "SELECT (SELECT count(*) FROM rag.documents), (SELECT count(*) FROM rag.passages),"
        " (SELECT count(*) FROM rag.units), to_regclass('rag.units_embedding') IS NOT NULL,"
        " (SELECT value FROM rag.settings WHERE key = 'embedder'),"
        " (SELECT atttypmod FROM pg_attribute WHERE attrelid = 'rag.units'::regclass AND attname ="
        " 'embedding'),"
        " (SELECT coalesce(sum(end_byte - start_byte), 0) FROM rag.units)",
        NULL, 0, &rows, error);
    if (result < 0)
        return result;
    const char *embedder = pg_cell(&rows, 0, 4);
    report->documents = pg_cell_int(&rows, 0, 0);
    report->passages = pg_cell_int(&rows, 0, 1);
    report->units = pg_cell_int(&rows, 0, 2);
    report->hnsw = strcmp(pg_cell(&rows, 0, 3), "t") == 0;
    report->embedder = embedder ? embedder : "";
    report->dimensions = (int)pg_cell_int(&rows, 0, 5);
    report->characters = pg_cell_int(&rows, 0, 6);
    return 0;
}

static bool other_vectors(const struct schema_report *report, const struct schema_options *options)
{
    return report->units && (strcmp(report->embedder, options->embedder) != 0 ||
                             report->dimensions != options->dimensions);
}

int schema_look(struct task *task, struct pg *pg, struct arena *arena,
                const struct schema_options *options, struct schema_report *report,
                struct error *error)
{
    *report = (struct schema_report){.embedder = "", .warning = ""};
    int result =
        one_cell(task, pg, arena, "SELECT extversion FROM pg_extension WHERE extname = 'vector'",
                 &report->vector_version, error);
    if (result == 0)
        result = look_at_migrations(task, pg, arena, &report->from, error);
    report->to = report->from;
    if (result == 0 && report->from >= schema_newest())
        result = look_at_contents(task, pg, arena, report, error);
    if (result == 0 && other_vectors(report, options))
        report->pending_units = (int)report->units;
    return result;
}

/* -- changing -- */

static int make_extension(struct task *task, struct pg *pg, struct arena *arena,
                          struct schema_report *report, struct error *error)
{
    int result = pg_script(task, pg, "CREATE EXTENSION IF NOT EXISTS vector", error);
    if (result < 0)
        return error_wrap(error, "the extension vector cannot be made");
    (void)pg_script(task, pg, "ALTER EXTENSION vector UPDATE",
                    NULL); /* refused to non-owners: fine */
    result =
        one_cell(task, pg, arena, "SELECT extversion FROM pg_extension WHERE extname = 'vector'",
                 &report->vector_version, error);
    char *rest = NULL;
    long major = report->vector_version ? strtol(report->vector_version, &rest, 10) : 0;
    long minor = rest && *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
    if (result == 0 && (major < VECTOR_MAJOR || (major == VECTOR_MAJOR && minor < VECTOR_MINOR)))
        return error_set(error, ERR_PREFLIGHT,
                         "pgvector is %s here; %d.%d is the least: choose a newer engine version",
                         report->vector_version ? report->vector_version : "absent", VECTOR_MAJOR,
                         VECTOR_MINOR);
    return result;
}

static const char *with_dimensions(struct arena *arena, const char *sql, int dimensions)
{
    static const char mark[] = "{dimensions}";
    const char *place = strstr(sql, mark);
    if (!place)
        return sql;
    return arena_printf(arena, "%.*s%d%s", (int)(place - sql), sql, dimensions,
                        place + sizeof mark - 1);
}

struct migrating {
    struct arena *arena;
    const struct schema_options *options;
    const struct migration *migration;
};

static int apply_one(struct task *task, struct pg *pg, void *data, struct error *error)
{
    const struct migrating *migrating = data;
    const struct migration *migration = migrating->migration;
    const char *sql =
        with_dimensions(migrating->arena, migration->sql, migrating->options->dimensions);
    int result = pg_script(task, pg, sql, error);
    if (result == 0)
        result =
            pg_run(task, pg, migrating->arena,
                   "INSERT INTO rag.migrations (number, name, checksum) VALUES ($1::int, $2, $3)",
                   PG_VALUES(pg_int(migration->number), pg_text(migration->name),
                             pg_text(checksum(migrating->arena, migration->sql))),
                   NULL, error);
    return result == 0 ? 0
                       : error_wrap(error, "migration %d (%s)", migration->number, migration->name);
}

static int apply_migrations(struct task *task, struct pg *pg, struct arena *arena,
                            const struct schema_options *options, struct schema_report *report,
                            struct error *error)
{
    int result = pg_script(task, pg,
                           "CREATE SCHEMA IF NOT EXISTS rag;"
                           "CREATE TABLE IF NOT EXISTS rag.migrations (number int PRIMARY KEY,"
                           " name text NOT NULL, checksum text NOT NULL,"
                           " applied_at timestamptz NOT NULL DEFAULT now())",
                           error);
    for (const struct migration *row = migrations; result == 0 && row->number; row++) {
        struct migrating migrating = {arena, options, row};
        if (row->number <= report->from)
            continue;
        result = pg_transaction(task, pg, apply_one, &migrating, error);
        if (result == 0)
            report->to = row->number;
    }
    return result;
}

/* Vectors of another model are worth nothing beside the new ones. Documents and passages stay:
 * units are made again by the next ingest. */
static int drop_vectors(struct task *task, struct pg *pg, struct arena *arena,
                        const struct schema_options *options, struct schema_report *report,
                        struct error *error)
{
    if (report->units && !options->reembed)
        return error_set(
            error, ERR_DATA_LOSS,
            "%lld vectors are of %s (%d), the file wants %s (%d): everything has to be "
            "embedded again",
            (long long)report->units, report->embedder, report->dimensions, options->embedder,
            options->dimensions);
    const char *sql = arena_printf(arena,
                                   "DROP INDEX IF EXISTS rag.units_embedding;"
                                   "TRUNCATE rag.units;"
                                   "ALTER TABLE rag.units ALTER embedding TYPE halfvec(%d);"
                                   "UPDATE rag.documents SET hash = ''",
                                   options->dimensions);
    report->pending_units = (int)report->units;
    report->units = 0;
    report->dimensions = options->dimensions;
    return pg_script(task, pg, sql, error);
}

static int set_embedder(struct task *task, struct pg *pg, struct arena *arena,
                        const struct schema_options *options, struct schema_report *report,
                        struct error *error)
{
    bool same = strcmp(report->embedder, options->embedder) == 0;
    int result = 0;
    if (report->dimensions != options->dimensions || (report->units && !same))
        result = drop_vectors(task, pg, arena, options, report, error);
    if (result == 0 && !same)
        result = pg_run(task, pg, arena,
                        "INSERT INTO rag.settings (key, value) VALUES ('embedder', $1)"
                        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                        PG_VALUES(pg_text(options->embedder)), NULL, error);
    if (result == 0)
        report->embedder = options->embedder;
    return result;
}

/* Names in statements that take no values. */
static const char *quoted(struct arena *arena, const char *name)
{
    struct buffer text = BUFFER(256);
    buffer_char(&text, '"');
    for (; *name; name++) {
        if (*name == '"')
            buffer_char(&text, '"');
        buffer_char(&text, *name);
    }
    buffer_char(&text, '"');
    require(!text.overflow);
    const char *copy = arena_strdup(arena, buffer_string(&text));
    buffer_free(&text);
    return copy;
}

static int make_user(struct task *task, struct pg *pg, struct arena *arena,
                     const struct schema_options *options, struct error *error)
{
    struct pg_rows rows;
    if (!options->app_user)
        return 0;
    const char *user = quoted(arena, options->app_user);
    int result = pg_run(task, pg, arena,
                        "SELECT (SELECT count(*) FROM pg_roles WHERE rolname = $1),"
                        " (SELECT count(*) FROM pg_roles WHERE rolname = 'rds_iam')",
                        PG_VALUES(pg_text(options->app_user)), &rows, error);
    if (result == 0 && pg_cell_int(&rows, 0, 0) == 0)
        result = pg_script(task, pg, arena_printf(arena, "CREATE ROLE %s LOGIN", user), error);
    if (result == 0 && options->iam && pg_cell_int(&rows, 0, 1) > 0)
        result = pg_script(task, pg, arena_printf(arena, "GRANT rds_iam TO %s", user), error);
    if (result < 0)
        return error_wrap(error, "database user %s", options->app_user);
    /* settings of an extension are known only once its library is loaded in the session */
    return pg_script(
        task, pg,
        arena_printf(arena,
                     "SELECT '[1]'::halfvec;"
                     "GRANT USAGE ON SCHEMA rag TO %s;"
                     "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA rag TO %s;"
                     "ALTER ROLE %s SET hnsw.ef_search = 100;"
                     "ALTER ROLE %s SET hnsw.iterative_scan = relaxed_order",
                     user, user, user, user),
        error);
}

/* The index is only fast while it fits into memory. */
static int check_memory(struct task *task, struct pg *pg, struct arena *arena,
                        struct schema_report *report, struct error *error)
{
    const char *text;
    int result =
        one_cell(task, pg, arena, "SELECT pg_size_bytes(current_setting('effective_cache_size'))",
                 &text, error);
    if (result < 0 || !text)
        return result;
    int64_t memory_bytes = strtoll(text, NULL, 10);
    int64_t index_bytes = report->units * (report->dimensions * HALF_BYTES + HNSW_NODE_BYTES);
    if (index_bytes > memory_bytes)
        report->warning =
            arena_printf(arena,
                         "the vector index takes about %lld MB, the database's cache is "
                         "%lld MB: searches will slow down; a larger class helps",
                         (long long)(index_bytes >> 20), (long long)(memory_bytes >> 20));
    return 0;
}

static int make_index(struct task *task, struct pg *pg, struct arena *arena,
                      struct schema_report *report, struct error *error)
{
    if (report->units < HNSW_FROM)
        return 0;
    int result = report->hnsw ? 0
                              : pg_script(task, pg,
                                          "CREATE INDEX IF NOT EXISTS units_embedding ON rag.units"
                                          " USING hnsw (embedding halfvec_cosine_ops)",
                                          error);
    if (result < 0)
        return error_wrap(error, "the vector index");
    report->hnsw = true;
    return check_memory(task, pg, arena, report, error);
}

static int migrate(struct task *task, struct pg *pg, struct arena *arena,
                   const struct schema_options *options, struct schema_report *report,
                   struct error *error)
{
    *report = (struct schema_report){.embedder = "", .warning = ""};
    int result = make_extension(task, pg, arena, report, error);
    if (result == 0)
        result = look_at_migrations(task, pg, arena, &report->from, error);
    report->to = report->from;
    if (result == 0)
        result = apply_migrations(task, pg, arena, options, report, error);
    if (result == 0)
        result = look_at_contents(task, pg, arena, report, error);
    if (result == 0)
        result = set_embedder(task, pg, arena, options, report, error);
    if (result == 0)
        result = make_user(task, pg, arena, options, error);
    return result == 0 ? make_index(task, pg, arena, report, error) : result;
}

/* Whoever asked and went away may still have one running. */
#define ONE_AT_A_TIME "hashtext('ragstack schema')"

int schema_migrate(struct task *task, struct pg *pg, struct arena *arena,
                   const struct schema_options *options, struct schema_report *report,
                   struct error *error)
{
    int result = pg_script(task, pg, "SELECT pg_advisory_lock(" ONE_AT_A_TIME ")", error);
    if (result < 0)
        return result;
    result = migrate(task, pg, arena, options, report, error);
    (void)pg_script(task, pg, "SELECT pg_advisory_unlock(" ONE_AT_A_TIME ")", NULL);
    return result;
}
