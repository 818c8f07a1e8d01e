#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "pkg/base/attributes.h"
#include "pkg/watch/seen.h"

static bool add_numbered(struct seen *seen, int number, int64_t time_ms)
{
    char id[32];
    snprintf(id, sizeof id, "event-%d", number);
    return seen_add(seen, "ask", id, time_ms);
}

static void an_id_is_new_once(void **state)
{
    (void)state;
    struct seen seen;
    seen_begin(&seen, 1000);
    for (int i = 0; i < 900; i++)
        assert_true(add_numbered(&seen, i, i));
    for (int i = 0; i < 900; i++)
        assert_false(add_numbered(&seen, i, i));
    assert_int_equal(seen.count, 900);
    seen_end(&seen);
}

static void sources_do_not_share_ids(void **state)
{
    (void)state;
    struct seen seen;
    seen_begin(&seen, 10);
    assert_true(seen_add(&seen, "ask", "1", 5));
    assert_true(seen_add(&seen, "api", "1", 5));
    assert_true(seen_add(&seen, "as", "k1", 5));
    assert_false(seen_add(&seen, "api", "1", 5));
    seen_end(&seen);
}

static void what_is_older_is_forgotten(void **state)
{
    (void)state;
    struct seen seen;
    seen_begin(&seen, 1000);
    for (int i = 0; i < 100; i++)
        add_numbered(&seen, i, i);
    seen_forget(&seen, 60);
    assert_int_equal(seen.count, 40);
    assert_true(add_numbered(&seen, 59, 59));
    assert_false(add_numbered(&seen, 60, 60));
    seen_end(&seen);
}

static void when_full_the_floor_rises_over_all_that_was_forgotten(void **state)
{
    (void)state;
    enum { MAXIMUM = 64, ALL = 1000 };
    struct seen seen;
    seen_begin(&seen, MAXIMUM);
    for (int i = 0; i < ALL; i++) {
        assert_true(add_numbered(&seen, i, i));
        assert_true(seen.count <= MAXIMUM);
    }
    assert_true(seen.slot_count <= 4 * MAXIMUM);
    assert_true(seen.floor_ms > ALL - MAXIMUM && seen.floor_ms < ALL);
    for (int i = (int)seen.floor_ms; i < ALL; i++)
        assert_false(add_numbered(&seen, i, i));
    seen_end(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_new_once),
        cmocka_unit_test(sources_do_not_share_ids),
        cmocka_unit_test(what_is_older_is_forgotten),
        cmocka_unit_test(when_full_the_floor_rises_over_all_that_was_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
