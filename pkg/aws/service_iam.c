#include <stddef.h>

#include "pkg/aws/service.h"

#define PAGED(operation, items)                                                               \
    {                                                                                         \
        .name = (operation), .page_in = "Marker", .page_out = "Marker", .page_items = (items) \
    }

static const struct aws_operation operations[] = {
    PAGED("GetAccountAuthorizationDetails", "RoleDetailList.member"),
    PAGED("ListAttachedRolePolicies", "AttachedPolicies.member"),
    PAGED("ListInstanceProfilesForRole", "InstanceProfiles.member"),
    PAGED("ListOpenIDConnectProviderTags", "Tags.member"),
    PAGED("ListRolePolicies", "PolicyNames.member"),
    PAGED("ListRoleTags", "Tags.member"),
    PAGED("ListRoles", "Roles.member"),
    PAGED("SimulateCustomPolicy", "EvaluationResults.member"),
    PAGED("SimulatePrincipalPolicy", "EvaluationResults.member"),
    {.name = "AttachRolePolicy", .repeat = AWS_REPEAT_ALWAYS},
    {.name = NULL},
};

const struct aws_service aws_iam = {
    .id = "iam",
    .sdk_id = "IAM",
    .endpoint_prefix = "iam",
    .signing_name = "iam",
    .protocol = AWS_QUERY,
    .version = "2010-05-08",
    .global_region = "us-east-1",
    .global_host = true,
    .calls_per_s = 10,
    .burst = 20,
    .operations = operations,
};
