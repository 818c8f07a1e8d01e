/* Figures from log files, line by line, and the page that shows them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pkg/watch/file_logs.h"
#include "pkg/watch/log_figures.h"
#include "pkg/watch/watch_page.h"

#define QUESTION(numbers, names)                                                        \
    "{\"_aws\":{\"CloudWatchMetrics\":[{\"Namespace\":\"ragstack\",\"Metrics\":[" names \
    "]}]}," numbers ",\"event\":\"question\"}"
#define NAME(name) "{\"Name\":\"" name "\"}"

struct fixture {
    struct arena *arena;
    char folder[64];
    struct log_source sources[2];
    bool applies[METRICS_MOST];
    struct figure_source source;
    struct figures figures;
};

static const char *path_of(struct fixture *fixture, const char *name)
{
    return arena_printf(fixture->arena, "%s/%s.log", fixture->folder, name);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    static const char *const names[] = {"ask", "api"};
    fixture->arena = arena_new();
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/ragstack-figures-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        fixture->sources[i] = file_log_source(fixture->arena, names[i], path_of(fixture, names[i]));
    for (size_t i = 0; i < METRICS_MOST; i++)
        fixture->applies[i] = i < metric_count() && strcmp(metrics[i].id, "pinned") != 0;
    struct value *alarms = value_map(fixture->arena);
    value_set_int(fixture->arena, alarms, "errors", 1);
    value_set(fixture->arena, alarms, "bedrock_usd_per_day", value_null(fixture->arena));
    value_set_int(fixture->arena, alarms, "p95_latency_ms", 1);
    struct log_figures_options options = {.sources = fixture->sources,
                                          .source_count = COUNT_OF(fixture->sources),
                                          .alarms = alarms,
                                          .applies = fixture->applies};
    fixture->source = log_figure_source(&options);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fixture->source.close(fixture->source.data);
    unlink(path_of(fixture, "ask"));
    unlink(path_of(fixture, "api"));
    rmdir(fixture->folder);
    arena_free(fixture->arena);
    free(fixture);
    return 0;
}

/* A line of so many milliseconds ago. */
static void write_line(struct fixture *fixture, const char *name, int64_t now_ms, int64_t ago_ms,
                       const char *line)
{
    char text[32];
    FILE *file = fopen(path_of(fixture, name), "ae");
    assert_non_null(file);
    clock_format_iso(now_ms - ago_ms, text, sizeof text);
    fprintf(file, "%.19s.%03dZ\t%s\n", text, (int)((now_ms - ago_ms) % 1000), line);
    fclose(file);
}

static const struct figure *read_row(struct fixture *fixture, const char *id)
{
    struct error error = {0};
    if (fixture->source.read(NULL, fixture->source.data, fixture->arena, 600, &fixture->figures,
                             &error) < 0)
        fail_msg("%s", error.message);
    return &fixture->figures.rows[metric_number(id)];
}

static void lines_become_metrics(void **state)
{
    struct fixture *fixture = *state;
    int64_t now_ms = task_wall_ms(NULL);
    write_line(fixture, "ask", now_ms, 2000,
               QUESTION("\"Questions\":1,\"TotalMs\":250.5,\"NoAnswer\":1",
                        NAME("Questions") "," NAME("TotalMs") "," NAME("NoAnswer")));
    write_line(fixture, "ask", now_ms, 1500, "not JSON, and no metric: {\"Questions\":9}");
    write_line(fixture, "ask", now_ms, 1000,
               "{\"type\":\"platform.report\",\"requestId\":\"7f\",\"status\":\"error\"}");
    write_line(fixture, "api", now_ms, 900,
               "{\"routeKey\":\"POST /ask\",\"status\":502,\"responseLatency\":300,"
               "\"integrationLatency\":280}");
    write_line(fixture, "api", now_ms, 800, "{\"routeKey\":\"-\",\"status\":\"404\"}");
    assert_true(read_row(fixture, "questions")->value == 1);
    const struct {
        const char *id;
        double value;
    } rows[] = {{"ask", 250.5},     {"refusals", 1},        {"errors-ask", 1}, {"errors-ingest", 0},
                {"answers-5xx", 1}, {"answers-4xx", 1},     {"requests", 2},   {"whole", 300},
                {"gateway", 20},    {"throttled-models", 0}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        double value = fixture->figures.rows[metric_number(rows[i].id)].value;
        if (value != rows[i].value)
            fail_msg("%s: %g, not %g", rows[i].id, value, rows[i].value);
    }
    assert_true(isnan(fixture->figures.rows[metric_number("embed")].value));
    assert_true(isnan(fixture->figures.rows[metric_number("connections")].value));
    assert_false(fixture->figures.rows[metric_number("pinned")].applies);
    assert_true(figure_today(&fixture->figures, metric_number("questions")) == 1);
}

/* Lines of one millisecond, of which some were read already, count once each. */
static void reading_goes_on_where_it_stopped(void **state)
{
    static const char one[] = QUESTION("\"Questions\":1", NAME("Questions"));
    struct fixture *fixture = *state;
    int64_t now_ms = task_wall_ms(NULL);
    assert_true(read_row(fixture, "questions")->value == 0); /* no file yet */
    write_line(fixture, "ask", now_ms, 5000, one);
    write_line(fixture, "ask", now_ms, 4000, one);
    write_line(fixture, "ask", now_ms, 4000, one);
    assert_true(read_row(fixture, "questions")->value == 3);
    assert_true(read_row(fixture, "questions")->value == 3);
    write_line(fixture, "ask", now_ms, 4000, one);
    assert_true(read_row(fixture, "questions")->value == 4);
    write_line(fixture, "ask", now_ms, 1000, one);
    assert_true(read_row(fixture, "questions")->value == 5);
    assert_true(figure_today(&fixture->figures, metric_number("questions")) == 5);
}

/* 2026-12-01T00:30:00Z: what is looked at began in another month than the sums. */
static const int64_t NEW_MONTH_MS = 1796085000000;

static int read_in_new_month(struct task *task, void *argument, struct error *error)
{
    struct fixture *fixture = argument;
    return fixture->source.read(task, fixture->source.data, fixture->arena, 3600, &fixture->figures,
                                error);
}

static void a_new_month_hides_nothing_of_the_last_hour(void **state)
{
    static const char one[] = QUESTION("\"Questions\":1", NAME("Questions"));
    struct fixture *fixture = *state;
    struct virtual_clock clock;
    struct error error = {0};
    size_t row = metric_number("questions");
    clock_virtual(&clock, NEW_MONTH_MS);
    write_line(fixture, "ask", NEW_MONTH_MS, 59 * 60000, one);
    write_line(fixture, "ask", NEW_MONTH_MS, 31 * 60000, one);
    write_line(fixture, "ask", NEW_MONTH_MS, 29 * 60000, one);
    struct loop *loop = loop_new(&clock.clock);
    assert_int_equal(loop_run_task(loop, "read", read_in_new_month, fixture, &error), 0);
    loop_free(loop);
    assert_true(fixture->figures.rows[row].value == 3);
    assert_true(figure_month(&fixture->figures, row) == 1);
}

static void alarms_are_judged_here(void **state)
{
    struct fixture *fixture = *state;
    int64_t now_ms = task_wall_ms(NULL);
    write_line(fixture, "ask", now_ms, 1000, "{\"type\":\"platform.report\",\"status\":\"error\"}");
    read_row(fixture, "errors-ask");
    assert_int_equal(fixture->figures.alarm_count, 3); /* not those that the file switches off */
    const struct alarm_figure *errors = &fixture->figures.alarms[0];
    assert_string_equal(errors->id, "errors-ask");
    assert_int_equal(errors->state, ALARM_FIRING);
    assert_in_range(now_ms - errors->since_ms, 0, 600000);
    assert_int_equal(fixture->figures.alarms[1].state, ALARM_OK);
    assert_int_equal(fixture->figures.alarms[1].since_ms, 0); /* for longer than is looked at */
}

/* -- the page -- */

static void check_size(const char *page, int columns, int lines)
{
    int count = 0;
    for (const char *line = page; *line; line += strcspn(line, "\n") + 1, count++) {
        int wide = 0;
        for (const char *at = line; *at != '\n'; at++)
            wide += ((unsigned char)*at & 0xc0) != 0x80;
        assert_true(wide <= columns);
    }
    assert_true(count <= lines);
}

static void the_page_fits_whatever_size(void **state)
{
    static const int sizes[][2] = {{20, 2}, {40, 10}, {80, 24}, {133, 30}, {200, 80}};
    struct fixture *fixture = *state;
    int64_t now_ms = task_wall_ms(NULL);
    write_line(fixture, "ask", now_ms, 1000, "{\"type\":\"platform.report\",\"status\":\"error\"}");
    read_row(fixture, "questions");
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        CLEANUP(buffer_free) struct buffer out = BUFFER(1 << 20);
        struct watch_page page = {.title = "acme  on this machine",
                                  .columns = sizes[i][0],
                                  .lines = sizes[i][1],
                                  .live = true,
                                  .stack_month_usd = NAN};
        watch_page_print(&out, &page, &fixture->figures);
        check_size(buffer_string(&out), sizes[i][0], sizes[i][1]);
        assert_int_equal(strncmp(buffer_string(&out), "acme  on this machin", 20), 0);
        if (sizes[i][1] >= 10) /* what failed, and what alarms, is always there */
            assert_non_null(strstr(buffer_string(&out), "\n! ask: failed invocations"));
    }
}

static void nothing_in_the_page_steers_the_terminal(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(buffer_free) struct buffer out = BUFFER(1 << 20);
    struct watch_page page = {.title = "acme\033[2J", .columns = 80, .stack_month_usd = NAN};
    page.trouble = "no\nreply\a\xc2\x9b";
    read_row(fixture, "questions");
    watch_page_print(&out, &page, &fixture->figures);
    assert_null(strpbrk(buffer_string(&out), "\033\a"));
    assert_null(strstr(buffer_string(&out), "\xc2\x9b"));
    assert_non_null(strstr(buffer_string(&out), "old figures: no reply"));
}

/* Of a stack that is half made, as CloudWatch's figures have it: not measured is not none. */
static void a_line_tells_what_there_is(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(buffer_free) struct buffer out = BUFFER(4096);
    figures_begin(fixture->arena, NEW_MONTH_MS, 600, &fixture->figures);
    figures_conclude(&fixture->figures, metric_number("questions"));
    fixture->figures.rows[metric_number("cost")].days[0] = 0.25;
    watch_line_print(&out, &fixture->figures);
    assert_string_equal(buffer_string(&out),
                        "2026-12-01T00:30:00Z questions=0 refused=- p50_ms=- p95_ms=- p99_ms=- "
                        "answers_5xx=- throttled=- usd_today=0.2500 usd_month=0.2500 alarms=0\n");
}

static void numbers_are_for_people(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        double value;
        enum metric_unit unit;
        const char *words;
    } cases[] = {
        {NAN, UNIT_COUNT, "-"},
        {0, UNIT_COUNT, "0"},
        {1234567, UNIT_COUNT, "1,234,567"},
        {3.25, UNIT_MS, "3.2"},
        {12.5, UNIT_MS, "12"},
        {999.6, UNIT_MS, "1,000"},
        {0.01234, UNIT_USD, "$0.0123"},
        {12.345, UNIT_USD, "$12.35"},
        {7.4, UNIT_PERCENT, "7 %"},
        {1610612736, UNIT_BYTES, "1.5 GiB"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(figure_words(fixture->arena, cases[i].value, cases[i].unit),
                            cases[i].words);
    assert_string_equal(duration_words(fixture->arena, 119 * 60000), "119 min");
    assert_string_equal(duration_words(fixture->arena, 120 * 60000), "2 h");
    assert_string_equal(duration_words(fixture->arena, (int64_t)72 * 3600000), "3 d");
}

static void small_graphs_take_neighbours_together(void **state)
{
    struct fixture *fixture = *state;
    const double series[] = {0, 1, 2, NAN, NAN, NAN, 7, 7};
    assert_string_equal(sparkline(fixture->arena, series, 8, 8, "Maximum"), "▁▂▃   ██");
    assert_string_equal(sparkline(fixture->arena, series, 8, 4, "Sum"), "▂▂ █");
    assert_string_equal(sparkline(fixture->arena, series, 8, 5, "Minimum"), "▁▃ █");
    assert_string_equal(sparkline(fixture->arena, series, 8, 0, "Sum"), "");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(lines_become_metrics),
        CASE(reading_goes_on_where_it_stopped),
        CASE(a_new_month_hides_nothing_of_the_last_hour),
        CASE(alarms_are_judged_here),
        CASE(the_page_fits_whatever_size),
        CASE(nothing_in_the_page_steers_the_terminal),
        CASE(a_line_tells_what_there_is),
        CASE(numbers_are_for_people),
        CASE(small_graphs_take_neighbours_together),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
