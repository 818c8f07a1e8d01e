/* Names and ownership: what a thing is called, and whose it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/resource/resource.h"

static int set_up(void **state)
{
    *state = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    arena_free(*state);
    return 0;
}

static const struct identity acme = {.target = "aws",
                                     .account = "111122223333",
                                     .region = "eu-west-1",
                                     .stack = "acme",
                                     .environment = "prod"};

/* The name without its hash: "acme-prod-ask" and the length of the rest. */
static const char *stem(struct arena *arena, const char *name)
{
    const char *hash = strrchr(name, '-');
    return arena_strndup(arena, name, (size_t)(hash - name));
}

static const struct {
    const char *id;
    int maximum;
    const char *stem;
} names[] = {
    {"ask", 63, "acme-prod-ask"},
    {"Docs_Bucket", 63, "acme-prod-docs-bucket"},
    {"a--b", 63, "acme-prod-a-b"},
    {"ends-", 63, "acme-prod-ends"},
    /* Cut where a hyphen would stand last: RDS refuses two in a row. */
    {"abc", 19, "acme-prod"},
    {"abc", 20, "acme-prod-a"},
};

static void names_hold_single_hyphens(void **state)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *name = identity_name(*state, &acme, names[i].id, 1, names[i].maximum);
        assert_string_equal(stem(*state, name), names[i].stem);
        assert_null(strstr(name, "--"));
        assert_true(strlen(name) <= (size_t)names[i].maximum);
        assert_int_equal(strlen(strrchr(name, '-')), 1 + 8);
    }
}

static void a_generation_comes_after_the_hash(void **state)
{
    const char *first = identity_name(*state, &acme, "ask", 1, 63);
    const char *second = identity_name(*state, &acme, "ask", 2, 63);
    assert_string_equal(second, arena_printf(*state, "%s-2", first));
    assert_true(strlen(identity_name(*state, &acme, "a-rather-long-id", 12, 24)) <= 24);
}

static void whose_it_is_is_in_the_hash(void **state)
{
    struct identity shifted = acme;
    shifted.stack = "acme-prod";
    shifted.environment = "";
    const char *ours = identity_name(*state, &acme, "docs", 1, 63);
    const char *theirs = identity_name(*state, &shifted, "docs", 1, 63);
    assert_string_equal(stem(*state, ours), stem(*state, theirs));
    assert_string_not_equal(ours, theirs);
}

static void tags_tell_the_owner(void **state)
{
    struct identity other = acme;
    other.stack = "acme-docs";
    const struct value *tags = identity_tags(*state, &acme, "ask", 3, NULL);
    const char *id = NULL;
    int generation = 0;
    assert_true(identity_owns(&acme, tags, &id, &generation));
    assert_string_equal(id, "ask");
    assert_int_equal(generation, 3);
    assert_false(identity_owns(&other, tags, NULL, NULL));
    assert_false(identity_owns(&acme, value_map(*state), NULL, NULL));
    assert_false(identity_owns(&acme, NULL, NULL, NULL));
}

static void former_ids_are_looked_for_too(void **state)
{
    static const struct resource_type thing = {.kind = "a.thing"}, other = {.kind = "b.other"};
    struct resource items[] = {
        {.type = &thing, .id = "left", .was = "west"},
        {.type = &other, .id = "gate"},
        {.type = &thing, .id = "right", .was = "east"},
    };
    struct resource_list wanted = {items, COUNT_OF(items), COUNT_OF(items)};
    struct observation observation = {.arena = *state, .type = &thing};
    observation_want(&observation, &acme, &wanted);
    static const char *const ids[] = {"left", "west", "right", "east"};
    assert_int_equal(observation.wanted_count, COUNT_OF(ids));
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        assert_string_equal(observation.wanted[i].id, ids[i]);
        assert_string_equal(observation.wanted[i].name,
                            identity_name(*state, &acme, ids[i], 1, 63));
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(names_hold_single_hyphens),     CASE(a_generation_comes_after_the_hash),
        CASE(whose_it_is_is_in_the_hash),    CASE(tags_tell_the_owner),
        CASE(former_ids_are_looked_for_too),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
