#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/attributes.h"
#include "pkg/lambda/lambda.h"
#include "pkg/value/json.h"
#include "tests/unit/fake_server.h"

/* A Runtime API: gives these events, and then no more; keeps what was posted. */
struct runtime {
    struct fake_server *server;
    const char *const *events; /* ends with NULL */
    const char *headers;       /* beside the request id */
    int given, posted;
    int post_status;
    char paths[8][128], bodies[8][512], types[8][64];
    size_t body_length;
};

static void keep_header(const struct fake_request *request, const char *name, char *out,
                        size_t size)
{
    const char *line = strcasestr(request->head, name);
    if (line)
        snprintf(out, size, "%.*s", (int)strcspn(line + strlen(name), "\r"), line + strlen(name));
}

static void give_next(struct fake_connection *connection, struct runtime *runtime)
{
    char headers[512];
    const char *event = runtime->events[runtime->given];
    if (!event) {
        fake_respond(connection, 500, "", "{\"errorMessage\":\"no more\"}");
        return;
    }
    snprintf(headers, sizeof headers, "Lambda-Runtime-Aws-Request-Id: id-%d\r\n%s",
             ++runtime->given, runtime->headers);
    fake_respond(connection, 200, headers, event);
}

static void serve_runtime(struct fake_connection *connection, const struct fake_request *request,
                          void *data)
{
    struct runtime *runtime = data;
    if (strcmp(request->target, "/2018-06-01/runtime/invocation/next") == 0) {
        give_next(connection, runtime);
        return;
    }
    int n = runtime->posted++;
    snprintf(runtime->paths[n], sizeof runtime->paths[n], "%s", request->target);
    snprintf(runtime->bodies[n], sizeof runtime->bodies[n], "%.*s",
             (int)(request->body_length < 500 ? request->body_length : 500), request->body);
    runtime->body_length = request->body_length;
    keep_header(request, "lambda-runtime-function-error-type: ", runtime->types[n],
                sizeof runtime->types[n]);
    fake_respond(connection, runtime->post_status ? runtime->post_status : 202, "",
                 "{\"status\":\"OK\"}");
}

static int run(struct runtime *runtime, invocation_handler *handler, void *data,
               struct error *error)
{
    runtime->server =
        fake_server_start(&(struct fake_server_options){.handler = serve_runtime, .data = runtime});
    struct lambda lambda = {
        .api = fake_server_url(runtime->server) + strlen("http://"),
        .handler = handler,
        .data = data,
    };
    runtime->headers = runtime->headers ? runtime->headers : "";
    int result = lambda_run(&lambda, error);
    assert_int_equal(fake_server_counts(runtime->server).connections, 1);
    fake_server_stop(runtime->server);
    return result;
}

/* -- handlers -- */

static int echo(void *data, const struct invocation *invocation, struct value **answer,
                struct error *error)
{
    (void)error;
    ++*(int *)data;
    *answer =
        value_wrap(invocation->arena, "got", value_copy(invocation->arena, invocation->event));
    return 0;
}

static void events_are_answered_one_after_the_other(void **state)
{
    (void)state;
    static const char *const events[] = {"{\"a\":1}", "[true,null]", "\"text\"", NULL};
    struct runtime runtime = {.events = events};
    struct error error;
    int calls = 0;
    assert_int_equal(run(&runtime, echo, &calls, &error), ERR_FAILED);
    assert_string_equal(error.message,
                        "the Runtime API gave status 500: {\"errorMessage\":\"no more\"}");
    assert_int_equal(calls, 3);
    assert_int_equal(runtime.posted, 3);
    assert_string_equal(runtime.paths[0], "/2018-06-01/runtime/invocation/id-1/response");
    assert_string_equal(runtime.bodies[0], "{\"got\":{\"a\":1}}");
    assert_string_equal(runtime.bodies[1], "{\"got\":[true,null]}");
    assert_string_equal(runtime.paths[2], "/2018-06-01/runtime/invocation/id-3/response");
    assert_string_equal(runtime.bodies[2], "{\"got\":\"text\"}");
}

static int look_around(void *data, const struct invocation *invocation, struct value **answer,
                       struct error *error)
{
    (void)data, (void)error;
    struct arena *arena = invocation->arena;
    *answer = value_map(arena);
    value_set_text(arena, *answer, "id", invocation->request_id);
    value_set_text(arena, *answer, "arn", invocation->function_arn);
    value_set_text(arena, *answer, "trace", invocation->trace_id);
    value_set_text(arena, *answer, "variable", getenv("_X_AMZN_TRACE_ID"));
    value_set_int(arena, *answer, "deadline", invocation->deadline_wall_ms);
    value_set_bool(arena, *answer, "late", invocation_left_ms(invocation) < 0);
    return 0;
}

static void handlers_know_about_their_invocation(void **state)
{
    (void)state;
    static const char *const events[] = {"{}", NULL};
    static const struct {
        const char *headers, *answer;
    } cases[] = {
        {"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:x\r\n"
         "Lambda-Runtime-Trace-Id: Root=1-5\r\n"
         "Lambda-Runtime-Deadline-Ms: 1700000000123\r\n",
         "{\"id\":\"id-1\",\"arn\":\"arn:aws:lambda:x\",\"trace\":\"Root=1-5\","
         "\"variable\":\"Root=1-5\",\"deadline\":1700000000123,\"late\":true}"},
        {"", "{\"id\":\"id-1\",\"deadline\":0,\"late\":false}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct runtime runtime = {.events = events, .headers = cases[i].headers};
        run(&runtime, look_around, NULL, NULL);
        assert_string_equal(runtime.bodies[0], cases[i].answer);
    }
}

static int fail_with(void *data, const struct invocation *invocation, struct value **answer,
                     struct error *error)
{
    (void)invocation, (void)answer;
    return error_set(error, *(int *)data, "the database \"x\" is away");
}

static void failures_are_told_with_their_type(void **state)
{
    (void)state;
    static const char *const events[] = {"{}", "not json", NULL};
    static const struct {
        int code;
        const char *type;
    } cases[] = {{ERR_FAILED, "Ragstack.Failed"},
                 {ERR_TIMEOUT, "Ragstack.Timeout"},
                 {ERR_THROTTLED, "Ragstack.Throttled"},
                 {ERR_DENIED, "Ragstack.Denied"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct runtime runtime = {.events = events};
        char body[256];
        int code = cases[i].code;
        run(&runtime, fail_with, &code, NULL);
        snprintf(body, sizeof body,
                 "{\"errorType\":\"%s\",\"errorMessage\":\"the database \\\"x\\\" is away\","
                 "\"stackTrace\":[]}",
                 cases[i].type);
        assert_int_equal(runtime.posted, 2);
        assert_string_equal(runtime.paths[0], "/2018-06-01/runtime/invocation/id-1/error");
        assert_string_equal(runtime.types[0], cases[i].type);
        assert_string_equal(runtime.bodies[0], body);
        assert_string_equal(runtime.paths[1], "/2018-06-01/runtime/invocation/id-2/error");
        assert_string_equal(runtime.types[1], "Ragstack.Input");
    }
}

static int answer_long(void *data, const struct invocation *invocation, struct value **answer,
                       struct error *error)
{
    (void)error;
    size_t length = *(size_t *)data;
    char *text = arena_alloc(invocation->arena, length + 1);
    memset(text, 'x', length);
    *answer = value_string(invocation->arena, text);
    return 0;
}

static void an_answer_that_lambda_would_not_take_is_a_failure(void **state)
{
    (void)state;
    static const char *const events[] = {"{}", NULL};
    struct runtime runtime = {.events = events};
    size_t length = 6291556 - 2;
    run(&runtime, answer_long, &length, NULL);
    assert_string_equal(runtime.paths[0], "/2018-06-01/runtime/invocation/id-1/response");
    assert_int_equal(runtime.body_length, 6291556);
    length++;
    runtime = (struct runtime){.events = events};
    run(&runtime, answer_long, &length, NULL);
    assert_string_equal(runtime.paths[0], "/2018-06-01/runtime/invocation/id-1/error");
    assert_non_null(strstr(runtime.bodies[0], "the answer is over Lambda's 6 MB"));
}

static void an_answer_that_is_refused_does_not_end_the_process(void **state)
{
    (void)state;
    static const char *const events[] = {"1", "2", NULL};
    struct runtime runtime = {.events = events, .post_status = 400};
    int calls = 0;
    run(&runtime, echo, &calls, NULL);
    assert_int_equal(calls, 2);
}

static void a_process_that_cannot_start_says_why(void **state)
{
    (void)state;
    struct runtime runtime = {.headers = ""};
    runtime.server = fake_server_start(
        &(struct fake_server_options){.handler = serve_runtime, .data = &runtime});
    struct lambda lambda = {.api = fake_server_url(runtime.server) + strlen("http://")};
    struct error reason, error;
    error_set(&reason, ERR_INPUT, "there is no such handler");
    assert_int_equal(lambda_fail_init(&lambda, &reason, &error), 0);
    assert_string_equal(runtime.paths[0], "/2018-06-01/runtime/init/error");
    assert_string_equal(runtime.types[0], "Ragstack.Input");
    assert_string_equal(runtime.bodies[0],
                        "{\"errorType\":\"Ragstack.Input\",\"errorMessage\":\"there is no such "
                        "handler\",\"stackTrace\":[]}");
    fake_server_stop(runtime.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_answered_one_after_the_other),
        cmocka_unit_test(handlers_know_about_their_invocation),
        cmocka_unit_test(failures_are_told_with_their_type),
        cmocka_unit_test(an_answer_that_lambda_would_not_take_is_a_failure),
        cmocka_unit_test(an_answer_that_is_refused_does_not_end_the_process),
        cmocka_unit_test(a_process_that_cannot_start_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
