#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pkg/base/attributes.h"
#include "pkg/base/clock.h"

static void the_system_clock_goes_on_by_itself(void **state)
{
    (void)state;
    struct clock *clock = clock_system();
    assert_null(clock->advance);
    int64_t before = clock->monotonic_ms(clock);
    assert_true(clock->monotonic_ms(clock) >= before);
    assert_true(clock->wall_ms(clock) > 1700000000000); /* November 2023 */
}

static void the_virtual_clock_moves_only_when_told(void **state)
{
    (void)state;
    struct virtual_clock virtual;
    clock_virtual(&virtual, 1000000);
    struct clock *clock = &virtual.clock;
    assert_int_equal(clock->monotonic_ms(clock), 0);
    assert_int_equal(clock->wall_ms(clock), 1000000);
    clock->advance(clock, 900000);
    assert_int_equal(clock->monotonic_ms(clock), 900000);
    assert_int_equal(clock->wall_ms(clock), 1900000);
    clock->advance(clock, 899999);
    assert_int_equal(clock->monotonic_ms(clock), 900000);
}

/* Seconds from `date -u -d ... +%s`. */
static const struct {
    int64_t wall_ms;
    const char *basic, *iso;
} formats[] = {
    {0, "19700101T000000Z", "1970-01-01T00:00:00Z"},
    {1440938160000, "20150830T123600Z", "2015-08-30T12:36:00Z"},
    {1769903999000, "20260131T235959Z", "2026-01-31T23:59:59Z"},
    {1769903999999, "20260131T235959Z", "2026-01-31T23:59:59Z"},
    {1709164800000, "20240229T000000Z", "2024-02-29T00:00:00Z"},
    {4102444800000, "21000101T000000Z", "2100-01-01T00:00:00Z"},
};

static void times_are_formatted_in_utc(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        char basic[17], iso[21];
        clock_format_basic(formats[i].wall_ms, basic, sizeof basic);
        clock_format_iso(formats[i].wall_ms, iso, sizeof iso);
        assert_string_equal(basic, formats[i].basic);
        assert_string_equal(iso, formats[i].iso);
    }
}

static const struct {
    const char *text;
    int64_t wall_ms;
} parses[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"2026-01-31T23:59:59Z", 1769903999000},
    {"2026-01-31T23:59:59.123Z", 1769903999123},
    {"2026-01-31T23:59:59.5Z", 1769903999500},
    {"2026-01-31T23:59:59.123456789Z", 1769903999123},
    {"2026-01-31T23:59:59+00:00", 1769903999000},
    {"2026-02-01T00:59:59+01:00", 1769903999000},
    {"2026-01-31T18:29:59.250-05:30", 1769903999250},
    {"2026-01-31T23:59:59.123+0000", 1769903999123}, /* Lambda's LastModified */
    {"Wed, 21 Oct 2015 07:28:00 GMT", 1445412480000},
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777000}, /* RFC 9110, 5.6.7 */
    {"", -1},
    {"tomorrow", -1},
    {"2026-01-31", -1},
    {"2026-01-31T23:59:59", -1},
    {"2026-01-31T23:59:59Zulu", -1},
    {"2026-13-31T23:59:59Z", -1},
    {"Wed, 21 Oct 2015 07:28:00 GMT+1", -1},
    {"Wed, 21 Oct 2015 07:28:00", -1},
};

static void times_of_two_forms_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(parses); i++)
        if (clock_parse(parses[i].text) != parses[i].wall_ms)
            fail_msg("\"%s\" is read as %lld", parses[i].text,
                     (long long)clock_parse(parses[i].text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_clock_goes_on_by_itself),
        cmocka_unit_test(the_virtual_clock_moves_only_when_told),
        cmocka_unit_test(times_are_formatted_in_utc),
        cmocka_unit_test(times_of_two_forms_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
