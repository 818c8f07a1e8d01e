/* Lines that come late, twice, in pages and out of order, from a source with a clock of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pkg/base/vector.h"
#include "pkg/watch/logs.h"

enum { START_MS = 1000000000, SECOND_MS = 1000, MINUTE_MS = 60000 };

static struct virtual_clock virtual;
static struct arena *arena;

/* -- a source -- */

struct line {
    int64_t time_ms, shows_ms; /* when it happened, and from when on the source knows it */
    int number;
    int told;
};

struct fake {
    struct line *lines; /* in no order */
    size_t count;
    size_t page_size;
    size_t empty_pages; /* before the first line, each with a token */
    int fails;          /* error code of every call, while the clock is in [fail_from, fail_to) */
    int64_t fail_from_ms, fail_to_ms;
    VECTOR(int64_t) calls; /* when each came */
    int64_t oldest_asked_ms;
};

static int64_t now_ms(void)
{
    return virtual.clock.wall_ms(&virtual.clock);
}

/* A token is "<when the first page was asked> <lines passed>": what shows meanwhile is not in it.
 */
static int read_fake(struct task *task, void *data, struct arena *page_arena,
                     const struct log_request *request, struct log_page *page, struct error *error)
{
    (void)task;
    struct fake *fake = data;
    long long asked_ms = now_ms();
    size_t passed = 0, at = 0, empty = 0;
    vector_push(arena, &fake->calls, now_ms());
    if (fake->fails && now_ms() >= fake->fail_from_ms && now_ms() < fake->fail_to_ms)
        return error_set(error, fake->fails, "not now");
    if (request->page)
        assert_int_equal(sscanf(request->page, "%lld %zu %zu", &asked_ms, &passed, &empty), 3);
    if (!fake->oldest_asked_ms || request->from_ms < fake->oldest_asked_ms)
        fake->oldest_asked_ms = request->from_ms;
    page->events = arena_array(page_arena, fake->page_size + 1, sizeof *page->events);
    if (empty < fake->empty_pages) {
        page->next = arena_printf(page_arena, "%lld %zu %zu", asked_ms, passed, empty + 1);
        return 0;
    }
    for (size_t i = 0; i < fake->count; i++) {
        const struct line *line = &fake->lines[i];
        if (line->shows_ms > asked_ms || line->time_ms < request->from_ms ||
            (request->to_ms && line->time_ms > request->to_ms) || at++ < passed)
            continue;
        if (page->count == fake->page_size) {
            page->next = arena_printf(page_arena, "%lld %zu %zu", asked_ms, at - 1, empty);
            break;
        }
        page->events[page->count++] =
            (struct log_event){.time_ms = line->time_ms,
                               .id = arena_printf(page_arena, "id-%d", line->number),
                               .stream = "stream",
                               .message = arena_printf(page_arena, "%zu", i)};
    }
    return 0;
}

/* -- a reader -- */

struct told {
    int64_t time_ms;
    const char *source, *message;
};

struct reading {
    struct log_options options;
    struct log_source sources[4];
    VECTOR(struct told) told;
    size_t stop_after; /* lines; 0: never */
    int troubles, pauses;
    bool stop_at_pause;
    int64_t cancel_ms; /* after so long; 0: never */
    int result;
};

static int tell(void *data, const struct log_source *source, const struct log_event *event)
{
    struct reading *reading = data;
    struct fake *fake = source->data;
    fake->lines[atol(event->message)].told++; /* NOLINT: our own number */
    vector_push(arena, &reading->told,
                ((struct told){event->time_ms, source->name, arena_strdup(arena, event->message)}));
    return reading->stop_after && reading->told.count >= reading->stop_after;
}

static int pause_of(void *data)
{
    struct reading *reading = data;
    reading->pauses++;
    return reading->stop_at_pause;
}

static void trouble(void *data, const struct error *error)
{
    assert_int_not_equal(error->code, 0);
    ((struct reading *)data)->troubles++;
}

static int read_logs(struct task *task, void *argument, struct error *error)
{
    struct reading *reading = argument;
    return logs_read(task, &reading->options, error);
}

static int run(struct task *task, void *argument, struct error *error)
{
    struct reading *reading = argument;
    struct task *reader = task_start(task_loop(task), "logs", read_logs, reading);
    if (reading->cancel_ms) {
        task_sleep(task, reading->cancel_ms, error);
        task_cancel(reader);
    }
    return task_join(task, reader, error);
}

static struct reading *new_reading(struct fake *fakes, size_t count)
{
    static const char *const names[] = {"ask", "ingest", "schema", "api"};
    struct reading *reading = arena_new_of(arena, struct reading);
    for (size_t i = 0; i < count; i++)
        reading->sources[i] = (struct log_source){names[i], read_fake, &fakes[i]};
    reading->options = (struct log_options){.sources = reading->sources,
                                            .source_count = count,
                                            .from_ms = START_MS - 15 * MINUTE_MS,
                                            .tell = tell,
                                            .pause = pause_of,
                                            .trouble = trouble,
                                            .data = reading};
    return reading;
}

static void perform(struct reading *reading)
{
    struct error error = {0};
    struct loop *loop = loop_new(&virtual.clock);
    reading->result = loop_run_task(loop, "test", run, reading, &error);
    loop_free(loop);
}

static int begin(void **state)
{
    (void)state;
    clock_virtual(&virtual, START_MS);
    arena = arena_new();
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

#define LINES(...)                         \
    .lines = (struct line[]){__VA_ARGS__}, \
    .count = sizeof(struct line[]){__VA_ARGS__} / sizeof(struct line)

static void assert_messages(const struct reading *reading, const char *expected)
{
    const char *found = "";
    for (size_t i = 0; i < reading->told.count; i++)
        found = arena_printf(arena, "%s%s%s:%s", found, i ? " " : "", reading->told.items[i].source,
                             reading->told.items[i].message);
    assert_string_equal(found, expected);
}

/* -- once -- */

static void sources_are_merged_by_time_over_their_pages(void **state)
{
    (void)state;
    struct fake fakes[] = {
        {LINES({START_MS - 900, 0, 0, 0}, {START_MS - 500, 0, 1, 0}, {START_MS - 300, 0, 2, 0},
               {START_MS - 100, 0, 3, 0}),
         .page_size = 2},
        {LINES({START_MS - 800, 0, 0, 0}, {START_MS - 500, 0, 1, 0}, {START_MS - 200, 0, 2, 0}),
         .page_size = 1},
    };
    struct reading *reading = new_reading(fakes, 2);
    perform(reading);
    assert_int_equal(reading->result, 0);
    assert_messages(reading, "ask:0 ingest:0 ask:1 ingest:1 ask:2 ingest:2 ask:3");
    assert_int_equal(reading->pauses, 1);
}

static void a_page_out_of_order_is_sorted_and_equal_times_keep_theirs(void **state)
{
    (void)state;
    struct fake fake = {LINES({START_MS - 100, 0, 0, 0}, {START_MS - 300, 0, 1, 0},
                              {START_MS - 100, 0, 2, 0}, {START_MS - 300, 0, 3, 0}),
                        .page_size = 10};
    struct reading *reading = new_reading(&fake, 1);
    perform(reading);
    assert_messages(reading, "ask:1 ask:3 ask:0 ask:2");
}

static void empty_pages_are_passed(void **state)
{
    (void)state;
    struct fake fake = {LINES({START_MS - 100, 0, 0, 0}), .page_size = 1, .empty_pages = 5};
    struct reading *reading = new_reading(&fake, 1);
    perform(reading);
    assert_messages(reading, "ask:0");
    assert_int_equal(fake.calls.count, 6);
}

static void the_bounds_are_kept(void **state)
{
    (void)state;
    struct fake fake = {LINES({START_MS - 400, 0, 0, 0}, {START_MS - 300, 0, 1, 0},
                              {START_MS - 200, 0, 2, 0}, {START_MS - 100, 0, 3, 0}),
                        .page_size = 10};
    struct reading *reading = new_reading(&fake, 1);
    reading->options.from_ms = START_MS - 300;
    reading->options.to_ms = START_MS - 200;
    perform(reading);
    assert_messages(reading, "ask:1 ask:2");
}

static void a_source_without_a_log_is_empty(void **state)
{
    (void)state;
    struct fake fakes[] = {
        {.page_size = 1, .fails = ERR_NOT_FOUND, .fail_to_ms = INT64_MAX},
        {LINES({START_MS - 100, 0, 0, 0}), .page_size = 1},
    };
    struct reading *reading = new_reading(fakes, 2);
    perform(reading);
    assert_int_equal(reading->result, 0);
    assert_messages(reading, "ingest:0");
}

static void an_error_ends_it(void **state)
{
    (void)state;
    struct fake fake = {.page_size = 1, .fails = ERR_FAILED, .fail_to_ms = INT64_MAX};
    struct reading *reading = new_reading(&fake, 1);
    perform(reading);
    assert_int_equal(reading->result, ERR_FAILED);
}

static void who_reads_can_stop_it(void **state)
{
    (void)state;
    struct fake fake = {
        LINES({START_MS - 300, 0, 0, 0}, {START_MS - 200, 0, 1, 0}, {START_MS - 100, 0, 2, 0}),
        .page_size = 10};
    struct reading *reading = new_reading(&fake, 1);
    reading->stop_after = 2;
    perform(reading);
    assert_int_equal(reading->result, ERR_CANCELLED);
    assert_messages(reading, "ask:0 ask:1");
}

static void who_reads_can_stop_it_between_rounds(void **state)
{
    (void)state;
    struct fake fake = {LINES({START_MS - 300, 0, 0, 0}), .page_size = 10};
    struct reading *reading = new_reading(&fake, 1);
    reading->options.follow = true;
    reading->stop_at_pause = true;
    perform(reading);
    assert_int_equal(reading->result, ERR_CANCELLED);
    assert_messages(reading, "ask:0");
    assert_int_equal(reading->pauses, 1);
}

static void calls_keep_their_distance(void **state)
{
    (void)state;
    struct line lines[40];
    for (int i = 0; i < 40; i++)
        lines[i] = (struct line){START_MS - 1000 + i, 0, i, 0};
    struct fake fakes[] = {{.lines = lines, .count = 40, .page_size = 1}};
    struct reading *reading = new_reading(fakes, 1);
    perform(reading);
    assert_int_equal(reading->told.count, 40);
    assert_int_equal(fakes[0].calls.count, 40);
    for (size_t i = 1; i < fakes[0].calls.count; i++)
        assert_true(fakes[0].calls.items[i] - fakes[0].calls.items[i - 1] >= 250);
}

/* -- followed -- */

static void new_lines_come_as_they_show(void **state)
{
    (void)state;
    struct fake fake = {LINES({START_MS - 5000, 0, 0, 0}, {START_MS + 3000, START_MS + 3000, 1, 0},
                              {START_MS + 9000, START_MS + 9000, 2, 0}),
                        .page_size = 10};
    struct reading *reading = new_reading(&fake, 1);
    reading->options.follow = true;
    reading->cancel_ms = 30 * SECOND_MS;
    perform(reading);
    assert_int_equal(reading->result, ERR_CANCELLED);
    assert_messages(reading, "ask:0 ask:1 ask:2");
}

static void a_late_line_is_told_once(void **state)
{
    (void)state;
    struct fake fake = {LINES({START_MS + 1000, START_MS + 20 * SECOND_MS, 0, 0},
                              {START_MS + 2000, START_MS + 2000, 1, 0},
                              {START_MS + 1500, START_MS + 9 * MINUTE_MS, 2, 0}),
                        .page_size = 10};
    struct reading *reading = new_reading(&fake, 1);
    reading->options.follow = true;
    reading->cancel_ms = 20 * MINUTE_MS;
    perform(reading);
    assert_messages(reading, "ask:1 ask:0 ask:2");
}

/* A small generator of our own: the same lines on every machine. */
static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void make_lines(struct fake *fake, size_t count, int64_t span_ms, int64_t latest_ms,
                       unsigned *seed)
{
    fake->lines = arena_array(arena, count, sizeof *fake->lines);
    fake->count = count;
    for (size_t i = 0; i < count; i++) {
        int64_t time_ms = START_MS + (int64_t)(next_random(seed) % (unsigned)span_ms);
        bool late = next_random(seed) % 4 == 0;
        int64_t lateness_ms = late ? (int64_t)(next_random(seed) % (unsigned)latest_ms) : 0;
        fake->lines[i] = (struct line){time_ms, time_ms + lateness_ms, (int)i, 0};
    }
}

static void none_is_lost_and_none_comes_twice(void **state)
{
    (void)state;
    unsigned seed = 7;
    struct fake fakes[3] = {
        {.page_size = 7}, {.page_size = 50, .empty_pages = 1}, {.page_size = 3}};
    for (size_t i = 0; i < 3; i++)
        make_lines(&fakes[i], 400, 20 * MINUTE_MS, 510 * SECOND_MS, &seed);
    struct reading *reading = new_reading(fakes, 3);
    reading->options.follow = true;
    reading->cancel_ms = 60 * MINUTE_MS;
    perform(reading);
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < fakes[i].count; j++)
            assert_int_equal(fakes[i].lines[j].told, 1);
    }
}

/* Lines that show at once, more of them than are remembered. */
static void with_little_memory_none_comes_twice(void **state)
{
    (void)state;
    unsigned seed = 11;
    struct fake fake = {.page_size = 500};
    make_lines(&fake, 5000, 20 * MINUTE_MS, 1, &seed);
    struct reading *reading = new_reading(&fake, 1);
    reading->options.follow = true;
    reading->options.remembered = 300;
    reading->cancel_ms = 40 * MINUTE_MS;
    perform(reading);
    for (size_t j = 0; j < fake.count; j++)
        assert_int_equal(fake.lines[j].told, 1);
}

static void a_history_larger_than_the_memory_is_told_whole(void **state)
{
    (void)state;
    struct fake fake = {.page_size = 100, .lines = arena_array(arena, 2000, sizeof(struct line))};
    fake.count = 2000;
    for (int i = 0; i < 2000; i++) /* now and then one comes two pages too late */
        fake.lines[i] =
            (struct line){START_MS - 20000 + 10 * (i % 40 || i < 250 ? i : i - 250), 0, i, 0};
    struct reading *reading = new_reading(&fake, 1);
    reading->options.follow = true;
    reading->options.remembered = 50;
    reading->cancel_ms = 5 * MINUTE_MS;
    perform(reading);
    for (size_t j = 0; j < fake.count; j++)
        assert_int_equal(fake.lines[j].told, 1);
}

/* The line that was told comes once more, behind so many new ones that its id is forgotten. */
static void what_is_forgotten_within_a_round_is_not_told_again(void **state)
{
    (void)state;
    enum { BURST = 200 };
    struct fake fake = {.page_size = 20,
                        .lines = arena_array(arena, BURST + 1, sizeof(struct line))};
    fake.count = BURST + 1;
    for (int i = 0; i < BURST; i++)
        fake.lines[i] = (struct line){START_MS + 1000 + i, START_MS + 5000, i, 0};
    fake.lines[BURST] = (struct line){START_MS - 10, 0, BURST, 0};
    struct reading *reading = new_reading(&fake, 1);
    reading->options.follow = true;
    reading->options.remembered = 50;
    reading->cancel_ms = 20 * SECOND_MS;
    perform(reading);
    for (size_t j = 0; j < fake.count; j++)
        assert_int_equal(fake.lines[j].told, 1);
}

static void rounds_ask_for_a_bounded_past(void **state)
{
    (void)state;
    struct fake fake = {.page_size = 10};
    struct reading *reading = new_reading(&fake, 1);
    reading->options.follow = true;
    reading->options.from_ms = START_MS - 24 * 60 * (int64_t)MINUTE_MS;
    reading->cancel_ms = 30 * MINUTE_MS;
    perform(reading);
    assert_int_equal(fake.oldest_asked_ms, reading->options.from_ms);
    double calls_a_second = (double)fake.calls.count / (30 * 60);
    assert_true(calls_a_second > 0.4 && calls_a_second < 0.6);
}

static void trouble_passes_and_nothing_is_lost(void **state)
{
    (void)state;
    unsigned seed = 5;
    struct fake fakes[2] = {{.page_size = 7},
                            {.page_size = 7,
                             .fails = ERR_FAILED,
                             .fail_from_ms = START_MS + 2 * MINUTE_MS,
                             .fail_to_ms = START_MS + 6 * MINUTE_MS}};
    for (size_t i = 0; i < 2; i++)
        make_lines(&fakes[i], 200, 10 * MINUTE_MS, 60 * SECOND_MS, &seed);
    struct reading *reading = new_reading(fakes, 2);
    reading->options.follow = true;
    reading->cancel_ms = 30 * MINUTE_MS;
    perform(reading);
    assert_int_equal(reading->result, ERR_CANCELLED);
    assert_true(reading->troubles > 10);
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < fakes[i].count; j++)
            assert_int_equal(fakes[i].lines[j].told, 1);
    }
}

static void trouble_without_end_ends_it(void **state)
{
    (void)state;
    struct fake fake = {.page_size = 1,
                        .fails = ERR_FAILED,
                        .fail_from_ms = START_MS + MINUTE_MS,
                        .fail_to_ms = INT64_MAX};
    struct reading *reading = new_reading(&fake, 1);
    reading->options.follow = true;
    perform(reading);
    assert_int_equal(reading->result, ERR_FAILED);
    assert_in_range(now_ms(), START_MS + 6 * MINUTE_MS, START_MS + 7 * MINUTE_MS);
}

static void a_denial_ends_it_at_once(void **state)
{
    (void)state;
    struct fake fake = {.page_size = 1,
                        .fails = ERR_DENIED,
                        .fail_from_ms = START_MS + MINUTE_MS,
                        .fail_to_ms = INT64_MAX};
    struct reading *reading = new_reading(&fake, 1);
    reading->options.follow = true;
    perform(reading);
    assert_int_equal(reading->result, ERR_DENIED);
    assert_int_equal(reading->troubles, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sources_are_merged_by_time_over_their_pages),
        TEST(a_page_out_of_order_is_sorted_and_equal_times_keep_theirs),
        TEST(empty_pages_are_passed),
        TEST(the_bounds_are_kept),
        TEST(a_source_without_a_log_is_empty),
        TEST(an_error_ends_it),
        TEST(who_reads_can_stop_it),
        TEST(who_reads_can_stop_it_between_rounds),
        TEST(calls_keep_their_distance),
        TEST(new_lines_come_as_they_show),
        TEST(a_late_line_is_told_once),
        TEST(none_is_lost_and_none_comes_twice),
        TEST(with_little_memory_none_comes_twice),
        TEST(a_history_larger_than_the_memory_is_told_whole),
        TEST(what_is_forgotten_within_a_round_is_not_told_again),
        TEST(rounds_ask_for_a_bounded_past),
        TEST(trouble_passes_and_nothing_is_lost),
        TEST(trouble_without_end_ends_it),
        TEST(a_denial_ends_it_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
