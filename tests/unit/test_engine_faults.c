#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/unit/fake_target.h"

static int set_up(void **state)
{
    *state = fake_new();
    return 0;
}

static int tear_down(void **state)
{
    fake_free(*state);
    return 0;
}

static const char system_yaml[] =
    "net: {kind: fake.network, cidr: a, dns: true}\n"
    "door: {kind: fake.group, network: '${net.id}', rules: [{id: out, peer: '${store.id}'}]}\n"
    "store: {kind: fake.group, network: '${net.id}', rules: [{id: in, peer: '${door.id}'}]}\n"
    "way: {kind: fake.gateway, network: '${net.id}'}\n"
    "db: {kind: fake.database, groups: ['${store.id}']}\n"
    "proxy: {kind: fake.proxy, database: '${db.id}', groups: ['${store.id}']}\n"
    "ask: {kind: fake.function, code: v1, group: '${door.id}', calls: '${proxy.id}',\n"
    "      environment: {DB: '${db.endpoint}'}}\n"
    "log: {kind: fake.log, days: 30}\n";

/* The same, with another network (all its children replaced), another size of the database. */
static const char changed_yaml[] =
    "net: {kind: fake.network, cidr: b}\n"
    "door: {kind: fake.group, network: '${net.id}', rules: [{id: out, peer: '${store.id}'}]}\n"
    "store: {kind: fake.group, network: '${net.id}', rules: [{id: in, peer: '${door.id}'},\n"
    "                                                        {id: self, peer: '${store.id}'}]}\n"
    "way: {kind: fake.gateway, network: '${net.id}'}\n"
    "db: {kind: fake.database, groups: ['${store.id}'], size: 20}\n"
    "proxy: {kind: fake.proxy, database: '${db.id}'}\n"
    "ask: {kind: fake.function, code: v2, group: '${door.id}', calls: '${proxy.id}',\n"
    "      environment: {DB: '${db.endpoint}'}}\n"
    "more: {kind: fake.function, code: v1, group: '${store.id}'}\n";

/* -- lost replies -- */

static void a_lost_reply_makes_nothing_twice(void **state)
{
    static const char *const ids[] = {"net", "door", "way", "db", "proxy", "ask", "log"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct fake *fake = fake_new();
        fake_fail(fake, "create", ids[i], 1, ERR_LOST_REPLY, true);
        fake_must_up(fake, system_yaml);
        assert_int_equal(fake_count(fake), 8);
        fake_time_of(fake, arena_printf(fake->arena, "create %s", ids[i])); /* exactly once */
        fake_free(fake);
    }
}

static void what_shows_late_is_not_made_twice(void **state)
{
    struct fake *fake = *state;
    fake->shows_late_ms = 5000;
    fake_fail(fake, "create", "net", 1, ERR_LOST_REPLY, true);
    assert_int_equal(fake_up(fake, "net: {kind: fake.network, cidr: a}"), 0);
    assert_int_equal(fake_count(fake), 1);
}

static void a_request_that_was_lost_is_repeated(void **state)
{
    struct fake *fake = *state;
    fake_fail(fake, "create", "net", 2, ERR_LOST_REPLY, false);
    fake_must_up(fake, "net: {kind: fake.network, cidr: a}");
    assert_string_equal(fake_calls(fake), "create net, create net, create net");
    assert_int_equal(fake_count(fake), 1);
    fake_fail(fake, "create", "log", 99, ERR_LOST_REPLY, false);
    assert_int_equal(fake_up(fake, "log: {kind: fake.log}"), ERR_PARTIAL);
    assert_int_equal(fake->result.failures[0].error.code, ERR_LOST_REPLY);
}

static void lost_replies_of_changes_and_removals_are_looked_up(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, system_yaml);
    fake_fail(fake, "update", "db", 1, ERR_LOST_REPLY, true);
    fake_fail(fake, "update", "ask", 1, ERR_LOST_REPLY, false);
    fake_fail(fake, "retag", "net", 1, ERR_LOST_REPLY, true);
    fake_fail(fake, "remove", "net", 1, ERR_LOST_REPLY, true);
    fake_fail(fake, "remove", "log", 2, ERR_LOST_REPLY, false);
    fake_must_up(fake, changed_yaml);
    fake_must_down(fake, changed_yaml);
}

static void a_thing_that_goes_meanwhile_is_an_honest_failure(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, "net: {kind: fake.network, cidr: a}");
    fake_fail(fake, "update", "net", 1, ERR_NOT_FOUND, false);
    const char *changed = "net: {kind: fake.network, cidr: a, label: x}";
    assert_int_equal(fake_up(fake, changed), ERR_PARTIAL);
    fake_must_up(fake, changed);
}

/* -- failures -- */

static bool failed(const struct fake *fake, const char *id)
{
    for (size_t i = 0; i < fake->result.failure_count; i++) {
        if (strcmp(fake->result.failures[i].step->id, id) == 0)
            return true;
    }
    return false;
}

static void a_failure_stops_only_what_depends_on_it(void **state)
{
    struct fake *fake = *state;
    fake_fail(fake, "create", "db", 1, ERR_DENIED, false);
    assert_int_equal(fake_up(fake, system_yaml), ERR_PARTIAL);
    assert_int_equal(fake->result.failed, 1);
    assert_true(failed(fake, "db"));
    assert_int_equal(fake->result.failures[0].error.code, ERR_DENIED);
    assert_int_equal(fake->result.failures[0].error.line, 5); /* of the file */
    assert_string_equal(fake->result.failures[0].error.file, "stack.yaml");
    assert_non_null(fake_find(fake, "door"));
    assert_non_null(fake_find(fake, "way"));
    assert_non_null(fake_find(fake, "log"));
    assert_string_equal(fake_text(fake, "door", "rules[0].id"), "out");
    assert_null(fake_find(fake, "proxy"));
    assert_null(fake_find(fake, "ask"));
    /* db: ready; proxy: make, connect, complete; ask: make */
    assert_int_equal(fake->result.skipped, 5);
    assert_string_equal(fake->error.message, "1 of 14 steps failed, 5 were not tried");
    fake_must_up(fake, system_yaml);
}

static void what_fails_to_become_ready_says_why(void **state)
{
    struct fake *fake = *state;
    const char *yaml = "db: {kind: fake.database}\nlog: {kind: fake.log}\n"
                       "proxy: {kind: fake.proxy, database: '${db.id}'}\n";
    fake_must_up(fake, "db: {kind: fake.database}");
    fake_find(fake, "db")->broken = true;
    assert_int_equal(fake_up(fake, "db: {kind: fake.database, class: large}\n"
                                   "log: {kind: fake.log}\n"
                                   "proxy: {kind: fake.proxy, database: '${db.id}'}\n"),
                     ERR_PARTIAL);
    assert_int_equal(fake->result.failed, 1);
    assert_non_null(strstr(fake->result.failures[0].error.message, "is failed: no capacity"));
    assert_non_null(fake_find(fake, "log"));
    fake_find(fake, "db")->broken = false;
    fake_must_up(fake, yaml);
}

static void a_wait_has_an_end(void **state)
{
    struct fake *fake = *state;
    const char *yaml = "way: {kind: fake.gateway}";
    fake_must_up(fake, yaml);
    fake_find(fake, "way")->ready_ms = INT64_MAX / 2;
    int64_t start_ms = fake->clock.now_ms;
    assert_int_equal(fake_up(fake, "way: {kind: fake.gateway, through: x}"), ERR_PARTIAL);
    assert_int_equal(fake->result.failures[0].error.code, ERR_TIMEOUT);
    assert_non_null(strstr(fake->result.failures[0].error.message, "waited 5 min, and "));
    assert_in_range(fake->clock.now_ms - start_ms, 300000, 310000);
}

/* -- looks that fail -- */

static void nothing_is_done_when_the_world_cannot_be_seen(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, "net: {kind: fake.network, cidr: a}");
    fake_calls(fake);
    fake_fail(fake, "observe", "fake.group", 1, ERR_DENIED, false);
    assert_int_equal(fake_up(fake, changed_yaml), ERR_DENIED);
    assert_string_equal(fake->error.message,
                        "cannot look at fake.group: no look at fake.group as wanted");
    assert_string_equal(fake_calls(fake), "");
    assert_null(fake->plan);
}

static void a_wait_outlives_a_few_looks_that_fail(void **state)
{
    (void)state;
    struct apply_options options = {0};
    static const struct {
        int times, code, result;
    } cases[] = {
        {4, ERR_LOST_REPLY, 0},
        {4, ERR_THROTTLED, 0},
        {5, ERR_LOST_REPLY, ERR_PARTIAL},
        {1, ERR_DENIED, ERR_PARTIAL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fake *own = fake_new();
        own->looks_before_faults = 1; /* that before the plan */
        fake_fail(own, "observe", "fake.database", cases[i].times, cases[i].code, false);
        assert_int_equal(fake_apply(own, "db: {kind: fake.database}", NULL, &options),
                         cases[i].result);
        fake_free(own);
    }
}

static void a_look_after_a_lost_reply_that_fails_makes_nothing_twice(void **state)
{
    struct fake *fake = *state;
    fake->looks_before_faults = 1;
    fake_fail(fake, "create", "net", 1, ERR_LOST_REPLY, true);
    fake_fail(fake, "observe", "fake.network", 1, ERR_DENIED, false);
    assert_int_equal(fake_up(fake, "net: {kind: fake.network, cidr: a}"), ERR_PARTIAL);
    assert_int_equal(fake_count(fake), 1);
    fake_must_up(fake, "net: {kind: fake.network, cidr: a}");
    assert_int_equal(fake_count(fake), 1);
}

/* -- interruption -- */

struct interruption {
    struct fake *fake;
    int64_t at_ms;
    bool interrupted;
};

static int interrupt_later(struct task *task, void *argument, struct error *error)
{
    struct interruption *interruption = argument;
    int result = task_sleep(task, interruption->at_ms, error);
    interruption->interrupted = true;
    return result;
}

static int up_interrupted(struct fake *fake, const char *yaml, int64_t at_ms)
{
    struct interruption interruption = {.fake = fake, .at_ms = at_ms};
    struct apply_options options = {.interrupted = &interruption.interrupted};
    task_detach(task_start(fake->loop, "interrupt", interrupt_later, &interruption));
    return fake_apply(fake, yaml, NULL, &options);
}

static void an_interruption_finishes_what_runs_and_starts_nothing(void **state)
{
    struct fake *fake = *state;
    assert_int_equal(up_interrupted(fake, system_yaml, 100), ERR_PARTIAL);
    assert_string_equal(fake_calls(fake),
                        "create net, create log, update net"); /* its AFTER field */
    assert_int_equal(fake->result.failed, 0);
    assert_int_equal(fake->result.elapsed_ms, 2 * FAKE_CALL_MS);
    assert_non_null(strstr(fake->error.message, "interrupted: "));
    assert_int_equal(fake_count(fake), 2);
    fake_must_up(fake, system_yaml);
}

static void an_interruption_ends_waits_within_a_second(void **state)
{
    struct fake *fake = *state;
    assert_int_equal(up_interrupted(fake, system_yaml, 300000), ERR_PARTIAL);
    assert_int_equal(fake->result.failed, 0);
    assert_in_range(fake->result.elapsed_ms, 300000, 301000);
    assert_non_null(strstr(fake->error.message, "interrupted: "));
    fake_must_up(fake, system_yaml); /* goes on with the database as it is: half made */
    assert_int_equal(fake_count(fake), 8);
}

/* -- a crash at any point loses nothing -- */

/* The process dies at the n-th changing call (done or not), and the next run sets it right. */
static void die_everywhere(const char *before, const char *after, bool last_takes_effect)
{
    for (int n = 1;; n++) {
        struct fake *fake = fake_new();
        if (before)
            fake_must_up(fake, before);
        fake->calls = 0;
        fake->dies_at = n;
        fake->last_takes_effect = last_takes_effect;
        int result = fake_up(fake, after);
        bool died = fake->calls >= n;
        fake->dies_at = 0;
        if (died)
            assert_int_equal(result, ERR_PARTIAL);
        fake_must_up(fake, after);
        fake_must_down(fake, after);
        fake_free(fake);
        if (!died)
            return;
    }
}

static void a_crash_at_any_point_is_repaired_by_the_next_run(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
    } cases[] = {
        {NULL, system_yaml},
        {system_yaml, changed_yaml},
        {changed_yaml, system_yaml},
        {system_yaml, "net: {kind: fake.network, cidr: a}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        die_everywhere(cases[i].before, cases[i].after, false);
        die_everywhere(cases[i].before, cases[i].after, true);
    }
}

static void a_crash_on_the_way_down_is_repaired_by_the_next_run(void **state)
{
    (void)state;
    for (int n = 1;; n++) {
        struct fake *fake = fake_new();
        fake_must_up(fake, system_yaml);
        fake->calls = 0;
        fake->dies_at = n;
        fake->last_takes_effect = n % 2;
        fake_down(fake, system_yaml);
        bool died = fake->calls >= n;
        fake->dies_at = 0;
        fake_must_down(fake, system_yaml);
        assert_int_equal(fake_count(fake), 0);
        fake_free(fake);
        if (!died)
            return;
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lost_reply_makes_nothing_twice),
        TEST(what_shows_late_is_not_made_twice),
        TEST(a_request_that_was_lost_is_repeated),
        TEST(lost_replies_of_changes_and_removals_are_looked_up),
        TEST(a_thing_that_goes_meanwhile_is_an_honest_failure),
        TEST(a_failure_stops_only_what_depends_on_it),
        TEST(what_fails_to_become_ready_says_why),
        TEST(a_wait_has_an_end),
        TEST(nothing_is_done_when_the_world_cannot_be_seen),
        TEST(a_wait_outlives_a_few_looks_that_fail),
        TEST(a_look_after_a_lost_reply_that_fails_makes_nothing_twice),
        TEST(an_interruption_finishes_what_runs_and_starts_nothing),
        TEST(an_interruption_ends_waits_within_a_second),
        TEST(a_crash_at_any_point_is_repaired_by_the_next_run),
        TEST(a_crash_on_the_way_down_is_repaired_by_the_next_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
