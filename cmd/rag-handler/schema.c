/* Brings the schema of the database up to date.
 *
 * Events: {"ragstack": "schema-look"} tells how things stand; {"ragstack": "schema"} migrates;
 * {"ragstack": "schema-reembed"} does so with consent to drop vectors of another model. Beside it
 * "embedder" and "dimensions" of the vectors that are wanted and, on AWS, "host" (the instance, not
 * the proxy) and "app_user". The answer: {"migrations", "embedder", "dimensions", "documents",
 * ...}. */
#include <string.h>

#include "cmd/rag-handler/handler.h"
#include "cmd/rag-handler/runtime.h"
#include "pkg/rag/schema.h"

static const struct setting settings[] = {
    {"RAG_STACK", false},      {"RAG_DB_NAME", true},           {"RAG_DB_USER", true},
    {"RAG_DB_URL_FILE", true}, {"RAG_EMBED_DIMENSIONS", false}, {0},
};

struct migrating {
    const struct invocation *invocation;
    struct schema_report report;
    bool look;
};

static int migrate(struct task *task, void *argument, struct error *error)
{
    struct migrating *migrating = argument;
    struct arena *arena = migrating->invocation->arena;
    const struct value *event = migrating->invocation->event;
    const char *host = value_text(event, "host"), *embedder = value_text(event, "embedder");
    const char *what = value_text(event, "ragstack");
    struct pg *pg;
    struct schema_options options = {
        .embedder = embedder ? embedder : "",
        .dimensions =
            (int)value_int_at(event, "dimensions", runtime_number("RAG_EMBED_DIMENSIONS", 512)),
        .app_user = value_text(event, "app_user"),
        .iam = host != NULL,
        .reembed = strcmp(what, "schema-reembed") == 0,
    };
    int result =
        host ? runtime_connect(task, host, &pg, error) : runtime_database(task, &pg, error);
    if (result < 0)
        return result;
    result = migrating->look ? schema_look(task, pg, arena, &options, &migrating->report, error)
                             : schema_migrate(task, pg, arena, &options, &migrating->report, error);
    if (host)
        pg_close(pg);
    return result;
}

static struct value *report_value(struct arena *arena, const struct schema_report *report)
{
    struct value *body = value_map(arena);
    value_set_int(arena, body, "migrations", report->to);
    value_set_int(arena, body, "migrations_before", report->from);
    value_set_text(arena, body, "vector_version", report->vector_version);
    value_set_text(arena, body, "embedder", report->embedder);
    value_set_int(arena, body, "dimensions", report->dimensions);
    value_set_int(arena, body, "documents", report->documents);
    value_set_int(arena, body, "passages", report->passages);
    value_set_int(arena, body, "units", report->units);
    value_set_int(arena, body, "characters", report->characters);
    value_set_int(arena, body, "pending_units", report->pending_units);
    value_set_bool(arena, body, "hnsw", report->hnsw);
    return value_set_text(arena, body, "warning", report->warning);
}

static int answer(const struct invocation *invocation, struct value **out, struct error *error)
{
    struct migrating migrating = {.invocation = invocation};
    const char *what = value_text(invocation->event, "ragstack");
    if (!what || strncmp(what, "schema", strlen("schema")) != 0)
        return error_set(error, ERR_INPUT, "the event is to hold \"ragstack\": \"schema\"");
    migrating.look = strcmp(what, "schema-look") == 0;
    int result = runtime_run("schema", migrate, &migrating, error);
    if (result == 0)
        *out = report_value(invocation->arena, &migrating.report);
    return result;
}

const struct handler handler_schema = {.name = "schema", .settings = settings, .answer = answer};
