#include <stddef.h>

#include "pkg/aws/service.h"

#define PAGED(operation, items)                                               \
    {                                                                         \
        .name = (operation), .page_in = "NextToken", .page_out = "NextToken", \
        .page_items = (items)                                                 \
    }

static const struct aws_operation operations[] = {
    PAGED("ListAWSDefaultServiceQuotas", "Quotas"),
    PAGED("ListServiceQuotas", "Quotas"),
    {.name = NULL},
};

const struct aws_service aws_quotas = {
    .id = "quotas",
    .sdk_id = "SERVICE_QUOTAS",
    .endpoint_prefix = "servicequotas",
    .signing_name = "servicequotas",
    .protocol = AWS_JSON,
    .version = "2019-06-24",
    .target_prefix = "ServiceQuotasV20190624",
    .json_version = "1.1",
    .calls_per_s = 2,
    .burst = 5,
    .operations = operations,
};
