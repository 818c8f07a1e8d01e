#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "pkg/base/error.h"

static const struct mark here = {"stack.yaml", 12, 5};

static void setting_returns_the_code_and_clears_the_rest(void **state)
{
    (void)state;
    struct error error = {.http_status = 500, .aws_code = "Old", .line = 3, .file = "old"};
    assert_int_equal(error_set(&error, ERR_DENIED, "no %s to %d", "right", 7), ERR_DENIED);
    assert_int_equal(error.code, ERR_DENIED);
    assert_string_equal(error.message, "no right to 7");
    assert_int_equal(error.http_status, 0);
    assert_int_equal(error.line, 0);
    assert_string_equal(error.aws_code, "");
    assert_string_equal(error.file, "");
}

static void nobody_needs_to_listen(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, ERR_TIMEOUT, "late"), ERR_TIMEOUT);
    assert_int_equal(error_set_at(NULL, ERR_INPUT, here, "wrong"), ERR_INPUT);
}

static void a_place_is_kept_with_the_error(void **state)
{
    (void)state;
    struct error error;
    assert_int_equal(error_set_at(&error, ERR_INPUT, here, "wrong"), ERR_INPUT);
    assert_string_equal(error.file, "stack.yaml");
    assert_int_equal(error.line, 12);
    assert_int_equal(error.column, 5);
}

static void wrapping_adds_context_and_keeps_everything_else(void **state)
{
    (void)state;
    struct error error;
    error_set_at(&error, ERR_CONFLICT, here, "is busy");
    snprintf(error.aws_code, sizeof error.aws_code, "DependencyViolation");
    snprintf(error.request_id, sizeof error.request_id, "req-1");
    error.http_status = 400;
    assert_int_equal(error_wrap(&error, "delete %s", "vpc-1"), ERR_CONFLICT);
    assert_int_equal(error_wrap(&error, "down"), ERR_CONFLICT);
    assert_string_equal(error.message, "down: delete vpc-1: is busy");
    assert_string_equal(error.aws_code, "DependencyViolation");
    assert_string_equal(error.request_id, "req-1");
    assert_int_equal(error.http_status, 400);
    assert_int_equal(error.line, 12);
}

static void the_first_place_is_the_best_known(void **state)
{
    (void)state;
    struct error error;
    error_set(&error, ERR_INPUT, "wrong");
    assert_int_equal(error_place(&error, here), ERR_INPUT);
    assert_int_equal(error.line, 12);
    error_place(&error, (struct mark){"other.yaml", 1, 1});
    assert_string_equal(error.file, "stack.yaml");
    assert_int_equal(error.line, 12);
}

static void long_texts_are_cut_and_end(void **state)
{
    (void)state;
    struct error error;
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    error_set_at(&error, ERR_FAILED, (struct mark){text, 1, 1}, "%s", text);
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
    assert_int_equal(strlen(error.file), sizeof error.file - 1);
    error_wrap(&error, "%s", text);
    error_wrap(&error, "outermost");
    assert_memory_equal(error.message, "outermost: xxx", 14);
    assert_true(strlen(error.message) < sizeof error.message);
}

static void clearing_leaves_no_code(void **state)
{
    (void)state;
    struct error error;
    error_set(&error, ERR_USAGE, "bad");
    error_clear(&error);
    assert_int_equal(error.code, 0);
    assert_string_equal(error.message, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_returns_the_code_and_clears_the_rest),
        cmocka_unit_test(nobody_needs_to_listen),
        cmocka_unit_test(a_place_is_kept_with_the_error),
        cmocka_unit_test(wrapping_adds_context_and_keeps_everything_else),
        cmocka_unit_test(the_first_place_is_the_best_known),
        cmocka_unit_test(long_texts_are_cut_and_end),
        cmocka_unit_test(clearing_leaves_no_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
