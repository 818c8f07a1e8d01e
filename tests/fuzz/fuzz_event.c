/* Whatever event comes, a handler gives a reply that API Gateway takes, or an error with a message.
 *
 * "A..." is the body of POST /ask, "D..." that of POST /documents, anything else a whole event. No
 * model and no database is configured: what is right in form ends there. */
#include <stdlib.h>
#include <string.h>

#include "cmd/rag-handler/handler.h"
#include "pkg/base/panic.h"
#include "pkg/lambda/gateway.h"
#include "pkg/value/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct value *body_event(struct arena *arena, const char *path, const char *body,
                                size_t length)
{
    struct value *http = value_map(arena), *event = value_map(arena);
    value_set_text(arena, http, "method", "POST");
    value_set_text(arena, event, "version", "2.0");
    value_set_text(arena, event, "rawPath", path);
    value_set(arena, event, "headers",
              value_wrap(arena, "content-type", value_string(arena, "application/json")));
    value_set(arena, event, "requestContext", value_wrap(arena, "http", http));
    value_set(arena, event, "body", value_string_n(arena, body, length));
    return event;
}

static void check_reply(struct arena *arena, const struct value *reply)
{
    int64_t status = value_int_at(reply, "statusCode", 0);
    const struct value *body = value_get(reply, "body");
    const char *type = value_text_at(reply, "headers.content-type");
    struct value *parsed;
    struct error error = {0};
    require(status >= 200 && status <= 599);
    require(status == 204 || (value_is(body, VALUE_STRING) && type));
    if (type && strstr(type, "json"))
        require(json_parse(arena, body->string.text, body->string.length, "body", &parsed,
                           &error) == 0);
}

static void handle(const struct handler *handler, const struct invocation *invocation)
{
    struct value *reply = NULL;
    struct error error = {0};
    if (is_health_event(invocation))
        reply = health_answer(handler, invocation);
    else if (handler->answer(invocation, &reply, &error) < 0) {
        require(error.code < 0 && error.message[0]);
        return;
    }
    require(reply);
    if (gateway_event(invocation->event))
        check_reply(invocation->arena, reply);
}

static void settle_environment(void)
{
    static const char *const names[] = {"RAG_EMBED_MODEL", "RAG_DB_HOST", "RAG_DB_URL_FILE"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        unsetenv(names[i]);
    setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9", 1); /* nobody is there */
    setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    static const struct handler *const handlers[] = {&handler_ask, &handler_ingest,
                                                     &handler_schema};
    const char *text = (const char *)data;
    struct error error = {0};
    struct value *event;
    settle_environment();
    if (size && (*text == 'A' || *text == 'D'))
        event = body_event(arena, *text == 'A' ? "/ask" : "/documents", text + 1, size - 1);
    else if (json_parse(arena, text, size, "event", &event, &error) < 0)
        return 0;
    for (size_t i = 0; i < COUNT_OF(handlers); i++) {
        const struct invocation invocation = {
            .arena = arena, .request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd", .event = event};
        handle(handlers[i], &invocation);
    }
    return 0;
}
