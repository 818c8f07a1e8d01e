#include <stddef.h>

#include "pkg/aws/service.h"

#define PAGED(operation, items)                                               \
    {                                                                         \
        .name = (operation), .page_in = "NextToken", .page_out = "NextToken", \
        .page_items = (items)                                                 \
    }

static const struct aws_operation operations[] = {
    PAGED("DescribeServices", "Services"),
    PAGED("GetAttributeValues", "AttributeValues"),
    PAGED("GetProducts", "PriceList"),
    {.name = NULL},
};

/* Prices of all regions are asked in one region: there are only three that answer. */
const struct aws_service aws_pricing = {
    .id = "pricing",
    .sdk_id = "PRICING",
    .endpoint_prefix = "api.pricing",
    .signing_name = "pricing",
    .protocol = AWS_JSON,
    .version = "2017-10-15",
    .target_prefix = "AWSPriceListService",
    .json_version = "1.1",
    .global_region = "us-east-1",
    .calls_per_s = 2,
    .burst = 5,
    .operations = operations,
};
