#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "pkg/plan/graph.h"
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
    "ask: {kind: fake.function, code: v1, group: '${door.id}'}\n"
    "log: {kind: fake.log, days: 30}\n";

/* -- some of it only -- */

static const char *steps_of(struct fake *fake, const char *yaml, bool down,
                            const char *const *targets)
{
    struct plan_options options = {.targets = targets, .down = down};
    if (fake_plan(fake, yaml, &options) < 0)
        fail_msg("%s", fake->error.message);
    return fake_steps(fake);
}

static void a_target_takes_along_what_it_needs(void **state)
{
    struct fake *fake = *state;
    static const char *const ask[] = {"ask", NULL}, *const whole[] = {"fake.log.log", NULL},
                             *const two[] = {"log", "fake.network.net", NULL},
                             *const none[] = {NULL};
    assert_string_equal(steps_of(fake, system_yaml, false, ask),
                        "create net, create door, create store, create ask");
    assert_string_equal(steps_of(fake, system_yaml, false, whole), "create log");
    assert_string_equal(steps_of(fake, system_yaml, false, two), "create net, create log");
    assert_string_equal(steps_of(fake, system_yaml, false, none),
                        "create net, create door, create store, create ask, create log");
    struct plan_options planning = {.targets = whole};
    assert_int_equal(fake_apply(fake, system_yaml, &planning, &(struct apply_options){0}), 0);
    assert_int_equal(fake_count(fake), 1);
}

static void a_target_that_is_none_is_a_mistake(void **state)
{
    struct fake *fake = *state;
    static const char *const targets[] = {"log", "fake.log.lgo", NULL};
    struct plan_options options = {.targets = targets};
    assert_int_equal(fake_plan(fake, system_yaml, &options), ERR_USAGE);
    assert_non_null(strstr(fake->error.message, "--target fake.log.lgo"));
}

static void a_target_takes_along_what_refers_to_its_successor(void **state)
{
    struct fake *fake = *state;
    static const char *const net[] = {"net", NULL};
    fake_must_up(fake, system_yaml);
    char *changed = arena_strdup(fake->arena, system_yaml);
    *strstr(changed, "cidr: a") = 'c';
    strstr(changed, "cidr: a")[6] = 'b';
    struct plan_options planning = {.targets = net};
    assert_int_equal(fake_apply(fake, changed, &planning, &(struct apply_options){0}), 0);
    assert_string_equal(fake_steps(fake), "replace net, replace door, replace store, update ask");
    assert_int_equal(fake_plan(fake, changed, NULL), 0);
    assert_int_equal(fake->plan->step_count, 0);
}

static void a_target_on_the_way_down_takes_along_what_stands_on_it(void **state)
{
    struct fake *fake = *state;
    static const char *const net[] = {"net", NULL}, *const ask[] = {"ask", NULL};
    fake_must_up(fake, system_yaml);
    assert_string_equal(steps_of(fake, system_yaml, true, ask), "delete ask");
    assert_string_equal(steps_of(fake, system_yaml, true, net),
                        "delete net, delete door, delete store, delete ask");
    struct plan_options planning = {.targets = net, .down = true};
    assert_int_equal(fake_apply(fake, system_yaml, &planning, &(struct apply_options){0}), 0);
    assert_int_equal(fake_count(fake), 1);
}

/* -- the guard of a saved plan -- */

static const char *fingerprint_of(struct fake *fake, const char *yaml)
{
    if (fake_plan(fake, yaml, NULL) < 0)
        fail_msg("%s", fake->error.message);
    return fake->plan->fingerprint;
}

static void the_same_world_has_the_same_fingerprint(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, arena_printf(fake->arena, "%s%s", system_yaml, "db: {kind: fake.database}"));
    const char *first = fingerprint_of(fake, system_yaml);
    assert_int_equal(strlen(first), 64);
    assert_string_equal(fingerprint_of(fake, system_yaml), first);
    /* The order in which the cloud lists things means nothing. */
    for (size_t i = 0, j = fake->things.count - 1; i < j; i++, j--) {
        struct thing *thing = fake->things.items[i];
        fake->things.items[i] = fake->things.items[j];
        fake->things.items[j] = thing;
    }
    assert_string_equal(fingerprint_of(fake, system_yaml), first);
    fake_find(fake, "db")->broken = true; /* what is computed moves by itself */
    assert_string_equal(fingerprint_of(fake, system_yaml), first);
}

static void whatever_moves_changes_the_fingerprint(void **state)
{
    struct fake *fake = *state;
    const char *yaml = "net: {kind: fake.network, cidr: a}\n";
    fake_must_up(fake, yaml);
    const char *first = fingerprint_of(fake, yaml);
    static const char *const others[] = {
        "net: {kind: fake.network, cidr: b}\n",
        "net: {kind: fake.network, cidr: a, label: x}\n",
        "net: {kind: fake.network, cidr: a, tags: {x: '1'}}\n",
        "net: {kind: fake.network, cidr: a, was: old}\n",
        "net: {kind: fake.network, cidr: a}\nlog: {kind: fake.log}\n",
    };
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_string_not_equal(fingerprint_of(fake, others[i]), first);
    struct thing *net = fake_find(fake, "net");
    struct value *props = net->props, *tags = net->tags;
    net->props = value_set_text(fake->arena, value_copy(fake->arena, props), "label", "drift");
    assert_string_not_equal(fingerprint_of(fake, yaml), first);
    net->props = props;
    net->tags = value_set_text(fake->arena, value_copy(fake->arena, tags), "more", "1");
    assert_string_not_equal(fingerprint_of(fake, yaml), first);
    net->tags = tags;
    assert_string_equal(fingerprint_of(fake, yaml), first);
    const char *physical_id = net->physical_id;
    net->physical_id = "network-999999";
    assert_string_not_equal(fingerprint_of(fake, yaml), first);
    net->physical_id = physical_id;
    const char *log = "net: {kind: fake.network, cidr: a}\ndoor: {kind: fake.group}\n";
    first = fingerprint_of(fake, log);
    fake_add_foreign(fake, &fake_group, identity_name(fake->arena, &fake->identity, "door", 1, 63));
    assert_string_not_equal(fingerprint_of(fake, log), first);
}

/* -- in sum -- */

static void the_summary_counts_each_kind_of_step(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, "a: {kind: fake.network, cidr: a}\n"
                       "b: {kind: fake.network, cidr: b}\n"
                       "c: {kind: fake.log}\n"
                       "d: {kind: fake.log}\n");
    assert_int_equal(fake_plan(fake,
                               "a: {kind: fake.network, cidr: x}\n"
                               "b: {kind: fake.network, cidr: b, label: l}\n"
                               "d: {kind: fake.log}\n"
                               "e: {kind: fake.log}\n"
                               "f: {kind: fake.log}\n",
                               NULL),
                     0);
    struct plan_summary summary = plan_summarize(fake->plan);
    assert_int_equal(summary.creates, 2);
    assert_int_equal(summary.updates, 1);
    assert_int_equal(summary.replaces, 1);
    assert_int_equal(summary.deletes, 1);
    assert_int_equal(summary.unchanged, 1);
    assert_int_equal(summary.blocked, 0);
    assert_false(summary.drift_only);
    assert_false(summary.loses_data);
}

/* -- any two stacks: from one to the other, and nothing is left to do -- */

static uint32_t dice;

static int roll(int sides)
{
    dice = dice * 1664525 + 1013904223;
    return (int)((dice >> 8) % (uint32_t)sides);
}

/* A reference to one of the groups, or to nothing. */
static const char *some_group(struct fake *fake, int groups)
{
    int n = groups ? roll(groups + 1) : 0;
    return n < groups ? arena_printf(fake->arena, "'${g%d.id}'", n) : "nobody";
}

static const char *random_stack(struct fake *fake)
{
    struct buffer yaml = BUFFER(BUFFER_LARGE);
    int groups = roll(4), databases = roll(3);
    buffer_printf(&yaml, "net: {kind: fake.network, cidr: c%d, label: l%d}\n", roll(2), roll(2));
    for (int i = 0; i < groups; i++) {
        buffer_printf(&yaml, "g%d: {kind: fake.group, network: '${net.id}', title: t%d, rules: [",
                      i, roll(2));
        for (int rule = 0; rule < roll(3); rule++)
            buffer_printf(&yaml, "{id: r%d, peer: %s}, ", rule, some_group(fake, groups));
        buffer_text(&yaml, "]}\n");
    }
    for (int i = 0; i < databases; i++)
        buffer_printf(&yaml, "d%d: {kind: fake.database, size: %d, groups: [%s]}\n", i,
                      10 * (1 + roll(3)), some_group(fake, groups));
    for (int i = 0; i < databases && roll(3); i++)
        buffer_printf(&yaml, "p%d: {kind: fake.proxy, database: '${d%d.id}', groups: [%s]}\n", i, i,
                      some_group(fake, groups));
    for (int i = 0; i < roll(3); i++)
        buffer_printf(&yaml, "way%d: {kind: fake.gateway, network: '${net.id}', address: a%d}\n", i,
                      roll(2));
    for (int i = 0; i < roll(4); i++)
        buffer_printf(&yaml, "f%d: {kind: fake.function, code: v%d, group: %s, calls: %s}\n", i,
                      roll(3), some_group(fake, groups),
                      databases ? "'${d0.endpoint}'" : "nothing");
    const char *text = arena_strdup(fake->arena, buffer_string(&yaml));
    buffer_free(&yaml);
    return text;
}

static void from_any_stack_to_any_other(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 150; seed++) {
        struct fake *fake = fake_new();
        dice = seed * 2654435761u;
        for (int i = 0; i < 4; i++) {
            const char *yaml = random_stack(fake);
            int result = fake_up(fake, yaml);
            if (result != 0 && fake->result.failure_count)
                fail_msg("seed %u, stack %d: %s: %s\n%s", seed, i,
                         fake->result.failures[0].step->id, fake->result.failures[0].error.message,
                         yaml);
            if (result != 0)
                fail_msg("seed %u, stack %d: %s\n%s", seed, i, fake->error.message, yaml);
            assert_int_equal(fake_plan(fake, yaml, NULL), 0);
            if (fake->plan->step_count)
                fail_msg("seed %u, stack %d: left to do: %s\n%s", seed, i, fake_steps(fake), yaml);
        }
        fake_must_down(fake, "");
        assert_int_equal(fake_count(fake), 0);
        fake_free(fake);
    }
}

/* The same, with replies lost at random: nothing is made twice, and the end is the same. */
static void from_any_stack_to_any_other_with_replies_lost(void **state)
{
    (void)state;
    static const char *const verbs[] = {"create", "update", "remove"};
    static const char *const ids[] = {"net", "g0", "g1", "d0", "p0", "f0", "way0"};
    for (uint32_t seed = 1; seed <= 100; seed++) {
        struct fake *fake = fake_new();
        dice = seed * 40503u;
        for (int i = 0; i < 4; i++) {
            const char *yaml = random_stack(fake);
            fake->faults.count = 0;
            for (int n = 0; n < 3; n++) /* so that a fourth attempt succeeds */
                fake_fail(fake, verbs[roll(3)], ids[roll(7)], 1, ERR_LOST_REPLY, roll(2));
            int result = fake_up(fake, yaml);
            if (result != 0)
                fail_msg("seed %u, stack %d: %s\n%s", seed, i,
                         fake->result.failure_count ? fake->result.failures[0].error.message
                                                    : fake->error.message,
                         yaml);
            assert_int_equal(fake_plan(fake, yaml, NULL), 0);
            if (fake->plan->step_count)
                fail_msg("seed %u, stack %d: left to do: %s\n%s", seed, i, fake_steps(fake), yaml);
        }
        fake->faults.count = 0;
        fake_must_down(fake, "");
        fake_free(fake);
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_target_takes_along_what_it_needs),
        TEST(a_target_that_is_none_is_a_mistake),
        TEST(a_target_takes_along_what_refers_to_its_successor),
        TEST(a_target_on_the_way_down_takes_along_what_stands_on_it),
        TEST(the_same_world_has_the_same_fingerprint),
        TEST(whatever_moves_changes_the_fingerprint),
        TEST(the_summary_counts_each_kind_of_step),
        TEST(from_any_stack_to_any_other),
        TEST(from_any_stack_to_any_other_with_replies_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
