#include <stdlib.h>
#include <string.h>

#include "cmd/rag-handler/handler.h"
#include "pkg/lambda/gateway.h"

#if defined(__x86_64__)
#define ARCHITECTURE "x86_64"
#elif defined(__aarch64__)
#define ARCHITECTURE "arm64"
#else
#define ARCHITECTURE "unknown"
#endif

static bool is_gateway_health(const struct invocation *invocation)
{
    return gateway_event(invocation->event) &&
           strcmp(gateway_method(invocation->event), "GET") == 0 &&
           strcmp(gateway_path(invocation->arena, invocation->event), "/health") == 0;
}

bool is_health_event(const struct invocation *invocation)
{
    const char *asked = value_text(invocation->event, "ragstack");
    return (asked && strcmp(asked, "health") == 0) || is_gateway_health(invocation);
}

static bool is_set(const char *name)
{
    const char *text = getenv(name);
    return text && *text;
}

struct value *health_answer(const struct handler *handler, const struct invocation *invocation)
{
    struct arena *arena = invocation->arena;
    struct value *configured = value_list(arena), *missing = value_list(arena);
    for (const struct setting *setting = handler->settings; setting->name; setting++) {
        if (is_set(setting->name))
            value_push_text(arena, configured, setting->name);
        else if (!setting->optional)
            value_push_text(arena, missing, setting->name);
    }
    struct value *body = value_map(arena);
    value_set_text(arena, body, "ragstack", RAGSTACK_VERSION);
    value_set_text(arena, body, "handler", handler->name);
    value_set_text(arena, body, "architecture", ARCHITECTURE);
    value_set(arena, body, "configured", configured);
    value_set(arena, body, "missing", missing);
    if (!gateway_event(invocation->event))
        return body;
    return gateway_answer(arena, 200, "application/json", body);
}
