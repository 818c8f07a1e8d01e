/* The doors: the HTTP API, and the bucket that documents are put into. */
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/expand.h"
#include "pkg/cloud/types.h"

const struct api_route api_routes[] = {
    {"POST /ask", "ask"},
    {"POST /documents", "ingest"},
    {"GET /documents", "ingest"},
    {"DELETE /documents/{id}", "ingest"},
    {"GET /jobs", "ingest"},
    {"GET /health", "ask"},
    {"GET /", "ask"},
    {"GET /openapi.json", "ask"},
    {0},
};

enum {
    INTEGRATION_TIMEOUT_MS = 30000, /* the longest that HTTP APIs allow */
    OLD_VERSIONS_DAYS = 30,         /* a document deleted by mistake can be had back for so long */
    LOST_UPLOADS_DAYS = 7,
};

static struct value *all_routes(const struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    const char *auth = say_text(expansion, "api.auth");
    struct value *list = value_list(arena);
    for (size_t i = 0; api_routes[i].key; i++)
        value_push(arena, list,
                   props(arena, "key", text(arena, "%s", api_routes[i].key), "function",
                         text(arena, "${%s.alias_arn}", api_routes[i].function), "auth",
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

struct value *expand_cors(const struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    const struct value *origins = say(expansion, "api.cors.origins");
    if (!value_count(origins))
        return NULL;
    struct value *headers =
        items(arena, text(arena, "content-type"), text(arena, "authorization"), NULL);
    if (value_is_text(say(expansion, "api.auth"), "iam")) { /* what a signature consists of */
        value_push_text(arena, headers, "x-amz-date");
        value_push_text(arena, headers, "x-amz-security-token");
        value_push_text(arena, headers, "x-amz-content-sha256");
    }
    return props(arena, "origins", value_copy(arena, origins), "methods",
                 items(arena, text(arena, "GET"), text(arena, "POST"), text(arena, "DELETE"), NULL),
                 "headers", headers, "max_age_s", value_int(arena, 3600), NULL);
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
    struct resource *api =
        expand_add(expansion, &apigateway_api, "api", from,
                   props(arena, "description", text(arena, "questions and documents"), "cors",
                         expand_cors(expansion), "authorizer", authorizer, "stage",
                         stage(expansion), "routes", all_routes(expansion), NULL));
    if (value_is_text(value_get(from, "auth"), "none"))
        expand_note(api, value_get(from, "auth"),
                    "anybody who knows its address can ask, and read and change documents: "
                    "api.auth is none");
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
    struct value *tidy = props(arena, "id", text(arena, "tidy"), "noncurrent_days",
                               value_int(arena, OLD_VERSIONS_DAYS), "abort_multipart_days",
                               value_int(arena, LOST_UPLOADS_DAYS), NULL);
    struct resource *bucket =
        expand_add(expansion, &s3_bucket, "documents", say(expansion, "documents"),
                   props(arena, "versioning", value_bool(arena, true), "tls_only",
                         value_bool(arena, true), "lifecycle", items(arena, tidy, NULL),
                         "notifications", items(arena, notification, NULL), NULL));
    bucket->was = say_text(expansion, "documents.was");
}
