#include "pkg/watch/insights.h"

#include <string.h>

enum { FIRST_POLL_MS = 400, POLL_MS = 1000, PATIENCE_MS = 600000 };

/* "Amazon CloudWatch pricing": queries, a gigabyte of what they scan. */
static const double USD_A_GIB = 0.005, GIB = 1073741824;

static int start(struct task *task, struct aws_client *client, struct arena *arena,
                 const struct insights_query *query, const char **id, struct error *error)
{
    struct value *parameters = value_map(arena), *groups = value_list(arena), *reply;
    for (const char *const *group = query->groups; *group; group++)
        value_push_text(arena, groups, *group);
    value_set(arena, parameters, "logGroupNames", groups);
    value_set_int(arena, parameters, "startTime", query->from_ms / 1000);
    value_set_int(arena, parameters, "endTime", query->to_ms / 1000);
    value_set_text(arena, parameters, "queryString", query->text);
    value_set_int(arena, parameters, "limit", query->limit);
    int result = aws_call(task, client, arena, &aws_logs, "StartQuery", parameters, &reply, error);
    *id = result == 0 ? value_text(reply, "queryId") : NULL;
    if (result == 0 && !*id)
        return error_set(error, ERR_FAILED, "StartQuery gave no id");
    return result;
}

/* Rows come as lists of fields. */
static struct value *rows_of(struct arena *arena, const struct value *results)
{
    struct value *rows = value_list(arena), *fields, *field;
    value_each(fields, results)
    {
        struct value *row = value_map(arena);
        value_each(field, fields)
        {
            const char *name = value_text(field, "field"), *text = value_text(field, "value");
            if (name && text)
                value_set_text(arena, row, name, text);
        }
        value_push(arena, rows, row);
    }
    return rows;
}

static void stop(struct task *task, struct aws_client *client, struct arena *arena,
                 struct value *parameters)
{
    struct error ignored = {0};
    struct value *reply;
    task_mask_cancel(task, true);
    aws_call(task, client, arena, &aws_logs, "StopQuery", parameters, &reply, &ignored);
    task_mask_cancel(task, false);
}

static int await(struct task *task, struct aws_client *client, struct arena *arena,
                 struct value *parameters, struct insights_result *out, struct error *error)
{
    int64_t end_ms = task_now_ms(task) + PATIENCE_MS;
    int result = task_sleep(task, FIRST_POLL_MS, error);
    while (result == 0) {
        struct value *reply;
        out->calls++;
        result =
            aws_call(task, client, arena, &aws_logs, "GetQueryResults", parameters, &reply, error);
        const char *status = result == 0 ? value_text(reply, "status") : NULL;
        bool waits = status && (strcmp(status, "Running") == 0 || strcmp(status, "Scheduled") == 0);
        if (status && strcmp(status, "Complete") == 0) {
            out->rows = rows_of(arena, value_get(reply, "results"));
            out->scanned_bytes = value_as_real(value_at(reply, "statistics.bytesScanned"), 0);
            out->usd = out->scanned_bytes / GIB * USD_A_GIB;
            return 0;
        }
        if (result == 0 && !waits)
            return error_set(error, ERR_FAILED, "the query ended as %s", status ? status : "-");
        if (result == 0 && task_now_ms(task) > end_ms)
            result = error_set(error, ERR_TIMEOUT, "the query takes longer than ten minutes");
        if (result == 0)
            result = task_sleep(task, POLL_MS, error);
    }
    return result;
}

int insights_run(struct task *task, struct aws_client *client, struct arena *arena,
                 const struct insights_query *query, struct insights_result *out,
                 struct error *error)
{
    const char *id;
    *out = (struct insights_result){.calls = 1};
    int result = start(task, client, arena, query, &id, error);
    if (result < 0)
        return error_wrap(error, "Logs Insights");
    struct value *parameters = value_set_text(arena, value_map(arena), "queryId", id);
    result = await(task, client, arena, parameters, out, error);
    if (result == ERR_CANCELLED || result == ERR_TIMEOUT)
        stop(task, client, arena, parameters);
    return result < 0 ? error_wrap(error, "Logs Insights") : 0;
}
