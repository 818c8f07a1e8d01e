/* Patience with what passes by itself, and with nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/fake_cloud.h"

static const struct field fields[] = {{.name = "id", .flags = COMPUTED}, {0}};
static const struct patience patience[] = {
    {"DependencyViolation", NULL, "it is still in use", 60, 10},
    {"InvalidParameter", "role is not known", "the role is not known everywhere yet", 60, 0},
    {0},
};
static const struct resource_type type = {
    .kind = "test.thing", .fields = fields, .patience = patience};

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

static int delete_verb(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters =
        value_set_text(action->arena, value_map(action->arena), "VpcId", "vpc-1");
    return cloud_remove(task, action, &aws_ec2, "DeleteVpc", parameters, error);
}

static int modify_verb(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters =
        value_set_text(action->arena, value_map(action->arena), "VpcId", "vpc-1");
    return cloud_call(task, action, &aws_ec2, "ModifyVpcAttribute", parameters, NULL, error);
}

static int run(struct fake_cloud *fake, verb *call)
{
    struct action action = fake_action(fake, &type, "{}", "{\"id\":\"vpc-1\"}");
    return fake_verb(fake, call, &action);
}

static void what_passes_is_waited_for(void **state)
{
    struct fake_cloud *fake = *state;
    for (int i = 0; i < 3; i++)
        fake_ec2_error(fake, "DependencyViolation", "has dependencies");
    fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(run(fake, delete_verb), 0);
    assert_string_equal(fake_operations(fake), "DeleteVpc DeleteVpc DeleteVpc DeleteVpc");
    assert_true(fake->clock.now_ms >= 30000 && fake->clock.now_ms < 40000);
    assert_string_equal(fake->told, "it is still in use");
    assert_int_equal(fake->times_told, 3);
}

static struct fake_reply always_in_use(void *data, const struct fake_request *request)
{
    (void)data, (void)request;
    return (struct fake_reply){
        .status = 400,
        .body = "<Response><Errors><Error><Code>DependencyViolation</Code><Message>in use</Message>"
                "</Error></Errors><RequestID>r</RequestID></Response>"};
}

static void patience_ends(void **state)
{
    struct fake_cloud *fake = *state;
    fake->transport->answer = always_in_use;
    assert_true(run(fake, delete_verb) < 0);
    assert_string_equal(fake->error.aws_code, "DependencyViolation");
    assert_non_null(strstr(fake->error.message, "waited 60 s (it is still in use)"));
    assert_int_equal(fake->transport->request_count, 7);
}

static void an_interruption_ends_the_wait(void **state)
{
    struct fake_cloud *fake = *state;
    fake->transport->answer = always_in_use;
    fake->interrupted = true;
    assert_int_equal(run(fake, delete_verb), ERR_CANCELLED);
    assert_int_equal(fake->transport->request_count, 1);
}

static void another_message_is_another_refusal(void **state)
{
    struct fake_cloud *fake = *state;
    fake_ec2_error(fake, "InvalidParameter", "the size is wrong");
    assert_true(run(fake, modify_verb) < 0);
    assert_int_equal(fake->transport->request_count, 1);
    fake_ec2_error(fake, "InvalidParameter", "the role is not known");
    fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(run(fake, modify_verb), 0);
    assert_int_equal(fake->transport->request_count, 3);
}

static void what_this_run_made_is_looked_for_again(void **state)
{
    struct fake_cloud *fake = *state;
    map_put(&fake->cloud.made, "vpc-1", fake);
    fake_ec2_error(fake, "InvalidVpcID.NotFound", "no vpc-1");
    fake_ec2_error(fake, "InvalidVpcID.NotFound", "no vpc-1");
    fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(run(fake, modify_verb), 0);
    assert_int_equal(fake->transport->request_count, 3);
}

static void what_others_made_is_not_found(void **state)
{
    struct fake_cloud *fake = *state;
    map_put(&fake->cloud.made, "vpc-2", fake);
    fake_ec2_error(fake, "InvalidVpcID.NotFound", "no vpc-1");
    assert_int_equal(run(fake, modify_verb), ERR_NOT_FOUND);
    assert_int_equal(fake->transport->request_count, 1);
}

static void gone_already_is_removed(void **state)
{
    struct fake_cloud *fake = *state;
    map_put(&fake->cloud.made, "vpc-1", fake);
    fake_ec2_error(fake, "InvalidVpcID.NotFound", "no vpc-1");
    assert_int_equal(run(fake, delete_verb), 0);
    assert_int_equal(fake->transport->request_count, 1);
    assert_int_equal(fake->error.code, 0);
}

static void a_change_that_may_be_done_twice_is_sent_again(void **state)
{
    struct fake_cloud *fake = *state;
    fake_no_reply(fake->transport, ERR_LOST_REPLY);
    fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(run(fake, modify_verb), 0);
}

/* -- reading -- */

static int get_one(struct task *task, void *argument, struct error *error)
{
    struct fake_cloud *fake = argument;
    struct observation observation = {.target = &fake->cloud, .arena = fake->arena, .type = &type};
    struct value *reply = value_map(fake->arena);
    int result =
        cloud_get(task, &observation, &aws_ec2, "DescribeVpcAttribute", NULL, &reply, error);
    return result == 0 && reply ? 1 : result;
}

static void what_is_not_found_reads_as_nothing(void **state)
{
    struct fake_cloud *fake = *state;
    fake_ec2_error(fake, "InvalidVpcID.NotFound", "no vpc-1");
    assert_int_equal(fake_run(fake, get_one, fake), 0);
    fake_ec2_error(fake, "UnauthorizedOperation", "no");
    assert_int_equal(fake_run(fake, get_one, fake), ERR_DENIED);
}

/* -- asked once -- */

struct asking {
    struct fake_cloud *fake;
    const struct value *items;
};

static int ask(struct task *task, void *argument, struct error *error)
{
    struct asking *asking = argument;
    return cloud_ask_once(task, &asking->fake->cloud, "zones", &aws_ec2,
                          "DescribeAvailabilityZones", NULL, &asking->items, error);
}

static int ask_thrice(struct task *task, void *argument, struct error *error)
{
    return task_each(task, "ask", ask, argument, sizeof(struct asking), 3, 0, error);
}

static void many_ask_and_one_call_is_made(void **state)
{
    struct fake_cloud *fake = *state;
    struct asking askings[3] = {{fake, NULL}, {fake, NULL}, {fake, NULL}};
    fake_reply_with(
        fake->transport,
        (struct fake_reply){.status = 200,
                            .delay_ms = 50,
                            .body = "<AnyResponse><availabilityZoneInfo><item><zoneName>a"
                                    "</zoneName></item></availabilityZoneInfo></AnyResponse>"});
    assert_int_equal(fake_run(fake, ask_thrice, askings), 0);
    assert_int_equal(fake->transport->request_count, 1);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(value_item_count(askings[i].items), 1);
}

static void an_answer_that_failed_is_asked_for_again(void **state)
{
    struct fake_cloud *fake = *state;
    struct asking asking = {fake, NULL};
    fake_ec2_error(fake, "UnauthorizedOperation", "no");
    assert_int_equal(fake_run(fake, ask, &asking), ERR_DENIED);
    fake_ec2_reply(fake, "<availabilityZoneInfo/>");
    assert_int_equal(fake_run(fake, ask, &asking), 0);
    assert_non_null(asking.items);
    assert_int_equal(value_item_count(asking.items), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_passes_is_waited_for),
        TEST(patience_ends),
        TEST(an_interruption_ends_the_wait),
        TEST(another_message_is_another_refusal),
        TEST(what_this_run_made_is_looked_for_again),
        TEST(what_others_made_is_not_found),
        TEST(gone_already_is_removed),
        TEST(a_change_that_may_be_done_twice_is_sent_again),
        TEST(what_is_not_found_reads_as_nothing),
        TEST(many_ask_and_one_call_is_made),
        TEST(an_answer_that_failed_is_asked_for_again),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("cloud_call", tests, NULL, NULL);
}
