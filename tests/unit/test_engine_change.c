#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

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

static struct value *json(struct fake *fake, const char *text)
{
    struct value *value;
    struct error error;
    if (json_parse(fake->arena, text, strlen(text), "json", &value, &error) < 0)
        fail_msg("%s", error.message);
    return value;
}

/* The text with a word in place of its @. */
static const char *with(struct fake *fake, const char *yaml, const char *word)
{
    const char *at = strchr(yaml, '@');
    return arena_printf(fake->arena, "%.*s%s%s", (int)(at - yaml), yaml, word, at + 1);
}

/* The one step of a plan that must have exactly one. */
static const struct step *only_step(struct fake *fake, const char *yaml)
{
    if (fake_plan(fake, yaml, NULL) < 0)
        fail_msg("%s", fake->error.message);
    if (fake->plan->step_count != 1)
        fail_msg("steps: %s", fake_steps(fake));
    return &fake->plan->steps[0];
}

/* -- in place -- */

static void exactly_what_changed_is_updated(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, "db: {kind: fake.database, class: small, size: 10}\n"
                       "net: {kind: fake.network, cidr: x, label: a}");
    fake_calls(fake);
    const char *changed = "db: {kind: fake.database, class: large, size: 10}\n"
                          "net: {kind: fake.network, cidr: x, label: a}";
    const struct step *step = only_step(fake, changed);
    assert_int_equal(step->kind, STEP_UPDATE);
    assert_int_equal(step->difference_count, 1);
    assert_string_equal(step->differences[0].change.path, "class");
    assert_int_equal(step->differences[0].mark.line, 1);
    assert_string_equal(step->reason, "class differs from the file");
    fake_must_up(fake, changed);
    assert_string_equal(fake_calls(fake), "update db");
    assert_string_equal(fake_text(fake, "db", "class"), "large");
}

static void what_the_file_stops_saying_goes_back_to_its_unset_value(void **state)
{
    struct fake *fake = *state;
    static const struct {
        const char *said, *unsaid, *path, *unset;
    } cases[] = {
        {"x: {kind: fake.database, class: large}", "x: {kind: fake.database}", "class", "small"},
        {"x: {kind: fake.network, cidr: c, dns: true}", "x: {kind: fake.network, cidr: c}", "dns",
         "false"},
        {"x: {kind: fake.network, cidr: c, label: l}", "x: {kind: fake.network, cidr: c}", "label",
         "null"},
        {"x: {kind: fake.network, cidr: c, zones: [a]}", "x: {kind: fake.network, cidr: c}",
         "zones", "[]"},
        {"x: {kind: fake.group, rules: [{id: a}]}", "x: {kind: fake.group}", "rules", "[]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fake_must_up(fake, cases[i].said);
        fake_calls(fake);
        fake_must_up(fake, cases[i].unsaid);
        assert_string_equal(fake_calls(fake), "update x");
        const struct value *value = value_get(fake_find(fake, "x")->props, cases[i].path);
        assert_string_equal(json_text(fake->arena, value ? value : value_null(fake->arena)),
                            value_is(value, VALUE_STRING)
                                ? arena_printf(fake->arena, "\"%s\"", cases[i].unset)
                                : cases[i].unset);
        fake_must_down(fake, cases[i].unsaid);
    }
}

static void equal_things_are_left_alone(void **state)
{
    struct fake *fake = *state;
    static const struct {
        const char *made, *same;
    } cases[] = {
        {"x: {kind: fake.network, cidr: c, zones: [a, b]}",
         "x: {kind: fake.network, cidr: c, zones: [b, a]}"},
        {"x: {kind: fake.database, version: '17.4'}", "x: {kind: fake.database, version: '17'}"},
        {"x: {kind: fake.database, version: '17.4'}", "x: {kind: fake.database, version: '16.9'}"},
        {"x: {kind: fake.database, password: a}", "x: {kind: fake.database, password: b}"},
        {"x: {kind: fake.database, zone: z2}", "x: {kind: fake.database}"},
        {"x: {kind: fake.group, rules: [{id: a, port: 1}, {id: b}]}",
         "x: {kind: fake.group, rules: [{id: b, port: 443}, {id: a, port: 1}]}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fake_must_up(fake, cases[i].made);
        assert_int_equal(fake_plan(fake, cases[i].same, NULL), 0);
        if (fake->plan->step_count)
            fail_msg("case %zu: %s", i, fake_steps(fake));
        assert_int_equal(fake->plan->unchanged, 1);
        fake_must_down(fake, cases[i].made);
    }
}

static void tags_are_owned_whole_but_for_those_of_the_cloud(void **state)
{
    struct fake *fake = *state;
    const char *yaml = "net: {kind: fake.network, cidr: x, tags: {team: search}}";
    fake_must_up(fake, yaml);
    struct thing *net = fake_find(fake, "net");
    net->tags = value_merge(fake->arena, net->tags,
                            json(fake, "{\"team\":\"sales\",\"more\":\"1\",\"aws:made\":\"x\"}"));
    fake_calls(fake);
    fake_must_up(fake, yaml);
    assert_string_equal(fake_calls(fake), "retag net");
    assert_string_equal(json_text_canonical(fake->arena, net->tags),
                        "{\"aws:made\":\"x\",\"ragstack:env\":\"dev\",\"ragstack:id\":\"net\","
                        "\"ragstack:stack\":\"acme\",\"team\":\"search\"}");
    /* A change beside them does not touch them. */
    fake_must_up(fake, "net: {kind: fake.network, cidr: x, label: l, tags: {team: search}}");
    assert_string_equal(fake_calls(fake), "update net");
}

static void an_update_is_waited_for(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, "db: {kind: fake.database}");
    fake_find(fake, "db")->ready_ms = fake->clock.now_ms + 100000; /* as an update makes it */
    const char *yaml = "db: {kind: fake.database, class: large}\n"
                       "proxy: {kind: fake.proxy, database: '${db.id}'}\n";
    fake_must_up(fake, yaml); /* the fake refuses a proxy of a database that is not ready */
}

/* -- replacing -- */

static void a_replacement_is_made_before_the_old_one_goes(void **state)
{
    struct fake *fake = *state;
    const char *yaml = "door: {kind: fake.group, title: @}\n"
                       "ask: {kind: fake.function, code: v1, group: '${door.id}'}\n";
    fake_must_up(fake, with(fake, yaml, "a"));
    const char *old_name = fake_find(fake, "door")->name;
    fake_calls(fake);
    fake_must_up(fake, with(fake, yaml, "b"));
    assert_string_equal(fake_steps(fake), "replace door, update ask");
    assert_string_equal(fake->plan->steps[0].reason, "title cannot change in place");
    assert_string_equal(fake_calls(fake), "create door, update ask, remove door");
    const struct thing *door = fake_find(fake, "door");
    assert_string_equal(door->name, arena_printf(fake->arena, "%s-2", old_name));
    assert_string_equal(value_text(door->tags, TAG_GENERATION), "2");
    assert_string_equal(fake_text(fake, "ask", "group"), door->physical_id);
    fake_must_up(fake, with(fake, yaml, "c"));
    assert_string_equal(fake_find(fake, "door")->name, arena_printf(fake->arena, "%s-3", old_name));
    assert_int_equal(fake_count(fake), 2);
    fake_must_down(fake, with(fake, yaml, "c"));
}

static void a_kind_without_update_is_replaced(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, "log: {kind: fake.log, days: 7}");
    fake_calls(fake);
    assert_int_equal(fake_up(fake, "log: {kind: fake.log}"), 0);
    assert_string_equal(fake_calls(fake), "create log, remove log");
}

static void a_chain_of_replacements_is_made_down_and_removed_up(void **state)
{
    struct fake *fake = *state;
    const char *yaml = "net: {kind: fake.network, cidr: @}\n"
                       "door: {kind: fake.group, network: '${net.id}'}\n"
                       "ask: {kind: fake.function, code: v1, group: '${door.id}'}\n";
    fake_must_up(fake, with(fake, yaml, "a"));
    fake_calls(fake);
    fake_must_up(fake, with(fake, yaml, "b"));
    assert_string_equal(fake_steps(fake), "replace net, replace door, update ask");
    assert_string_equal(fake_calls(fake), "create net, create door, update ask, remove door, "
                                          "remove net");
}

static void what_cannot_stand_beside_its_successor_goes_first(void **state)
{
    struct fake *fake = *state;
    const char *yaml = "way: {kind: fake.gateway, address: @}\n"
                       "net: {kind: fake.network, cidr: c, label: '${way.id}'}\n";
    fake_must_up(fake, with(fake, yaml, "a"));
    buffer_reset(&fake->log);
    int64_t start_ms = fake->clock.now_ms;
    /* The fake's network would block the removal; the label is not what a cloud looks at. */
    fake_find(fake, "net")->props = json(fake, "{\"cidr\":\"c\",\"dns\":false,\"zones\":[]}");
    fake_must_up(fake, with(fake, yaml, "b"));
    assert_int_equal(fake_time_of(fake, "remove way"), start_ms);
    assert_in_range(fake_time_of(fake, "create way"), start_ms + 60000, start_ms + 63000);
    assert_int_equal(fake_time_of(fake, "update net"),
                     fake_time_of(fake, "create way") + FAKE_CALL_MS);
}

static void two_that_cannot_stand_beside_their_successors(void **state)
{
    struct fake *fake = *state;
    const char *yaml = "one: {kind: fake.gateway, address: @}\n"
                       "two: {kind: fake.gateway, address: '${one.id}'}\n";
    fake_must_up(fake, with(fake, yaml, "a"));
    fake_calls(fake);
    fake_must_up(fake, with(fake, yaml, "b"));
    assert_string_equal(fake_calls(fake), "remove two, remove one, create one, create two");
}

/* The old rules let traffic through until nobody uses the old groups any more. */
static void rules_in_a_circle_stay_until_their_groups_are_out_of_use(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, "a: {kind: fake.group, rules: [{id: 1, peer: '${b.id}'}]}\n"
                       "b: {kind: fake.group, rules: [{id: 1, peer: '${a.id}'}]}\n"
                       "db: {kind: fake.database, groups: ['${a.id}']}\n");
    fake_calls(fake);
    fake_must_up(fake, "a: {kind: fake.group, title: x, rules: [{id: 1, peer: '${b.id}'}]}\n"
                       "b: {kind: fake.group, title: x, rules: [{id: 1, peer: '${a.id}'}]}\n"
                       "db: {kind: fake.database, groups: ['${a.id}']}\n");
    assert_string_equal(fake_calls(fake), "create a, create b, update db, update a, update b, "
                                          "update b, remove a, remove b");
    assert_int_equal(fake_count(fake), 3);
}

static void a_number_that_only_grows_is_replaced_to_shrink(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, "db: {kind: fake.database, size: 10}");
    assert_int_equal(only_step(fake, "db: {kind: fake.database, size: 20}")->kind, STEP_UPDATE);
    assert_false(fake->plan->steps[0].loses_data);
    assert_int_equal(only_step(fake, "db: {kind: fake.database, size: 5}")->kind, STEP_REPLACE);
    assert_true(fake->plan->steps[0].loses_data);
}

/* -- loss of data -- */

static void data_is_lost_by_consent_alone(void **state)
{
    struct fake *fake = *state;
    static const struct {
        const char *yaml, *steps;
    } cases[] = {
        {"db: {kind: fake.database, size: 5}\nnet: {kind: fake.network, cidr: x}",
         "replace db, create net"},
        {"db: {kind: fake.database, encryption: off}", "update db"},
        {"net: {kind: fake.network, cidr: x}", "create net, delete db"},
        {"db: {kind: fake.network, cidr: x}", "create db, delete db"},
    };
    static const char *const other[] = {"net", NULL}, *const right[] = {"net", "db", NULL};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fake_must_up(fake, "db: {kind: fake.database}");
        fake_calls(fake);
        struct apply_options options = {0};
        assert_int_equal(fake_apply(fake, cases[i].yaml, NULL, &options), ERR_DATA_LOSS);
        assert_string_equal(fake_steps(fake), cases[i].steps);
        assert_non_null(strstr(fake->error.message, "--allow-data-loss=db"));
        assert_true(plan_summarize(fake->plan).loses_data);
        options.allow_data_loss = other;
        assert_int_equal(fake_apply(fake, cases[i].yaml, NULL, &options), ERR_DATA_LOSS);
        assert_string_equal(fake_calls(fake), "");
        options.allow_data_loss = right;
        assert_int_equal(fake_apply(fake, cases[i].yaml, NULL, &options), 0);
        fake_must_down(fake, cases[i].yaml);
    }
}

static void a_snapshot_is_made_unless_a_stack_goes_down_by_consent(void **state)
{
    struct fake *fake = *state;
    static const char *const db[] = {"db", NULL};
    struct plan_options down = {.down = true};
    const char *yaml = "db: {kind: fake.database}";
    struct apply_options without = {0}, with = {.allow_data_loss = db};
    fake_must_up(fake, yaml);
    fake_calls(fake);
    assert_int_equal(fake_apply(fake, yaml, &down, &without), 0);
    assert_string_equal(fake_calls(fake), "remove db, snapshot db");
    fake_must_up(fake, yaml);
    fake_calls(fake);
    assert_int_equal(fake_apply(fake, yaml, &down, &with), 0);
    assert_string_equal(fake_calls(fake), "remove db, discard db");
    fake_must_up(fake, yaml);
    fake_calls(fake);
    assert_int_equal(fake_apply(fake, "log: {kind: fake.log}", NULL, &with), 0);
    assert_non_null(strstr(fake_calls(fake), "snapshot db"));
}

/* -- why -- */

static void drift_is_told_from_changes_of_the_file(void **state)
{
    struct fake *fake = *state;
    static const struct {
        const char *last, *found, *yaml;
        enum why why;
        const char *reason;
    } cases[] = {
        {"{}", "{\"class\":\"huge\"}", "x: {kind: fake.database}", WHY_DIFFERS,
         "class differs from the file"},
        {"{\"x\":{\"class\":\"small\"}}", "{\"class\":\"huge\"}",
         "x: {kind: fake.database, class: small}", WHY_DRIFT, "class changed behind our back"},
        {"{\"x\":{\"class\":\"medium\"}}", "{\"class\":\"medium\"}",
         "x: {kind: fake.database, class: large}", WHY_FILE, "class changed in the file"},
        {"{\"x\":{}}", "{\"class\":\"huge\"}", "x: {kind: fake.database}", WHY_DRIFT,
         "class changed behind our back"}, /* the file never said it */
        {"{\"x\":{\"class\":\"large\"}}", "{\"class\":\"large\"}", "x: {kind: fake.database}",
         WHY_FILE, "class changed in the file"}, /* it no longer says it */
    };
    fake_must_up(fake, "x: {kind: fake.database}");
    struct value *props = fake_find(fake, "x")->props;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fake_find(fake, "x")->props = value_merge(fake->arena, props, json(fake, cases[i].found));
        struct plan_options options = {.last_applied = json(fake, cases[i].last)};
        assert_int_equal(fake_plan(fake, cases[i].yaml, &options), 0);
        assert_int_equal(fake->plan->step_count, 1);
        const struct step *step = &fake->plan->steps[0];
        if (step->differences[0].why != cases[i].why || strcmp(step->reason, cases[i].reason) != 0)
            fail_msg("case %zu: %d: %s", i, (int)step->differences[0].why, step->reason);
        assert_int_equal(step->drift, cases[i].why == WHY_DRIFT);
        assert_int_equal(plan_summarize(fake->plan).drift_only, cases[i].why == WHY_DRIFT);
    }
}

static void drift_is_seen_through_references(void **state)
{
    struct fake *fake = *state;
    const char *yaml = "door: {kind: fake.group}\n"
                       "ask: {kind: fake.function, code: v1, group: '${door.id}'}\n";
    struct plan_options options = {
        .last_applied = json(fake, "{\"ask\":{\"code\":\"v1\",\"group\":\"${door.id}\"},"
                                   "\"door\":{}}")};
    fake_must_up(fake, yaml);
    struct thing *ask = fake_find(fake, "ask");
    ask->props = value_merge(fake->arena, ask->props, json(fake, "{\"group\":\"elsewhere\"}"));
    assert_int_equal(fake_plan(fake, yaml, &options), 0);
    assert_int_equal(fake->plan->step_count, 1);
    assert_int_equal(fake->plan->steps[0].differences[0].why, WHY_DRIFT);
}

static void what_follows_a_replacement_says_so(void **state)
{
    struct fake *fake = *state;
    const char *yaml = "door: {kind: fake.group, title: @}\n"
                       "ask: {kind: fake.function, code: v1, group: '${door.id}'}\n";
    struct plan_options options = {.last_applied = json(fake, "{\"ask\":{\"code\":\"v1\"}}")};
    fake_must_up(fake, with(fake, yaml, "a"));
    assert_int_equal(fake_plan(fake, with(fake, yaml, "b"), &options), 0);
    assert_string_equal(fake_steps(fake), "replace door, update ask");
    assert_int_equal(fake->plan->steps[0].difference_count, 1);
    assert_int_equal(fake->plan->steps[1].differences[0].why, WHY_REFERENCE);
    assert_string_equal(fake->plan->steps[1].reason, "group follows what it refers to");
}

static void what_was_deployed_and_is_gone_is_drift(void **state)
{
    struct fake *fake = *state;
    struct plan_options options = {.last_applied = json(fake, "{\"log\":{}}")};
    assert_int_equal(fake_plan(fake, "log: {kind: fake.log}", &options), 0);
    assert_string_equal(fake->plan->steps[0].reason, "it was deployed, and is gone");
    assert_true(plan_summarize(fake->plan).drift_only);
    assert_int_equal(fake_plan(fake, "log: {kind: fake.log}", NULL), 0);
    assert_string_equal(fake->plan->steps[0].reason, "it does not exist yet");
    assert_false(plan_summarize(fake->plan).drift_only);
}

/* -- names -- */

static void a_new_id_keeps_what_was_there(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, "old: {kind: fake.group, title: t}\n"
                       "ask: {kind: fake.function, code: v1, group: '${old.id}'}\n");
    const char *physical_id = fake_find(fake, "old")->physical_id;
    fake_calls(fake);
    const char *renamed = "new: {kind: fake.group, title: t, was: old}\n"
                          "ask: {kind: fake.function, code: v1, group: '${new.id}'}\n";
    fake_must_up(fake, renamed);
    assert_string_equal(fake_calls(fake), "retag new");
    assert_string_equal(fake_find(fake, "new")->physical_id, physical_id);
    fake_must_up(fake, "new: {kind: fake.group, title: t}\n"
                       "ask: {kind: fake.function, code: v2, group: '${new.id}'}\n");
    assert_string_equal(fake_calls(fake), "update ask");
}

static void a_new_id_of_what_has_no_tags_can_be_referred_to(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, "old: {kind: fake.log}");
    const char *renamed = "new: {kind: fake.log, was: old}\n"
                          "ask: {kind: fake.function, code: '${new.id}'}\n";
    assert_int_equal(fake_up(fake, renamed), 0);
    assert_string_equal(fake_text(fake, "ask", "code"), fake_find(fake, "old")->physical_id);
    fake_must_down(fake, renamed);
}

/* Who says `was` of something that stands beside the new one wants to be rid of the old. */
static void the_id_itself_counts_before_the_former_one(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, "old: {kind: fake.group}\nnew: {kind: fake.group}");
    const char *physical_id = fake_find(fake, "new")->physical_id;
    fake_calls(fake);
    fake_must_up(fake, "new: {kind: fake.group, was: old}");
    assert_string_equal(fake_calls(fake), "remove old");
    assert_string_equal(fake_find(fake, "new")->physical_id, physical_id);
}

static void another_kind_under_the_same_id_is_another_thing(void **state)
{
    struct fake *fake = *state;
    fake_must_up(fake, "x: {kind: fake.network, cidr: c}\n"
                       "ask: {kind: fake.function, code: v1, group: '${x.id}'}\n");
    fake_calls(fake);
    fake_must_up(fake, "x: {kind: fake.group}\n"
                       "ask: {kind: fake.function, code: v1, group: '${x.id}'}\n");
    assert_string_equal(fake_calls(fake), "create x, update ask, remove x");
    /* And when only the removal is left: */
    fake_must_up(fake, "x: {kind: fake.network, cidr: c}");
    fake_fail(fake, "remove", "x", 1, ERR_CONFLICT, false);
    assert_int_equal(fake_up(fake, "x: {kind: fake.group}"), ERR_PARTIAL);
    fake_calls(fake);
    fake_must_up(fake, "x: {kind: fake.group}\n"
                       "ask: {kind: fake.function, code: v1, group: '${x.id}'}\n");
    assert_string_equal(fake_text(fake, "ask", "group"), fake_find(fake, "x")->physical_id);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(exactly_what_changed_is_updated),
        TEST(what_the_file_stops_saying_goes_back_to_its_unset_value),
        TEST(equal_things_are_left_alone),
        TEST(tags_are_owned_whole_but_for_those_of_the_cloud),
        TEST(an_update_is_waited_for),
        TEST(a_replacement_is_made_before_the_old_one_goes),
        TEST(a_kind_without_update_is_replaced),
        TEST(a_chain_of_replacements_is_made_down_and_removed_up),
        TEST(what_cannot_stand_beside_its_successor_goes_first),
        TEST(two_that_cannot_stand_beside_their_successors),
        TEST(rules_in_a_circle_stay_until_their_groups_are_out_of_use),
        TEST(a_number_that_only_grows_is_replaced_to_shrink),
        TEST(data_is_lost_by_consent_alone),
        TEST(a_snapshot_is_made_unless_a_stack_goes_down_by_consent),
        TEST(drift_is_told_from_changes_of_the_file),
        TEST(drift_is_seen_through_references),
        TEST(what_follows_a_replacement_says_so),
        TEST(what_was_deployed_and_is_gone_is_drift),
        TEST(a_new_id_keeps_what_was_there),
        TEST(a_new_id_of_what_has_no_tags_can_be_referred_to),
        TEST(the_id_itself_counts_before_the_former_one),
        TEST(another_kind_under_the_same_id_is_another_thing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
