/* The EC2 kinds whose verbs are more than one call, or whose choice sticks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/cloud/ec2.h"
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

/* -- VPC -- */

static void a_vpc_is_made_with_its_tags(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action = fake_action(fake, &ec2_vpc, "{\"cidr\":\"10.0.0.0/16\"}", NULL);
    fake_ec2_reply(fake, "<vpc><vpcId>vpc-1</vpcId><state>pending</state></vpc>");
    assert_int_equal(fake_verb(fake, ec2_vpc.create, &action), 0);
    assert_string_equal(action.physical_id, "vpc-1");
    assert_string_equal(value_text(action.made, "id"), "vpc-1");
    assert_string_equal(fake_parameter(fake, 0, "CidrBlock"), "10.0.0.0/16");
    assert_string_equal(fake_parameter(fake, 0, "TagSpecification.1.ResourceType"), "vpc");
    assert_string_equal(fake_parameter(fake, 0, "TagSpecification.1.Tag.1.Key"), "ragstack:stack");
}

static void dns_comes_before_host_names_and_goes_after(void **state)
{
    struct fake_cloud *fake = *state;
    struct action on = fake_action(
        fake, &ec2_vpc, "{\"cidr\":\"c\",\"dns_hostnames\":true}",
        "{\"id\":\"vpc-1\",\"cidr\":\"c\",\"dns_support\":false,\"dns_hostnames\":false}");
    struct action off = fake_action(fake, &ec2_vpc, "{\"cidr\":\"c\",\"dns_support\":false}",
                                    "{\"id\":\"vpc-1\",\"cidr\":\"c\",\"dns_hostnames\":true}");
    for (int i = 0; i < 4; i++)
        fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(fake_verb(fake, ec2_vpc.update, &on), 0);
    assert_int_equal(fake_verb(fake, ec2_vpc.update, &off), 0);
    assert_string_equal(fake_parameter(fake, 0, "EnableDnsSupport.Value"), "true");
    assert_string_equal(fake_parameter(fake, 1, "EnableDnsHostnames.Value"), "true");
    assert_string_equal(fake_parameter(fake, 2, "EnableDnsHostnames.Value"), "false");
    assert_string_equal(fake_parameter(fake, 3, "EnableDnsSupport.Value"), "false");
}

/* Both attributes are asked at once, so the answer goes by the question. */
static struct fake_reply answer_vpc(void *data, const struct fake_request *request)
{
    (void)data;
    const char *body =
        "<AnyResponse><vpcSet><item><vpcId>vpc-1</vpcId><cidrBlock>10.0.0.0/16</cidrBlock>"
        "<state>available</state>" OURS "</item></vpcSet></AnyResponse>";
    if (strstr(request->body, "enableDnsSupport"))
        body = "<AnyResponse><vpcId>vpc-1</vpcId><enableDnsSupport><value>true</value></"
               "enableDnsSupport></AnyResponse>";
    if (strstr(request->body, "enableDnsHostnames"))
        body = "<AnyResponse><enableDnsHostnames><value>true</value></enableDnsHostnames></"
               "AnyResponse>";
    return (struct fake_reply){.status = 200, .body = body};
}

static void a_vpc_is_read_with_its_attributes(void **state)
{
    struct fake_cloud *fake = *state;
    fake->transport->answer = answer_vpc;
    assert_int_equal(fake_observe(fake, &ec2_vpc), 0);
    assert_int_equal(fake->found.count, 1);
    const struct value *props = fake->found.items[0].props;
    assert_true(value_bool_at(props, "dns_support", false));
    assert_true(value_bool_at(props, "dns_hostnames", false));
    assert_string_equal(fake->found.items[0].physical_id, "vpc-1");
}

static void a_vpc_that_goes_while_it_is_read_is_passed_over(void **state)
{
    struct fake_cloud *fake = *state;
    fake_ec2_reply(fake, "<vpcSet><item><vpcId>vpc-1</vpcId>" OURS "</item></vpcSet>");
    fake_ec2_error(fake, "InvalidVpcID.NotFound", "no");
    fake_ec2_error(fake, "InvalidVpcID.NotFound", "no");
    assert_int_equal(fake_observe(fake, &ec2_vpc), 0);
    assert_int_equal(fake->found.count, 0);
}

/* -- subnet -- */

#define ZONE(name, id, more)                                                                \
    "<item><zoneName>" name "</zoneName><zoneId>" id "</zoneId><zoneType>availability-zone" \
    "</zoneType><zoneState>available</zoneState>" more "</item>"

static const char *zone_for(struct fake_cloud *fake, const char *props)
{
    struct action action = fake_action(fake, &ec2_subnet, props, NULL);
    fake_ec2_reply(fake,
                   "<availabilityZoneInfo>" ZONE("eu-west-1c", "euw1-az3", "") ZONE("eu-west-1a",
                                                                                    "use1-az3", "")
                       ZONE("eu-west-1b", "euw1-az2",
                            "") "<item><zoneName>eu-west-1-lon-1a</zoneName><zoneId>l</zoneId>"
                                "<zoneType>local-zone</zoneType><zoneState>available</zoneState>"
                                "</item></availabilityZoneInfo>");
    fake_ec2_reply(fake, "<subnet><subnetId>subnet-1</subnetId><availabilityZone>got"
                         "</availabilityZone></subnet>");
    if (fake_verb(fake, ec2_subnet.create, &action) != 0)
        return fake->error.message;
    assert_string_equal(value_text(action.made, "zone"), "got");
    return fake_parameter(fake, fake->transport->request_count - 1, "AvailabilityZone");
}

static void zones_are_taken_by_name_and_poor_ones_last(void **state)
{
    struct fake_cloud *fake = *state;
    assert_string_equal(zone_for(fake, "{\"vpc\":\"v\",\"cidr\":\"c\",\"zone_index\":0}"),
                        "eu-west-1b");
}

static void a_poor_zone_is_better_than_none(void **state)
{
    struct fake_cloud *fake = *state;
    assert_string_equal(zone_for(fake, "{\"vpc\":\"v\",\"cidr\":\"c\",\"zone_index\":2}"),
                        "eu-west-1a");
}

static void a_zone_too_many_is_an_error(void **state)
{
    struct fake_cloud *fake = *state;
    const char *message = zone_for(fake, "{\"vpc\":\"v\",\"cidr\":\"c\",\"zone_index\":3}");
    assert_non_null(strstr(message, "only 3 zones"));
}

static void a_zone_by_name_asks_nobody(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action =
        fake_action(fake, &ec2_subnet, "{\"vpc\":\"v\",\"cidr\":\"c\",\"zone\":\"z\"}", NULL);
    fake_ec2_reply(fake, "<subnet><subnetId>subnet-1</subnetId></subnet>");
    assert_int_equal(fake_verb(fake, ec2_subnet.create, &action), 0);
    assert_string_equal(fake_parameter(fake, 0, "AvailabilityZone"), "z");
}

static void the_zone_that_exists_is_kept(void **state)
{
    struct fake_cloud *fake = *state;
    struct action moved =
        fake_action(fake, &ec2_subnet, "{\"vpc\":\"v\",\"cidr\":\"c\",\"zone_index\":5}",
                    "{\"id\":\"subnet-1\",\"vpc\":\"v\",\"cidr\":\"c\",\"zone\":\"eu-west-1a\"}");
    struct action said =
        fake_action(fake, &ec2_subnet, "{\"vpc\":\"v\",\"cidr\":\"c\",\"zone\":\"eu-west-1b\"}",
                    "{\"id\":\"subnet-1\",\"vpc\":\"v\",\"cidr\":\"c\",\"zone\":\"eu-west-1a\"}");
    assert_int_equal(moved.change_count, 0);
    assert_int_equal(said.change_count, 1);
}

/* -- internet gateway -- */

static void a_gateway_moves_to_another_vpc(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action = fake_action(fake, &ec2_internet_gateway, "{\"vpc\":\"vpc-2\"}",
                                       "{\"id\":\"igw-1\",\"vpc\":\"vpc-1\"}");
    fake_ec2_error(fake, "Gateway.NotAttached", "not attached");
    fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(fake_verb(fake, ec2_internet_gateway.update, &action), 0);
    assert_string_equal(fake_operations(fake), "DetachInternetGateway AttachInternetGateway");
    assert_string_equal(fake_parameter(fake, 0, "VpcId"), "vpc-1");
    assert_string_equal(fake_parameter(fake, 1, "VpcId"), "vpc-2");
}

static void a_gateway_is_detached_before_it_goes(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action = fake_action(fake, &ec2_internet_gateway, "{\"vpc\":\"vpc-1\"}",
                                       "{\"id\":\"igw-1\",\"vpc\":\"vpc-1\"}");
    fake_ec2_error(fake, "DependencyViolation", "mapped public addresses");
    fake_ec2_reply(fake, "<return>true</return>");
    fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(fake_verb(fake, ec2_internet_gateway.remove, &action), 0);
    assert_string_equal(fake_operations(fake),
                        "DetachInternetGateway DetachInternetGateway DeleteInternetGateway");
}

/* -- NAT gateway -- */

static int nat_found(struct fake_cloud *fake, const char *nat_state, bool watched)
{
    struct found only = {.id = "thing", .physical_id = "nat-1", .generation = 1};
    fake->only = watched ? &only : NULL;
    fake_ec2_reply(
        fake,
        arena_printf(fake->arena,
                     "<natGatewaySet><item><natGatewayId>nat-1</natGatewayId><state>%s</state>"
                     "<subnetId>subnet-1</subnetId><connectivityType>public</connectivityType>"
                     "<failureMessage>no way out</failureMessage><natGatewayAddressSet>"
                     "<item><allocationId>eipalloc-2</allocationId></item>"
                     "<item><allocationId>eipalloc-1</allocationId><isPrimary>true"
                     "</isPrimary></item></natGatewayAddressSet>" OURS "</item></natGatewaySet>",
                     nat_state));
    assert_int_equal(fake_observe(fake, &ec2_nat_gateway), 0);
    fake->only = NULL;
    return (int)fake->found.count;
}

static void a_deleted_nat_gateway_is_not_there(void **state)
{
    struct fake_cloud *fake = *state;
    assert_int_equal(nat_found(fake, "deleted", false), 0);
    assert_int_equal(nat_found(fake, "deleted", true), 0);
    assert_int_equal(nat_found(fake, "deleting", false), 0);
    assert_int_equal(nat_found(fake, "deleting", true), 1);
    assert_int_equal(nat_found(fake, "pending", false), 1);
}

static void a_failed_nat_gateway_is_made_anew_and_says_why(void **state)
{
    struct fake_cloud *fake = *state;
    assert_int_equal(nat_found(fake, "failed", false), 0);
    assert_int_equal(nat_found(fake, "failed", true), 1);
    const struct value *props = fake->found.items[0].props;
    assert_string_equal(value_text(props, "reason"), "no way out");
    assert_string_equal(value_text(props, "elastic_ip"), "eipalloc-1");
}

/* -- VPC endpoint -- */

static void an_endpoint_changes_by_what_is_added_and_removed(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action = fake_action(
        fake, &ec2_vpc_endpoint,
        "{\"vpc\":\"v\",\"service\":\"logs\",\"subnets\":[\"s-1\",\"s-2\"],\"groups\":[\"g-2\"],"
        "\"private_dns\":true}",
        "{\"id\":\"vpce-1\",\"vpc\":\"v\",\"service\":\"logs\",\"subnets\":[\"s-2\",\"s-3\"],"
        "\"groups\":[\"g-1\"],\"policy\":{\"Statement\":[]},\"private_dns\":false}");
    fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(fake_verb(fake, ec2_vpc_endpoint.update, &action), 0);
    assert_string_equal(fake_operations(fake), "ModifyVpcEndpoint");
    assert_string_equal(fake_parameter(fake, 0, "AddSubnetId.1"), "s-1");
    assert_string_equal(fake_parameter(fake, 0, "RemoveSubnetId.1"), "s-3");
    assert_string_equal(fake_parameter(fake, 0, "AddSecurityGroupId.1"), "g-2");
    assert_string_equal(fake_parameter(fake, 0, "RemoveSecurityGroupId.1"), "g-1");
    assert_string_equal(fake_parameter(fake, 0, "ResetPolicy"), "true");
    assert_string_equal(fake_parameter(fake, 0, "PrivateDnsEnabled"), "true");
    assert_null(fake_parameter(fake, 0, "AddRouteTableId.1"));
}

static void a_gateway_endpoint_has_its_prefix_list(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action = fake_action(fake, &ec2_vpc_endpoint,
                                       "{\"vpc\":\"v\",\"service\":\"s3\",\"type\":\"gateway\","
                                       "\"route_tables\":[\"rtb-1\"]}",
                                       NULL);
    fake_ec2_reply(fake, "<vpcEndpoint><vpcEndpointId>vpce-1</vpcEndpointId></vpcEndpoint>");
    fake_ec2_reply(fake, "<prefixListSet><item><prefixListId>pl-1</prefixListId><prefixListName>"
                         "com.amazonaws.eu-west-1.s3</prefixListName></item></prefixListSet>");
    assert_int_equal(fake_verb(fake, ec2_vpc_endpoint.create, &action), 0);
    assert_string_equal(value_text(action.made, "prefix_list"), "pl-1");
    assert_string_equal(fake_parameter(fake, 0, "ServiceName"), "com.amazonaws.eu-west-1.s3");
    assert_string_equal(fake_parameter(fake, 0, "VpcEndpointType"), "Gateway");
    assert_string_equal(fake_parameter(fake, 0, "RouteTableId.1"), "rtb-1");
    assert_null(fake_parameter(fake, 0, "PrivateDnsEnabled"));
}

static void an_endpoint_is_read_in_our_terms(void **state)
{
    struct fake_cloud *fake = *state;
    fake_ec2_reply(
        fake, "<vpcEndpointSet><item><vpcEndpointId>vpce-1</vpcEndpointId><vpcEndpointType>"
              "Interface</vpcEndpointType><vpcId>v</vpcId><serviceName>com.amazonaws.eu-west-1."
              "bedrock-runtime</serviceName><state>Available</state><policyDocument>"
              "{\"Version\":\"2008-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":"
              "\"*\",\"Action\":\"*\",\"Resource\":\"*\"}]}</policyDocument><routeTableIdSet/>"
              "<subnetIdSet><item>s-1</item></subnetIdSet><groupSet><item><groupId>g-1</groupId>"
              "</item></groupSet><privateDnsEnabled>true</privateDnsEnabled>" OURS
              "</item></vpcEndpointSet>");
    assert_int_equal(fake_observe(fake, &ec2_vpc_endpoint), 0);
    const struct value *props = fake->found.items[0].props;
    assert_string_equal(value_text(props, "service"), "bedrock-runtime");
    assert_string_equal(value_text(props, "type"), "interface");
    assert_string_equal(value_text(props, "state"), "available");
    assert_null(value_get(props, "policy"));
    assert_string_equal(json_text(fake->arena, value_get(props, "subnets")), "[\"s-1\"]");
    assert_string_equal(json_text(fake->arena, value_get(props, "groups")), "[\"g-1\"]");
}

static void a_zone_without_the_service_is_explained(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action = fake_action(
        fake, &ec2_vpc_endpoint,
        "{\"vpc\":\"v\",\"service\":\"bedrock-runtime\",\"subnets\":[\"s\"],\"groups\":[\"g\"]}",
        NULL);
    fake_ec2_error(fake, "InvalidParameter",
                   "The VPC endpoint service does not support the availability zone of the subnet: "
                   "subnet-1.");
    fake_ec2_reply(fake, "<serviceDetailSet><item><availabilityZoneSet><item>eu-west-1a</item>"
                         "<item>eu-west-1b</item></availabilityZoneSet></item></serviceDetailSet>");
    assert_true(fake_verb(fake, ec2_vpc_endpoint.create, &action) < 0);
    assert_non_null(strstr(fake->error.message, "only: eu-west-1a eu-west-1b"));
}

static void an_endpoint_without_its_parts_is_refused(void **state)
{
    struct fake_cloud *fake = *state;
    const char *bad[] = {
        "{\"vpc\":\"v\",\"service\":\"logs\",\"subnets\":[\"s\"]}",
        "{\"vpc\":\"v\",\"service\":\"logs\",\"groups\":[\"g\"]}",
        "{\"vpc\":\"v\",\"service\":\"s3\",\"type\":\"gateway\",\"groups\":[\"g\"]}",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct action action = fake_action(fake, &ec2_vpc_endpoint, bad[i], NULL);
        assert_int_equal(fake_verb(fake, ec2_vpc_endpoint.create, &action), ERR_INPUT);
    }
    assert_int_equal(fake->transport->request_count, 0);
}

static void a_name_in_china_may_begin_with_cn(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action = fake_action(
        fake, &ec2_vpc_endpoint,
        "{\"vpc\":\"v\",\"service\":\"logs\",\"subnets\":[\"s\"],\"groups\":[\"g\"]}", NULL);
    fake_cloud_move(fake, "cn-north-1");
    fake_ec2_error(fake, "InvalidServiceName", "no com.amazonaws.cn-north-1.logs");
    fake_ec2_reply(fake, "<vpcEndpoint><vpcEndpointId>vpce-1</vpcEndpointId></vpcEndpoint>");
    assert_int_equal(fake_verb(fake, ec2_vpc_endpoint.create, &action), 0);
    assert_string_equal(fake_parameter(fake, 1, "ServiceName"), "cn.com.amazonaws.cn-north-1.logs");
}

static void a_refusal_inside_a_good_reply_is_an_error(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action =
        fake_action(fake, &ec2_vpc_endpoint, "{\"vpc\":\"v\",\"service\":\"s3\"}",
                    "{\"id\":\"vpce-1\",\"vpc\":\"v\",\"service\":\"s3\"}");
    fake_ec2_reply(fake, "<unsuccessful><item><resourceId>vpce-1</resourceId><error><code>"
                         "OperationNotPermitted</code><message>no</message></error></item>"
                         "</unsuccessful>");
    assert_int_equal(fake_verb(fake, ec2_vpc_endpoint.remove, &action), ERR_FAILED);
    assert_string_equal(fake->error.aws_code, "OperationNotPermitted");
    fake_ec2_reply(fake, "<unsuccessful><item><error><code>InvalidVpcEndpoint.NotFound</code>"
                         "</error></item></unsuccessful>");
    assert_int_equal(fake_verb(fake, ec2_vpc_endpoint.remove, &action), 0);
}

/* -- tags, and looking again after a lost reply -- */

static void tags_are_set_and_taken_away(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action = fake_action(fake, &ec2_vpc, "{\"cidr\":\"c\"}", "{\"id\":\"vpc-1\"}");
    action.tags = fake_parse(fake, "{\"ragstack:id\":\"thing\",\"team\":\"search\"}");
    fake_ec2_reply(fake, "<return>true</return>");
    fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(fake_verb(fake, ec2_retag, &action), 0);
    assert_string_equal(fake_operations(fake), "CreateTags DeleteTags");
    assert_string_equal(fake_parameter(fake, 0, "Tag.1.Key"), "team");
    assert_null(fake_parameter(fake, 0, "Tag.2.Key"));
    assert_string_equal(fake_parameter(fake, 1, "ResourceId.1"), "vpc-1");
    assert_string_equal(fake_parameter(fake, 1, "Tag.1.Key"), "ragstack:stack");
}

static void what_a_lost_reply_made_is_found_by_its_tags(void **state)
{
    struct fake_cloud *fake = *state;
    struct found expected = {.id = "thing", .name = "n", .generation = 1};
    fake->only = &expected;
    fake_ec2_reply(fake,
                   "<subnetSet><item><subnetId>subnet-1</subnetId>" OURS "</item></subnetSet>");
    assert_int_equal(fake_observe(fake, &ec2_subnet), 0);
    assert_int_equal(fake->found.count, 1);
    assert_string_equal(fake_parameter(fake, 0, "Filter.3.Name"), "tag:ragstack:id");
    assert_string_equal(fake_parameter(fake, 0, "Filter.3.Value.1"), "thing");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_vpc_is_made_with_its_tags),
        TEST(dns_comes_before_host_names_and_goes_after),
        TEST(a_vpc_is_read_with_its_attributes),
        TEST(a_vpc_that_goes_while_it_is_read_is_passed_over),
        TEST(zones_are_taken_by_name_and_poor_ones_last),
        TEST(a_poor_zone_is_better_than_none),
        TEST(a_zone_too_many_is_an_error),
        TEST(a_zone_by_name_asks_nobody),
        TEST(the_zone_that_exists_is_kept),
        TEST(a_gateway_moves_to_another_vpc),
        TEST(a_gateway_is_detached_before_it_goes),
        TEST(a_deleted_nat_gateway_is_not_there),
        TEST(a_failed_nat_gateway_is_made_anew_and_says_why),
        TEST(an_endpoint_changes_by_what_is_added_and_removed),
        TEST(a_gateway_endpoint_has_its_prefix_list),
        TEST(an_endpoint_is_read_in_our_terms),
        TEST(a_zone_without_the_service_is_explained),
        TEST(an_endpoint_without_its_parts_is_refused),
        TEST(a_name_in_china_may_begin_with_cn),
        TEST(a_refusal_inside_a_good_reply_is_an_error),
        TEST(tags_are_set_and_taken_away),
        TEST(what_a_lost_reply_made_is_found_by_its_tags),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("cloud_ec2", tests, NULL, NULL);
}
