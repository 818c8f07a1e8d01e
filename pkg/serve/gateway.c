#include "pkg/serve/gateway.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/clock.h"
#include "pkg/base/panic.h"
#include "pkg/serve/payload.h"
#include "pkg/serve/route.h"
#include "pkg/value/json.h"

struct gateway {
    struct arena *arena;
    struct gateway_options options;
    const struct value *config;
    struct server *server;
    pthread_mutex_t lock; /* of the bucket */
    double tokens;
    int64_t filled_ms;
    uint64_t requests;
};

/* -- throttling: a token bucket, as API Gateway has it -- */

static bool may_pass(struct gateway *gateway)
{
    double rate = value_as_real(value_get(gateway->config, "throttle_rate"), 0);
    double burst = value_as_real(value_get(gateway->config, "throttle_burst"), 0);
    if (rate <= 0)
        return true;
    pthread_mutex_lock(&gateway->lock);
    int64_t now_ms = clock_system()->monotonic_ms(clock_system());
    gateway->tokens += (double)(now_ms - gateway->filled_ms) * rate / 1000;
    gateway->tokens = gateway->tokens > burst ? burst : gateway->tokens;
    gateway->filled_ms = now_ms;
    bool pass = gateway->tokens >= 1;
    gateway->tokens -= pass ? 1 : 0;
    pthread_mutex_unlock(&gateway->lock);
    return pass;
}

/* -- CORS -- */

static bool allows(const struct value *list, const char *text)
{
    struct value *item;
    value_each(item, list)
    {
        if (value_is_text(item, "*") || value_is_text(item, text))
            return true;
    }
    return false;
}

static const char *joined(struct arena *arena, const struct value *list)
{
    const char *text = "";
    struct value *item;
    value_each(item, list) text =
        arena_printf(arena, "%s%s%s", text, *text ? "," : "", item->string.text);
    return text;
}

static void add_cors(const struct gateway *gateway, const struct request *request,
                     struct reply *reply, bool preflight)
{
    const struct value *cors = value_get(gateway->config, "cors");
    const char *origin = value_text(request->headers, "origin");
    struct arena *arena = request->arena;
    if (!value_is(cors, VALUE_MAP) || !origin || !allows(value_get(cors, "origins"), origin))
        return;
    struct value *headers = reply->headers ? reply->headers : value_map(arena);
    bool any = allows(value_get(cors, "origins"), "*");
    value_set_text(arena, headers, "access-control-allow-origin", any ? "*" : origin);
    if (preflight) {
        value_set_text(arena, headers, "access-control-allow-methods",
                       joined(arena, value_get(cors, "methods")));
        value_set_text(arena, headers, "access-control-allow-headers",
                       joined(arena, value_get(cors, "headers")));
        value_set_text(arena, headers, "access-control-max-age",
                       arena_printf(arena, "%lld", (long long)value_int_at(cors, "max_age_s", 0)));
    }
    reply->headers = headers;
}

/* -- requests -- */

static void answer(const struct request *request, const struct function_answer *answered,
                   struct reply *reply)
{
    bool timed_out = answered->outcome == FUNCTION_ERROR &&
                     memmem(answered->body, answered->body_length, "Sandbox.Timedout", 16);
    if (timed_out)
        reply_message(request, reply, 503, "Service Unavailable");
    else if (answered->outcome != INVOKED ||
             !payload_reply(request, answered->body, answered->body_length, reply))
        reply_message(request, reply, 500, "Internal Server Error");
}

static void invoke(struct gateway *gateway, const struct request *request,
                   const struct value *route, struct value *parameters,
                   struct function_answer *answered, struct reply *reply)
{
    struct arena *arena = request->arena;
    uint64_t number = __atomic_add_fetch(&gateway->requests, 1, __ATOMIC_RELAXED);
    const char *id = arena_printf(arena, "local-%llu", (unsigned long long)number);
    const char *text =
        json_text(arena, payload_event(request, value_text(route, "key"), parameters, id));
    if (gateway->options.invoke(gateway->options.data, value_text(route, "function"), arena, text,
                                strlen(text), value_text(request->headers, "x-amzn-trace-id"),
                                answered))
        answer(request, answered, reply);
    else
        reply_message(request, reply, 500, "Internal Server Error");
}

static void log_access(const struct gateway *gateway, const struct request *request,
                       const struct value *route, const struct function_answer *answered,
                       const struct reply *reply, int64_t started_ms)
{
    struct value *line = value_map(request->arena);
    const char *key = value_text(route, "key");
    int64_t took_ms = clock_system()->monotonic_ms(clock_system()) - started_ms;
    if (!gateway->options.log)
        return;
    value_set_text(request->arena, line, "requestId",
                   answered->request_id[0] ? answered->request_id : "-");
    value_set_text(request->arena, line, "method", request->method);
    value_set_text(request->arena, line, "path", request->path);
    value_set_text(request->arena, line, "routeKey", key ? key : "-");
    value_set_int(request->arena, line, "status", reply->status);
    value_set_int(request->arena, line, "responseLatency", took_ms);
    if (route)
        value_set_int(request->arena, line, "integrationLatency", (int64_t)answered->milliseconds);
    value_set_int(request->arena, line, "responseLength", (int64_t)reply->body_length);
    gateway->options.log(gateway->options.data, json_text(request->arena, line));
}

static void serve(void *data, const struct request *request, struct reply *reply)
{
    struct gateway *gateway = data;
    struct value *parameters;
    struct function_answer answered = {.request_id = ""};
    int64_t started_ms = clock_system()->monotonic_ms(clock_system());
    const struct value *routes = value_get(gateway->config, "routes");
    const struct value *route =
        route_find(request->arena, routes, request->method, request->path, &parameters);
    bool preflight = strcmp(request->method, "OPTIONS") == 0 &&
                     value_get(request->headers, "access-control-request-method") != NULL &&
                     value_is(value_get(gateway->config, "cors"), VALUE_MAP);
    if (preflight)
        reply->status = 204;
    else if (!may_pass(gateway))
        reply_message(request, reply, 429, "Too Many Requests");
    else if (!route)
        reply_message(request, reply, 404, "Not Found");
    else
        invoke(gateway, request, route, parameters, &answered, reply);
    add_cors(gateway, request, reply, preflight);
    log_access(gateway, request, route, &answered, reply, started_ms);
}

int gateway_start(const struct gateway_options *options, struct gateway **out, struct error *error)
{
    struct gateway *gateway = calloc(1, sizeof *gateway);
    struct server_options server = {.port = options->port, .serve = serve, .data = gateway};
    require(gateway);
    gateway->arena = arena_new();
    gateway->options = *options;
    gateway->config = value_copy(gateway->arena, options->config);
    gateway->tokens = value_as_real(value_get(gateway->config, "throttle_burst"), 0);
    gateway->filled_ms = clock_system()->monotonic_ms(clock_system());
    pthread_mutex_init(&gateway->lock, NULL);
    int result = server_start(&server, &gateway->server, error);
    if (result < 0)
        gateway_stop(gateway);
    else
        *out = gateway;
    return result;
}

int gateway_port(const struct gateway *gateway)
{
    return server_port(gateway->server);
}

void gateway_stop(struct gateway *gateway)
{
    if (!gateway)
        return;
    server_stop(gateway->server);
    pthread_mutex_destroy(&gateway->lock);
    arena_free(gateway->arena);
    free(gateway);
}
