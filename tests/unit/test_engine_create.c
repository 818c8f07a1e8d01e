#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "pkg/plan/graph.h"
#include "pkg/value/json.h"
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

/* A system as the real ones are: what is made first, what waits for what, and a circle of rules. */
static const char system_yaml[] =
    "net: {kind: fake.network, cidr: 10.0.0.0/16, dns: true}\n"
    "door: {kind: fake.group, network: '${net.id}', rules: [{id: out, peer: '${store.id}'}]}\n"
    "store: {kind: fake.group, network: '${net.id}', rules: [{id: in, peer: '${door.id}'}]}\n"
    "db: {kind: fake.database, groups: ['${store.id}']}\n"
    "proxy: {kind: fake.proxy, database: '${db.id}', groups: ['${store.id}']}\n"
    "ask: {kind: fake.function, code: v1, group: '${door.id}', calls: '${proxy.id}',\n"
    "      environment: {DB: 'postgres://${db.endpoint}/rag', LOG: '${log.name}'}}\n"
    "log: {kind: fake.log, days: 30}\n";

static void everything_is_made_in_order(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, system_yaml);
    assert_string_equal(fake_steps(fake), "create net, create door, create store, create db, "
                                          "create proxy, create ask, create log");
    assert_int_equal(fake_count(fake), 7);
    assert_int_equal(fake->result.failed, 0);
    const char *group = fake_find(fake, "store")->physical_id;
    assert_string_equal(fake_text(fake, "door", "rules[0].peer"), group);
    assert_string_equal(fake_text(fake, "store", "rules[0].peer"),
                        fake_find(fake, "door")->physical_id);
    assert_string_equal(
        fake_text(fake, "ask", "environment.DB"),
        arena_printf(fake->arena, "postgres://%s.fake/rag", fake_find(fake, "db")->physical_id));
    assert_string_equal(fake_text(fake, "ask", "environment.LOG"), fake_find(fake, "log")->name);
    assert_string_equal(fake_text(fake, "net", "dns"), "true");
    assert_string_equal(fake_text(fake, "db", "zone"), "chosen");
    assert_string_equal(fake_text(fake, "db", "class"), "small");
}

static void a_node_starts_when_what_it_needs_is_ready(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, system_yaml);
    int64_t db_ms = fake_time_of(fake, "create db") + FAKE_CALL_MS;
    int64_t proxy_ms = fake_time_of(fake, "create proxy");
    assert_int_equal(fake_time_of(fake, "create log"), 0);
    assert_int_equal(fake_time_of(fake, "create door"), fake_time_of(fake, "create store"));
    assert_in_range(proxy_ms - db_ms, 600000, 615000); /* READY, seen at the next poll */
    assert_int_equal(fake_time_of(fake, "update proxy"), proxy_ms + FAKE_CALL_MS); /* LATE */
    int64_t connected_ms = fake_time_of(fake, "update proxy") + FAKE_CALL_MS;
    assert_in_range(fake_time_of(fake, "create ask") - connected_ms, 120000, 124000); /* COMPLETE */
    /* The circle of rules waits for nothing but the groups. */
    assert_true(fake_time_of(fake, "update door") < 5000);
    assert_true(fake_time_of(fake, "update store") < 5000);
}

static void the_run_takes_as_long_as_its_critical_path(void **state)
{
    struct fake *fake = *state;
    assert_int_equal(fake_plan(fake, system_yaml, NULL), 0);
    struct graph graph;
    assert_int_equal(graph_build(fake->arena, fake->plan, &graph, NULL), 0);
    int64_t bound_ms = graph_critical_ms(&graph);
    /* net, its AFTER field is in the same node, store, db, ready, proxy, connect, healthy, ask */
    assert_int_equal(bound_ms, 6 * FAKE_CALL_MS + 600000 + 120000);
    fake_must_up(fake, system_yaml);
    assert_in_range(fake->result.elapsed_ms, bound_ms, bound_ms + bound_ms / 20);
    struct value *path = fake->result.critical_path;
    int64_t sum_ms = 0;
    const char *ids[] = {"net", "store", "db", "db", "proxy", "proxy", "proxy", "ask"};
    assert_int_equal(value_count(path), COUNT_OF(ids));
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        assert_string_equal(value_text(value_item(path, i), "id"), ids[i]);
        sum_ms += value_int_at(value_item(path, i), "ms", 0);
    }
    assert_int_equal(sum_ms, fake->result.elapsed_ms); /* no gap, nothing twice */
    assert_int_equal(fake->result.bound_ms, sum_ms);   /* and no other chain was longer */
}

static void the_bound_is_met_exactly_where_polls_meet_it(void **state)
{
    struct fake *fake = *state;
    const char *yaml = "net: {kind: fake.network, cidr: 10.0.0.0/16}\n"
                       "way: {kind: fake.gateway, network: '${net.id}'}\n";
    assert_int_equal(fake_plan(fake, yaml, NULL), 0);
    struct graph graph;
    assert_int_equal(graph_build(fake->arena, fake->plan, &graph, NULL), 0);
    fake_must_up(fake, yaml);
    assert_int_equal(fake->result.elapsed_ms, graph_critical_ms(&graph));
    assert_int_equal(fake->result.elapsed_ms, 2 * FAKE_CALL_MS + 60000);
}

static void attributes_of_everything_are_told(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, system_yaml);
    const struct value *attributes = fake->result.attributes;
    assert_int_equal(value_count(attributes), 7);
    assert_string_equal(value_text_at(attributes, "db.endpoint"),
                        arena_printf(fake->arena, "%s.fake", fake_find(fake, "db")->physical_id));
    assert_string_equal(value_text_at(attributes, "net.cidr"), "10.0.0.0/16");
    assert_string_equal(value_text_at(attributes, "proxy.health"), "good");
}

static void identity_is_in_the_call_that_creates(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, "net: {kind: fake.network, cidr: 10.0.0.0/16, tags: {team: search}}");
    assert_string_equal(json_text_canonical(fake->arena, fake_find(fake, "net")->tags),
                        "{\"ragstack:env\":\"dev\",\"ragstack:id\":\"net\","
                        "\"ragstack:stack\":\"acme\",\"team\":\"search\"}");
    assert_string_equal(fake_calls(fake), "create net");
}

static void at_most_so_many_calls_run_at_once(void **state)
{
    struct fake *fake = *state;
    struct buffer yaml = BUFFER(BUFFER_LARGE);
    for (int i = 0; i < 30; i++)
        buffer_printf(&yaml, "log-%d: {kind: fake.log}\n", i);
    struct apply_options options = {.at_once = 10};
    assert_int_equal(fake_apply(fake, buffer_string(&yaml), NULL, &options), 0);
    assert_int_equal(fake->result.elapsed_ms, 3 * FAKE_CALL_MS);
    buffer_free(&yaml);
}

/* Of what may start, what has the longest way to the end goes first. */
static void the_longest_path_goes_first(void **state)
{
    struct fake *fake = *state;
    struct apply_options options = {.at_once = 1};
    assert_int_equal(fake_apply(fake,
                                "one: {kind: fake.log}\n"
                                "two: {kind: fake.network, cidr: 10.0.0.0/16}\n"
                                "three: {kind: fake.gateway, network: '${two.id}'}\n"
                                "four: {kind: fake.database}\n",
                                NULL, &options),
                     0);
    assert_string_equal(fake_calls(fake), "create four, create two, create three, create one");
}

static void waits_do_not_take_the_places_of_calls(void **state)
{
    struct fake *fake = *state;
    struct apply_options options = {.at_once = 1};
    assert_int_equal(fake_apply(fake,
                                "one: {kind: fake.database}\n"
                                "two: {kind: fake.database}\n"
                                "three: {kind: fake.database}\n",
                                NULL, &options),
                     0);
    assert_in_range(fake->result.elapsed_ms, 600000, 616000);
}

/* -- what makes no sense -- */

static void what_cannot_be_ordered_is_said_at_its_line(void **state)
{
    struct fake *fake = *state;
    static const struct {
        const char *yaml, *message;
        int line;
    } cases[] = {
        {"a: {kind: fake.function, code: '${b.name}'}\n"
         "b: {kind: fake.function, code: '${a.arn}'}\n",
         "need each other", 2},
        {"a: {kind: fake.function, code: '${c.arn}'}\n", "there is no resource \"c\"", 1},
        {"net: {kind: fake.network, cidr: x}\n"
         "a: {kind: fake.function, code: '${nett.id}'}\n",
         "did you mean \"net\"?", 2},
        {"net: {kind: fake.network, cidr: x}\n"
         "a: {kind: fake.function, code: '${net.cdir}'}\n",
         "fake.network has no attribute \"cdir\"; did you mean \"cidr\"?", 2},
        {"stack: {kind: fake.log}\n", "the id \"stack\" is taken", 1},
        {"a: {kind: fake.function, code: '${net}'}\n", "is no reference", 1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(fake_plan(fake, cases[i].yaml, NULL), ERR_INPUT);
        if (!strstr(fake->error.message, cases[i].message) || fake->error.line != cases[i].line)
            fail_msg("case %zu: line %d: %s", i, fake->error.line, fake->error.message);
    }
    assert_int_equal(fake->calls, 0);
}

static void a_long_chain_is_no_trouble(void **state)
{
    enum { LENGTH = 10000 };
    struct fake *fake = *state;
    struct buffer yaml = BUFFER(BUFFER_LARGE);
    for (int i = 0; i < LENGTH; i++) /* each needs the one after it */
        buffer_printf(&yaml,
                      i + 1 < LENGTH ? "n%d: {kind: fake.gateway, network: '${n%d.id}'}\n"
                                     : "n%d: {kind: fake.network, cidr: x}\n",
                      i, i + 1);
    fake_fail(fake, "create", "n9990", 1, ERR_DENIED, false);
    assert_int_equal(fake_up(fake, buffer_string(&yaml)), ERR_PARTIAL);
    assert_int_equal(fake->result.failed, 1);
    assert_int_equal(fake_count(fake), LENGTH - 9991);
    assert_int_equal(fake_down(fake, buffer_string(&yaml)), 0);
    assert_int_equal(fake_count(fake), 0);
    buffer_free(&yaml);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_is_made_in_order),
        TEST(a_node_starts_when_what_it_needs_is_ready),
        TEST(the_run_takes_as_long_as_its_critical_path),
        TEST(the_bound_is_met_exactly_where_polls_meet_it),
        TEST(attributes_of_everything_are_told),
        TEST(identity_is_in_the_call_that_creates),
        TEST(at_most_so_many_calls_run_at_once),
        TEST(the_longest_path_goes_first),
        TEST(waits_do_not_take_the_places_of_calls),
        TEST(what_cannot_be_ordered_is_said_at_its_line),
        TEST(a_long_chain_is_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
