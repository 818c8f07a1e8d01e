#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pkg/base/attributes.h"
#include "pkg/base/buffer.h"
#include "pkg/http/http.h"
#include "tests/unit/fake_server.h"

enum { DELAY_MS = 100, LARGE = 4 << 20 };

struct fixture {
    struct fake_server *server;
    struct transport *transport;
    struct loop *loop;
    int connections_per_host;
};

static void send_large(struct fake_connection *connection)
{
    static char piece[65536];
    memset(piece, 'x', sizeof piece);
    fake_send_text(connection, "HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n");
    for (size_t sent = 0; sent < LARGE; sent += sizeof piece)
        fake_send(connection, piece, sizeof piece);
}

/* Pieces that a reader has seen: a server that waits for it sends nothing ahead. */
static atomic_int pieces_seen;

static void await_pieces(int wanted)
{
    for (int waited_ms = 0; atomic_load(&pieces_seen) < wanted && waited_ms < 10000; waited_ms++)
        usleep(1000);
}

static void send_slowly(struct fake_connection *connection)
{
    fake_send_text(connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 3; i++) {
        fake_send_text(connection, "4\r\nlog\n\r\n");
        await_pieces(i + 1);
    }
    fake_send_text(connection, "0\r\n\r\n");
}

static void answer(struct fake_connection *connection, const struct fake_request *request,
                   void *data)
{
    (void)data;
    if (strcmp(request->target, "/delay") == 0)
        usleep(DELAY_MS * 1000);
    if (strcmp(request->target, "/never") == 0)
        fake_close(connection, !fake_wait(connection, 10000));
    else if (strcmp(request->target, "/large") == 0)
        send_large(connection);
    else if (strcmp(request->target, "/slowly") == 0)
        send_slowly(connection);
    else if (strcmp(request->target, "/denied") == 0)
        fake_respond(connection, 403, "", "because");
    else
        fake_respond(connection, 200, "", request->target);
}

static void open_transport(struct fixture *fixture, int connections_per_host)
{
    fixture->loop = loop_new(clock_system());
    fixture->transport = http_curl_new(
        fixture->loop, &(struct http_curl_options){.connections_per_host = connections_per_host});
}

static void close_transport(struct fixture *fixture)
{
    http_close(fixture->transport);
    loop_free(fixture->loop);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->server = fake_server_start(&(struct fake_server_options){.handler = answer});
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fake_server_stop(fixture->server);
    free(fixture);
    return 0;
}

/* -- asking -- */

struct question {
    struct fixture *fixture;
    const char *url; /* when it is not a target of the server */
    const char *target;
    int connect_timeout_ms;
    int (*on_data)(void *data, const char *bytes, size_t length);
    void *data;
    int status;
    char body[64];
    size_t body_length;
};

static int ask(struct task *task, void *argument, struct error *error)
{
    struct question *question = argument;
    struct fixture *fixture = question->fixture;
    struct arena *arena = arena_new();
    struct http_reply reply;
    struct http_request request = {
        .method = "GET",
        .url = question->url ? question->url
                             : arena_printf(arena, "%s%s", fake_server_url(fixture->server),
                                            question->target),
        .connect_timeout_ms = question->connect_timeout_ms,
        .on_data = question->on_data,
        .data = question->data,
    };
    int result = http_perform(fixture->transport, task, arena, &request, &reply, error);
    question->status = reply.status;
    question->body_length = reply.body_length;
    snprintf(question->body, sizeof question->body, "%s", reply.body);
    arena_free(arena);
    return result;
}

struct questions {
    struct question *items;
    size_t count;
};

static int ask_all(struct task *task, void *argument, struct error *error)
{
    struct questions *questions = argument;
    return task_each(task, "ask", ask, questions->items, sizeof *questions->items, questions->count,
                     0, error);
}

static void ask_together(struct fixture *fixture, size_t count, struct question example)
{
    struct question *items = calloc(count, sizeof *items);
    struct questions questions = {items, count};
    struct error error = {0};
    example.fixture = fixture;
    for (size_t i = 0; i < count; i++)
        items[i] = example;
    if (loop_run_task(fixture->loop, "all", ask_all, &questions, &error) != 0)
        fail_msg("%s", error.message);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(items[i].body, example.target);
    free(items);
}

/* -- many at once -- */

static void many_requests_share_a_few_connections(void **state)
{
    struct fixture *fixture = *state;
    open_transport(fixture, 0);
    int64_t start_ms = task_now_ms(NULL);
    ask_together(fixture, 40, (struct question){.target = "/delay"});
    int64_t took_ms = task_now_ms(NULL) - start_ms;
    struct fake_counts counts = fake_server_counts(fixture->server);
    assert_int_equal(counts.requests, 40);
    assert_in_range(counts.most_inside, 2, 16);
    assert_in_range(counts.connections, 2, 16);
    assert_in_range(took_ms, 3 * DELAY_MS - 10, 20 * DELAY_MS);
    close_transport(fixture);
}

static void waiting_for_a_connection_is_not_connecting(void **state)
{
    struct fixture *fixture = *state;
    open_transport(fixture, 1);
    ask_together(fixture, 4,
                 (struct question){.target = "/delay", .connect_timeout_ms = DELAY_MS / 2});
    struct fake_counts counts = fake_server_counts(fixture->server);
    assert_int_equal(counts.connections, 1);
    assert_int_equal(counts.most_inside, 1);
    close_transport(fixture);
}

/* -- cancelling -- */

static int cancel_soon(struct task *task, void *argument, struct error *error)
{
    int result = task_sleep(task, DELAY_MS, error);
    task_cancel(argument);
    return result;
}

static void a_cancelled_request_ends_at_once(void **state)
{
    struct fixture *fixture = *state;
    open_transport(fixture, 1);
    struct question questions[] = {{.fixture = fixture, .target = "/never"},
                                   {.fixture = fixture, .target = "/queued"}};
    int64_t start_ms = task_now_ms(NULL);
    struct task *under_way = task_start(fixture->loop, "under way", ask, &questions[0]);
    struct task *queued = task_start(fixture->loop, "queued", ask, &questions[1]);
    task_detach(task_start(fixture->loop, "canceller", cancel_soon, queued));
    task_detach(task_start(fixture->loop, "canceller", cancel_soon, under_way));
    loop_run(fixture->loop);
    struct error error;
    assert_int_equal(task_join(NULL, under_way, &error), ERR_CANCELLED);
    assert_non_null(strstr(error.message, "waiting for the reply of GET http://127.0.0.1:"));
    assert_int_equal(task_join(NULL, queued, &error), ERR_CANCELLED);
    assert_in_range(task_now_ms(NULL) - start_ms, DELAY_MS - 10, 20 * DELAY_MS);
    ask_together(fixture, 1, (struct question){.target = "/after"}); /* its place is free again */
    close_transport(fixture);
}

static int block_and_cancel(struct task *task, void *argument, struct error *error)
{
    (void)error;
    task_block_begin(task);
    usleep(DELAY_MS * 1000);
    task_block_end(task);
    task_cancel(argument);
    return 0;
}

static void a_blocking_call_that_ends_wakes_the_waiting_network(void **state)
{
    struct fixture *fixture = *state;
    open_transport(fixture, 0);
    struct question question = {.fixture = fixture, .target = "/never"};
    int64_t start_ms = task_now_ms(NULL);
    struct task *under_way = task_start(fixture->loop, "under way", ask, &question);
    task_detach(task_start(fixture->loop, "blocking", block_and_cancel, under_way));
    loop_run(fixture->loop);
    assert_int_equal(task_join(NULL, under_way, NULL), ERR_CANCELLED);
    assert_true(task_now_ms(NULL) - start_ms < 20 * DELAY_MS);
    close_transport(fixture);
}

/* -- replies that are read as they come -- */

struct reader {
    struct buffer bytes;
    int pieces, most_pieces;
    useconds_t slow_us;
};

static int read_piece(void *data, const char *bytes, size_t length)
{
    struct reader *reader = data;
    buffer_append(&reader->bytes, bytes, length);
    usleep(reader->slow_us);
    atomic_fetch_add(&pieces_seen, 1);
    return ++reader->pieces == reader->most_pieces;
}

static int stream(struct fixture *fixture, const char *target, struct reader *reader, int *status,
                  struct error *error)
{
    struct question question = {
        .fixture = fixture, .target = target, .on_data = read_piece, .data = reader};
    reader->bytes = BUFFER(2 * LARGE);
    atomic_store(&pieces_seen, 0);
    int result = fixture->loop ? loop_run_task(fixture->loop, "stream", ask, &question, error)
                               : ask(NULL, &question, error);
    *status = question.status;
    if (result == 0 && *status == 200)
        assert_int_equal(question.body_length, 0);
    if (*status == 403)
        assert_string_equal(question.body, "because");
    return result;
}

static void open_in_turn(struct fixture *fixture, bool blocking)
{
    open_transport(fixture, 0);
    if (!blocking)
        return;
    close_transport(fixture);
    fixture->loop = NULL;
    fixture->transport = http_curl_new(NULL, &(struct http_curl_options){0});
}

static void close_in_turn(struct fixture *fixture)
{
    http_close(fixture->transport);
    if (fixture->loop)
        loop_free(fixture->loop);
}

static void pieces_are_passed_on_as_they_come(void **state)
{
    struct fixture *fixture = *state;
    for (int blocking = 0; blocking < 2; blocking++) {
        int status;
        struct reader reader = {0};
        struct error error;
        open_in_turn(fixture, blocking);
        assert_int_equal(stream(fixture, "/slowly", &reader, &status, &error), 0);
        assert_int_equal(status, 200);
        assert_string_equal(buffer_string(&reader.bytes), "log\nlog\nlog\n");
        assert_int_equal(reader.pieces, 3);
        buffer_free(&reader.bytes);
        close_in_turn(fixture);
    }
}

static void a_slow_reader_holds_the_network_back(void **state)
{
    struct fixture *fixture = *state;
    for (int blocking = 0; blocking < 2; blocking++) {
        int status;
        struct reader reader = {.slow_us = 500};
        struct error error;
        open_in_turn(fixture, blocking);
        assert_int_equal(stream(fixture, "/large", &reader, &status, &error), 0);
        assert_int_equal(reader.bytes.length, LARGE);
        assert_int_equal(strspn(buffer_string(&reader.bytes), "x"), LARGE);
        assert_true(reader.pieces >= LARGE / (256 << 10));
        buffer_free(&reader.bytes);
        close_in_turn(fixture);
    }
}

static void a_reader_can_stop(void **state)
{
    struct fixture *fixture = *state;
    for (int blocking = 0; blocking < 2; blocking++) {
        int status;
        struct reader reader = {.most_pieces = 2};
        struct error error;
        open_in_turn(fixture, blocking);
        assert_int_equal(stream(fixture, "/slowly", &reader, &status, &error), ERR_CANCELLED);
        assert_string_equal(error.message, "the reader of the reply wanted no more");
        assert_int_equal(reader.pieces, 2);
        buffer_free(&reader.bytes);
        close_in_turn(fixture);
    }
}

static void a_refusal_is_kept_as_body(void **state)
{
    struct fixture *fixture = *state;
    for (int blocking = 0; blocking < 2; blocking++) {
        int status;
        struct reader reader = {0};
        struct error error;
        open_in_turn(fixture, blocking);
        assert_int_equal(stream(fixture, "/denied", &reader, &status, &error), 0);
        assert_int_equal(status, 403);
        assert_int_equal(reader.pieces, 0);
        close_in_turn(fixture);
    }
}

/* -- where requests go -- */

static void proxies_are_for_far_hosts_only(void **state)
{
    struct fixture *fixture = *state;
    struct question far = {.fixture = fixture, .url = "http://ec2.example.test/far"};
    char near_url[100];
    snprintf(near_url, sizeof near_url, "http://localhost:%d/near",
             fake_server_port(fixture->server));
    struct question near = {.fixture = fixture, .url = near_url};
    setenv("http_proxy", fake_server_url(fixture->server), 1);
    open_transport(fixture, 0);
    int far_result = loop_run_task(fixture->loop, "far", ask, &far, NULL);
    int near_result = loop_run_task(fixture->loop, "near", ask, &near, NULL);
    unsetenv("http_proxy");
    assert_int_equal(far_result, 0);
    assert_string_equal(far.body, "http://ec2.example.test/far"); /* as a proxy is asked */
    assert_int_equal(near_result, 0);
    assert_string_equal(near.body, "/near");
    close_transport(fixture);
}

static void ipv6_works(void **state)
{
    (void)state;
    struct fixture fixture = {.server = fake_server_start(
                                  &(struct fake_server_options){.handler = answer, .ipv6 = true})};
    if (!fixture.server)
        skip(); /* no ::1 here */
    open_transport(&fixture, 0);
    ask_together(&fixture, 1, (struct question){.target = "/six"});
    close_transport(&fixture);
    fake_server_stop(fixture.server);
}

static void without_a_task_a_request_blocks_even_with_a_loop(void **state)
{
    struct fixture *fixture = *state;
    open_transport(fixture, 0);
    struct question question = {.fixture = fixture, .target = "/blocking"};
    assert_int_equal(ask(NULL, &question, NULL), 0);
    assert_string_equal(question.body, "/blocking");
    close_transport(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_requests_share_a_few_connections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waiting_for_a_connection_is_not_connecting, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_cancelled_request_ends_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_blocking_call_that_ends_wakes_the_waiting_network, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(pieces_are_passed_on_as_they_come, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_slow_reader_holds_the_network_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_can_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_is_kept_as_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(proxies_are_for_far_hosts_only, set_up, tear_down),
        cmocka_unit_test(ipv6_works),
        cmocka_unit_test_setup_teardown(without_a_task_a_request_blocks_even_with_a_loop, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
