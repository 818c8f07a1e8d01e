#include <stddef.h>

#include "pkg/aws/service.h"

#define PAGED(operation, items)                                               \
    {                                                                         \
        .name = (operation), .page_in = "NextToken", .page_out = "NextToken", \
        .page_items = (items)                                                 \
    }

static const struct aws_operation operations[] = {
    PAGED("ListSubscriptions", "Subscriptions.member"),
    PAGED("ListSubscriptionsByTopic", "Subscriptions.member"),
    PAGED("ListTopics", "Topics.member"),
    {.name = "ListTagsForResource", .page_items = "Tags.member"},
    /* Both give what is there already when it is the same. */
    {.name = "CreateTopic", .repeat = AWS_REPEAT_ALWAYS},
    {.name = "Subscribe", .repeat = AWS_REPEAT_ALWAYS},
    {.name = NULL},
};

const struct aws_service aws_sns = {
    .id = "sns",
    .sdk_id = "SNS",
    .endpoint_prefix = "sns",
    .signing_name = "sns",
    .protocol = AWS_QUERY,
    .version = "2010-03-31",
    .calls_per_s = 10,
    .burst = 20,
    .operations = operations,
};
