#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pkg/base/map.h"
#include "pkg/watch/file_logs.h"

enum { START_MS = 1700000000 };
#define START (1000 * (int64_t)START_MS)

static struct arena *arena;
static char folder[64];
static const char *path;

static int begin(void **state)
{
    (void)state;
    arena = arena_new();
    snprintf(folder, sizeof folder, "/tmp/ragstack-logs-XXXXXX");
    assert_non_null(mkdtemp(folder));
    path = arena_printf(arena, "%s/ask.log", folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    unlink(arena_printf(arena, "%s.1", path));
    rmdir(folder);
    arena_free(arena);
    return 0;
}

/* Lines numbered from `first`, a second apart. */
static void put_lines(int first, int count)
{
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    for (int i = first; i < first + count; i++) {
        char time[32];
        clock_format_iso(START + 1000 * (int64_t)i, time, sizeof time);
        fprintf(file, "%.19s.000Z\tline %d %s\n", time, i, i % 2 ? "odd" : "even");
    }
    fclose(file);
}

static void put_text(const char *text)
{
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* All pages; checks that times rise and ids are unique, and gives the number of lines. */
static int read_all(struct log_request request, int *first)
{
    struct log_source source = file_log_source(arena, "ask", path);
    struct map ids = map_in(arena);
    int count = 0, pages = 0;
    int64_t last_ms = 0;
    do {
        struct log_page page = {0};
        struct error error = {0};
        assert_int_equal(source.read(NULL, source.data, arena, &request, &page, &error), 0);
        for (size_t i = 0; i < page.count; i++) {
            assert_true(page.events[i].time_ms >= last_ms);
            assert_null(map_get(&ids, page.events[i].id));
            map_put(&ids, page.events[i].id, &page);
            last_ms = page.events[i].time_ms;
            if (count++ == 0)
                assert_int_equal(sscanf(page.events[i].message, "line %d", first), 1);
        }
        request.page = page.next;
        assert_true(++pages < 100);
    } while (request.page);
    return count;
}

static void a_file_that_is_not_there_is_empty(void **state)
{
    (void)state;
    int first;
    assert_int_equal(read_all((struct log_request){0}, &first), 0);
}

static void pages_give_every_line_once(void **state)
{
    (void)state;
    int first;
    put_lines(0, 3500);
    assert_int_equal(read_all((struct log_request){0}, &first), 3500);
    assert_int_equal(first, 0);
}

static void any_moment_is_found_by_halves(void **state)
{
    (void)state;
    int first;
    put_lines(0, 20000); /* some 700 kB */
    for (int from = 0; from <= 20000; from += 1237) {
        struct log_request request = {.from_ms = START + 1000 * (int64_t)from};
        assert_int_equal(read_all(request, &first), 20000 - from);
        assert_int_equal(first, from);
    }
    struct log_request between = {.from_ms = START + 5000, .to_ms = START + 7000};
    assert_int_equal(read_all(between, &first), 3);
    struct log_request after = {.from_ms = START + 1000 * (int64_t)20001};
    assert_int_equal(read_all(after, &first), 0);
}

static void the_older_file_comes_first(void **state)
{
    (void)state;
    int first;
    put_lines(0, 1500);
    assert_int_equal(rename(path, arena_printf(arena, "%s.1", path)), 0);
    put_lines(1500, 1500);
    assert_int_equal(read_all((struct log_request){0}, &first), 3000);
    assert_int_equal(first, 0);
    struct log_request late = {.from_ms = START + 1000 * (int64_t)2000};
    assert_int_equal(read_all(late, &first), 1000);
}

static void a_page_goes_on_in_a_file_that_was_renamed(void **state)
{
    (void)state;
    put_lines(0, 1500);
    struct log_source source = file_log_source(arena, "ask", path);
    struct log_request request = {0};
    struct log_page page = {0}, next = {0};
    assert_int_equal(source.read(NULL, source.data, arena, &request, &page, NULL), 0);
    assert_int_equal(page.count, 1000);
    assert_int_equal(rename(path, arena_printf(arena, "%s.1", path)), 0);
    put_lines(1500, 10);
    request.page = page.next;
    assert_int_equal(source.read(NULL, source.data, arena, &request, &next, NULL), 0);
    assert_int_equal(next.count, 510);
    assert_string_equal(next.events[0].message, "line 1000 even");
    assert_string_equal(next.events[509].message, "line 1509 odd");
}

static void a_line_half_written_waits(void **state)
{
    (void)state;
    int first;
    put_lines(0, 2);
    put_text("2023-11-14T22:13:30.000Z\tline 2 ev");
    assert_int_equal(read_all((struct log_request){0}, &first), 2);
    put_text("en\n");
    assert_int_equal(read_all((struct log_request){0}, &first), 3);
}

static void what_is_no_line_is_passed(void **state)
{
    (void)state;
    int first;
    put_text("nonsense\n\nyesterday\tno time\n");
    put_lines(7, 1);
    assert_int_equal(read_all((struct log_request){0}, &first), 1);
    assert_int_equal(first, 7);
}

static void a_filter_is_plain_text(void **state)
{
    (void)state;
    int first;
    put_lines(0, 100);
    assert_int_equal(read_all((struct log_request){.filter = "odd"}, &first), 50);
    assert_int_equal(first, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_is_not_there_is_empty),
        TEST(pages_give_every_line_once),
        TEST(any_moment_is_found_by_halves),
        TEST(the_older_file_comes_first),
        TEST(a_page_goes_on_in_a_file_that_was_renamed),
        TEST(a_line_half_written_waits),
        TEST(what_is_no_line_is_passed),
        TEST(a_filter_is_plain_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
