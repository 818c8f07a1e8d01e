#include "pkg/lambda/gateway.h"

#include <string.h>

#include "pkg/value/json.h"

bool gateway_event(const struct value *event)
{
    const char *version = value_text(event, "version");
    return version && strcmp(version, "2.0") == 0 && gateway_method(event);
}

const char *gateway_method(const struct value *event)
{
    return value_text_at(event, "requestContext.http.method");
}

const char *gateway_path(struct arena *arena, const struct value *event)
{
    const char *path = value_text(event, "rawPath");
    const char *stage = value_text_at(event, "requestContext.stage");
    if (!path)
        return "/";
    if (!stage || strcmp(stage, "$default") == 0)
        return path;
    const char *prefix = arena_printf(arena, "/%s", stage);
    size_t length = strlen(prefix);
    if (strncmp(path, prefix, length) != 0 || (path[length] && path[length] != '/'))
        return path;
    return path[length] ? path + length : "/";
}

struct value *gateway_answer(struct arena *arena, int status, const char *content_type,
                             const struct value *body)
{
    struct value *headers = value_map(arena), *answer = value_map(arena);
    value_set_text(arena, headers, "content-type", content_type);
    value_set_int(arena, answer, "statusCode", status);
    value_set(arena, answer, "headers", headers);
    return value_set_text(arena, answer, "body", json_text(arena, body));
}

struct value *gateway_problem(struct arena *arena, int status, const char *title,
                              const char *detail, const char *instance)
{
    struct value *body = value_map(arena);
    value_set_text(arena, body, "type", "about:blank");
    value_set_text(arena, body, "title", title);
    value_set_int(arena, body, "status", status);
    value_set_text(arena, body, "detail", detail);
    value_set_text(arena, body, "instance", instance);
    return gateway_answer(arena, status, "application/problem+json", body);
}
