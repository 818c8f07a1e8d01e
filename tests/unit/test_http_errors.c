#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pkg/base/attributes.h"
#include "pkg/http/http.h"
#include "tests/unit/fake_server.h"

enum { SHORT_MS = 200 };

/* -- a server that misbehaves -- */

static bool refuse(const char *first_bytes)
{
    return strstr(first_bytes, "/reset-unread") != NULL;
}

static void misbehave(struct fake_connection *connection, const struct fake_request *request,
                      void *data)
{
    char target[64];
    (void)data;
    snprintf(target, sizeof target, "%.*s", (int)strcspn(request->target, "?"), request->target);
    if (strcmp(target, "/slow") == 0) {
        fake_wait(connection, 10000);
    } else if (strcmp(target, "/cut-length") == 0) {
        fake_send_text(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    } else if (strcmp(target, "/cut-chunk") == 0) {
        fake_send_text(connection,
                       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf");
    } else if (strcmp(target, "/cut-head") == 0) {
        fake_send_text(connection, "HTTP/1.1 200 OK\r\nContent-Le");
    } else if (strcmp(target, "/garbage") == 0) {
        fake_send_text(connection, "SSH-2.0-OpenSSH_9.2\r\n\r\n");
    } else if (strcmp(target, "/slow-body") == 0) {
        fake_send_text(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        fake_wait(connection, 10000);
    } else if (strcmp(target, "/endless-head") == 0) {
        fake_send_text(connection, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 10000; i++)
            fake_send_text(connection, "X-Filler: 0123456789012345678901234567890123456789\r\n");
    } else if (strcmp(target, "/long") == 0) {
        fake_respond(connection, 200, "", "0123456789");
        return;
    } else if (strcmp(target, "/once") == 0 && request->turn == 1) {
        fake_respond(connection, 200, "", "once");
        return;
    }
    fake_close(connection, strcmp(target, "/reset") == 0);
}

struct fixture {
    struct fake_server *server;
    struct transport *transport;
    struct arena *arena;
    struct loop *loop; /* NULL: blocking */
};

static int set_up(void **state, bool on_loop)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->server =
        fake_server_start(&(struct fake_server_options){.handler = misbehave, .refuse = refuse});
    fixture->loop = on_loop ? loop_new(clock_system()) : NULL;
    fixture->arena = arena_new();
    fixture->transport = http_curl_new(fixture->loop, &(struct http_curl_options){0});
    *state = fixture;
    return 0;
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

struct question {
    struct fixture *fixture;
    const struct http_request *request;
    struct http_reply reply;
};

static int ask_in_task(struct task *task, void *argument, struct error *error)
{
    struct question *question = argument;
    return http_perform(question->fixture->transport, task, question->fixture->arena,
                        question->request, &question->reply, error);
}

static int perform(struct fixture *fixture, struct http_request request, struct http_reply *reply,
                   struct error *error)
{
    struct question question = {fixture, &request, {0}};
    int result = fixture->loop ? loop_run_task(fixture->loop, "ask", ask_in_task, &question, error)
                               : ask_in_task(NULL, &question, error);
    *reply = question.reply;
    return result;
}

static int get(struct fixture *fixture, const char *url, struct error *error)
{
    struct http_reply reply;
    return perform(fixture,
                   (struct http_request){.method = "GET", .url = url, .timeout_ms = SHORT_MS},
                   &reply, error);
}

static const char *url_of(struct fixture *fixture, const char *target)
{
    return arena_printf(fixture->arena, "%s%s", fake_server_url(fixture->server), target);
}

/* -- the request may have reached the server -- */

static void an_incomplete_reply_is_a_lost_one(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *target, *words;
    } cases[] = {
        {"/slow", "Operation timed out"},
        {"/slow-body", "Operation timed out"},
        {"/cut-length", "transfer closed with 96 bytes remaining"},
        {"/cut-chunk", "transfer closed with outstanding read data"},
        {"/cut-head", "the reply ended within its headers"},
        {"/garbage", "HTTP/0.9"},
        {"/close", "Empty reply from server"},
        {"/reset", "reset by peer"},
        {"/reset-unread", "reset by peer"},
        {"/endless-head", "the reply is larger than 262144 bytes"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error error = {0};
        const char *url = url_of(fixture, cases[i].target);
        int result =
            get(fixture, arena_printf(fixture->arena, "%s?X-Amz-Signature=secret", url), &error);
        if (result != ERR_LOST_REPLY || !strstr(error.message, cases[i].words))
            fail_msg("%s: %d: %s", cases[i].target, result, error.message);
        assert_memory_equal(error.message, "GET http://127.0.0.1:", 21);
        assert_non_null(strstr(error.message, url));
        assert_null(strstr(error.message, "secret"));
    }
}

static void a_reply_that_is_too_large_is_not_kept(void **state)
{
    struct http_reply reply;
    struct error error;
    struct http_request request = {
        .method = "GET", .url = url_of(*state, "/long"), .maximum_body_bytes = 10};
    assert_int_equal(perform(*state, request, &reply, &error), 0);
    assert_string_equal(reply.body, "0123456789");
    request.maximum_body_bytes = 9;
    assert_int_equal(perform(*state, request, &reply, &error), ERR_LOST_REPLY);
    assert_non_null(strstr(error.message, "the reply is larger than 9 bytes"));
}

/* On a kept connection that dies, libcurl by itself would send the request once more. */
static void what_could_have_an_effect_is_not_sent_twice(void **state)
{
    struct fixture *fixture = *state;
    struct http_reply reply;
    struct error error = {0};
    const char *url = url_of(fixture, "/once");
    struct http_request request = {
        .method = "POST", .url = url, .body = "Action=CreateVpc", .body_length = 16};
    assert_int_equal(perform(fixture, request, &reply, &error), 0);
    assert_int_equal(perform(fixture, request, &reply, &error), ERR_LOST_REPLY);
    assert_non_null(strstr(error.message, "the connection broke before any reply came"));
    assert_int_equal(fake_server_counts(fixture->server).requests, 2);
}

static void a_read_is_sent_again_on_a_fresh_connection(void **state)
{
    struct fixture *fixture = *state;
    struct http_reply reply;
    struct error error = {0};
    struct http_request request = {.method = "GET", .url = url_of(fixture, "/once")};
    assert_int_equal(perform(fixture, request, &reply, &error), 0);
    assert_string_equal(reply.body, "once");
    assert_int_equal(perform(fixture, request, &reply, &error), 0);
    assert_string_equal(reply.body, "once");
    assert_int_equal(fake_server_counts(fixture->server).requests, 3);
    assert_int_equal(fake_server_counts(fixture->server).connections, 2);
}

/* -- the request has surely not reached the server -- */

/* A port of loopback that nobody listens on; one that accepts nothing more when `full`. */
static int listen_idle(bool full, int fillers[4], int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&address, length), 0);
    getsockname(descriptor, (struct sockaddr *)&address, &length);
    *port = ntohs(address.sin_port);
    if (full)
        assert_int_equal(listen(descriptor, 0), 0);
    for (int i = 0; full && i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fillers[i], (struct sockaddr *)&address, length);
    }
    return descriptor;
}

static void a_refused_connection_is_a_plain_failure(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    int port, fillers[4], descriptor = listen_idle(false, fillers, &port);
    const char *url = arena_printf(fixture->arena, "http://127.0.0.1:%d/x", port);
    assert_int_equal(get(fixture, url, &error), ERR_FAILED);
    assert_non_null(strstr(error.message, url));
    close(descriptor);
}

static void who_does_not_answer_a_connect_is_given_up(void **state)
{
    struct fixture *fixture = *state;
    struct http_reply reply;
    struct error error;
    int port, fillers[4], descriptor = listen_idle(true, fillers, &port);
    struct http_request request = {.method = "POST",
                                   .url =
                                       arena_printf(fixture->arena, "http://127.0.0.1:%d/x", port),
                                   .connect_timeout_ms = SHORT_MS};
    int64_t start_ms = task_now_ms(NULL);
    assert_int_equal(perform(fixture, request, &reply, &error), ERR_FAILED);
    assert_in_range(task_now_ms(NULL) - start_ms, SHORT_MS - 10, 10 * SHORT_MS);
    for (int i = 0; i < 4; i++)
        close(fillers[i]);
    close(descriptor);
}

static void addresses_that_cannot_be_are_plain_failures(void **state)
{
    static const char *const urls[] = {"ftp://127.0.0.1/x", "file:///etc/passwd", "nonsense://x",
                                       "http://", "http://127.0.0.1:99999/"};
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        struct error error;
        assert_int_equal(get(*state, urls[i], &error), ERR_FAILED);
        assert_non_null(strstr(error.message, urls[i]));
    }
}

static void a_name_that_is_none_is_a_plain_failure(void **state)
{
    struct fixture *fixture = *state;
    struct http_reply reply;
    struct error error;
    struct http_request request = {.method = "POST", .url = "http://no-such-host.invalid/"};
    assert_int_equal(perform(fixture, request, &reply, &error), ERR_FAILED);
    assert_non_null(strstr(error.message, "no-such-host.invalid"));
}

#define BOTH(test)                                                 \
    {"loop: " #test, test, set_up_loop, tear_down, NULL},          \
    {                                                              \
        "blocking: " #test, test, set_up_blocking, tear_down, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(an_incomplete_reply_is_a_lost_one),
        BOTH(a_reply_that_is_too_large_is_not_kept),
        BOTH(what_could_have_an_effect_is_not_sent_twice),
        BOTH(a_read_is_sent_again_on_a_fresh_connection),
        BOTH(a_refused_connection_is_a_plain_failure),
        BOTH(who_does_not_answer_a_connect_is_given_up),
        BOTH(addresses_that_cannot_be_are_plain_failures),
        BOTH(a_name_that_is_none_is_a_plain_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
