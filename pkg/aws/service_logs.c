#include <stddef.h>

#include "pkg/aws/service.h"

#define PAGED(operation, items)                                               \
    {                                                                         \
        .name = (operation), .page_in = "nextToken", .page_out = "nextToken", \
        .page_items = (items)                                                 \
    }

static const struct aws_operation operations[] = {
    PAGED("DescribeLogGroups", "logGroups"),
    PAGED("DescribeLogStreams", "logStreams"),
    PAGED("DescribeMetricFilters", "metricFilters"),
    PAGED("DescribeQueries", "queries"),
    PAGED("DescribeResourcePolicies", "resourcePolicies"),
    PAGED("DescribeSubscriptionFilters", "subscriptionFilters"),
    PAGED("FilterLogEvents", "events"),
    {.name = "PutLogEvents", .repeat = AWS_REPEAT_NEVER}, /* would write them twice */
    {.name = "StartQuery", .reads = true},
    {.name = "StopQuery", .reads = true},
    {.name = NULL},
};

const struct aws_service aws_logs = {
    .id = "logs",
    .sdk_id = "CLOUDWATCH_LOGS",
    .endpoint_prefix = "logs",
    .signing_name = "logs",
    .protocol = AWS_JSON,
    .version = "2014-03-28",
    .target_prefix = "Logs_20140328",
    .json_version = "1.1",
    .calls_per_s = 5,
    .burst = 10,
    .operations = operations,
};
