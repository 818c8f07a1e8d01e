#include <stddef.h>

#include "pkg/aws/service.h"

#define LIST(operation, items)                     \
    {                                              \
        .name = (operation), .page_items = (items) \
    }
#define PAGED(operation, items)                                               \
    {                                                                         \
        .name = (operation), .page_in = "NextToken", .page_out = "nextToken", \
        .page_items = (items)                                                 \
    }
#define TOKEN(operation)                                                        \
    {                                                                           \
        .name = (operation), .token = "ClientToken", .repeat = AWS_REPEAT_TOKEN \
    }

static const struct aws_operation operations[] = {
    LIST("DescribeAccountAttributes", "accountAttributeSet.item"),
    LIST("DescribeAddresses", "addressesSet.item"),
    LIST("DescribeAvailabilityZones", "availabilityZoneInfo.item"),
    PAGED("DescribeInternetGateways", "internetGatewaySet.item"),
    PAGED("DescribeManagedPrefixLists", "prefixListSet.item"),
    PAGED("DescribeNatGateways", "natGatewaySet.item"),
    PAGED("DescribeNetworkInterfaces", "networkInterfaceSet.item"),
    PAGED("DescribePrefixLists", "prefixListSet.item"),
    LIST("DescribeRegions", "regionInfo.item"),
    PAGED("DescribeRouteTables", "routeTableSet.item"),
    PAGED("DescribeSecurityGroupRules", "securityGroupRuleSet.item"),
    PAGED("DescribeSecurityGroups", "securityGroupInfo.item"),
    PAGED("DescribeSubnets", "subnetSet.item"),
    PAGED("DescribeTags", "tagSet.item"),
    PAGED("DescribeVpcEndpointServices", "serviceDetailSet.item"),
    PAGED("DescribeVpcEndpoints", "vpcEndpointSet.item"),
    PAGED("DescribeVpcs", "vpcSet.item"),
    TOKEN("CreateNatGateway"),
    TOKEN("CreateRouteTable"),
    TOKEN("CreateVpcEndpoint"),
    {.name = "CreateTags", .repeat = AWS_REPEAT_ALWAYS},
    {.name = NULL},
};

const struct aws_service aws_ec2 = {
    .id = "ec2",
    .sdk_id = "EC2",
    .endpoint_prefix = "ec2",
    .signing_name = "ec2",
    .protocol = AWS_EC2,
    .version = "2016-11-15",
    .calls_per_s = 5,
    .burst = 50,
    .operations = operations,
};
