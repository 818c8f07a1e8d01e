/* A route table's routes and associations. */
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

static const char table[] =
    "<routeTableSet><item><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId><routeSet>"
    "<item><destinationCidrBlock>10.0.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId>"
    "<state>active</state><origin>CreateRouteTable</origin></item>"
    "<item><destinationPrefixListId>pl-1</destinationPrefixListId><gatewayId>vpce-1</gatewayId>"
    "<state>active</state><origin>CreateRoute</origin></item>"
    "<item><destinationCidrBlock>10.9.0.0/16</destinationCidrBlock><gatewayId>vgw-1</gatewayId>"
    "<state>active</state><origin>EnableVgwRoutePropagation</origin></item>"
    "<item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><natGatewayId>nat-1</natGatewayId>"
    "<state>active</state><origin>CreateRoute</origin></item></routeSet><associationSet>"
    "<item><routeTableAssociationId>rtbassoc-0</routeTableAssociationId><main>true</main></item>"
    "<item><routeTableAssociationId>rtbassoc-1</routeTableAssociationId><main>false</main>"
    "<subnetId>subnet-1</subnetId><associationState><state>associated</state></associationState>"
    "</item><item><routeTableAssociationId>rtbassoc-2</routeTableAssociationId><main>false</main>"
    "<subnetId>subnet-2</subnetId><associationState><state>disassociating</state>"
    "</associationState></item></associationSet>"
    "<tagSet><item><key>ragstack:stack</key><value>acme</value></item>"
    "<item><key>ragstack:env</key><value>-</value></item>"
    "<item><key>ragstack:id</key><value>thing</value></item></tagSet></item></routeTableSet>";

static void only_our_routes_and_standing_associations_are_read(void **state)
{
    struct fake_cloud *fake = *state;
    fake_ec2_reply(fake, table);
    assert_int_equal(fake_observe(fake, &ec2_route_table), 0);
    const struct value *props = fake->found.items[0].props;
    assert_string_equal(json_text(fake->arena, value_get(props, "routes")),
                        "[{\"destination\":\"0.0.0.0/0\",\"nat_gateway\":\"nat-1\"}]");
    assert_string_equal(json_text(fake->arena, value_get(props, "subnets")), "[\"subnet-1\"]");
    assert_string_equal(json_text(fake->arena, value_get(props, "associations")),
                        "{\"subnet-1\":\"rtbassoc-1\"}");
    assert_string_equal(fake_parameter(fake, 0, "Filter.1.Name"), "tag:ragstack:stack");
    assert_string_equal(fake_parameter(fake, 0, "Filter.2.Value.1"), "-");
}

static int update(struct fake_cloud *fake, const char *want, const char *have,
                  struct action *action)
{
    *action = fake_action(
        fake, &ec2_route_table, arena_printf(fake->arena, "{\"vpc\":\"vpc-1\",%s}", want),
        arena_printf(fake->arena, "{\"id\":\"rtb-1\",\"vpc\":\"vpc-1\",%s}", have));
    return fake_verb(fake, ec2_route_table.update, action);
}

static void a_changed_target_replaces_its_route(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action;
    for (int i = 0; i < 3; i++)
        fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(update(fake,
                            "\"routes\":[{\"destination\":\"0.0.0.0/0\",\"nat_gateway\":\"nat-2\"},"
                            "{\"destination\":\"::/0\",\"egress_only_gateway\":\"eigw-1\"}]",
                            "\"routes\":[{\"destination\":\"0.0.0.0/0\",\"gateway\":\"igw-1\"},"
                            "{\"destination\":\"pl-9\",\"gateway\":\"vgw-1\"}]",
                            &action),
                     0);
    assert_string_equal(fake_operations(fake), "ReplaceRoute CreateRoute DeleteRoute");
    assert_string_equal(fake_parameter(fake, 0, "NatGatewayId"), "nat-2");
    assert_null(fake_parameter(fake, 0, "GatewayId"));
    assert_string_equal(fake_parameter(fake, 1, "DestinationIpv6CidrBlock"), "::/0");
    assert_string_equal(fake_parameter(fake, 2, "DestinationPrefixListId"), "pl-9");
}

static void a_subnet_of_this_run_is_associated_at_once(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action;
    map_put(&fake->cloud.made, "subnet-1", fake);
    fake_ec2_reply(fake, "<associationId>rtbassoc-5</associationId>");
    assert_int_equal(update(fake, "\"subnets\":[\"subnet-1\"]", "\"subnets\":[]", &action), 0);
    assert_string_equal(fake_operations(fake), "AssociateRouteTable");
    assert_string_equal(value_text_at(action.made, "associations.subnet-1"), "rtbassoc-5");
}

static void a_subnet_of_another_table_is_moved(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action;
    fake_ec2_reply(fake, table);
    fake_ec2_reply(fake, "<newAssociationId>rtbassoc-7</newAssociationId>");
    fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(update(fake, "\"subnets\":[\"subnet-1\"]",
                            "\"subnets\":[\"subnet-3\"],"
                            "\"associations\":{\"subnet-3\":\"rtbassoc-3\"}",
                            &action),
                     0);
    assert_string_equal(fake_operations(fake), "DescribeRouteTables ReplaceRouteTableAssociation "
                                               "DisassociateRouteTable");
    assert_string_equal(fake_parameter(fake, 1, "AssociationId"), "rtbassoc-1");
    assert_string_equal(fake_parameter(fake, 1, "RouteTableId"), "rtb-1");
    assert_string_equal(fake_parameter(fake, 2, "AssociationId"), "rtbassoc-3");
}

static void an_association_that_went_meanwhile_is_made_anew(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action;
    fake_ec2_reply(fake, table);
    fake_ec2_error(fake, "InvalidAssociationID.NotFound", "no rtbassoc-1");
    fake_ec2_reply(fake, "<associationId>rtbassoc-8</associationId>");
    assert_int_equal(update(fake, "\"subnets\":[\"subnet-1\"]", "\"subnets\":[]", &action), 0);
    assert_string_equal(value_text_at(action.made, "associations.subnet-1"), "rtbassoc-8");
}

static void a_table_leaves_its_subnets_before_it_goes(void **state)
{
    struct fake_cloud *fake = *state;
    struct action action = fake_action(fake, &ec2_route_table, "{\"vpc\":\"vpc-1\"}",
                                       "{\"id\":\"rtb-1\",\"vpc\":\"vpc-1\",\"associations\":"
                                       "{\"subnet-1\":\"rtbassoc-1\"}}");
    fake_ec2_error(fake, "InvalidAssociationID.NotFound", "gone with its subnet");
    fake_ec2_reply(fake, "<return>true</return>");
    assert_int_equal(fake_verb(fake, ec2_route_table.remove, &action), 0);
    assert_string_equal(fake_operations(fake), "DisassociateRouteTable DeleteRouteTable");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_our_routes_and_standing_associations_are_read),
        TEST(a_changed_target_replaces_its_route),
        TEST(a_subnet_of_this_run_is_associated_at_once),
        TEST(a_subnet_of_another_table_is_moved),
        TEST(an_association_that_went_meanwhile_is_made_anew),
        TEST(a_table_leaves_its_subnets_before_it_goes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("cloud_ec2_route_table", tests, NULL, NULL);
}
