/* Field tables to requests, and replies to properties. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/cloud/cloud.h"
#include "pkg/value/json.h"

static const struct field rule_fields[] = {
    {.name = "port", .wire = "FromPort", .reply = "fromPort", .type = FIELD_INT},
    {.name = "peer", .wire = "Peer.GroupId", .reply = "peer.groupId", .type = FIELD_STRING},
    {.name = "note", .type = FIELD_STRING},
    {0},
};

static const struct field fields[] = {
    {.name = "name", .wire = "Name", .type = FIELD_STRING},
    {.name = "size", .wire = "Size", .type = FIELD_INT, .unset = "5"},
    {.name = "rate", .wire = "Rate", .type = FIELD_REAL},
    {.name = "open", .wire = "Open", .type = FIELD_BOOL, .unset = "false"},
    {.name = "text", .wire = "Text", .type = FIELD_STRING, .unset = "\"\""},
    {.name = "said", .wire = "Said", .type = FIELD_STRING, .unset = "\"x\""},
    {.name = "subnets",
     .wire = "Vpc.SubnetIds",
     .type = FIELD_LIST,
     .unset = "[]",
     .item = FIELD_STRING},
    {.name = "scope", .wire = "Vpc.Scope", .type = FIELD_STRING},
    {.name = "rules",
     .wire = "Rules",
     .reply = "ruleSet.item",
     .type = FIELD_LIST,
     .unset = "[]",
     .fields = rule_fields},
    {.name = "document", .wire = "Document", .type = FIELD_DOCUMENT},
    {.name = "labels", .wire = "Labels", .type = FIELD_MAP, .unset = "{}"},
    {.name = "after", .wire = "After", .type = FIELD_INT, .flags = AFTER},
    {.name = "late", .wire = "Late", .type = FIELD_INT, .flags = LATE},
    {.name = "id", .wire = "Id", .type = FIELD_STRING, .flags = COMPUTED},
    {.name = "own", .type = FIELD_STRING},
    {0},
};

static const struct resource_type type = {.kind = "test.thing", .fields = fields};

static int make_arena(void **state)
{
    *state = arena_new();
    return 0;
}

static int free_arena(void **state)
{
    arena_free(*state);
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

static void assert_encodes(void **state, const char *props, const char *wire)
{
    struct value *out = cloud_encode(*state, &type, parse(*state, props));
    assert_string_equal(json_text_canonical(*state, out),
                        json_text_canonical(*state, parse(*state, wire)));
}

static void assert_decodes(void **state, const char *reply, const char *props)
{
    struct value *out = cloud_decode(*state, &type, parse(*state, reply));
    assert_string_equal(json_text_canonical(*state, out),
                        json_text_canonical(*state, parse(*state, props)));
}

/* -- to the wire -- */

static void scalars_go_by_their_wire_names(void **state)
{
    assert_encodes(state, "{\"name\":\"n\",\"size\":3,\"rate\":0.5,\"open\":false}",
                   "{\"Name\":\"n\",\"Size\":3,\"Rate\":0.5,\"Open\":false}");
}

static void scalars_take_the_type_of_their_field(void **state)
{
    assert_encodes(state, "{\"name\":7,\"size\":\"12\",\"open\":\"true\"}",
                   "{\"Name\":\"7\",\"Size\":12,\"Open\":true}");
}

static void nothing_said_is_not_sent(void **state)
{
    assert_encodes(state, "{\"name\":null,\"own\":\"kept back\"}", "{}");
}

static void what_is_computed_after_or_late_is_not_in_create(void **state)
{
    assert_encodes(state, "{\"after\":1,\"late\":2,\"id\":\"i\"}", "{}");
}

static void an_empty_value_goes_only_where_it_says_something(void **state)
{
    assert_encodes(state, "{\"text\":\"\",\"subnets\":[],\"rules\":[],\"labels\":{}}", "{}");
    assert_encodes(state, "{\"said\":\"\"}", "{\"Said\":\"\"}");
}

static void a_dotted_name_makes_structures(void **state)
{
    assert_encodes(state, "{\"subnets\":[\"a\",\"b\"],\"scope\":\"s\"}",
                   "{\"Vpc\":{\"SubnetIds\":[\"a\",\"b\"],\"Scope\":\"s\"}}");
}

static void items_go_by_their_own_wire_names(void **state)
{
    assert_encodes(state, "{\"rules\":[{\"port\":443,\"peer\":\"sg-1\",\"note\":\"n\"},{}]}",
                   "{\"Rules\":[{\"FromPort\":443,\"Peer\":{\"GroupId\":\"sg-1\"}},{}]}");
}

static void documents_go_as_text(void **state)
{
    assert_encodes(state, "{\"document\":{\"a\":[1]}}", "{\"Document\":\"{\\\"a\\\":[1]}\"}");
    assert_encodes(state, "{\"document\":\"as it is\"}", "{\"Document\":\"as it is\"}");
}

static void free_maps_go_as_text_by_text(void **state)
{
    assert_encodes(state, "{\"labels\":{\"a\":1,\"b\":\"x\"}}",
                   "{\"Labels\":{\"a\":\"1\",\"b\":\"x\"}}");
}

static struct value *encode_change_of(void **state, const char *field, const char *want)
{
    struct change *change = arena_new_of(*state, struct change);
    change->field = type_field(&type, field);
    struct action action = {.arena = *state,
                            .type = &type,
                            .want = parse(*state, want),
                            .changes = change,
                            .change_count = 1};
    return cloud_encode_changes(*state, &action);
}

static void only_changes_are_sent_in_an_update(void **state)
{
    struct value *out = encode_change_of(state, "size", "{\"name\":\"n\",\"size\":4,\"late\":9}");
    assert_string_equal(json_text(*state, out), "{\"Size\":4}");
}

static void late_changes_are_sent_in_an_update(void **state)
{
    struct value *out = encode_change_of(state, "late", "{\"name\":\"n\",\"late\":9}");
    assert_string_equal(json_text(*state, out), "{\"Late\":9}");
}

static void an_emptied_list_is_sent_in_an_update(void **state)
{
    struct value *out = encode_change_of(state, "rules", "{\"rules\":[]}");
    assert_string_equal(json_text(*state, out), "{\"Rules\":[]}");
}

static void a_structure_is_sent_whole(void **state)
{
    struct value *out = encode_change_of(
        state, "scope", "{\"name\":\"n\",\"subnets\":[\"a\"],\"scope\":\"other\"}");
    assert_string_equal(json_text_canonical(*state, out),
                        "{\"Vpc\":{\"Scope\":\"other\",\"SubnetIds\":[\"a\"]}}");
}

/* -- from the wire -- */

static void xml_text_becomes_the_type_of_its_field(void **state)
{
    assert_decodes(state,
                   "{\"Name\":\"12\",\"Size\":\"12\",\"Rate\":\"0.5\",\"Open\":\"true\",\"Id\":1}",
                   "{\"name\":\"12\",\"size\":12,\"rate\":0.5,\"open\":true,\"id\":\"1\"}");
}

static void what_is_not_there_stays_away(void **state)
{
    assert_decodes(state, "{\"Name\":null,\"Other\":1}", "{}");
    assert_decodes(state, "{\"ruleSet\":{}}", "{}");
}

static void an_empty_element_is_an_empty_value(void **state)
{
    assert_decodes(state, "{\"Text\":{},\"ruleSet\":{\"item\":{}},\"Labels\":{}}",
                   "{\"text\":\"\",\"rules\":[],\"labels\":{}}");
}

static void one_element_is_a_list_of_one(void **state)
{
    assert_decodes(state,
                   "{\"Vpc\":{\"SubnetIds\":\"a\"},\"ruleSet\":{\"item\":{\"fromPort\":\"1\"}}}",
                   "{\"subnets\":[\"a\"],\"rules\":[{\"port\":1}]}");
}

static void items_come_by_their_reply_paths(void **state)
{
    assert_decodes(state,
                   "{\"ruleSet\":{\"item\":[{\"fromPort\":\"80\",\"peer\":{\"groupId\":\"sg-1\"}},"
                   "{\"fromPort\":\"81\"}]}}",
                   "{\"rules\":[{\"port\":80,\"peer\":\"sg-1\"},{\"port\":81}]}");
}

static void a_document_is_read_as_a_tree(void **state)
{
    assert_decodes(state, "{\"Document\":\"{\\\"a\\\":[1]}\"}", "{\"document\":{\"a\":[1]}}");
    assert_decodes(state, "{\"Document\":\"no json\"}", "{\"document\":\"no json\"}");
}

static void text_that_is_no_number_stays_text(void **state)
{
    assert_decodes(state, "{\"Size\":\"many\"}", "{\"size\":\"many\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(scalars_go_by_their_wire_names, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(scalars_take_the_type_of_their_field, make_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(nothing_said_is_not_sent, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(what_is_computed_after_or_late_is_not_in_create, make_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(an_empty_value_goes_only_where_it_says_something,
                                        make_arena, free_arena),
        cmocka_unit_test_setup_teardown(a_dotted_name_makes_structures, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(items_go_by_their_own_wire_names, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(documents_go_as_text, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(free_maps_go_as_text_by_text, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(only_changes_are_sent_in_an_update, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(late_changes_are_sent_in_an_update, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(an_emptied_list_is_sent_in_an_update, make_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(a_structure_is_sent_whole, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(xml_text_becomes_the_type_of_its_field, make_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(what_is_not_there_stays_away, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(an_empty_element_is_an_empty_value, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(one_element_is_a_list_of_one, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(items_come_by_their_reply_paths, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(a_document_is_read_as_a_tree, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(text_that_is_no_number_stays_text, make_arena, free_arena),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("cloud_wire", tests, NULL, NULL);
}
