/* What is asked before the kinds are looked at: who calls, and what bears the stack's tags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/cloud/types.h"
#include "tests/unit/fake_cloud.h"

static int set_up(void **state)
{
    *state = fake_cloud_new();
    return 0;
}

static int tear_down(void **state)
{
    fake_cloud_free(*state);
    return 0;
}

static const char caller[] =
    "<GetCallerIdentityResponse><GetCallerIdentityResult>"
    "<Arn>arn:aws-cn:sts::444455556666:assumed-role/deploy/me</Arn><Account>444455556666</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>";

static const char tagged[] =
    "{\"ResourceTagMappingList\":[{\"ResourceARN\":\"arn:aws-cn:sns:eu-west-1:444455556666:t\","
    "\"Tags\":[{\"Key\":\"ragstack:stack\",\"Value\":\"acme\"},{\"Key\":\"ragstack:id\","
    "\"Value\":\"alerts\"}]}],\"PaginationToken\":\"\"}";

static struct fake_reply answer(void *data, const struct fake_request *request)
{
    struct fake_cloud *fake = data;
    bool identity = strstr(request->body, "GetCallerIdentity") != NULL;
    if (identity && fake->interrupted) /* stands here for: this caller may not */
        return (struct fake_reply){
            .status = 403,
            .body = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>no"
                    "</Message></Error></ErrorResponse>"};
    return (struct fake_reply){.status = 200, .delay_ms = 40, .body = identity ? caller : tagged};
}

static int prepare(struct task *task, void *argument, struct error *error)
{
    struct cloud *cloud = argument;
    struct resource items[] = {{.type = &sns_topic, .id = "alerts"},
                               {.type = &ec2_vpc, .id = "net"}};
    struct resource_list wanted = {items, 2, 2};
    return cloud->target.prepare(task, &cloud->target, &wanted, error);
}

static struct cloud *new_cloud(struct fake_cloud *fake)
{
    struct identity identity = {
        .target = "aws", .region = "eu-west-1", .stack = "acme", .environment = "prod"};
    fake->transport->answer = answer;
    fake->transport->data = fake;
    return cloud_new(fake->arena, fake->cloud.client, &identity);
}

static void both_are_asked_at_once(void **state)
{
    struct fake_cloud *fake = *state;
    struct cloud *cloud = new_cloud(fake);
    assert_int_equal(fake_run(fake, prepare, cloud), 0);
    assert_int_equal(fake->transport->request_count, 2);
    assert_int_equal(fake->transport->requests[0].at_ms, fake->transport->requests[1].at_ms);
}

static void the_caller_is_who_the_stack_belongs_to(void **state)
{
    struct fake_cloud *fake = *state;
    struct cloud *cloud = new_cloud(fake);
    assert_int_equal(fake_run(fake, prepare, cloud), 0);
    assert_string_equal(cloud->identity.account, "444455556666");
    assert_string_equal(cloud->identity.partition, "aws-cn");
    assert_ptr_equal(cloud->target.identity, &cloud->identity);
    assert_string_equal(cloud_arn(fake->arena, cloud, "sns", "t"),
                        "arn:aws-cn:sns:eu-west-1:444455556666:t");
}

static void the_inventory_is_by_stack_and_environment(void **state)
{
    struct fake_cloud *fake = *state;
    struct cloud *cloud = new_cloud(fake);
    assert_int_equal(fake_run(fake, prepare, cloud), 0);
    const struct value *row = value_item(cloud->inventory, 0);
    assert_int_equal(value_count(cloud->inventory), 1);
    assert_string_equal(value_text(row, "arn"), "arn:aws-cn:sns:eu-west-1:444455556666:t");
    assert_string_equal(value_text(value_get(row, "tags"), "ragstack:id"), "alerts");
    const char *body = fake->transport->requests[1].body;
    if (!strstr(body, "TagFilters"))
        body = fake->transport->requests[0].body;
    assert_non_null(strstr(body, "{\"Key\":\"ragstack:stack\",\"Values\":[\"acme\"]}"));
    assert_non_null(strstr(body, "{\"Key\":\"ragstack:env\",\"Values\":[\"prod\"]}"));
}

static void the_caller_is_asked_once_and_the_inventory_again(void **state)
{
    struct fake_cloud *fake = *state;
    struct cloud *cloud = new_cloud(fake);
    assert_int_equal(fake_run(fake, prepare, cloud), 0);
    assert_int_equal(fake_run(fake, prepare, cloud), 0);
    assert_int_equal(fake->transport->request_count, 3);
    assert_int_equal(value_count(cloud->inventory), 1);
}

static void wanted_tags_are_remembered_by_id(void **state)
{
    struct fake_cloud *fake = *state;
    struct cloud *cloud = new_cloud(fake);
    assert_int_equal(fake_run(fake, prepare, cloud), 0);
    assert_string_equal(value_text(map_get(&cloud->wanted_tags, "net"), "ragstack:id"), "net");
    assert_null(map_get(&cloud->wanted_tags, "other"));
}

static void bad_credentials_are_told_as_such(void **state)
{
    struct fake_cloud *fake = *state;
    struct cloud *cloud = new_cloud(fake);
    fake->interrupted = true;
    assert_true(fake_run(fake, prepare, cloud) < 0);
    assert_non_null(strstr(fake->error.message, "whose credentials these are"));
    assert_null(cloud->identity.account);
}

static void every_kind_is_in_the_registry_once(void **state)
{
    struct fake_cloud *fake = *state;
    struct cloud *cloud = new_cloud(fake);
    size_t count = 0;
    for (const struct resource_type *const *type = cloud->target.types; *type; type++) {
        count++;
        assert_ptr_equal(target_type(&cloud->target, (*type)->kind), *type);
        assert_non_null((*type)->summary);
        assert_non_null((*type)->observe);
        assert_non_null((*type)->create);
        assert_non_null((*type)->remove);
        assert_true((*type)->retag || ((*type)->flags & NO_TAGS));
    }
    assert_true(count >= 20);
}

/* Every field says what it is, and its unset value parses. */
static void check_fields(struct fake_cloud *fake, const struct field *fields)
{
    for (const struct field *field = fields; field->name; field++) {
        assert_non_null(field->summary);
        assert_non_null(field_unset(fake->arena, field));
        if (field->fields)
            check_fields(fake, field->fields);
    }
}

static void every_field_is_told_about(void **state)
{
    struct fake_cloud *fake = *state;
    for (const struct resource_type *const *type = cloud_types; *type; type++)
        check_fields(fake, (*type)->fields);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_are_asked_at_once),
        TEST(the_caller_is_who_the_stack_belongs_to),
        TEST(the_inventory_is_by_stack_and_environment),
        TEST(the_caller_is_asked_once_and_the_inventory_again),
        TEST(wanted_tags_are_remembered_by_id),
        TEST(bad_credentials_are_told_as_such),
        TEST(every_kind_is_in_the_registry_once),
        TEST(every_field_is_told_about),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("cloud_prepare", tests, NULL, NULL);
}
