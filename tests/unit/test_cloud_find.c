/* Whose is it? By tags, and never by name; and tags as AWS writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/cloud.h"
#include "pkg/value/json.h"

static const struct field fields[] = {{.name = "id", .flags = COMPUTED}, {0}};
static const struct resource_type type = {.kind = "test.thing", .fields = fields};
static const struct resource_type tagless = {
    .kind = "test.tagless", .fields = fields, .flags = NO_TAGS};

struct fixture {
    struct arena *arena;
    struct cloud cloud;
    struct observation observation;
    struct wanted_name wanted[4];
    VECTOR(struct found) found;
    int fetches;
};

static void take(struct observation *observation, const struct found *found)
{
    struct fixture *fixture = observation->sink;
    vector_push(fixture->arena, &fixture->found, *found);
}

static int set_up(void **state)
{
    struct arena *arena = arena_new();
    struct fixture *fixture = arena_new_of(arena, struct fixture);
    fixture->arena = arena;
    fixture->cloud = (struct cloud){.arena = arena,
                                    .identity = {.target = "aws",
                                                 .account = "111122223333",
                                                 .region = "eu-west-1",
                                                 .stack = "acme",
                                                 .environment = "prod"},
                                    .wanted_tags = map_in(arena)};
    fixture->cloud.inventory = value_list(arena);
    fixture->observation = (struct observation){.target = &fixture->cloud,
                                                .arena = arena,
                                                .type = &type,
                                                .wanted = fixture->wanted,
                                                .add = take,
                                                .sink = fixture};
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_free(fixture->arena);
    return 0;
}

static struct value *parse(struct arena *arena, const char *text)
{
    struct error error;
    struct value *value;
    if (json_parse(arena, text, strlen(text), "test", &value, &error))
        fail_msg("%s: %s", text, error.message);
    return value;
}

static void want(struct fixture *fixture, const char *id, const char *name)
{
    fixture->wanted[fixture->observation.wanted_count++] = (struct wanted_name){id, name, 1};
}

static struct value *tags_of(struct fixture *fixture, const char *id)
{
    return identity_tags(fixture->arena, &fixture->cloud.identity, id, 1, NULL);
}

static void list(struct fixture *fixture, const char *arn, struct value *tags)
{
    struct value *row = value_map(fixture->arena);
    value_set_text(fixture->arena, row, "arn", arn);
    value_set(fixture->arena, row, "tags", tags);
    value_push(fixture->arena, fixture->cloud.inventory, row);
}

/* -- candidates -- */

static void candidates_are_what_is_wanted_and_what_is_listed(void **state)
{
    struct fixture *fixture = *state;
    struct candidate *candidates;
    want(fixture, "db", "acme-prod-db");
    list(fixture, "arn:aws:rds:eu-west-1:111122223333:db:acme-prod-db", tags_of(fixture, "db"));
    list(fixture, "arn:aws:rds:eu-west-1:111122223333:db:stray", tags_of(fixture, "old"));
    list(fixture, "arn:aws:rds:eu-west-1:111122223333:subgrp:other", tags_of(fixture, "s"));
    list(fixture, "arn:aws:sns:eu-west-1:111122223333:db:topic", tags_of(fixture, "t"));
    assert_int_equal(cloud_candidates(&fixture->observation, "rds", "db:", &candidates), 2);
    assert_string_equal(candidates[0].name, "acme-prod-db");
    assert_string_equal(candidates[0].arn, "arn:aws:rds:eu-west-1:111122223333:db:acme-prod-db");
    assert_non_null(candidates[0].tags);
    assert_string_equal(candidates[1].name, "stray");
}

static void what_is_not_listed_may_be_a_replacement(void **state)
{
    struct fixture *fixture = *state;
    struct candidate *candidates;
    want(fixture, "db", "acme-prod-db");
    assert_int_equal(cloud_candidates(&fixture->observation, "rds", "db:", &candidates), 2);
    assert_string_equal(candidates[0].name, "acme-prod-db");
    assert_null(candidates[0].arn);
    assert_string_equal(candidates[1].name, "acme-prod-db-2");
}

static void one_is_looked_for_alone(void **state)
{
    struct fixture *fixture = *state;
    struct candidate *candidates;
    struct found only = {.id = "db", .name = "acme-prod-db-3"};
    list(fixture, "arn:aws:rds:eu-west-1:111122223333:db:acme-prod-db-3", tags_of(fixture, "db"));
    list(fixture, "arn:aws:rds:eu-west-1:111122223333:db:stray", tags_of(fixture, "old"));
    fixture->observation.only = &only;
    assert_int_equal(cloud_candidates(&fixture->observation, "rds", "db:", &candidates), 1);
    assert_string_equal(candidates[0].name, "acme-prod-db-3");
    assert_non_null(candidates[0].arn);
}

static void a_log_group_has_a_star_at_its_end(void **state)
{
    struct fixture *fixture = *state;
    struct candidate *candidates;
    list(fixture, "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/x:*",
         tags_of(fixture, "logs"));
    assert_int_equal(cloud_candidates(&fixture->observation, "logs", "log-group:", &candidates), 1);
    assert_string_equal(candidates[0].name, "/aws/lambda/x");
}

static void a_bucket_has_neither_region_nor_account(void **state)
{
    struct fixture *fixture = *state;
    struct candidate *candidates;
    list(fixture, "arn:aws:s3:::acme-documents", tags_of(fixture, "documents"));
    list(fixture, "nonsense", tags_of(fixture, "x"));
    assert_int_equal(cloud_candidates(&fixture->observation, "s3", "", &candidates), 1);
    assert_string_equal(candidates[0].name, "acme-documents");
}

/* -- tags of a candidate -- */

static int fetch(struct task *task, struct observation *observation, const char *arn,
                 struct value **tags, struct error *error)
{
    struct fixture *fixture = observation->sink;
    (void)task, (void)error, (void)arn;
    fixture->fetches++;
    *tags = parse(fixture->arena, "{\"fetched\":\"yes\"}");
    return 0;
}

static struct value *ask_tags(struct fixture *fixture, struct value *listed)
{
    struct candidate candidate = {.name = "n", .arn = "arn", .tags = listed};
    struct value *tags = NULL;
    assert_int_equal(
        cloud_tags_of(NULL, &fixture->observation, &candidate, "arn", fetch, &tags, NULL), 0);
    return tags;
}

static void listed_tags_do_when_they_are_as_wanted(void **state)
{
    struct fixture *fixture = *state;
    map_put(&fixture->cloud.wanted_tags, "db", tags_of(fixture, "db"));
    struct value *second = identity_tags(fixture->arena, &fixture->cloud.identity, "db", 2, NULL);
    assert_string_equal(value_text(ask_tags(fixture, second), TAG_GENERATION), "2");
    assert_int_equal(fixture->fetches, 0);
}

static void listed_tags_that_differ_are_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct value *more = parse(fixture->arena, "{\"team\":\"search\"}");
    map_put(&fixture->cloud.wanted_tags, "db",
            identity_tags(fixture->arena, &fixture->cloud.identity, "db", 1, more));
    assert_string_equal(value_text(ask_tags(fixture, tags_of(fixture, "db")), "fetched"), "yes");
    assert_string_equal(value_text(ask_tags(fixture, NULL), "fetched"), "yes");
    assert_int_equal(fixture->fetches, 2);
}

static void what_is_watched_keeps_its_tags(void **state)
{
    struct fixture *fixture = *state;
    struct found only = {.physical_id = "x", .tags = tags_of(fixture, "db")};
    fixture->observation.only = &only;
    assert_non_null(value_text(ask_tags(fixture, NULL), TAG_ID));
    assert_int_equal(fixture->fetches, 0);
}

/* -- what is added -- */

static void tags_make_it_ours(void **state)
{
    struct fixture *fixture = *state;
    struct value *tags = identity_tags(fixture->arena, &fixture->cloud.identity, "db", 3, NULL);
    cloud_add(&fixture->observation, "arn-1", "any-name", NULL, tags);
    assert_int_equal(fixture->found.count, 1);
    assert_string_equal(fixture->found.items[0].id, "db");
    assert_int_equal(fixture->found.items[0].generation, 3);
    assert_false(fixture->found.items[0].foreign);
}

static void a_wanted_name_alone_makes_it_foreign(void **state)
{
    struct fixture *fixture = *state;
    want(fixture, "db", "acme-prod-db");
    cloud_add(&fixture->observation, "arn-1", "acme-prod-db", NULL, value_map(fixture->arena));
    cloud_add(&fixture->observation, "arn-2", "acme-prod-db-other", NULL, NULL);
    assert_int_equal(fixture->found.count, 1);
    assert_true(fixture->found.items[0].foreign);
    assert_string_equal(fixture->found.items[0].id, "db");
}

static void another_environment_is_not_ours(void **state)
{
    struct fixture *fixture = *state;
    struct identity other = fixture->cloud.identity;
    other.environment = "";
    cloud_add(&fixture->observation, "arn-1", "x", NULL,
              identity_tags(fixture->arena, &other, "db", 1, NULL));
    assert_int_equal(fixture->found.count, 0);
}

static void what_is_asked_for_by_id_is_shown_as_foreign(void **state)
{
    struct fixture *fixture = *state;
    struct found only = {.id = "db", .physical_id = "vpc-1"};
    fixture->observation.only = &only;
    cloud_add(&fixture->observation, "vpc-1", "vpc-1", NULL, NULL);
    cloud_add(&fixture->observation, "vpc-2", "vpc-2", NULL, NULL);
    assert_int_equal(fixture->found.count, 1);
    assert_true(fixture->found.items[0].foreign);
}

static void a_kind_without_tags_goes_by_its_name(void **state)
{
    struct fixture *fixture = *state;
    fixture->observation.type = &tagless;
    want(fixture, "board", "acme-prod-board-12345678");
    cloud_add(&fixture->observation, "b", "acme-prod-board-12345678", NULL, NULL);
    cloud_add(&fixture->observation, "c", "acme-prod-board", NULL, NULL);
    assert_int_equal(fixture->found.count, 1);
    assert_false(fixture->found.items[0].foreign);
}

/* -- tags as AWS writes them -- */

static void tags_go_as_pairs_and_come_back(void **state)
{
    struct fixture *fixture = *state;
    struct value *tags = parse(fixture->arena, "{\"a\":\"1\",\"b\":\"\"}");
    struct value *list_form = cloud_tag_list(fixture->arena, tags, "Key", "Value");
    assert_string_equal(json_text(fixture->arena, list_form),
                        "[{\"Key\":\"a\",\"Value\":\"1\"},{\"Key\":\"b\",\"Value\":\"\"}]");
    assert_true(value_equal(cloud_tag_map(fixture->arena, list_form, "Key", "Value"), tags));
}

static void one_pair_and_an_empty_value_are_read(void **state)
{
    struct fixture *fixture = *state;
    struct value *pair = parse(fixture->arena, "{\"key\":\"a\",\"value\":{}}");
    struct value *map = cloud_tag_map(fixture->arena, pair, "key", "value");
    assert_string_equal(json_text(fixture->arena, map), "{\"a\":\"\"}");
    assert_int_equal(value_count(cloud_tag_map(fixture->arena, NULL, "key", "value")), 0);
}

static void only_tags_that_differ_change(void **state)
{
    struct fixture *fixture = *state;
    struct value *set, *remove;
    struct found have = {
        .tags = parse(fixture->arena,
                      "{\"a\":\"1\",\"b\":\"2\",\"gone\":\"x\",\"aws:cloudformation\":\"s\"}")};
    struct action action = {.arena = fixture->arena,
                            .have = &have,
                            .tags = parse(fixture->arena, "{\"a\":\"1\",\"b\":\"3\",\"c\":\"4\"}")};
    cloud_tag_changes(&action, &set, &remove);
    assert_string_equal(json_text(fixture->arena, set), "{\"b\":\"3\",\"c\":\"4\"}");
    assert_string_equal(json_text(fixture->arena, remove), "[\"gone\"]");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(candidates_are_what_is_wanted_and_what_is_listed),
        TEST(what_is_not_listed_may_be_a_replacement),
        TEST(one_is_looked_for_alone),
        TEST(a_log_group_has_a_star_at_its_end),
        TEST(a_bucket_has_neither_region_nor_account),
        TEST(listed_tags_do_when_they_are_as_wanted),
        TEST(listed_tags_that_differ_are_asked_for),
        TEST(what_is_watched_keeps_its_tags),
        TEST(tags_make_it_ours),
        TEST(a_wanted_name_alone_makes_it_foreign),
        TEST(another_environment_is_not_ours),
        TEST(what_is_asked_for_by_id_is_shown_as_foreign),
        TEST(a_kind_without_tags_goes_by_its_name),
        TEST(tags_go_as_pairs_and_come_back),
        TEST(one_pair_and_an_empty_value_are_read),
        TEST(only_tags_that_differ_change),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("cloud_find", tests, NULL, NULL);
}
