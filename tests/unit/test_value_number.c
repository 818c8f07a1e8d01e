/* Numbers and UTF-8, the scalars below both formats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/base/attributes.h"
#include "pkg/value/number.h"
#include "pkg/value/utf8.h"

static const struct {
    const char *text;
    bool read;
    int64_t integer;
} integers[] = {
    {"0", true, 0},
    {"-0", true, 0},
    {"+7", true, 7},
    {"007", true, 7},
    {"9223372036854775807", true, INT64_MAX},
    {"-9223372036854775808", true, INT64_MIN},
    {"9223372036854775808", false, 0},
    {"-9223372036854775809", false, 0},
    {"99999999999999999999999", false, 0},
    {"", false, 0},
    {"-", false, 0},
    {"+-1", false, 0},
    {" 1", false, 0},
    {"1 ", false, 0},
    {"1.0", false, 0},
    {"0x1", false, 0},
};

static void integers_are_read_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(integers); i++) {
        int64_t integer = 0;
        bool read = number_read_int(integers[i].text, &integer);
        if (read != integers[i].read || (read && integer != integers[i].integer))
            fail_msg("\"%s\"", integers[i].text);
    }
}

static const struct {
    const char *text;
    bool read;
    double real;
} reals[] = {
    {"0", true, 0},      {"1.5", true, 1.5},       {"-1.5", true, -1.5}, {"+1.5", true, 1.5},
    {".5", true, 0.5},   {"5.", true, 5},          {"1e3", true, 1000},  {"1E-3", true, 0.001},
    {"1.e2", true, 100}, {"5e-324", true, 5e-324}, {"1e-400", true, 0},  {"1e309", false, 0},
    {"", false, 0},      {".", false, 0},          {"-", false, 0},      {"-.", false, 0},
    {"e5", false, 0},    {"1e", false, 0},         {"1e+", false, 0},    {"1.2.3", false, 0},
    {"inf", false, 0},   {"nan", false, 0},        {"0x1p3", false, 0},  {" 1", false, 0},
    {"1 ", false, 0},    {"1_0", false, 0},
};

static void reals_are_read_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(reals); i++) {
        double real = -1;
        bool read = number_read_real(reals[i].text, &real);
        if (read != reals[i].read || (read && real != reals[i].real))
            fail_msg("\"%s\"", reals[i].text);
    }
}

static void reals_without_fraction_are_integers_where_they_fit(void **state)
{
    (void)state;
    int64_t integer;
    assert_true(number_real_is_int(-3.0, &integer));
    assert_int_equal(integer, -3);
    assert_true(number_real_is_int(-0x1p63, &integer));
    assert_true(integer == INT64_MIN);
    assert_true(number_real_is_int(0x1p62, &integer));
    assert_true(integer == (int64_t)1 << 62);
    assert_false(number_real_is_int(0x1p63, &integer));
    assert_false(number_real_is_int(0.5, &integer));
    assert_false(number_real_is_int(1.0 / 0.0, &integer));
    assert_false(number_real_is_int(0.0 / 0.0, &integer));
}

/* Boundaries of what UTF-8 allows: RFC 3629, section 4. */
static const struct {
    const char *text;
    size_t length, bytes;
} characters[] = {
    {"a", 1, 1},
    {"\0", 1, 1},
    {"\x7f", 1, 1},
    {"\x80", 1, 0},
    {"\xc1\xbf", 2, 0},
    {"\xc2\x80", 2, 2},
    {"\xdf\xbf", 2, 2},
    {"\xdf\xbfz", 3, 2},
    {"\xdf\xc0", 2, 0},
    {"\xdf\x7f", 2, 0},
    {"\xdf", 1, 0},
    {"\xe0\x9f\xbf", 3, 0},
    {"\xe0\xa0\x80", 3, 3},
    {"\xed\x9f\xbf", 3, 3},
    {"\xed\xa0\x80", 3, 0},
    {"\xee\x80\x80", 3, 3},
    {"\xef\xbf\xbf", 3, 3},
    {"\xef\xbf", 2, 0},
    {"\xf0\x8f\xbf\xbf", 4, 0},
    {"\xf0\x90\x80\x80", 4, 4},
    {"\xf4\x8f\xbf\xbf", 4, 4},
    {"\xf4\x90\x80\x80", 4, 0},
    {"\xf0\x90\x80", 3, 0},
    {"\xf0\x90\x80\x41", 4, 0},
    {"\xf5\x80\x80\x80", 4, 0},
    {"\xff", 1, 0},
    {"", 0, 0},
};

static void only_valid_utf8_is_a_character(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(characters); i++) {
        size_t bytes = utf8_character_bytes(characters[i].text, characters[i].length);
        if (bytes != characters[i].bytes)
            fail_msg("case %zu: %zu bytes", i, bytes);
    }
}

static void text_is_valid_as_a_whole(void **state)
{
    (void)state;
    assert_true(utf8_is_valid("", 0));
    assert_true(utf8_is_valid("a\0\xc3\xa9", 4));
    assert_false(utf8_is_valid("\xc3\xa9", 1)); /* cut off */
    assert_false(utf8_is_valid("a\xffz", 3));
}

static void controls_give_way(void **state)
{
    char text[] = "a\033[2J\n\x7f\xc2\x9b"
                  "b\xc2\xa0\xc3\xa9\xc2";
    (void)state;
    utf8_blank_controls(text, '?');
    assert_string_equal(text, "a?[2J????b\xc2\xa0\xc3\xa9\xc2"); /* no more than those */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_read_strictly),
        cmocka_unit_test(reals_are_read_strictly),
        cmocka_unit_test(reals_without_fraction_are_integers_where_they_fit),
        cmocka_unit_test(only_valid_utf8_is_a_character),
        cmocka_unit_test(text_is_valid_as_a_whole),
        cmocka_unit_test(controls_give_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
