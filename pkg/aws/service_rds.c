#include <stddef.h>

#include "pkg/aws/service.h"

#define PAGED(operation, items)                                                               \
    {                                                                                         \
        .name = (operation), .page_in = "Marker", .page_out = "Marker", .page_items = (items) \
    }

static const struct aws_operation operations[] = {
    PAGED("DescribeCertificates", "Certificates.Certificate"),
    PAGED("DescribeDBEngineVersions", "DBEngineVersions.DBEngineVersion"),
    PAGED("DescribeDBInstanceAutomatedBackups",
          "DBInstanceAutomatedBackups.DBInstanceAutomatedBackup"),
    PAGED("DescribeDBInstances", "DBInstances.DBInstance"),
    PAGED("DescribeDBLogFiles", "DescribeDBLogFiles.DescribeDBLogFilesDetails"),
    PAGED("DescribeDBParameterGroups", "DBParameterGroups.DBParameterGroup"),
    PAGED("DescribeDBParameters", "Parameters.Parameter"),
    PAGED("DescribeDBProxies", "DBProxies.member"),
    PAGED("DescribeDBProxyEndpoints", "DBProxyEndpoints.member"),
    PAGED("DescribeDBProxyTargetGroups", "TargetGroups.member"),
    PAGED("DescribeDBProxyTargets", "Targets.member"),
    PAGED("DescribeDBSnapshots", "DBSnapshots.DBSnapshot"),
    PAGED("DescribeDBSubnetGroups", "DBSubnetGroups.DBSubnetGroup"),
    PAGED("DescribeEvents", "Events.Event"),
    PAGED("DescribeOrderableDBInstanceOptions",
          "OrderableDBInstanceOptions.OrderableDBInstanceOption"),
    PAGED("DescribePendingMaintenanceActions",
          "PendingMaintenanceActions.ResourcePendingMaintenanceActions"),
    {.name = "DescribeAccountAttributes", .page_items = "AccountQuotas.AccountQuota"},
    {.name = "ListTagsForResource", .page_items = "TagList.Tag"},
    {.name = "AddTagsToResource", .repeat = AWS_REPEAT_ALWAYS},
    {.name = "ResetDBParameterGroup", .repeat = AWS_REPEAT_ALWAYS},
    {.name = NULL},
};

const struct aws_service aws_rds = {
    .id = "rds",
    .sdk_id = "RDS",
    .endpoint_prefix = "rds",
    .signing_name = "rds",
    .protocol = AWS_QUERY,
    .version = "2014-10-31",
    .calls_per_s = 5,
    .burst = 20,
    .operations = operations,
};
