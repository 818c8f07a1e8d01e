/* Roles: read by path and by name, rights given before others are taken away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/cloud/types.h"
#include "pkg/value/json.h"
#include "tests/unit/answering_cloud.h"

#define assert_holds(text, part)                      \
    do {                                              \
        if (!strstr((text), (part)))                  \
            fail_msg("no \"%s\" in: %s", part, text); \
    } while (0)

static int set_up(void **state)
{
    *state = answering_cloud_new();
    return 0;
}

static int tear_down(void **state)
{
    answering_cloud_free(*state);
    return 0;
}

#define TRUST "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D"

static const char *role_xml(struct answering_cloud *cloud, const char *name, const char *tags)
{
    return answering_cloud_xml(
        cloud, "GetRole",
        arena_printf(cloud->arena,
                     "<Role><RoleName>%s</RoleName><Path>/ragstack/eu-west-1/acme/prod/</Path>"
                     "<RoleId>AROA1</RoleId><Arn>arn:aws:iam::111122223333:role/x</Arn>"
                     "<MaxSessionDuration>7200</MaxSessionDuration>"
                     "<PermissionsBoundary><PermissionsBoundaryArn>arn:aws:iam::1:policy/b"
                     "</PermissionsBoundaryArn></PermissionsBoundary>"
                     "<AssumeRolePolicyDocument>%s</AssumeRolePolicyDocument>"
                     "<Tags>%s</Tags></Role>",
                     name, TRUST, tags));
}

/* <member> in IAM, <Tag> in RDS. */
static const char *tags_xml(struct answering_cloud *cloud, const char *id)
{
    const struct value *tags = answering_cloud_tags(cloud, id);
    const char *text = "";
    for (size_t i = 0; i < value_count(tags); i++)
        text = arena_printf(cloud->arena, "%s<member><Key>%s</Key><Value>%s</Value></member>", text,
                            value_entry(tags, i)->key, value_entry(tags, i)->value->string.text);
    return text;
}

static void no_more(struct answering_cloud *cloud)
{
    const char *none = answering_cloud_error(cloud, "NoSuchEntity", "no such role");
    static const char *const reads[] = {"Action=GetRole&", "Action=ListRolePolicies",
                                        "Action=ListAttachedRolePolicies"};
    for (size_t i = 0; i < COUNT_OF(reads); i++)
        answering_cloud_answer(cloud, reads[i], 404, none);
}

static const char *name_of(struct answering_cloud *cloud, const char *id)
{
    return type_name(cloud->arena, &iam_role, &cloud->cloud->identity, id, NULL, 1);
}

static void answer_role(struct answering_cloud *cloud, const char *id)
{
    const char *name = name_of(cloud, id);
    const char *when = arena_printf(cloud->arena, "RoleName=%s&", name);
    answering_cloud_answer(
        cloud, arena_printf(cloud->arena, "PolicyName=function&"), 200,
        answering_cloud_xml(cloud, "GetRolePolicy",
                            arena_printf(cloud->arena,
                                         "<RoleName>%s</RoleName><PolicyName>function"
                                         "</PolicyName><PolicyDocument>%%7B%%22a%%22%%3A"
                                         "%%22b%%2Bc+d%%22%%7D</PolicyDocument>",
                                         name)));
    /* Asked in this order, and each answer is used once before the next is. */
    answering_cloud_answer(cloud, when, 200, role_xml(cloud, name, tags_xml(cloud, id)));
    answering_cloud_answer(
        cloud, when, 200,
        answering_cloud_xml(cloud, "ListRolePolicies",
                            "<PolicyNames><member>function</member></PolicyNames>"));
    answering_cloud_answer(
        cloud, when, 200,
        answering_cloud_xml(cloud, "ListAttachedRolePolicies",
                            "<AttachedPolicies><member><PolicyName>x</PolicyName><PolicyArn>arn:p"
                            "</PolicyArn></member></AttachedPolicies>"));
}

static const struct found *look(struct answering_cloud *cloud)
{
    struct error error = {0};
    answering_cloud_answer(cloud, "Action=ListRoles", 200,
                           answering_cloud_xml(cloud, "ListRoles", "<Roles/>"));
    answer_role(cloud, "ask-role");
    no_more(cloud);
    if (answering_cloud_observe(cloud, &iam_role, "ask-role", &error))
        fail_msg("%s", error.message);
    assert_int_equal(cloud->found_count, 1);
    return &cloud->found[0];
}

static void documents_are_decoded(void **state)
{
    struct answering_cloud *cloud = *state;
    const struct found *found = look(cloud);
    assert_false(found->foreign);
    assert_string_equal(found->id, "ask-role");
    assert_string_equal(value_text_at(found->props, "assume.Version"), "2012-10-17");
    assert_string_equal(value_text_at(found->props, "policies.function.a"), "b+c+d");
    assert_string_equal(value_text_at(found->props, "managed_policies[0]"), "arn:p");
    assert_string_equal(value_text(found->props, "permissions_boundary"),
                        "arn:aws:iam::1:policy/b");
    assert_int_equal(value_int_at(found->props, "max_session_s", 0), 7200);
    assert_holds(answering_cloud_sent(cloud, "Action=ListRoles", 0),
                 "PathPrefix=%2Fragstack%2Feu-west-1%2Facme%2Fprod%2F");
}

static void the_path_tells_what_the_file_no_longer_has(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(
        cloud, "Action=ListRoles", 200,
        answering_cloud_xml(cloud, "ListRoles",
                            arena_printf(cloud->arena,
                                         "<Roles><member><RoleName>%s</RoleName></member>"
                                         "</Roles>",
                                         name_of(cloud, "old-role"))));
    answer_role(cloud, "old-role");
    no_more(cloud);
    assert_int_equal(answering_cloud_observe(cloud, &iam_role, "ask-role", &error), 0);
    assert_int_equal(cloud->found_count, 1);
    assert_string_equal(cloud->found[0].id, "old-role");
}

static void a_role_of_that_name_elsewhere_is_foreign(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(cloud, "Action=ListRoles", 200,
                           answering_cloud_xml(cloud, "ListRoles", "<Roles/>"));
    answering_cloud_answer(cloud, "Action=GetRole&", 200,
                           role_xml(cloud, name_of(cloud, "ask-role"), ""));
    no_more(cloud);
    assert_int_equal(answering_cloud_observe(cloud, &iam_role, "ask-role", &error), 0);
    assert_int_equal(cloud->found_count, 1);
    assert_true(cloud->found[0].foreign);
}

static void a_role_is_made_with_tags_under_its_path(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(
        cloud, "Action=CreateRole", 200,
        answering_cloud_xml(cloud, "CreateRole", "<Role><Arn>arn:r</Arn></Role>"));
    struct action action = answering_cloud_action(
        cloud, &iam_role, "ask-role",
        "{\"assume\":{\"Version\":\"2012-10-17\"},\"policies\":{\"p\":{}}}", NULL);
    assert_int_equal(answering_cloud_run(cloud, iam_role.create, &action, &error), 0);
    const char *sent = answering_cloud_sent(cloud, "Action=CreateRole", 0);
    assert_holds(sent, "Path=%2Fragstack%2Feu-west-1%2Facme%2Fprod%2F");
    assert_holds(sent, "Tags.member.3.Key=ragstack%3Aid&Tags.member.3.Value=ask-role");
    assert_holds(sent, "AssumeRolePolicyDocument=%7B%22Version%22%3A%222012-10-17%22%7D");
    assert_string_equal(value_text(action.made, "arn"), "arn:r");
    assert_int_equal(cloud->fake->request_count, 1); /* the policies come after */
}

static void a_new_principal_is_waited_for(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(cloud, "Action=CreateRole", 400,
                           answering_cloud_error(cloud, "MalformedPolicyDocument",
                                                 "Invalid principal in policy: \"AWS\":\"arn:x\""));
    answering_cloud_answer(cloud, "Action=CreateRole", 200,
                           answering_cloud_xml(cloud, "CreateRole", "<Role/>"));
    struct action action =
        answering_cloud_action(cloud, &iam_role, "ask-role", "{\"assume\":{}}", NULL);
    assert_int_equal(answering_cloud_run(cloud, iam_role.create, &action, &error), 0);
    assert_int_equal(answering_cloud_count(cloud, "Action=CreateRole"), 2);
}

static void a_malformed_policy_is_not_waited_for(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(
        cloud, "Action=CreateRole", 400,
        answering_cloud_error(cloud, "MalformedPolicyDocument", "Syntax errors in policy."));
    struct action action =
        answering_cloud_action(cloud, &iam_role, "ask-role", "{\"assume\":{}}", NULL);
    assert_true(answering_cloud_run(cloud, iam_role.create, &action, &error) < 0);
    assert_int_equal(answering_cloud_count(cloud, "Action=CreateRole"), 1);
}

static void accept_all(struct answering_cloud *cloud)
{
    answering_cloud_answer(cloud, "Action=", 200, NULL);
}

static int order_of(const struct answering_cloud *cloud, const char *part)
{
    for (size_t i = 0; i < cloud->fake->request_count; i++) {
        if (strstr(cloud->fake->requests[i].body, part))
            return (int)i;
    }
    fail_msg("never asked: %s", part);
    return -1;
}

static void rights_are_given_before_others_are_taken(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look(cloud);
    cloud->answer_count = 0;
    accept_all(cloud);
    struct action action = answering_cloud_action(
        cloud, &iam_role, "ask-role",
        "{\"assume\":{},\"policies\":{\"new\":{\"x\":1}},\"managed_policies\":[\"arn:q\"]}", have);
    answering_cloud_change(cloud, &action, "policies");
    answering_cloud_change(cloud, &action, "managed_policies");
    answering_cloud_change(cloud, &action, "permissions_boundary");
    assert_int_equal(answering_cloud_run(cloud, iam_role.update, &action, &error), 0);
    assert_true(order_of(cloud, "Action=PutRolePolicy") < order_of(cloud, "DeleteRolePolicy"));
    assert_true(order_of(cloud, "Action=AttachRolePolicy") < order_of(cloud, "DetachRolePolicy"));
    assert_holds(answering_cloud_sent(cloud, "Action=PutRolePolicy", 0), "PolicyName=new&");
    assert_holds(answering_cloud_sent(cloud, "Action=DeleteRolePolicy", 0), "PolicyName=function&");
    assert_int_equal(answering_cloud_count(cloud, "Action=DeleteRolePermissionsBoundary"), 1);
    assert_int_equal(answering_cloud_count(cloud, "Action=UpdateRole&"), 0);
}

static void an_equal_policy_is_not_put_again(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look(cloud);
    cloud->answer_count = 0;
    accept_all(cloud);
    struct action action = answering_cloud_action(
        cloud, &iam_role, "ask-role",
        "{\"assume\":{},\"policies\":{\"function\":{\"a\":[\"b+c+d\"]},\"more\":{\"c\":1}}}", have);
    answering_cloud_change(cloud, &action, "policies");
    assert_int_equal(answering_cloud_run(cloud, iam_role.update, &action, &error), 0);
    assert_int_equal(answering_cloud_count(cloud, "Action=PutRolePolicy"), 1);
    assert_int_equal(answering_cloud_count(cloud, "Action=DeleteRolePolicy"), 0);
}

static void both_parts_of_a_role_are_said(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look(cloud);
    cloud->answer_count = 0;
    accept_all(cloud);
    struct action action = answering_cloud_action(cloud, &iam_role, "ask-role",
                                                  "{\"assume\":{},\"max_session_s\":7200}", have);
    answering_cloud_change(cloud, &action, "description");
    assert_int_equal(answering_cloud_run(cloud, iam_role.update, &action, &error), 0);
    assert_holds(answering_cloud_sent(cloud, "Action=UpdateRole&", 0), "MaxSessionDuration=7200");
}

static void a_role_goes_after_what_is_in_it(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look(cloud);
    cloud->answer_count = 0;
    answering_cloud_answer(cloud, "Action=DeleteRole&", 409,
                           answering_cloud_error(cloud, "DeleteConflict", "it has policies"));
    answering_cloud_answer(cloud, "Action=DeleteRolePolicy", 404,
                           answering_cloud_error(cloud, "NoSuchEntity", "it is gone"));
    accept_all(cloud);
    struct action action =
        answering_cloud_action(cloud, &iam_role, "ask-role", "{\"assume\":{}}", have);
    assert_int_equal(answering_cloud_run(cloud, iam_role.remove, &action, &error), 0);
    assert_true(order_of(cloud, "Action=DeleteRolePolicy") < order_of(cloud, "Action=DeleteRole&"));
    assert_true(order_of(cloud, "Action=DetachRolePolicy") < order_of(cloud, "Action=DeleteRole&"));
    assert_int_equal(answering_cloud_count(cloud, "Action=DeleteRole&"), 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(documents_are_decoded),
        CASE(the_path_tells_what_the_file_no_longer_has),
        CASE(a_role_of_that_name_elsewhere_is_foreign),
        CASE(a_role_is_made_with_tags_under_its_path),
        CASE(a_new_principal_is_waited_for),
        CASE(a_malformed_policy_is_not_waited_for),
        CASE(rights_are_given_before_others_are_taken),
        CASE(an_equal_policy_is_not_put_again),
        CASE(both_parts_of_a_role_are_said),
        CASE(a_role_goes_after_what_is_in_it),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
