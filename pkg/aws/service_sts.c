#include <stddef.h>

#include "pkg/aws/service.h"

static const struct aws_operation operations[] = {
    {.name = "AssumeRole", .reads = true},
    {.name = "AssumeRoleWithWebIdentity", .reads = true},
    {.name = NULL},
};

const struct aws_service aws_sts = {
    .id = "sts",
    .sdk_id = "STS",
    .endpoint_prefix = "sts",
    .signing_name = "sts",
    .protocol = AWS_QUERY,
    .version = "2011-06-15",
    .calls_per_s = 20,
    .burst = 50,
    .operations = operations,
};
