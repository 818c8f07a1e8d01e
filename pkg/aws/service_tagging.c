#include <stddef.h>

#include "pkg/aws/service.h"

#define PAGED(operation, items)                                                           \
    {                                                                                     \
        .name = (operation), .page_in = "PaginationToken", .page_out = "PaginationToken", \
        .page_items = (items)                                                             \
    }

static const struct aws_operation operations[] = {
    PAGED("GetResources", "ResourceTagMappingList"),
    PAGED("GetTagKeys", "TagKeys"),
    PAGED("GetTagValues", "TagValues"),
    {.name = NULL},
};

const struct aws_service aws_tagging = {
    .id = "tagging",
    .sdk_id = "RESOURCE_GROUPS_TAGGING_API",
    .endpoint_prefix = "tagging",
    .signing_name = "tagging",
    .protocol = AWS_JSON,
    .version = "2017-01-26",
    .target_prefix = "ResourceGroupsTaggingAPI_20170126",
    .json_version = "1.1",
    .calls_per_s = 3,
    .burst = 5,
    .operations = operations,
};
