/* Figures and intervals against values made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "pkg/base/attributes.h"
#include "pkg/eval/statistics.h"

static const struct statistic mean = {MEAN, 0}, sum = {SUM, 0}, median = {QUANTILE, 0.5};

static void assert_near(double got, double wanted, double tolerance)
{
    if (!(fabs(got - wanted) <= tolerance))
        fail_msg("%.9g is not %.9g", got, wanted);
}

static void figures(void **state)
{
    (void)state;
    const double numbers[] = {4, NAN, 1, 3, 2};
    const struct statistic late = {QUANTILE, 0.95};
    assert_near(statistic_of(&mean, numbers, 5), 2.5, 0);
    assert_near(statistic_of(&sum, numbers, 5), 10, 0);
    assert_near(statistic_of(&median, numbers, 5), 2.5, 1e-12);
    assert_near(statistic_of(&late, numbers, 5), 3.85, 1e-12); /* 0.95 of the way from 1st to 4th */
    assert_near(statistic_of(&late, numbers, 1), 4, 0);
    assert_true(isnan(statistic_of(&mean, &numbers[1], 1)));
    assert_true(isnan(statistic_of(&sum, numbers, 0)));
}

static void wilson(void **state)
{
    (void)state;
    static const struct {
        size_t hits, count;
        double low, high;
    } rows[] = {
        {5, 10, 0.23659, 0.76341},  /* 0.5 -+ 1.96 sqrt(0.025 + 3.8415/400) / 1.38415 */
        {0, 10, 0, 0.27753},        /* 3.8415 / 13.8415 */
        {10, 10, 0.72247, 1},       /* the same from above */
        {81, 263, 0.25526, 0.36617} /* R. Newcombe, "Two-sided confidence intervals" (1998) */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct interval interval = interval_wilson(rows[i].hits, rows[i].count);
        assert_near(interval.low, rows[i].low, 5e-5);
        assert_near(interval.high, rows[i].high, 5e-5);
    }
    assert_true(isnan(interval_wilson(0, 0).low));
}

static void mcnemar(void **state)
{
    (void)state;
    assert_near(mcnemar_exact(0, 0), 1, 0);
    assert_near(mcnemar_exact(3, 3), 1, 0);
    assert_near(mcnemar_exact(1, 5), 2 * (1 + 6) / 64.0, 1e-12);
    assert_near(mcnemar_exact(5, 1), 2 * (1 + 6) / 64.0, 1e-12);
    assert_near(mcnemar_exact(0, 5), 2 / 32.0, 1e-12);
    assert_near(mcnemar_exact(2, 8), 2 * (1 + 10 + 45) / 1024.0, 1e-12);
    assert_true(mcnemar_exact(0, 2000) < 1e-300);
}

static void the_bootstrap_finds_the_spread_of_a_mean(void **state)
{
    (void)state;
    const struct bootstrap bootstrap = {1, 10000}, other = {2, 10000};
    double numbers[100];
    for (int i = 0; i < 100; i++)
        numbers[i] = i + 1;
    /* deviation 28.866 of 1..100: 1.96 * 28.866 / 10 = 5.658 on each side of 50.5 */
    struct interval interval = interval_bootstrap(&bootstrap, &mean, numbers, NULL, 100);
    assert_near(interval.low, 44.842, 0.4);
    assert_near(interval.high, 56.158, 0.4);
    struct interval again = interval_bootstrap(&bootstrap, &mean, numbers, NULL, 100);
    assert_true(again.low == interval.low && again.high == interval.high);
    again = interval_bootstrap(&other, &mean, numbers, NULL, 100);
    assert_true(again.low != interval.low);
}

static void draws_are_even(void **state)
{
    (void)state;
    /* Of two numbers a quarter of the draws takes the first twice, and a quarter the second. */
    const double two[] = {0, 1};
    const struct bootstrap bootstrap = {7, 4000};
    struct interval interval = interval_bootstrap(&bootstrap, &mean, two, NULL, 2);
    assert_near(interval.low, 0, 0);
    assert_near(interval.high, 1, 0);
}

static void pairs_are_kept(void **state)
{
    (void)state;
    const struct bootstrap bootstrap = {1, 1000};
    double before[50], after[50];
    for (int i = 0; i < 50; i++) {
        before[i] = i * i;
        after[i] = before[i] + 1; /* each one better by one, however far they are apart */
    }
    struct interval interval = interval_bootstrap(&bootstrap, &mean, after, before, 50);
    assert_near(interval.low, 1, 1e-9);
    assert_near(interval.high, 1, 1e-9);
}

static void nothing_to_count_has_no_interval(void **state)
{
    (void)state;
    const struct bootstrap bootstrap = {1, 1000};
    const double none[] = {NAN, NAN, NAN}, one[] = {NAN, 5, NAN};
    assert_true(isnan(interval_bootstrap(&bootstrap, &mean, none, NULL, 3).low));
    assert_true(isnan(interval_bootstrap(&bootstrap, &mean, none, NULL, 0).low));
    struct interval interval = interval_bootstrap(&bootstrap, &mean, one, NULL, 3);
    assert_near(interval.low, 5, 0);
    assert_near(interval.high, 5, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures),
        cmocka_unit_test(wilson),
        cmocka_unit_test(mcnemar),
        cmocka_unit_test(the_bootstrap_finds_the_spread_of_a_mean),
        cmocka_unit_test(draws_are_even),
        cmocka_unit_test(pairs_are_kept),
        cmocka_unit_test(nothing_to_count_has_no_interval),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
