#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/attributes.h"
#include "pkg/base/buffer.h"
#include "pkg/http/http.h"
#include "tests/unit/fake_server.h"

/* Every test runs twice: on a loop, and blocking. */
struct fixture {
    struct fake_server *server;
    struct transport *transport;
    struct arena *arena;
    struct loop *loop; /* NULL: blocking */
};

/* -- the server -- */

static void echo(struct fake_connection *connection, const struct fake_request *request)
{
    char head[256];
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
             strlen(request->head) + 1 + request->body_length);
    fake_send_text(connection, head);
    if (strcmp(request->method, "HEAD") == 0)
        return;
    fake_send_text(connection, request->head);
    fake_send_text(connection, "|");
    fake_send(connection, request->body, request->body_length);
}

static const struct {
    const char *target, *reply;
    bool ends; /* by closing the connection */
} replies[] = {
    {"/headers",
     "HTTP/1.1 200 OK\r\nX-Amzn-RequestId:  abc \t\r\nEMPTY:\r\nSet-Cookie: a=1\r\n"
     "set-cookie: b=2\r\nContent-Length: 2\r\n\r\nok",
     false},
    {"/chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n7\r\npedia i\r\n"
     "B\r\nn \r\nchunks.\r\n0\r\nX-Trailer: last\r\n\r\n",
     false},
    {"/until-close", "HTTP/1.0 200 OK\r\n\r\nall of this", true},
    {"/interim",
     "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 201 Created\r\n"
     "X-Final: 1\r\nContent-Length: 4\r\n\r\nmade",
     false},
    {"/nothing", "HTTP/1.1 204 No Content\r\n\r\n", false},
    {"/moved",
     "HTTP/1.1 301 Moved\r\nLocation: /headers\r\nContent-Length: 4\r\n\r\n"
     "gone",
     false},
    {"/error", "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops", false},
};

static void answer(struct fake_connection *connection, const struct fake_request *request,
                   void *data)
{
    (void)data;
    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        if (strcmp(replies[i].target, request->target) != 0)
            continue;
        fake_send_text(connection, replies[i].reply);
        if (replies[i].ends)
            fake_close(connection, false);
        return;
    }
    echo(connection, request);
}

static int set_up(void **state, bool on_loop)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->server = fake_server_start(&(struct fake_server_options){.handler = answer});
    fixture->loop = on_loop ? loop_new(clock_system()) : NULL;
    fixture->arena = arena_new();
    fixture->transport =
        http_curl_new(fixture->loop, &(struct http_curl_options){.user_agent = "ragstack-test/1"});
    *state = fixture;
    return fixture->server ? 0 : -1;
}

static int set_up_loop(void **state)
{
    return set_up(state, true);
}

static int set_up_blocking(void **state)
{
    return set_up(state, false);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    http_close(fixture->transport);
    if (fixture->loop)
        loop_free(fixture->loop);
    arena_free(fixture->arena);
    fake_server_stop(fixture->server);
    free(fixture);
    return 0;
}

/* -- asking -- */

struct question {
    struct fixture *fixture;
    const struct http_request *request;
    struct http_reply *reply;
};

static int ask_in_task(struct task *task, void *argument, struct error *error)
{
    struct question *question = argument;
    struct fixture *fixture = question->fixture;
    return http_perform(fixture->transport, task, fixture->arena, question->request,
                        question->reply, error);
}

static int perform(struct fixture *fixture, const struct http_request *request,
                   struct http_reply *reply, struct error *error)
{
    struct question question = {fixture, request, reply};
    if (!fixture->loop)
        return ask_in_task(NULL, &question, error);
    return loop_run_task(fixture->loop, "ask", ask_in_task, &question, error);
}

static const char *url_of(struct fixture *fixture, const char *target)
{
    return arena_printf(fixture->arena, "%s%s", fake_server_url(fixture->server), target);
}

static struct http_reply must_perform(struct fixture *fixture, struct http_request request)
{
    struct http_reply reply;
    struct error error = {0};
    request.url = url_of(fixture, request.url);
    if (perform(fixture, &request, &reply, &error) != 0)
        fail_msg("%s", error.message);
    return reply;
}

static struct http_reply get(struct fixture *fixture, const char *target)
{
    return must_perform(fixture, (struct http_request){.method = "GET", .url = target});
}

/* -- replies -- */

static void headers_have_lower_case_names_and_trimmed_values(void **state)
{
    struct http_reply reply = get(*state, "/headers");
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "ok");
    assert_int_equal(reply.body_length, 2);
    assert_int_equal(reply.header_count, 5);
    assert_string_equal(reply.headers[0].name, "x-amzn-requestid");
    assert_string_equal(http_header(&reply, "x-amzn-requestid"), "abc");
    assert_string_equal(http_header(&reply, "empty"), "");
    assert_string_equal(http_header(&reply, "set-cookie"), "a=1");
    assert_string_equal(reply.headers[3].value, "b=2");
    assert_null(http_header(&reply, "x-absent"));
}

static void bodies_of_every_framing_are_read(void **state)
{
    static const struct {
        const char *target, *body;
        int status;
    } cases[] = {
        {"/chunked", "Wikipedia in \r\nchunks.", 200},
        {"/until-close", "all of this", 200},
        {"/interim", "made", 201},
        {"/nothing", "", 204},
        {"/error", "oops", 500},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_reply reply = get(*state, cases[i].target);
        assert_int_equal(reply.status, cases[i].status);
        assert_string_equal(reply.body, cases[i].body);
        assert_int_equal(reply.body_length, strlen(cases[i].body));
        assert_null(http_header(&reply, "x-interim"));
    }
}

static void redirects_are_not_followed(void **state)
{
    struct http_reply reply = get(*state, "/moved");
    assert_int_equal(reply.status, 301);
    assert_string_equal(http_header(&reply, "location"), "/headers");
    assert_string_equal(reply.body, "gone");
}

/* -- requests -- */

static void assert_sent(const struct http_reply *reply, const char *text)
{
    if (!strstr(reply->body, text))
        fail_msg("\"%s\" was not sent: %s", text, reply->body);
}

static void assert_not_sent(const struct http_reply *reply, const char *text)
{
    if (strcasestr(reply->body, text))
        fail_msg("\"%s\" was sent: %s", text, reply->body);
}

static void methods_and_bodies_are_sent_as_they_are(void **state)
{
    static const struct {
        const char *method, *body, *line, *end;
    } cases[] = {
        {"GET", NULL, "GET /echo?a=%2F&b HTTP/1.1\r\n", "\r\n|"},
        {"POST", "a=1", "POST /echo?a=%2F&b HTTP/1.1\r\n", "\r\n|a=1"},
        {"POST", NULL, "Content-Length: 0\r\n", "\r\n|"},
        {"PUT", "{}", "PUT /echo?a=%2F&b HTTP/1.1\r\n", "\r\n|{}"},
        {"PUT", NULL, "Content-Length: 0\r\n", "\r\n|"},
        {"PATCH", "x", "PATCH /echo?a=%2F&b HTTP/1.1\r\n", "\r\n|x"},
        {"DELETE", NULL, "DELETE /echo?a=%2F&b HTTP/1.1\r\n", "\r\n|"},
        {"DELETE", "why", "DELETE /echo?a=%2F&b HTTP/1.1\r\n", "\r\n|why"},
        {"GET", "search", "GET /echo?a=%2F&b HTTP/1.1\r\n", "\r\n|search"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_reply reply = must_perform(
            *state,
            (struct http_request){.method = cases[i].method,
                                  .url = "/echo?a=%2F&b",
                                  .body = cases[i].body,
                                  .body_length = cases[i].body ? strlen(cases[i].body) : 0});
        assert_sent(&reply, cases[i].line);
        assert_sent(&reply, "User-Agent: ragstack-test/1\r\n");
        assert_string_equal(reply.body + reply.body_length - strlen(cases[i].end), cases[i].end);
        assert_not_sent(&reply, "content-type");
    }
}

static void a_head_request_has_no_body_to_wait_for(void **state)
{
    struct http_reply reply =
        must_perform(*state, (struct http_request){.method = "HEAD", .url = "/echo"});
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body_length, 0);
    assert_non_null(http_header(&reply, "content-length"));
}

static void bytes_of_any_value_are_sent(void **state)
{
    struct http_reply reply = must_perform(
        *state, (struct http_request){
                    .method = "POST", .url = "/echo", .body = "a\0b\xff", .body_length = 4});
    assert_memory_equal(reply.body + reply.body_length - 5, "|a\0b\xff", 5);
}

static void a_large_body_does_not_ask_first(void **state)
{
    enum { LARGE = 4 << 20 };
    char *body = malloc(LARGE);
    memset(body, 'x', LARGE);
    struct http_reply reply = must_perform(
        *state,
        (struct http_request){.method = "PUT", .url = "/echo", .body = body, .body_length = LARGE});
    assert_memory_equal(reply.body + reply.body_length - LARGE, body, LARGE);
    ((char *)reply.body)[reply.body_length - LARGE] = '\0';
    assert_not_sent(&reply, "expect");
    free(body);
}

static void headers_are_sent_as_they_are(void **state)
{
    static const struct http_header headers[] = {{"Authorization", "AWS4-HMAC-SHA256 x"},
                                                 {"X-Empty", ""},
                                                 {"Content-Type", "application/x-amz-json-1.1"},
                                                 {"User-Agent", "other"}};
    struct http_reply reply = must_perform(
        *state, (struct http_request){
                    .method = "POST", .url = "/echo", .headers = headers, .header_count = 4});
    assert_sent(&reply, "\r\nAuthorization: AWS4-HMAC-SHA256 x\r\n");
    assert_sent(&reply, "\r\nX-Empty:\r\n");
    assert_sent(&reply, "\r\nContent-Type: application/x-amz-json-1.1\r\n");
    assert_sent(&reply, "\r\nUser-Agent: other\r\n");
}

static void headers_cannot_smuggle_others_in(void **state)
{
    struct fixture *fixture = *state;
    static const struct http_header bad[] = {
        {"X-A", "1\r\nX-B: 2"}, {"X-A", "1\n"}, {"X-A: 1\r\nX-B", "2"}, {"X:A", "1"}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct http_request request = {.method = "GET",
                                       .url = url_of(fixture, "/echo"),
                                       .headers = &bad[i],
                                       .header_count = 1};
        struct http_reply reply;
        struct error error;
        assert_int_equal(perform(fixture, &request, &reply, &error), ERR_FAILED);
        assert_non_null(strstr(error.message, "line break"));
    }
    assert_int_equal(fake_server_counts(fixture->server).requests, 0);
}

/* -- connections -- */

static void a_connection_is_used_again(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 5; i++)
        get(fixture, "/headers");
    struct fake_counts counts = fake_server_counts(fixture->server);
    assert_int_equal(counts.requests, 5);
    assert_int_equal(counts.connections, 1);
}

/* -- encoding -- */

static void text_is_percent_encoded(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *text, *all, *but_slash;
    } cases[] = {
        {"", "", ""},
        {"AZaz09-_.~", "AZaz09-_.~", "AZaz09-_.~"},
        {"a b/c", "a%20b%2Fc", "a%20b/c"},
        {"\xc3\xa4+%", "%C3%A4%2B%25", "%C3%A4%2B%25"},
        {"\x01\x7f", "%01%7F", "%01%7F"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_string_equal(http_encode(fixture->arena, cases[i].text, false), cases[i].all);
        assert_string_equal(http_encode(fixture->arena, cases[i].text, true), cases[i].but_slash);
    }
}

static void percent_encoded_text_is_read(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *text, *path, *query;
    } cases[] = {
        {"a%20b+c", "a b+c", "a b c"},
        {"%41%7a%7E", "Az~", "Az~"},
        {"%", "%", "%"},
        {"%4", "%4", "%4"},
        {"%zz%4g", "%zz%4g", "%zz%4g"},
        {"", "", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *text = cases[i].text;
        assert_string_equal(http_decode(fixture->arena, text, strlen(text), false), cases[i].path);
        assert_string_equal(http_decode(fixture->arena, text, strlen(text), true), cases[i].query);
    }
    assert_string_equal(http_decode(fixture->arena, "%41%42", 4, false), "A%");
}

#define BOTH(test)                                                 \
    {"loop: " #test, test, set_up_loop, tear_down, NULL},          \
    {                                                              \
        "blocking: " #test, test, set_up_blocking, tear_down, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(headers_have_lower_case_names_and_trimmed_values),
        BOTH(bodies_of_every_framing_are_read),
        BOTH(redirects_are_not_followed),
        BOTH(methods_and_bodies_are_sent_as_they_are),
        BOTH(a_head_request_has_no_body_to_wait_for),
        BOTH(bytes_of_any_value_are_sent),
        BOTH(a_large_body_does_not_ask_first),
        BOTH(headers_are_sent_as_they_are),
        BOTH(headers_cannot_smuggle_others_in),
        BOTH(a_connection_is_used_again),
        BOTH(text_is_percent_encoded),
        BOTH(percent_encoded_text_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
