/* The doors: the HTTP API, and the bucket that documents are put into. */
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/expand.h"
#include "pkg/cloud/types.h"

static const struct {
    const char *key, *function;
} routes[] = {
    {"POST /ask", "ask"},         {"POST /documents", "ingest"},
    {"GET /documents", "ingest"}, {"DELETE /documents/{id}", "ingest"},
    {"GET /health", "ask"},       {"GET /", "ask"},
    {"GET /openapi.json", "ask"},
};

enum { INTEGRATION_TIMEOUT_MS = 30000 }; /* the longest that HTTP APIs allow */

static struct value *all_routes(const struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    const char *auth = say_text(expansion, "api.auth");
    struct value *list = value_list(arena);
    for (size_t i = 0; i < COUNT_OF(routes); i++)
        value_push(arena, list,
                   props(arena, "key", text(arena, "%s", routes[i].key), "function",
                         text(arena, "${%s.alias_arn}", routes[i].function), "auth",
                         text(arena, "%s", auth), "timeout_ms",
                         value_int(arena, INTEGRATION_TIMEOUT_MS), NULL));
    return list;
}

static struct value *stage(const struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    return props(arena, "throttle_rate", say(expansion, "api.throttle.rate"), "throttle_burst",
                 say(expansion, "api.throttle.burst"), "access_log", text(arena, "${api-logs.arn}"),
                 NULL);
}

static struct value *cors(const struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    const struct value *origins = say(expansion, "api.cors.origins");
    if (!value_count(origins))
        return NULL;
    return props(arena, "origins", value_copy(arena, origins), "methods",
                 items(arena, text(arena, "GET"), text(arena, "POST"), text(arena, "DELETE"), NULL),
                 "headers",
                 items(arena, text(arena, "content-type"), text(arena, "authorization"), NULL),
                 "max_age_s", value_int(arena, 3600), NULL);
}

void expand_api(struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    const struct value *from = say(expansion, "api"), *jwt = value_get(from, "jwt");
    expand_add(expansion, &logs_group, "api-logs", from,
               props(arena, "retention_days", say(expansion, "watch.retention_days"), NULL));
    struct value *authorizer = value_is(jwt, VALUE_MAP)
                                   ? props(arena, "issuer", value_get(jwt, "issuer"), "audience",
                                           value_get(jwt, "audience"), NULL)
                                   : NULL;
    expand_add(expansion, &apigateway_api, "api", from,
               props(arena, "description", text(arena, "questions and documents"), "cors",
                     cors(expansion), "authorizer", authorizer, "stage", stage(expansion), "routes",
                     all_routes(expansion), NULL));
}

void expand_documents(struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    if (!say_bool(expansion, "documents.bucket"))
        return;
    struct value *notification = props(
        arena, "id", text(arena, "ingest"), "function", text(arena, "${ingest.alias_arn}"),
        "events",
        items(arena, text(arena, "s3:ObjectCreated:*"), text(arena, "s3:ObjectRemoved:*"), NULL),
        NULL);
    expand_add(expansion, &s3_bucket, "documents", say(expansion, "documents"),
               props(arena, "versioning", value_bool(arena, true), "tls_only",
                     value_bool(arena, true), "notifications", items(arena, notification, NULL),
                     NULL));
}
