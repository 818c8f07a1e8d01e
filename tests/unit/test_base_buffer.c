#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/base/buffer.h"

static void an_empty_buffer_reads_as_no_text(void **state)
{
    (void)state;
    struct buffer buffer = BUFFER(10);
    assert_string_equal(buffer_string(&buffer), "");
    assert_null(buffer.data);
    buffer_append(&buffer, NULL, 0);
    assert_string_equal(buffer_string(&buffer), "");
    buffer_free(&buffer);
}

static void pieces_add_up(void **state)
{
    (void)state;
    CLEANUP(buffer_free) struct buffer buffer = BUFFER(BUFFER_LARGE);
    buffer_text(&buffer, "one ");
    buffer_char(&buffer, '2');
    buffer_append(&buffer, "\0x", 2);
    buffer_printf(&buffer, "%03d", 7);
    assert_int_equal(buffer.length, 10);
    assert_memory_equal(buffer.data, "one 2\0x007", 11);
}

static void growth_keeps_everything(void **state)
{
    (void)state;
    CLEANUP(buffer_free) struct buffer buffer = BUFFER(BUFFER_LARGE);
    for (int i = 0; i < 10000; i++)
        buffer_printf(&buffer, "%04d", i);
    assert_int_equal(buffer.length, 40000);
    assert_memory_equal(buffer.data + 4 * 9876, "9876", 4);
    assert_int_equal(strlen(buffer.data), 40000);
}

static void the_maximum_itself_still_fits(void **state)
{
    (void)state;
    CLEANUP(buffer_free) struct buffer buffer = BUFFER(5);
    buffer_text(&buffer, "abc");
    buffer_printf(&buffer, "%d", 45);
    assert_false(buffer.overflow);
    assert_string_equal(buffer_string(&buffer), "abc45");
    buffer_char(&buffer, '!');
    assert_true(buffer.overflow);
    assert_string_equal(buffer_string(&buffer), "abc45");
}

static void overflow_drops_the_piece_and_all_after_it(void **state)
{
    (void)state;
    CLEANUP(buffer_free) struct buffer buffer = BUFFER(5);
    buffer_text(&buffer, "abc");
    buffer_printf(&buffer, "%s", "defg");
    assert_true(buffer.overflow);
    buffer_char(&buffer, 'd'); /* would fit, but then the text had a hole */
    assert_string_equal(buffer_string(&buffer), "abc");
    buffer_append(&buffer, "x", SIZE_MAX);
    assert_int_equal(buffer.length, 3);
}

static void a_reset_buffer_starts_anew_in_the_same_memory(void **state)
{
    (void)state;
    CLEANUP(buffer_free) struct buffer buffer = BUFFER(4);
    buffer_text(&buffer, "abcd");
    buffer_text(&buffer, "e");
    const char *memory = buffer.data;
    buffer_reset(&buffer);
    assert_false(buffer.overflow);
    assert_string_equal(buffer_string(&buffer), "");
    buffer_text(&buffer, "xy");
    assert_string_equal(buffer_string(&buffer), "xy");
    assert_ptr_equal(buffer.data, memory);
}

static void a_freed_buffer_can_be_used_again(void **state)
{
    (void)state;
    struct buffer buffer = BUFFER(4);
    buffer_text(&buffer, "abcd");
    buffer_free(&buffer);
    assert_int_equal(buffer.maximum, 4);
    buffer_text(&buffer, "ef");
    assert_string_equal(buffer_string(&buffer), "ef");
    buffer_free(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_reads_as_no_text),
        cmocka_unit_test(pieces_add_up),
        cmocka_unit_test(growth_keeps_everything),
        cmocka_unit_test(the_maximum_itself_still_fits),
        cmocka_unit_test(overflow_drops_the_piece_and_all_after_it),
        cmocka_unit_test(a_reset_buffer_starts_anew_in_the_same_memory),
        cmocka_unit_test(a_freed_buffer_can_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
