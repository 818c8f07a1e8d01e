#include "pkg/serve/payload.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "pkg/base/clock.h"
#include "pkg/http/http.h"
#include "pkg/value/json.h"
#include "pkg/value/utf8.h"

#define ACCOUNT "000000000000"
#define API_ID "local"

/* -- the event -- */

/* Is it what JSON can carry? */
static bool is_plain(const char *text, size_t length)
{
    return utf8_is_valid(text, length) && !memchr(text, '\0', length);
}

/* Names that differ in broken bytes alone must not become the same key twice. */
static const char *key_text(struct arena *arena, const char *text)
{
    size_t length = strlen(text);
    if (is_plain(text, length))
        return text;
    char *clean = arena_strndup(arena, text, length);
    for (size_t at = 0, bytes; at < length; at += bytes ? bytes : 1) {
        bytes = utf8_character_bytes(clean + at, length - at);
        if (!bytes)
            clean[at] = '?';
    }
    return clean;
}

static void add_text(struct arena *arena, struct value *map, const char *name, const char *text)
{
    const char *key = key_text(arena, name), *before = value_text(map, key);
    value_set_text(arena, map, key, before ? arena_printf(arena, "%s,%s", before, text) : text);
}

static struct value *split_query(const struct request *request)
{
    struct value *map = value_map(request->arena);
    for (const char *at = request->query; *at;) {
        size_t length = strcspn(at, "&"), name = strcspn(at, "=&");
        const char *key = http_decode(request->arena, at, name, true);
        const char *text = name < length
                               ? http_decode(request->arena, at + name + 1, length - name - 1, true)
                               : "";
        if (*key)
            add_text(request->arena, map, key, text);
        at += length;
        at += *at == '&';
    }
    return value_count(map) ? map : NULL;
}

static struct value *split_cookies(const struct request *request)
{
    const char *text = value_text(request->headers, "cookie");
    struct value *list = value_list(request->arena);
    while (text && *text) {
        size_t length = strcspn(text, ";");
        if (length)
            value_push_text(request->arena, list, arena_strndup(request->arena, text, length));
        text += length;
        text += strspn(text, "; ");
    }
    return value_count(list) ? list : NULL;
}

static struct value *headers_without_cookies(const struct request *request)
{
    struct value *headers = value_map(request->arena);
    for (size_t i = 0; i < value_count(request->headers); i++) {
        const struct value_entry *entry = value_entry(request->headers, i);
        if (strcmp(entry->key, "cookie") != 0)
            add_text(request->arena, headers, entry->key, value_text(request->headers, entry->key));
    }
    return headers;
}

static struct value *http_part(const struct request *request)
{
    struct value *http = value_map(request->arena);
    value_set_text(request->arena, http, "method", request->method);
    value_set_text(request->arena, http, "path",
                   http_decode(request->arena, request->path, strlen(request->path), false));
    value_set_text(request->arena, http, "protocol", "HTTP/1.1");
    value_set_text(request->arena, http, "sourceIp", request->peer);
    const char *agent = value_text(request->headers, "user-agent");
    return value_set_text(request->arena, http, "userAgent", agent ? agent : "");
}

static struct value *request_context(const struct request *request, const char *route_key,
                                     const char *request_id)
{
    struct arena *arena = request->arena;
    struct value *context = value_map(arena);
    int64_t now_ms = clock_system()->wall_ms(clock_system());
    time_t now = (time_t)(now_ms / 1000);
    struct tm parts;
    char text[64];
    gmtime_r(&now, &parts);
    strftime(text, sizeof text, "%d/%b/%Y:%H:%M:%S +0000", &parts);
    const char *host = value_text(request->headers, "host");
    value_set_text(arena, context, "accountId", ACCOUNT);
    value_set_text(arena, context, "apiId", API_ID);
    value_set_text(arena, context, "domainName", host ? host : "127.0.0.1");
    value_set_text(arena, context, "domainPrefix", API_ID);
    value_set(arena, context, "http", http_part(request));
    value_set_text(arena, context, "requestId", request_id);
    value_set_text(arena, context, "routeKey", route_key);
    value_set_text(arena, context, "stage", "$default");
    value_set_text(arena, context, "time", text);
    return value_set_int(arena, context, "timeEpoch", now_ms);
}

/* Bodies of other types arrive in base64, as API Gateway sends them. */
static bool is_text(const struct request *request)
{
    static const char *const types[] = {"text/", "application/json", "application/xml",
                                        "application/javascript",
                                        "application/x-www-form-urlencoded"};
    const char *type = value_text(request->headers, "content-type");
    for (size_t i = 0; type && i < COUNT_OF(types); i++) {
        if (strncasecmp(type, types[i], strlen(types[i])) == 0)
            return is_plain(request->body, request->body_length);
    }
    return false;
}

static void set_body(const struct request *request, struct value *event)
{
    bool plain = request->body_length == 0 || is_text(request);
    if (request->body_length && plain) {
        value_set(request->arena, event, "body",
                  value_string_n(request->arena, request->body, request->body_length));
    } else if (request->body_length) {
        char *text = arena_alloc(request->arena, request->body_length / 3 * 4 + 8);
        EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)request->body,
                        (int)request->body_length);
        value_set_text(request->arena, event, "body", text);
    }
    value_set_bool(request->arena, event, "isBase64Encoded", !plain);
}

struct value *payload_event(const struct request *request, const char *route_key,
                            struct value *parameters, const char *request_id)
{
    struct arena *arena = request->arena;
    struct value *event = value_map(arena);
    value_set_text(arena, event, "version", "2.0");
    value_set_text(arena, event, "routeKey", route_key);
    value_set_text(arena, event, "rawPath", request->path);
    value_set_text(arena, event, "rawQueryString", request->query);
    value_set(arena, event, "cookies", split_cookies(request));
    value_set(arena, event, "headers", headers_without_cookies(request));
    value_set(arena, event, "queryStringParameters", split_query(request));
    value_set(arena, event, "requestContext", request_context(request, route_key, request_id));
    value_set(arena, event, "pathParameters", parameters);
    set_body(request, event);
    return event;
}

/* -- the answer -- */

static bool decode_body(const struct request *request, const struct value *body,
                        struct reply *reply)
{
    size_t length = body->string.length;
    unsigned char *bytes = arena_alloc(request->arena, length / 4 * 3 + 4);
    int decoded =
        length % 4 ? -1
                   : EVP_DecodeBlock(bytes, (const unsigned char *)body->string.text, (int)length);
    if (decoded < 0)
        return false;
    for (size_t i = 1; i <= 2 && i <= length && body->string.text[length - i] == '='; i++)
        decoded--;
    reply->body = (const char *)bytes;
    reply->body_length = (size_t)decoded;
    return true;
}

/* Names in lower case, values as text. */
static struct value *reply_headers(struct arena *arena, const struct value *headers)
{
    struct value *all = value_map(arena);
    for (size_t i = 0; value_is(headers, VALUE_MAP) && i < value_count(headers); i++) {
        const struct value_entry *entry = value_entry(headers, i);
        char *name = arena_strdup(arena, entry->key);
        for (char *c = name; *c; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
        value_set_text(arena, all, name, value_as_text(arena, entry->value));
    }
    return all;
}

static bool take_apart(const struct request *request, const struct value *answer,
                       struct reply *reply)
{
    const struct value *body = value_get(answer, "body");
    int64_t status = value_int_at(answer, "statusCode", 0);
    if (status < 200 || status > 599)
        return false;
    reply->status = (int)status;
    reply->headers = reply_headers(request->arena, value_get(answer, "headers"));
    reply->cookies = value_get(answer, "cookies");
    if (!value_get(reply->headers, "content-type"))
        reply->content_type = "application/json";
    if (value_is(body, VALUE_STRING) && value_bool_at(answer, "isBase64Encoded", false))
        return decode_body(request, body, reply);
    const struct value *plain = value_is(body, VALUE_STRING) ? body : NULL;
    reply->body = plain ? plain->string.text : body ? json_text(request->arena, body) : "";
    reply->body_length = plain ? plain->string.length : strlen(reply->body);
    return true;
}

bool payload_reply(const struct request *request, const char *answer, size_t length,
                   struct reply *reply)
{
    struct value *tree = NULL;
    struct error error;
    if (json_parse(request->arena, answer, length, "answer", &tree, &error) == 0 &&
        value_get(tree, "statusCode"))
        return take_apart(request, tree, reply);
    reply->status = 200;
    reply->content_type = "application/json";
    reply->body = answer;
    reply->body_length = length;
    return true;
}
