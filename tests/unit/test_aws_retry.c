/* The policy of repeats and the pacing of calls, as pure functions of time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/aws/pace.h"
#include "pkg/aws/retry.h"

enum { PATIENCE_MS = 300000 };
#define ALMOST_ONE 0.9999999

/* -- causes -- */

struct cause_row {
    int status;
    const char *code;
    enum retry_cause once, repeatable; /* for calls that may happen only once, and others */
};

static const struct cause_row causes[] = {
    {503, "RequestLimitExceeded", RETRY_THROTTLED, RETRY_THROTTLED},
    {400, "Throttling", RETRY_THROTTLED, RETRY_THROTTLED},
    {429, "TooManyRequestsException", RETRY_THROTTLED, RETRY_THROTTLED},
    {429, "", RETRY_THROTTLED, RETRY_THROTTLED},
    {503, "SlowDown", RETRY_THROTTLED, RETRY_THROTTLED},
    {400, "LimitExceededException", RETRY_FINAL, RETRY_FINAL},
    {409, "LimitExceeded", RETRY_FINAL, RETRY_FINAL},
    {500, "InternalFailure", RETRY_LOST, RETRY_TRANSIENT},
    {503, "Unavailable", RETRY_LOST, RETRY_TRANSIENT},
    {502, "", RETRY_LOST, RETRY_TRANSIENT},
    {504, "", RETRY_LOST, RETRY_TRANSIENT},
    {200, "InternalError", RETRY_LOST, RETRY_TRANSIENT},
    {501, "NotImplemented", RETRY_FINAL, RETRY_FINAL},
    {400, "RequestTimeout", RETRY_TRANSIENT, RETRY_TRANSIENT},
    {409, "ConcurrentModification", RETRY_TRANSIENT, RETRY_TRANSIENT},
    {400, "OperationAbortedException", RETRY_TRANSIENT, RETRY_TRANSIENT},
    {429, "ModelNotReadyException", RETRY_TRANSIENT, RETRY_TRANSIENT},
    {409, "ConditionalRequestConflict", RETRY_FINAL, RETRY_FINAL},
    {412, "PreconditionFailed", RETRY_FINAL, RETRY_FINAL},
    {403, "RequestTimeTooSkewed", RETRY_CLOCK, RETRY_CLOCK},
    {403, "SignatureDoesNotMatch", RETRY_CLOCK, RETRY_CLOCK},
    {401, "AuthFailure", RETRY_CLOCK, RETRY_CLOCK},
    {403, "ExpiredToken", RETRY_EXPIRED, RETRY_EXPIRED},
    {400, "ExpiredTokenException", RETRY_EXPIRED, RETRY_EXPIRED},
    {400, "InvalidParameterValue", RETRY_FINAL, RETRY_FINAL},
    {404, "NoSuchEntity", RETRY_FINAL, RETRY_FINAL},
};

static void causes_are_told_by_code_and_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(causes); i++) {
        struct failure failure = {.status = causes[i].status, .code = causes[i].code};
        if (retry_cause_of(&failure, false) != causes[i].once ||
            retry_cause_of(&failure, true) != causes[i].repeatable)
            fail_msg("%d %s", failure.status, failure.code);
    }
}

static void transport_errors_say_whether_it_left(void **state)
{
    (void)state;
    assert_int_equal(retry_cause_of_transport(ERR_FAILED, false), RETRY_UNREACHABLE);
    assert_int_equal(retry_cause_of_transport(ERR_LOST_REPLY, false), RETRY_LOST);
    assert_int_equal(retry_cause_of_transport(ERR_LOST_REPLY, true), RETRY_TRANSIENT);
    assert_int_equal(retry_cause_of_transport(ERR_CANCELLED, true), RETRY_FINAL);
}

/* -- delays -- */

static void delays_double_up_to_twenty_seconds(void **state)
{
    (void)state;
    struct retry_budget budget = retry_budget_full();
    struct retry retry = retry_begin(&budget, PATIENCE_MS);
    static const int64_t longest[] = {499, 999, 1999, 3999, 7999, 15999, 19999, 19999};
    for (size_t i = 0; i < COUNT_OF(longest); i++)
        assert_int_equal(retry_delay_ms(&retry, RETRY_THROTTLED, 0, 0, ALMOST_ONE), longest[i]);
    assert_int_equal(retry_delay_ms(&retry, RETRY_THROTTLED, 0, 0, 0), 0);
    assert_int_equal(retry_delay_ms(&retry, RETRY_THROTTLED, 0, 0, 0.5), 10000);
}

static void throttles_are_waited_out_for_minutes(void **state)
{
    (void)state;
    struct retry_budget budget = {0}; /* throttles cost nothing */
    struct retry retry = retry_begin(&budget, PATIENCE_MS);
    int64_t now = 1000000, start = now, delay;
    int repeats = 0;
    while ((delay = retry_delay_ms(&retry, RETRY_THROTTLED, now, 0, ALMOST_ONE)) >= 0) {
        now += delay + 100;
        repeats++;
    }
    assert_in_range(now - start, PATIENCE_MS - 20100, PATIENCE_MS + 100);
    assert_in_range(repeats, 15, 40);
}

static void transients_end_soon(void **state)
{
    (void)state;
    struct retry_budget budget = retry_budget_full();
    struct retry retry = retry_begin(&budget, PATIENCE_MS);
    int repeats = 0;
    while (retry_delay_ms(&retry, RETRY_TRANSIENT, 0, 0, 0.5) >= 0)
        repeats++;
    assert_int_equal(repeats, 6);
    repeats = 0;
    retry = retry_begin(&budget, PATIENCE_MS);
    while (retry_delay_ms(&retry, RETRY_UNREACHABLE, 0, 0, 0.5) >= 0)
        repeats++;
    assert_int_equal(repeats, 3);
}

static void the_other_causes_have_no_delay(void **state)
{
    (void)state;
    struct retry_budget budget = retry_budget_full();
    struct retry retry = retry_begin(&budget, PATIENCE_MS);
    assert_int_equal(retry_delay_ms(&retry, RETRY_FINAL, 0, 0, 0.5), -1);
    assert_int_equal(retry_delay_ms(&retry, RETRY_LOST, 0, 0, 0.5), -1);
    assert_int_equal(retry_delay_ms(&retry, RETRY_CLOCK, 0, 0, 0.5), -1);
    assert_int_equal(retry_delay_ms(&retry, RETRY_EXPIRED, 0, 0, 0.5), -1);
}

static void when_everything_fails_repeats_stop(void **state)
{
    (void)state;
    struct retry_budget budget = retry_budget_full();
    int repeats = 0;
    for (int call = 0; call < 1000; call++) {
        struct retry retry = retry_begin(&budget, PATIENCE_MS);
        while (retry_delay_ms(&retry, RETRY_TRANSIENT, 0, 0, 0.5) >= 0)
            repeats++;
    }
    assert_int_equal(repeats, 100); /* 500 tokens at 5 each */
    struct retry retry = retry_begin(&budget, PATIENCE_MS);
    for (int i = 0; i < 5; i++)
        retry_succeeded(&retry);
    assert_int_equal(budget.tokens, 5);
    assert_true(retry_delay_ms(&retry, RETRY_TRANSIENT, 0, 0, 0.5) >= 0);
    retry_succeeded(&retry); /* a repeat that helped costs nothing in the end */
    assert_int_equal(budget.tokens, 5);
}

static void the_budget_does_not_overflow(void **state)
{
    (void)state;
    struct retry_budget budget = retry_budget_full();
    struct retry retry = retry_begin(&budget, PATIENCE_MS);
    retry_succeeded(&retry);
    assert_int_equal(budget.tokens, 500);
}

/* -- what the server says of time -- */

static int64_t hint_of(const char *name, const char *value)
{
    struct http_header header = {name, value};
    struct http_reply reply = {.headers = &header, .header_count = 1};
    return retry_hint_ms(&reply, clock_parse("2026-01-31T12:00:00Z"));
}

static void hints_are_read_and_bounded(void **state)
{
    (void)state;
    assert_int_equal(hint_of("retry-after", "7"), 7000);
    assert_int_equal(hint_of("retry-after", "100000000000000000"), 60000);
    assert_int_equal(hint_of("retry-after", "-5"), 0);
    assert_int_equal(hint_of("retry-after", "soon"), 0);
    assert_int_equal(hint_of("retry-after", "Sat, 31 Jan 2026 12:00:30 GMT"), 30000);
    assert_int_equal(hint_of("retry-after", "Sat, 31 Jan 2026 11:00:00 GMT"), 0);
    assert_int_equal(hint_of("x-amz-retry-after", "1500"), 1500);
    assert_int_equal(hint_of("x-amz-retry-after", "9999999"), 60000);
    assert_int_equal(hint_of("x-other", "9"), 0);
    struct retry_budget budget = retry_budget_full();
    struct retry retry = retry_begin(&budget, PATIENCE_MS);
    assert_int_equal(retry_delay_ms(&retry, RETRY_THROTTLED, 0, 7000, 0.5), 7000);
    assert_int_equal(retry_delay_ms(&retry, RETRY_TRANSIENT, 0, 7000, 0.5), 7000);
}

static void only_a_real_skew_moves_the_clock(void **state)
{
    (void)state;
    int64_t wall = clock_parse("2026-01-31T12:00:00Z"), offset = 0;
    struct failure failure = {.code = "SignatureDoesNotMatch"};
    assert_false(retry_clock_offset(&failure, wall, 0, &offset));
    failure.date = "rubbish";
    assert_false(retry_clock_offset(&failure, wall, 0, &offset));
    failure.date = "Sat, 31 Jan 2026 12:00:59 GMT";
    assert_false(retry_clock_offset(&failure, wall, 0, &offset));
    failure.date = "Sat, 31 Jan 2026 12:10:00 GMT";
    assert_true(retry_clock_offset(&failure, wall, 0, &offset));
    assert_int_equal(offset, 600000);
    assert_false(retry_clock_offset(&failure, wall, offset, &offset));
    failure.date = "Sat, 31 Jan 2026 10:00:00 GMT";
    assert_true(retry_clock_offset(&failure, wall, offset, &offset));
    assert_int_equal(offset, -7200000);
}

/* -- pacing -- */

static void a_burst_passes_and_then_the_rate_holds(void **state)
{
    (void)state;
    struct pace pace = {.calls_per_s = 5, .burst = 50};
    for (int i = 0; i < 50; i++)
        assert_int_equal(pace_take_ms(&pace, 1000), 0);
    for (int i = 1; i <= 10; i++)
        assert_int_equal(pace_take_ms(&pace, 1000), i * 200);
}

static void a_bucket_fills_again_but_not_over(void **state)
{
    (void)state;
    struct pace pace = {.calls_per_s = 10, .burst = 2};
    assert_int_equal(pace_take_ms(&pace, 0), 0);
    assert_int_equal(pace_take_ms(&pace, 0), 0);
    assert_int_equal(pace_take_ms(&pace, 0), 100);
    assert_int_equal(pace_take_ms(&pace, 1000000), 0);
    assert_int_equal(pace_take_ms(&pace, 1000000), 0);
    assert_int_equal(pace_take_ms(&pace, 1000000), 100);
    assert_int_equal(pace_take_ms(&pace, 1000150), 50);
}

static void a_throttle_empties_the_bucket(void **state)
{
    (void)state;
    struct pace pace = {.calls_per_s = 4, .burst = 8};
    assert_int_equal(pace_take_ms(&pace, 0), 0);
    pace_empty(&pace, 0);
    assert_int_equal(pace_take_ms(&pace, 0), 250);
    assert_int_equal(pace_take_ms(&pace, 0), 500);
    pace_empty(&pace, 0); /* those who wait keep their turns */
    assert_int_equal(pace_take_ms(&pace, 0), 750);
}

static void no_rate_is_no_pacing(void **state)
{
    (void)state;
    struct pace pace = {0};
    for (int i = 0; i < 1000; i++)
        assert_int_equal(pace_take_ms(&pace, 0), 0);
    pace_empty(&pace, 0);
    assert_int_equal(pace_take_ms(&pace, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(causes_are_told_by_code_and_status),
        cmocka_unit_test(transport_errors_say_whether_it_left),
        cmocka_unit_test(delays_double_up_to_twenty_seconds),
        cmocka_unit_test(throttles_are_waited_out_for_minutes),
        cmocka_unit_test(transients_end_soon),
        cmocka_unit_test(the_other_causes_have_no_delay),
        cmocka_unit_test(when_everything_fails_repeats_stop),
        cmocka_unit_test(the_budget_does_not_overflow),
        cmocka_unit_test(hints_are_read_and_bounded),
        cmocka_unit_test(only_a_real_skew_moves_the_clock),
        cmocka_unit_test(a_burst_passes_and_then_the_rate_holds),
        cmocka_unit_test(a_bucket_fills_again_but_not_over),
        cmocka_unit_test(a_throttle_empties_the_bucket),
        cmocka_unit_test(no_rate_is_no_pacing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
