#include <stddef.h>

#include "pkg/aws/service.h"

#define PAGED(operation, items)                                               \
    {                                                                         \
        .name = (operation), .page_in = "NextToken", .page_out = "NextToken", \
        .page_items = (items)                                                 \
    }

static const struct aws_operation operations[] = {
    PAGED("DescribeAlarmHistory", "AlarmHistoryItems"),
    PAGED("DescribeAlarms", "MetricAlarms"),
    PAGED("GetMetricData", "MetricDataResults"),
    PAGED("ListDashboards", "DashboardEntries"),
    PAGED("ListMetrics", "Metrics"),
    {.name = "ListTagsForResource", .page_items = "Tags"},
    {.name = "PutMetricData", .repeat = AWS_REPEAT_NEVER}, /* would count twice */
    {.name = NULL},
};

const struct aws_service aws_cloudwatch = {
    .id = "cloudwatch",
    .sdk_id = "CLOUDWATCH",
    .endpoint_prefix = "monitoring",
    .signing_name = "monitoring",
    .protocol = AWS_JSON,
    .version = "2010-08-01",
    .target_prefix = "GraniteServiceVersion20100801",
    .json_version = "1.0",
    .query_mode = true,
    .calls_per_s = 3,
    .burst = 9,
    .operations = operations,
};
