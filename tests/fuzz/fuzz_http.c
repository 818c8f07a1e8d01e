/* A request to the local gateway as the event of a function, and back: whatever path, query, header
 * lines and body say. The input is a request as it stands on the wire, a NUL byte, and what the
 * function answers. */
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/http/http.h"
#include "pkg/lambda/gateway.h"
#include "pkg/serve/payload.h"
#include "pkg/serve/route.h"
#include "pkg/value/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char routes_text[] =
    "[{\"key\":\"GET /\"},{\"key\":\"POST /ask\"},{\"key\":\"GET /documents\"},"
    "{\"key\":\"DELETE /documents/{id}\"},{\"key\":\"ANY /files/{proxy+}\"}]";

/* Up to one of these, which is skipped. */
static char *word(struct arena *arena, const char **at, const char *ends)
{
    size_t length = strcspn(*at, ends);
    char *text = arena_strndup(arena, *at, length);
    *at += length;
    *at += **at != '\0';
    return text;
}

static struct request read_request(struct arena *arena, const char *text)
{
    struct request request = {.arena = arena, .headers = value_map(arena), .peer = "127.0.0.1"};
    const char *line = word(arena, &text, "\n");
    request.method = word(arena, &line, " ");
    const char *target = word(arena, &line, " ");
    request.path = word(arena, &target, "?");
    request.query = target;
    while (*text && *text != '\n') {
        line = word(arena, &text, "\n");
        char *name = word(arena, &line, ":");
        for (char *c = name; *c; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
        value_set_text(arena, (struct value *)request.headers, name, line + strspn(line, " "));
    }
    request.body = *text ? text + 1 : text;
    request.body_length = strlen(request.body);
    return request;
}

static void check_event(struct arena *arena, const struct request *request)
{
    struct value *routes, *parameters, *again;
    struct error error = {0};
    require(json_parse(arena, routes_text, strlen(routes_text), "routes", &routes, &error) == 0);
    const struct value *route =
        route_find(arena, routes, request->method, request->path, &parameters);
    const char *key = route ? value_text(route, "key") : "$default";
    const struct value *event = payload_event(request, key, parameters, "local-1");
    const char *text = json_text(arena, event);
    require(json_parse(arena, text, strlen(text), "event", &again, &error) == 0);
    require(gateway_event(again));
    require(gateway_path(arena, again)[0] || !request->path[0]);
    require(value_bool_at(again, "isBase64Encoded", false) || !request->body_length ||
            strcmp(value_text(again, "body"), request->body) == 0);
}

static void check_answer(const struct request *request, const char *text, size_t length)
{
    struct reply reply = {0};
    if (!payload_reply(request, text, length, &reply))
        return;
    require(reply.status >= 200 && reply.status <= 599);
    require(reply.body || !reply.body_length);
    size_t sum = 0; /* every byte can be read */
    for (size_t i = 0; i < reply.body_length; i++)
        sum += (unsigned char)reply.body[i];
    require(sum <= 255 * reply.body_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *text = arena_strndup(arena, (const char *)data, size), *end = text + size;
    const char *answer = text + strlen(text) < end ? text + strlen(text) + 1 : end;
    struct request request = read_request(arena, text);
    const char *encoded = http_encode(arena, text, false);
    require(strcmp(http_decode(arena, encoded, strlen(encoded), false), text) == 0);
    check_event(arena, &request);
    check_answer(&request, answer, (size_t)(end - answer));
    return 0;
}
