/* Statistics, windows, a month's pace, and alarms as CloudWatch judges them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "pkg/watch/figures.h"
#include "pkg/watch/samples.h"

enum { MINUTE_MS = 60000, DAY_MS = 86400000 };

/* 2026-11-24T10:20:30Z */
static const int64_t NOW_MS = 1795515630000;

static void check_statistic(const struct samples *samples, const char *statistic, double expected)
{
    double found = samples_statistic(samples, 0, 1000, statistic);
    if (found != expected)
        fail_msg("%s: %g, not %g", statistic, found, expected);
}

static void statistics_are_those_of_cloudwatch(void **state)
{
    (void)state;
    struct samples samples = {0};
    for (int i = 1; i <= 100; i++) /* 1..100, not in order of their sizes */
        samples_add(&samples, i, (double)(i * 37 % 101));
    check_statistic(&samples, "Sum", 5050);
    check_statistic(&samples, "Average", 50.5);
    check_statistic(&samples, "Minimum", 1);
    check_statistic(&samples, "Maximum", 100);
    check_statistic(&samples, "SampleCount", 100);
    check_statistic(&samples, "p50", 50);
    check_statistic(&samples, "p95", 95);
    check_statistic(&samples, "p99", 99);
    assert_true(isnan(samples_statistic(&samples, 1000, 2000, "Sum")));
    assert_true(isnan(samples_statistic(&samples, 2000, 1000, "p95")));
    samples_free(&samples);
}

static void times_bound_what_counts(void **state)
{
    (void)state;
    struct samples samples = {0};
    const int64_t times[] = {300, 100, 200, 100};
    for (size_t i = 0; i < COUNT_OF(times); i++)
        samples_add(&samples, times[i], (double)times[i]);
    assert_true(samples_statistic(&samples, 100, 200, "Sum") == 200); /* the end is not part */
    assert_true(samples_statistic(&samples, 100, 201, "Sum") == 400);
    samples_forget(&samples, 300);
    assert_true(samples_statistic(&samples, 0, 301, "Sum") == 300);
    assert_false(samples.incomplete);
    samples_free(&samples);
}

static void the_oldest_go_when_there_are_too_many(void **state)
{
    (void)state;
    struct samples samples = {.maximum = 10};
    for (int i = 0; i < 11; i++)
        samples_add(&samples, i, 1);
    assert_true(samples.incomplete);
    assert_int_equal(samples.count, 6);
    assert_int_equal(samples.items[0].time_ms, 5);
    samples_free(&samples);
}

static void a_window_is_made_of_whole_buckets(void **state)
{
    (void)state;
    static const struct {
        int seconds, bucket_s;
        size_t buckets;
    } cases[] = {{1, 60, 1},     {60, 60, 1},     {61, 60, 2},      {900, 60, 15},
                 {3600, 60, 60}, {3601, 120, 31}, {10800, 180, 60}, {86400, 1440, 60}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct figure_window window = figure_window(NOW_MS, cases[i].seconds);
        int64_t bucket_ms = (int64_t)cases[i].bucket_s * 1000;
        assert_int_equal(window.bucket_s, cases[i].bucket_s);
        assert_int_equal(window.buckets, cases[i].buckets);
        assert_int_equal(window.to_ms % bucket_ms, 0);
        assert_true(window.to_ms > NOW_MS && window.to_ms - bucket_ms <= NOW_MS);
        assert_int_equal(window.to_ms - window.from_ms, (int64_t)window.buckets * bucket_ms);
    }
}

static void rows_conclude_by_their_statistic(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    (void)state;
    struct figures figures;
    figures_begin(arena, NOW_MS, 240, &figures);
    const struct {
        const char *id;
        double value;
    } cases[] = {{"questions", 9}, {"database-cpu", 4.5}, {"free-storage", 3}, {"connections", 6}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct figure *row = &figures.rows[metric_number(cases[i].id)];
        row->series[1] = 6;
        row->series[2] = 3;
        figures_conclude(&figures, metric_number(cases[i].id));
        assert_true(row->value == cases[i].value);
        assert_true(row->latest == 3);
    }
    size_t refusals = metric_number("refusals"), memory = metric_number("free-memory");
    figures_conclude(&figures, refusals);
    figures_conclude(&figures, memory);
    assert_true(figures.rows[refusals].value == 0); /* nothing was refused */
    assert_true(isnan(figures.rows[memory].value)); /* nobody measured */
}

static void a_month_goes_on_at_its_pace(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    (void)state;
    struct figures figures;
    size_t cost = metric_number("cost");
    figures_begin(arena, NOW_MS, 3600, &figures);
    assert_true(figure_projected(&figures, cost) == 0);
    figures.rows[cost].days[19] = 4; /* the 20th was the first day with a question */
    figures.rows[cost].days[23] = 2;
    assert_true(figure_today(&figures, cost) == 2);
    assert_true(figure_month(&figures, cost) == 6);
    double passed = 4 + (10 * 3600 + 20 * 60 + 30) / 86400.0; /* days since */
    double expected = 6 + 6 / passed * (11 - passed);
    assert_true(fabs(figure_projected(&figures, cost) - expected) < 1e-9);
    assert_true(isnan(figure_month(&figures, metric_number("refusals"))));
}

static void months_begin_at_their_first_midnight(void **state)
{
    (void)state;
    const int64_t first_ms = NOW_MS / DAY_MS * DAY_MS - 23 * (int64_t)DAY_MS;
    assert_int_equal(day_of_month(NOW_MS), 23);
    assert_int_equal(month_start_ms(NOW_MS), first_ms);
    assert_int_equal(month_start_ms(first_ms), first_ms);
    assert_int_equal(day_of_month(first_ms - 1), 30); /* 31st of October */
}

/* -- alarms -- */

static const struct alarm_rule three = {
    .comparison = "GreaterThanThreshold", .missing = "notBreaching", .periods = 3};
static const struct alarm_rule least = {
    .comparison = "LessThanThreshold", .missing = "missing", .periods = 1};

static void check_alarm(const struct alarm_rule *rule, const double *values, size_t count,
                        enum alarm_state state, size_t lasts)
{
    size_t found;
    assert_int_equal(alarm_judge(rule, 10, values, count, &found), state);
    assert_int_equal(found, lasts);
}
#define VALUES(...) ((const double[]){__VA_ARGS__}), COUNT_OF(((const double[]){__VA_ARGS__}))

static void alarms_fire_when_all_their_periods_are_over(void **state)
{
    (void)state;
    check_alarm(&three, VALUES(11, 12, 13, 1), ALARM_FIRING, 1);
    check_alarm(&three, VALUES(11, 12, 13, 14, 1, 50), ALARM_FIRING, 2);
    check_alarm(&three, VALUES(11, 12, 10, 13), ALARM_OK, 4); /* 10 is not over 10 */
    check_alarm(&three, VALUES(11, NAN, 13, 14), ALARM_OK, 4);
    check_alarm(&least, VALUES(9, 9, 11), ALARM_FIRING, 2);
    check_alarm(&least, VALUES(10, 9), ALARM_OK, 1);
}

static void silence_counts_as_the_rule_says(void **state)
{
    (void)state;
    check_alarm(&three, VALUES(NAN, NAN, NAN, NAN), ALARM_OK, 4);
    check_alarm(&least, VALUES(NAN, NAN, 5), ALARM_NO_DATA, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics_are_those_of_cloudwatch),
        cmocka_unit_test(times_bound_what_counts),
        cmocka_unit_test(the_oldest_go_when_there_are_too_many),
        cmocka_unit_test(a_window_is_made_of_whole_buckets),
        cmocka_unit_test(rows_conclude_by_their_statistic),
        cmocka_unit_test(a_month_goes_on_at_its_pace),
        cmocka_unit_test(months_begin_at_their_first_midnight),
        cmocka_unit_test(alarms_fire_when_all_their_periods_are_over),
        cmocka_unit_test(silence_counts_as_the_rule_says),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
