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
    "net: {kind: fake.network, cidr: a}\n"
    "door: {kind: fake.group, network: '${net.id}', rules: [{id: out, peer: '${store.id}'}]}\n"
    "store: {kind: fake.group, network: '${net.id}', rules: [{id: in, peer: '${door.id}'}]}\n"
    "way: {kind: fake.gateway, network: '${net.id}'}\n"
    "db: {kind: fake.database, groups: ['${store.id}']}\n"
    "proxy: {kind: fake.proxy, database: '${db.id}', groups: ['${store.id}']}\n"
    "ask: {kind: fake.function, code: v1, group: '${door.id}', calls: '${proxy.id}'}\n"
    "log: {kind: fake.log, days: 30}\n";

/* The fake refuses to remove what is in use, so that success says much already. */
static void down_takes_everything_in_the_order_of_use(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, system_yaml);
    buffer_reset(&fake->log);
    int64_t start_ms = fake->clock.now_ms;
    fake_must_down(fake, system_yaml);
    assert_int_equal(fake_count(fake), 0);
    assert_int_equal(fake_time_of(fake, "remove ask"), start_ms);
    assert_int_equal(fake_time_of(fake, "remove log"), start_ms);
    assert_int_equal(fake_time_of(fake, "remove way"), start_ms);
    assert_true(fake_time_of(fake, "remove proxy") > fake_time_of(fake, "remove ask"));
    assert_true(fake_time_of(fake, "remove db") > fake_time_of(fake, "remove proxy"));
    /* Gone, not only going: the network is held by the gateway for a minute. */
    assert_true(fake_time_of(fake, "remove store") >=
                fake_time_of(fake, "remove db") + FAKE_CALL_MS + 300000);
    assert_true(fake_time_of(fake, "remove net") > fake_time_of(fake, "remove store"));
    assert_int_equal(fake_plan(fake, system_yaml, &(struct plan_options){.down = true}), 0);
    assert_int_equal(fake->plan->step_count, 0);
}

/* All is found by its tags: the file may be gone, or another. */
static void down_needs_no_file(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, system_yaml);
    fake_must_down(fake, "unrelated: {kind: fake.log}");
    assert_int_equal(fake_count(fake), 0);
}

static void what_the_file_no_longer_has_is_removed(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, system_yaml);
    fake_calls(fake);
    fake_must_up(fake, "net: {kind: fake.network, cidr: a}\n"
                       "door: {kind: fake.group, network: '${net.id}'}\n"
                       "ask: {kind: fake.function, code: v1, group: '${door.id}'}\n");
    assert_int_equal(fake_count(fake), 3);
    assert_string_equal(fake_text(fake, "door", "rules"), "[]");
    const char *calls = fake_calls(fake);
    assert_non_null(strstr(calls, "update door")); /* its rule lets go of the other group */
    assert_non_null(strstr(calls, "snapshot db"));
    assert_null(strstr(calls, "update store"));
}

/* Made again, because the first was not seen: what the others stand on stays, whichever sorts
 * first. */
static void of_two_alike_the_one_in_use_stays(void **state)
{
    struct fake *fake = *state;
    static const char *const ids[] = {"network-000000", "network-zzzzzz"};
    fake_must_up(fake, system_yaml);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct thing *net = fake_find(fake, "net"),
                     *again = arena_new_of(fake->arena, struct thing);
        const char *used = net->physical_id;
        *again = *net;
        again->physical_id = ids[i];
        vector_push(fake->arena, &fake->things, again);
        fake_calls(fake);
        fake_must_up(fake, system_yaml);
        assert_string_equal(fake_calls(fake), "remove net");
        assert_string_equal(fake_find(fake, "net")->physical_id, used);
    }
}

/* Rules between groups that all go refer to each other in a circle. */
static void a_circle_of_rules_is_broken_first(void **state)
{
    struct fake *fake = *state;
    const char *yaml = "a: {kind: fake.group, rules: [{id: 1, peer: '${b.id}'}]}\n"
                       "b: {kind: fake.group, rules: [{id: 1, peer: '${c.id}'}]}\n"
                       "c: {kind: fake.group, rules: [{id: 1, peer: '${a.id}'}]}\n";
    fake_must_up(fake, yaml);
    fake_calls(fake);
    fake_must_down(fake, yaml);
    const char *calls = fake_calls(fake);
    assert_int_equal(fake_count(fake), 0);
    const char *update = strstr(calls, "update ");
    assert_non_null(update); /* one of them is enough */
    assert_null(strstr(update + 1, "update "));
}

static void a_removal_that_lost_its_reply_in_a_circle(void **state)
{
    struct fake *fake = *state;
    const char *yaml = "a: {kind: fake.group, rules: [{id: 1, peer: '${b.id}'}]}\n"
                       "b: {kind: fake.group, rules: [{id: 1, peer: '${a.id}'}]}\n";
    static const bool after[] = {true, false};
    for (size_t i = 0; i < COUNT_OF(after); i++) {
        fake_must_up(fake, yaml);
        fake_fail(fake, "update", "a", 1, ERR_LOST_REPLY, after[i]);
        fake_fail(fake, "update", "b", 1, ERR_LOST_REPLY, after[i]);
        fake_must_down(fake, yaml);
        assert_int_equal(fake_count(fake), 0);
        fake->faults.count = 0;
    }
}

/* "Not found" may be said of one rule: the others still stand. */
static void a_rule_that_is_gone_already_is_not_the_group(void **state)
{
    struct fake *fake = *state;
    const char *yaml = "a: {kind: fake.group, rules: [{id: 1, peer: '${b.id}'}]}\n"
                       "b: {kind: fake.group, rules: [{id: 1, peer: '${a.id}'}]}\n";
    fake_must_up(fake, yaml);
    fake_fail(fake, "update", "a", 1, ERR_NOT_FOUND, false);
    fake_fail(fake, "update", "b", 1, ERR_NOT_FOUND, false);
    fake_must_down(fake, yaml);
    assert_int_equal(fake_count(fake), 0);
}

static void removal_waits_until_it_is_gone_unless_detached(void **state)
{
    struct fake *fake = *state;
    struct plan_options down = {.down = true};
    struct apply_options detached = {.detach = true}, attached = {0};
    fake_must_up(fake, "db: {kind: fake.database}");
    assert_int_equal(fake_apply(fake, "", &down, &detached), 0);
    assert_int_equal(fake->result.elapsed_ms, FAKE_CALL_MS);
    assert_int_equal(fake_count(fake), 1);
    /* Going already: waited for, and not removed twice in effect. */
    assert_int_equal(fake_apply(fake, "", &down, &attached), 0);
    assert_in_range(fake->result.elapsed_ms, 300000 - FAKE_CALL_MS, 310000);
    assert_int_equal(fake_count(fake), 0);
}

static void what_is_gone_already_is_no_failure(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, "log: {kind: fake.log}\nnet: {kind: fake.network, cidr: a}");
    fake_fail(fake, "remove", "log", 1, ERR_NOT_FOUND, false);
    assert_int_equal(fake_down(fake, ""), 0);
}

static void a_thing_that_cannot_go_leaves_what_it_needs(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, system_yaml);
    fake_fail(fake, "remove", "db", 1, ERR_DENIED, false);
    assert_int_equal(fake_down(fake, system_yaml), ERR_PARTIAL);
    assert_int_equal(fake->result.failed, 1);
    assert_non_null(fake_find(fake, "db"));
    assert_non_null(fake_find(fake, "store"));
    assert_non_null(fake_find(fake, "net"));
    assert_null(fake_find(fake, "way"));
    assert_null(fake_find(fake, "ask"));
    fake_must_down(fake, system_yaml);
    assert_int_equal(fake_count(fake), 0);
}

/* -- what is not ours -- */

static void others_with_our_name_are_never_touched(void **state)
{
    struct fake *fake = *state;
    const char *name = identity_name(fake->arena, &fake->identity, "door", 1, 63);
    fake_add_foreign(fake, &fake_group, name);
    const char *yaml = "door: {kind: fake.group}\nnet: {kind: fake.network, cidr: a}\n";
    assert_int_equal(fake_up(fake, yaml), ERR_EXISTS);
    assert_non_null(
        strstr(fake->error.message, "group-000001 exists, but does not belong to this stack"));
    assert_int_equal(fake->error.line, 1);
    assert_int_equal(plan_summarize(fake->plan).blocked, 1);
    assert_string_equal(fake_calls(fake), "");
    assert_int_equal(fake_down(fake, yaml), 0);
    assert_int_equal(fake_count(fake), 1);
}

/* It came between the look and the call. */
static int take_the_name(struct task *task, void *argument, struct error *error)
{
    struct fake *fake = argument;
    int result = task_sleep(task, 100, error);
    fake_add_foreign(fake, &fake_group, identity_name(fake->arena, &fake->identity, "door", 1, 63));
    return result;
}

static void a_name_taken_meanwhile_is_an_honest_failure(void **state)
{
    struct fake *fake = *state;
    task_detach(task_start(fake->loop, "somebody", take_the_name, fake));
    assert_int_equal(fake_up(fake, "door: {kind: fake.group}"), ERR_PARTIAL);
    assert_int_equal(fake->result.failures[0].error.code, ERR_EXISTS);
    assert_non_null(strstr(fake->result.failures[0].error.message, "is not this stack's"));
    assert_int_equal(fake_count(fake), 1);
}

static void another_stack_is_another_world(void **state)
{
    struct fake *fake = *state;
    static const struct {
        const char *stack, *environment, *id;
    } others[] = {{"acme-dev", "dev", "ask"},
                  {"acme", "prod", "ask"},
                  {"acme", "", "dev-ask"},
                  {"acme", "dev-ask", "x"}};
    const char *yaml = "ask: {kind: fake.group}\nnet: {kind: fake.network, cidr: a}\n";
    fake_must_up(fake, yaml);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        struct identity own = fake->identity;
        const char *other = arena_printf(fake->arena,
                                         "%s: {kind: fake.group}\n"
                                         "net: {kind: fake.network, cidr: b}\n",
                                         others[i].id);
        fake->identity.stack = others[i].stack;
        fake->identity.environment = others[i].environment;
        fake_must_up(fake, other);
        assert_int_equal(fake_count(fake), 4);
        fake_must_down(fake, other);
        fake->identity = own;
        assert_int_equal(fake_count(fake), 2);
        assert_int_equal(fake_plan(fake, yaml, NULL), 0);
        assert_int_equal(fake->plan->step_count, 0);
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(down_takes_everything_in_the_order_of_use),
        TEST(down_needs_no_file),
        TEST(what_the_file_no_longer_has_is_removed),
        TEST(of_two_alike_the_one_in_use_stays),
        TEST(a_circle_of_rules_is_broken_first),
        TEST(a_removal_that_lost_its_reply_in_a_circle),
        TEST(a_rule_that_is_gone_already_is_not_the_group),
        TEST(removal_waits_until_it_is_gone_unless_detached),
        TEST(what_is_gone_already_is_no_failure),
        TEST(a_thing_that_cannot_go_leaves_what_it_needs),
        TEST(others_with_our_name_are_never_touched),
        TEST(a_name_taken_meanwhile_is_an_honest_failure),
        TEST(another_stack_is_another_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
