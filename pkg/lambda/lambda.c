#include "pkg/lambda/lambda.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/clock.h"
#include "pkg/value/json.h"

enum {
    EVENT_BYTES = 8 << 20,  /* Lambda sends up to 6 MB, and as JSON it may be escaped */
    ANSWER_BYTES = 6291556, /* what it takes at most */
    POST_TIMEOUT_MS = 30000,
};

int64_t invocation_left_ms(const struct invocation *invocation)
{
    struct clock *clock = clock_system();
    if (!invocation->deadline_wall_ms)
        return INT64_MAX;
    return invocation->deadline_wall_ms - clock->wall_ms(clock);
}

/* What a serving process has at hand. */
struct session {
    const struct lambda *lambda;
    struct transport *transport;
    struct arena *arena; /* of this invocation */
};

static const char *address(const struct session *session, const char *path)
{
    return arena_printf(session->arena, "http://%s/2018-06-01/runtime/%s", session->lambda->api,
                        path);
}

static int ask(struct session *session, const struct http_request *request,
               struct http_reply *reply, struct error *error)
{
    return http_perform(session->transport, NULL, session->arena, request, reply, error);
}

/* -- answering -- */

static int post(struct session *session, const char *path, const char *error_type, const char *body,
                size_t length, struct error *error)
{
    const struct http_header headers[] = {{"Content-Type", "application/json"},
                                          {"Lambda-Runtime-Function-Error-Type", error_type}};
    struct http_request request = {
        .method = "POST",
        .url = address(session, path),
        .headers = headers,
        .header_count = error_type ? 2 : 1,
        .body = body,
        .body_length = length,
        .timeout_ms = POST_TIMEOUT_MS,
    };
    struct http_reply reply;
    int result = ask(session, &request, &reply, error);
    if (result == 0 && reply.status != 202)
        return error_set(error, ERR_FAILED, "the Runtime API took %s with status %d: %.200s", path,
                         reply.status, reply.body);
    return result;
}

static const char *error_type_of(int code)
{
    switch (code) {
    case ERR_INPUT:
        return "Ragstack.Input";
    case ERR_TIMEOUT:
        return "Ragstack.Timeout";
    case ERR_THROTTLED:
        return "Ragstack.Throttled";
    case ERR_DENIED:
        return "Ragstack.Denied";
    case ERR_DATA_LOSS:
        return "Ragstack.DataLoss";
    default:
        return "Ragstack.Failed";
    }
}

static int post_error(struct session *session, const char *path, const struct error *reason,
                      struct error *error)
{
    const char *type = error_type_of(reason->code);
    struct value *body = value_map(session->arena);
    value_set_text(session->arena, body, "errorType", type);
    value_set_text(session->arena, body, "errorMessage", reason->message);
    value_set(session->arena, body, "stackTrace", value_list(session->arena));
    const char *text = json_text(session->arena, body);
    return post(session, path, type, text, strlen(text), error);
}

/* One line of JSON, as the function's log keeps it. */
static void log_failure(const struct session *session, const char *request_id,
                        const struct error *reason)
{
    struct value *line = value_map(session->arena);
    value_set_text(session->arena, line, "level", "ERROR");
    value_set_text(session->arena, line, "requestId", request_id);
    value_set_text(session->arena, line, "errorType", error_type_of(reason->code));
    value_set_text(session->arena, line, "message", reason->message);
    fprintf(stderr, "%s\n", json_text(session->arena, line));
}

static int post_answer(struct session *session, const char *request_id, const struct value *answer,
                       struct error *error)
{
    const char *path = arena_printf(session->arena, "invocation/%s/", request_id);
    struct buffer text = BUFFER(ANSWER_BYTES);
    json_print(&text, answer);
    struct error too_long = {.code = ERR_FAILED, .message = "the answer is over Lambda's 6 MB"};
    int result = text.overflow ? post_error(session, arena_printf(session->arena, "%serror", path),
                                            &too_long, error)
                               : post(session, arena_printf(session->arena, "%sresponse", path),
                                      NULL, buffer_string(&text), text.length, error);
    buffer_free(&text);
    return result;
}

/* -- one invocation -- */

static int next(struct session *session, struct http_reply *reply, struct error *error)
{
    struct http_request request = {
        .method = "GET",
        .url = address(session, "invocation/next"),
        .timeout_ms = -1, /* the next event may come in hours */
        .maximum_body_bytes = EVENT_BYTES,
    };
    int result = ask(session, &request, reply, error);
    if (result == 0 && reply->status != 200)
        return error_set(error, ERR_FAILED, "the Runtime API gave status %d: %.200s", reply->status,
                         reply->body);
    if (result == 0 && !http_header(reply, "lambda-runtime-aws-request-id"))
        return error_set(error, ERR_FAILED, "the Runtime API gave an event without a request id");
    return result;
}

static int64_t read_number(const char *text)
{
    return text ? strtoll(text, NULL, 10) : 0;
}

/* Libraries of the handler read it there. */
static void announce_trace(const char *trace_id)
{
    if (trace_id)
        setenv("_X_AMZN_TRACE_ID", trace_id, 1);
    else
        unsetenv("_X_AMZN_TRACE_ID");
}

static int answer_event(struct session *session, const struct http_reply *reply,
                        struct error *error)
{
    struct value *event = NULL, *answer = NULL;
    struct error reason = {0};
    struct invocation invocation = {
        .arena = session->arena,
        .request_id = http_header(reply, "lambda-runtime-aws-request-id"),
        .function_arn = http_header(reply, "lambda-runtime-invoked-function-arn"),
        .trace_id = http_header(reply, "lambda-runtime-trace-id"),
        .deadline_wall_ms = read_number(http_header(reply, "lambda-runtime-deadline-ms")),
    };
    announce_trace(invocation.trace_id);
    int result =
        json_parse(session->arena, reply->body, reply->body_length, "event", &event, &reason);
    invocation.event = event;
    if (result == 0)
        result = session->lambda->handler(session->lambda->data, &invocation, &answer, &reason);
    if (result == 0)
        return post_answer(session, invocation.request_id,
                           answer ? answer : value_null(session->arena), error);
    return post_error(session,
                      arena_printf(session->arena, "invocation/%s/error", invocation.request_id),
                      &reason, error);
}

/* An answer that cannot be delivered fails that invocation alone: the caller sees its timeout. */
static int serve_one(struct session *session, struct error *error)
{
    struct http_reply reply;
    struct error undelivered = {0};
    int result = next(session, &reply, error);
    if (result == 0 && answer_event(session, &reply, &undelivered) < 0)
        log_failure(session, http_header(&reply, "lambda-runtime-aws-request-id"), &undelivered);
    return result;
}

/* -- the process -- */

int lambda_run(const struct lambda *lambda, struct error *error)
{
    struct session session = {.lambda = lambda, .transport = lambda->transport};
    int result = 0;
    if (!lambda->transport)
        session.transport = http_curl_new(NULL, &(struct http_curl_options){0});
    while (result == 0) {
        session.arena = arena_new();
        result = serve_one(&session, error);
        arena_free(session.arena);
    }
    if (!lambda->transport)
        http_close(session.transport);
    return result;
}

int lambda_fail_init(const struct lambda *lambda, const struct error *reason, struct error *error)
{
    struct session session = {.lambda = lambda,
                              .arena = arena_new(),
                              .transport = http_curl_new(NULL, &(struct http_curl_options){0})};
    int result = post_error(&session, "init/error", reason, error);
    http_close(session.transport);
    arena_free(session.arena);
    return result;
}
