#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pkg/base/secret.h"

static void an_empty_secret_reads_as_no_text(void **state)
{
    (void)state;
    struct secret secret = {0};
    assert_true(secret_empty(&secret));
    assert_string_equal(secret_reveal(&secret), "");
    secret_clear(&secret);
}

static void a_secret_is_a_copy(void **state)
{
    (void)state;
    struct secret secret = {0};
    char text[] = "wJalrXUtnFEMI";
    secret_set(&secret, text);
    text[0] = 'X';
    assert_false(secret_empty(&secret));
    assert_string_equal(secret_reveal(&secret), "wJalrXUtnFEMI");
    secret_clear(&secret);
    assert_true(secret_empty(&secret));
    assert_string_equal(secret_reveal(&secret), "");
}

static void setting_again_replaces(void **state)
{
    (void)state;
    struct secret secret = {0};
    secret_set(&secret, "first and longer");
    secret_set(&secret, "second");
    assert_string_equal(secret_reveal(&secret), "second");
    secret_set(&secret, NULL);
    assert_true(secret_empty(&secret));
}

static void bytes_are_ended(void **state)
{
    (void)state;
    struct secret secret = {0};
    secret_set_bytes(&secret, "tokenREST", 5);
    assert_string_equal(secret_reveal(&secret), "token");
    secret_set_bytes(&secret, "", 0);
    assert_true(secret_empty(&secret));
    assert_string_equal(secret_reveal(&secret), "");
    secret_clear(&secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_secret_reads_as_no_text),
        cmocka_unit_test(a_secret_is_a_copy),
        cmocka_unit_test(setting_again_replaces),
        cmocka_unit_test(bytes_are_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
