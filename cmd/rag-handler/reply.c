#include "cmd/rag-handler/reply.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pkg/lambda/gateway.h"
#include "pkg/value/json.h"

enum { BODY_MAXIMUM = 5 << 20, RETRY_AFTER_S = 10 };

struct value *reply_ok(const struct invocation *invocation, const struct value *body)
{
    return gateway_answer(invocation->arena, 200, "application/json", body);
}

struct value *reply_nothing(const struct invocation *invocation)
{
    return value_set_int(invocation->arena, value_map(invocation->arena), "statusCode", 204);
}

struct value *reply_text(const struct invocation *invocation, const char *content_type,
                         const char *text)
{
    struct arena *arena = invocation->arena;
    struct value *reply = value_map(arena), *headers = value_map(arena);
    value_set_text(arena, headers, "content-type", content_type);
    value_set_text(arena, headers, "cache-control", "no-cache");
    value_set_int(arena, reply, "statusCode", 200);
    value_set(arena, reply, "headers", headers);
    return value_set_text(arena, reply, "body", text);
}

struct value *reply_problem(const struct invocation *invocation, int status, const char *title,
                            const char *detail)
{
    return gateway_problem(invocation->arena, status, title, detail, invocation->request_id);
}

struct value *reply_error(const struct invocation *invocation, const struct error *error)
{
    static const struct {
        int code, status;
        const char *title;
        bool told; /* the message is the caller's business */
    } table[] = {
        {ERR_INPUT, 400, "Bad Request", true},
        {ERR_NOT_FOUND, 404, "Not Found", true},
        {ERR_CONFLICT, 409, "Conflict", true},
        {ERR_THROTTLED, 429, "Too Many Requests", true},
        {ERR_TIMEOUT, 503, "Service Unavailable", false},
        {ERR_LOST_REPLY, 503, "Service Unavailable", false},
        {ERR_PREFLIGHT, 503, "Service Unavailable", false},
    };
    fprintf(stderr, "error %s: %s %s\n", invocation->request_id, error->message, error->aws_code);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (table[i].code != error->code)
            continue;
        struct value *reply =
            reply_problem(invocation, table[i].status, table[i].title,
                          table[i].told ? error->message : "try again later; the log says more");
        if (table[i].status == 429)
            value_set_int(invocation->arena, value_get(reply, "headers"), "retry-after",
                          RETRY_AFTER_S);
        return reply;
    }
    return reply_problem(invocation, 500, "Internal Server Error", "the log says more");
}

/* -- requests -- */

static const char *decode(struct arena *arena, const struct value *text, size_t *length)
{
    size_t encoded = text->string.length;
    unsigned char *bytes = arena_alloc(arena, encoded / 4 * 3 + 4);
    int decoded = encoded % 4 ? -1
                              : EVP_DecodeBlock(bytes, (const unsigned char *)text->string.text,
                                                (int)encoded);
    for (size_t i = 1; decoded > 0 && i <= 2 && text->string.text[encoded - i] == '='; i++)
        decoded--;
    *length = decoded < 0 ? 0 : (size_t)decoded;
    return decoded < 0 ? NULL : (const char *)bytes;
}

static bool is_json(const struct invocation *invocation)
{
    const char *type = value_text_at(invocation->event, "headers.content-type");
    size_t length = type ? strcspn(type, "; ") : 0;
    return type && length == strlen("application/json") &&
           strncasecmp(type, "application/json", length) == 0;
}

int request_body(const struct invocation *invocation, struct value **body, struct value **refusal)
{
    const struct value *text = value_get(invocation->event, "body");
    const char *bytes = value_is(text, VALUE_STRING) ? text->string.text : NULL;
    size_t length = bytes ? text->string.length : 0;
    struct error error = {0};
    if (!is_json(invocation)) {
        *refusal = reply_problem(invocation, 415, "Unsupported Media Type",
                                 "send application/json; `ragstack ingest` converts other types");
        return ERR_INPUT;
    }
    if (bytes && value_bool_at(invocation->event, "isBase64Encoded", false))
        bytes = decode(invocation->arena, text, &length);
    if (length > BODY_MAXIMUM) {
        *refusal = reply_problem(invocation, 413, "Content Too Large", "5 MB at most");
        return ERR_INPUT;
    }
    if (!bytes || json_parse(invocation->arena, bytes, length, "body", body, &error) < 0 ||
        !value_is(*body, VALUE_MAP)) {
        *refusal =
            reply_problem(invocation, 400, "Bad Request",
                          error.message[0] ? error.message : "the body is to be a JSON object");
        return ERR_INPUT;
    }
    return 0;
}

const char *request_parameter(const struct invocation *invocation, const char *name)
{
    return value_text(value_get(invocation->event, "pathParameters"), name);
}

const char *request_query(const struct invocation *invocation, const char *name)
{
    return value_text(value_get(invocation->event, "queryStringParameters"), name);
}

bool request_is(const struct invocation *invocation, const char *method, const char *path)
{
    return gateway_event(invocation->event) &&
           strcmp(gateway_method(invocation->event), method) == 0 &&
           strcmp(gateway_path(invocation->arena, invocation->event), path) == 0;
}
