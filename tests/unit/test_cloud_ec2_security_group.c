/* The rules of a security group: what is read, and which calls close a difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/cloud/types.h"
#include "pkg/value/json.h"
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

#define OURS                                                            \
    "<tagSet><item><key>ragstack:stack</key><value>acme</value></item>" \
    "<item><key>ragstack:env</key><value>-</value></item>"              \
    "<item><key>ragstack:id</key><value>thing</value></item></tagSet>"

static const char *observed_rules(struct fake_cloud *fake, const char *permissions)
{
    fake_ec2_reply(fake, arena_printf(fake->arena,
                                      "<securityGroupInfo><item><groupId>sg-1</groupId>"
                                      "<groupName>g</groupName><vpcId>vpc-1</vpcId>"
                                      "<groupDescription>d</groupDescription>%s" OURS
                                      "</item></securityGroupInfo>",
                                      permissions));
    assert_int_equal(fake_observe(fake, &ec2_security_group), 0);
    assert_int_equal(fake->found.count, 1);
    return json_text(fake->arena, value_get(fake->found.items[0].props, "rules"));
}

/* -- observe -- */

static void each_peer_of_a_permission_is_a_rule(void **state)
{
    const char *rules = observed_rules(
        *state, "<ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>443</fromPort>"
                "<toPort>443</toPort><groups><item><userId>111122223333</userId>"
                "<groupId>sg-2</groupId><description>why</description></item></groups>"
                "<ipRanges><item><cidrIp>10.0.0.0/8</cidrIp></item></ipRanges><ipv6Ranges/>"
                "<prefixListIds/></item></ipPermissions><ipPermissionsEgress/>");
    assert_string_equal(rules, "[{\"direction\":\"ingress\",\"protocol\":\"tcp\",\"port\":443,"
                               "\"cidr\":\"10.0.0.0/8\",\"description\":\"\"},"
                               "{\"direction\":\"ingress\",\"protocol\":\"tcp\",\"port\":443,"
                               "\"group\":\"sg-2\",\"description\":\"why\"}]");
}

static void ranges_all_ports_and_all_protocols_are_told_apart(void **state)
{
    const char *rules = observed_rules(
        *state,
        "<ipPermissions/><ipPermissionsEgress>"
        "<item><ipProtocol>-1</ipProtocol><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item>"
        "</ipRanges></item>"
        "<item><ipProtocol>tcp</ipProtocol><fromPort>0</fromPort><toPort>65535</toPort>"
        "<ipRanges><item><cidrIp>10.0.0.0/8</cidrIp></item></ipRanges></item>"
        "<item><ipProtocol>udp</ipProtocol><fromPort>5000</fromPort><toPort>5010</toPort>"
        "<prefixListIds><item><prefixListId>pl-1</prefixListId></item></prefixListIds></item>"
        "</ipPermissionsEgress>");
    assert_string_equal(
        rules, "[{\"direction\":\"egress\",\"protocol\":\"all\",\"cidr\":\"0.0.0.0/0\","
               "\"description\":\"\"},{\"direction\":\"egress\",\"protocol\":\"tcp\","
               "\"cidr\":\"10.0.0.0/8\",\"description\":\"\"},{\"direction\":\"egress\","
               "\"protocol\":\"udp\",\"from_port\":5000,\"to_port\":5010,\"prefix_list\":\"pl-1\","
               "\"description\":\"\"}]");
}

static void a_group_of_another_account_says_so(void **state)
{
    const char *rules = observed_rules(
        *state, "<ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>1</fromPort>"
                "<toPort>1</toPort><groups><item><userId>999900001111</userId>"
                "<groupId>sg-9</groupId></item></groups></item></ipPermissions>");
    assert_non_null(strstr(rules, "\"group\":\"999900001111/sg-9\""));
}

/* -- create -- */

static void a_new_group_lets_nothing_out(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action =
        fake_action(fake, &ec2_security_group, "{\"vpc\":\"vpc-1\",\"description\":\"d\"}", NULL);
    fake_ec2_reply(fake, "<groupId>sg-1</groupId>");
    fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(fake_verb(fake, ec2_security_group.create, &action), 0);
    assert_string_equal(action.physical_id, "sg-1");
    assert_string_equal(fake_operations(fake), "CreateSecurityGroup RevokeSecurityGroupEgress");
    assert_string_equal(fake_parameter(fake, 0, "TagSpecification.1.ResourceType"),
                        "security-group");
    assert_string_equal(fake_parameter(fake, 0, "GroupDescription"), "d");
    assert_string_equal(fake_parameter(fake, 1, "IpPermissions.1.IpProtocol"), "-1");
    assert_string_equal(fake_parameter(fake, 1, "IpPermissions.1.IpRanges.1.CidrIp"), "0.0.0.0/0");
    assert_null(fake_parameter(fake, 1, "IpPermissions.1.FromPort"));
}

static void closing_survives_a_lost_reply(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action = fake_action(fake, &ec2_security_group, "{\"vpc\":\"vpc-1\"}", NULL);
    fake_ec2_reply(fake, "<groupId>sg-1</groupId>");
    fake_no_reply(fake->transport, ERR_LOST_REPLY);
    fake_ec2_error(fake, "InvalidPermission.NotFound", "no such rule");
    assert_int_equal(fake_verb(fake, ec2_security_group.create, &action), 0);
    assert_int_equal(fake->transport->unexpected, 0);
}

/* -- update -- */

#define RULE(port, peer, description)                                 \
    "{\"direction\":\"ingress\",\"port\":" #port ",\"group\":\"" peer \
    "\",\"description\":\"" description "\"}"

static int update(struct fake_cloud *fake, const char *want, const char *have)
{
    struct action action = fake_action(
        fake, &ec2_security_group,
        arena_printf(fake->arena, "{\"vpc\":\"vpc-1\",\"description\":\"d\",\"rules\":[%s]}", want),
        arena_printf(fake->arena,
                     "{\"id\":\"sg-1\",\"vpc\":\"vpc-1\",\"description\":\"d\",\"rules\":[%s]}",
                     have));
    return fake_verb(fake, ec2_security_group.update, &action);
}

static void new_rules_come_before_old_ones_go(void **state)
{
    struct fake_cloud *fake = *state;
    fake_ec2_reply(fake, "<return>true</return>");
    fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(update(fake, RULE(443, "sg-2", "") "," RULE(444, "sg-3", "x"),
                            RULE(443, "sg-2", "") "," RULE(80, "sg-2", "old")),
                     0);
    assert_string_equal(fake_operations(fake),
                        "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress");
    assert_string_equal(fake_parameter(fake, 0, "IpPermissions.1.FromPort"), "444");
    assert_string_equal(fake_parameter(fake, 0, "IpPermissions.1.Groups.1.GroupId"), "sg-3");
    assert_string_equal(fake_parameter(fake, 0, "IpPermissions.1.Groups.1.Description"), "x");
    assert_null(fake_parameter(fake, 0, "IpPermissions.2.FromPort"));
    assert_string_equal(fake_parameter(fake, 1, "IpPermissions.1.FromPort"), "80");
}

static void a_description_changes_in_place(void **state)
{
    struct fake_cloud *fake = *state;
    fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(update(fake, RULE(443, "sg-2", "new"), RULE(443, "sg-2", "old")), 0);
    assert_string_equal(fake_operations(fake), "UpdateSecurityGroupRuleDescriptionsIngress");
    assert_string_equal(fake_parameter(fake, 0, "IpPermissions.1.Groups.1.Description"), "new");
}

static void many_rules_are_one_call_a_direction(void **state)
{
    struct fake_cloud *fake = *state;
    fake_ec2_reply(fake, "<return>true</return>");
    fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(
        update(
            fake,
            RULE(1, "sg-2", "") "," RULE(
                2, "sg-2", "") ","
                               "{\"direction\":\"egress\",\"protocol\":\"all\",\"cidr6\":\"::/0\"},"
                               "{\"direction\":\"egress\",\"protocol\":\"udp\",\"from_port\":5,"
                               "\"to_port\":6,\"prefix_list\":\"pl-1\"}",
            ""),
        0);
    assert_string_equal(fake_operations(fake),
                        "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress");
    assert_string_equal(fake_parameter(fake, 0, "IpPermissions.2.ToPort"), "2");
    assert_string_equal(fake_parameter(fake, 1, "IpPermissions.1.Ipv6Ranges.1.CidrIpv6"), "::/0");
    assert_string_equal(fake_parameter(fake, 1, "IpPermissions.2.PrefixListIds.1.PrefixListId"),
                        "pl-1");
    assert_string_equal(fake_parameter(fake, 1, "IpPermissions.2.ToPort"), "6");
}

static void another_accounts_group_is_revoked_by_both_its_names(void **state)
{
    struct fake_cloud *fake = *state;
    fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(update(fake, "", RULE(443, "999900001111/sg-9", "")), 0);
    assert_string_equal(fake_parameter(fake, 0, "IpPermissions.1.Groups.1.UserId"), "999900001111");
    assert_string_equal(fake_parameter(fake, 0, "IpPermissions.1.Groups.1.GroupId"), "sg-9");
}

static void a_rule_needs_exactly_one_other_side(void **state)
{
    struct fake_cloud *fake = *state;
    assert_int_equal(update(fake, "{\"direction\":\"ingress\",\"port\":1}", ""), ERR_INPUT);
    assert_int_equal(update(fake,
                            "{\"direction\":\"ingress\",\"port\":1,\"cidr\":\"10.0.0.0/8\","
                            "\"group\":\"sg-1\"}",
                            ""),
                     ERR_INPUT);
    assert_int_equal(fake->transport->request_count, 0);
}

/* -- remove -- */

static int remove_group(struct fake_cloud *fake)
{
    struct action action = fake_action(fake, &ec2_security_group, "{\"vpc\":\"vpc-1\"}",
                                       "{\"id\":\"sg-1\",\"vpc\":\"vpc-1\"}");
    return fake_verb(fake, ec2_security_group.remove, &action);
}

static void interfaces_of_functions_are_waited_for(void **state)
{
    struct fake_cloud *fake = *state;
    fake_ec2_error(fake, "DependencyViolation", "resource sg-1 has a dependent object");
    fake_ec2_reply(fake, "<networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId>"
                         "<interfaceType>lambda</interfaceType><description>AWS Lambda VPC ENI-ask"
                         "</description></item></networkInterfaceSet>");
    fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(remove_group(fake), 0);
    assert_string_equal(fake_operations(fake),
                        "DeleteSecurityGroup DescribeNetworkInterfaces DeleteSecurityGroup");
    assert_string_equal(fake_parameter(fake, 1, "Filter.1.Name"), "group-id");
    assert_non_null(strstr(fake->told, "held by 1 network interface, eni-1 (AWS Lambda VPC ENI"));
}

static void an_instance_of_somebody_else_is_named(void **state)
{
    struct fake_cloud *fake = *state;
    fake_ec2_error(fake, "DependencyViolation", "resource sg-1 has a dependent object");
    fake_ec2_reply(fake, "<networkInterfaceSet><item><networkInterfaceId>eni-7</networkInterfaceId>"
                         "<interfaceType>interface</interfaceType><requesterManaged>false"
                         "</requesterManaged><description>mine</description></item>"
                         "</networkInterfaceSet>");
    assert_true(remove_group(fake) < 0);
    assert_non_null(strstr(fake->error.message, "eni-7 (mine)"));
    assert_int_equal(fake->transport->unexpected, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_peer_of_a_permission_is_a_rule),
        TEST(ranges_all_ports_and_all_protocols_are_told_apart),
        TEST(a_group_of_another_account_says_so),
        TEST(a_new_group_lets_nothing_out),
        TEST(closing_survives_a_lost_reply),
        TEST(new_rules_come_before_old_ones_go),
        TEST(a_description_changes_in_place),
        TEST(many_rules_are_one_call_a_direction),
        TEST(another_accounts_group_is_revoked_by_both_its_names),
        TEST(a_rule_needs_exactly_one_other_side),
        TEST(interfaces_of_functions_are_waited_for),
        TEST(an_instance_of_somebody_else_is_named),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("cloud_ec2_security_group", tests, NULL, NULL);
}
