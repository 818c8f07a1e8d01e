#include "pkg/cloud/terraform.h"

#include "pkg/cloud/rds.h"

/* One argument, and a list of them in place. */
#define A(name_, from_, ...)                          \
    {                                                 \
        .name = (name_), .from = (from_), __VA_ARGS__ \
    }
#define ARGUMENTS(...) ((const struct terraform_argument[]){__VA_ARGS__, {0}})
#define TAGS A("tags", "tags")

/* -- the network -- */

static const struct terraform_argument rule_arguments[] = {
    A("security_group_id", "id"),
    A("type", "item.direction"),
    A("protocol", "=\"-1\"", .when = "item.protocol=all"),
    A("protocol", "item.protocol"),
    A("from_port", "item.port"),
    A("from_port", "item.from_port"),
    A("from_port", "=-1", .when = "item.protocol=icmp|icmpv6"),
    A("from_port", "=0"),
    A("to_port", "item.port"),
    A("to_port", "item.to_port"),
    A("to_port", "=-1", .when = "item.protocol=icmp|icmpv6"),
    A("to_port", "=65535", .when = "item.protocol=tcp|udp"),
    A("to_port", "=0"),
    A("source_security_group_id", "item.group"),
    A("cidr_blocks", "item.cidr", .how = TERRAFORM_LIST),
    A("ipv6_cidr_blocks", "item.cidr6", .how = TERRAFORM_LIST),
    A("prefix_list_ids", "item.prefix_list", .how = TERRAFORM_LIST),
    A("description", "item.description"),
    {0},
};

static const struct terraform_argument route_arguments[] = {
    A("route_table_id", "id"),
    A("destination_prefix_list_id", "item.destination", .when = "item.destination~pl-"),
    A("destination_ipv6_cidr_block", "item.destination", .when = "item.destination~:"),
    A("destination_cidr_block", "item.destination", .when = "item.destination~."),
    A("gateway_id", "item.gateway"),
    A("nat_gateway_id", "item.nat_gateway"),
    A("transit_gateway_id", "item.transit_gateway"),
    A("vpc_peering_connection_id", "item.peering"),
    A("egress_only_gateway_id", "item.egress_only_gateway"),
    A("network_interface_id", "item.interface"),
    {0},
};

static const struct terraform_argument endpoint_arguments[] = {
    A("vpc_id", "vpc"),
    A("vpc_endpoint_type", "=\"Gateway\"", .when = "type=gateway"),
    A("vpc_endpoint_type", "=\"Interface\""),
    A("service_name", "service", .when = "service~com.amazonaws."),
    A("service_name", "service", .when = "service~aws.sagemaker."),
    A("service_name", "com.amazonaws.{stack.region}.{service}"),
    A("policy", "policy", .how = TERRAFORM_JSON),
    A("private_dns_enabled", "private_dns", .when = "type=interface"),
    A("subnet_ids", "subnets"),
    A("security_group_ids", "groups"),
    A("route_table_ids", "route_tables"),
    TAGS,
    {0},
};

/* -- the database -- */

static const struct terraform_argument instance_arguments[] = {
    A("identifier", "name"),
    A("engine", "engine"),
    A("engine_version", "version"),
    A("instance_class", "class"),
    A("allocated_storage", "storage_gb"),
    A("max_allocated_storage", "max_storage_gb"),
    A("storage_type", "storage_type"),
    A("storage_encrypted", "encrypted"),
    A("kms_key_id", "kms_key"),
    A("db_name", "db_name"),
    A("username", "master_user"),
    A("manage_master_user_password", "=true", .when = "master_auth=managed-secret"),
    A("iam_database_authentication_enabled", "iam_auth"),
    A("multi_az", "multi_az"),
    A("backup_retention_period", "backup_days"),
    A("backup_window", "backup_window"),
    A("maintenance_window", "maintenance_window"),
    A("auto_minor_version_upgrade", "auto_minor_upgrade"),
    A("deletion_protection", "deletion_protection"),
    A("copy_tags_to_snapshot", "copy_tags_to_snapshot"),
    A("performance_insights_enabled", "performance_insights"),
    A("enabled_cloudwatch_logs_exports", "log_exports"),
    A("db_subnet_group_name", "subnet_group"),
    A("parameter_group_name", "parameter_group"),
    A("vpc_security_group_ids", "groups"),
    A("publicly_accessible", "public"),
    TAGS,
    A(RDS_TAG_SCHEMA, "schema", .how = TERRAFORM_TAG),
    {0},
};

static const struct terraform_argument proxy_arguments[] = {
    A("name", "name"),
    A("engine_family", "engine_family"),
    A("role_arn", "role"),
    A("vpc_subnet_ids", "subnets"),
    A("vpc_security_group_ids", "groups"),
    A("require_tls", "require_tls"),
    A("idle_client_timeout", "idle_client_timeout_s"),
    A("debug_logging", "debug_logging"),
    A("auth", "secrets",
      .items = ARGUMENTS(A("auth_scheme", "=\"SECRETS\""), A("iam_auth", "=\"REQUIRED\""),
                         A("secret_arn", "item"))),
    A("auth.iam_auth", "=\"REQUIRED\"", .when = "!secrets"),
    TAGS,
    {0},
};

static const struct terraform_argument pool_arguments[] = {
    A("db_proxy_name", "name"),
    A("connection_pool_config.max_connections_percent", "max_connections_percent"),
    A("connection_pool_config.max_idle_connections_percent", "max_idle_connections_percent"),
    A("connection_pool_config.connection_borrow_timeout", "borrow_timeout_s"),
    A("connection_pool_config.session_pinning_filters", "session_pinning_filters"),
    A("connection_pool_config.init_query", "init_query"),
    {0},
};

/* -- functions -- */

static const struct terraform_argument function_arguments[] = {
    A("function_name", "name"),
    A("description", "description"),
    A("role", "role"),
    A("filename", "=\"handler.zip\""),
    A("handler", "handler"),
    A("runtime", "runtime"),
    A("architectures", "architecture", .how = TERRAFORM_LIST),
    A("memory_size", "memory_mb"),
    A("timeout", "timeout_s"),
    A("layers", "layers"),
    A("reserved_concurrent_executions", "concurrency"),
    A("ephemeral_storage.size", "ephemeral_mb"),
    A("environment.variables", "environment"),
    A("vpc_config.subnet_ids", "subnets"),
    A("vpc_config.security_group_ids", "groups"),
    A("logging_config.log_group", "log_group"),
    A("logging_config.log_format", "log_format"),
    A("tracing_config.mode", "tracing"),
    A("dead_letter_config.target_arn", "dead_letter"),
    TAGS,
    {0},
};

static const struct terraform_argument permission_arguments[] = {
    A("statement_id", "item.id"),
    A("action", "item.action"),
    A("function_name", "name"),
    A("qualifier", "=\"live\""),
    A("principal", "item.principal"),
    A("source_arn", "item.source_arn"),
    A("source_account", "item.source_account"),
    A("principal_org_id", "item.organization"),
    {0},
};

/* -- the API -- */

static const struct terraform_argument api_arguments[] = {
    A("name", "name"),
    A("protocol_type", "=\"HTTP\""),
    A("description", "description"),
    A("disable_execute_api_endpoint", "disable_endpoint"),
    A("cors_configuration.allow_origins", "cors.origins"),
    A("cors_configuration.allow_methods", "cors.methods"),
    A("cors_configuration.allow_headers", "cors.headers"),
    A("cors_configuration.expose_headers", "cors.expose_headers"),
    A("cors_configuration.allow_credentials", "cors.credentials"),
    A("cors_configuration.max_age", "cors.max_age_s"),
    TAGS,
    {0},
};

static const struct terraform_argument stage_arguments[] = {
    A("api_id", "id"),
    A("name", "=\"$default\""),
    A("auto_deploy", "stage.auto_deploy"),
    A("default_route_settings.throttling_rate_limit", "stage.throttle_rate"),
    A("default_route_settings.throttling_burst_limit", "stage.throttle_burst"),
    A("default_route_settings.detailed_metrics_enabled", "stage.detailed_metrics"),
    A("access_log_settings.destination_arn", "parts.stage.accessLogSettings.destinationArn"),
    A("access_log_settings.format", "parts.stage.accessLogSettings.format"),
    A("tags", "parts.stage.tags"),
    {0},
};

static const struct terraform_argument integration_arguments[] = {
    A("api_id", "id"),
    A("integration_type", "item.integrationType"),
    A("integration_uri", "item.integrationUri"),
    A("integration_method", "item.integrationMethod"),
    A("payload_format_version", "item.payloadFormatVersion"),
    A("timeout_milliseconds", "item.timeoutInMillis"),
    {0},
};

static const struct terraform_argument api_route_arguments[] = {
    A("api_id", "id"),
    A("route_key", "item.routeKey"),
    A("authorization_type", "item.authorizationType"),
    A("authorizer_id", "item.authorizerId"),
    A("authorization_scopes", "item.authorizationScopes"),
    A("target", "item.target"),
    {0},
};

/* -- the bucket -- */

static const struct terraform_argument lifecycle_arguments[] = {
    A("bucket", "name"),
    A("rule", "lifecycle",
      .items = ARGUMENTS(A("id", "item.id"), A("status", "=\"Enabled\"", .when = "item.enabled"),
                         A("status", "=\"Disabled\""),
                         A("filter.prefix", "item.prefix", .how = TERRAFORM_EMPTY),
                         A("expiration.days", "item.expire_days"),
                         A("noncurrent_version_expiration.noncurrent_days", "item.noncurrent_days"),
                         A("abort_incomplete_multipart_upload.days_after_initiation",
                           "item.abort_multipart_days"))),
    {0},
};

static const struct terraform_argument notification_arguments[] = {
    A("bucket", "name"),
    A("lambda_function", "notifications",
      .items = ARGUMENTS(A("id", "item.id"), A("lambda_function_arn", "item.function"),
                         A("events", "item.events"), A("filter_prefix", "item.prefix"),
                         A("filter_suffix", "item.suffix"))),
    {0},
};

/* -- watching -- */

static const struct terraform_argument alarm_arguments[] = {
    A("alarm_name", "name"),
    A("alarm_description", "description"),
    A("namespace", "namespace"),
    A("metric_name", "metric"),
    A("dimensions", "dimensions"),
    A("statistic", "statistic", .when = "statistic=SampleCount|Average|Sum|Minimum|Maximum"),
    A("extended_statistic", "statistic",
      .when = "statistic!=SampleCount|Average|Sum|Minimum|Maximum"),
    A("period", "period_s"),
    A("evaluation_periods", "evaluation_periods"),
    A("datapoints_to_alarm", "datapoints"),
    A("threshold", "threshold"),
    A("comparison_operator", "comparison"),
    A("treat_missing_data", "missing_data"),
    A("evaluate_low_sample_count_percentiles", "low_samples", .when = "low_samples=ignore"),
    A("unit", "unit"),
    A("actions_enabled", "actions_enabled"),
    A("alarm_actions", "actions"),
    A("ok_actions", "ok_actions"),
    A("insufficient_data_actions", "insufficient_actions"),
    TAGS,
    {0},
};

/* -- the list -- */

const struct terraform_resource terraform_resources[] = {
    {"ec2.vpc", "aws_vpc", .import = "{id}", .refers = "id=id",
     .arguments = ARGUMENTS(A("cidr_block", "cidr"), A("instance_tenancy", "tenancy"),
                            A("enable_dns_support", "dns_support"),
                            A("enable_dns_hostnames", "dns_hostnames"), TAGS)},
    {"ec2.subnet", "aws_subnet", .import = "{id}", .refers = "id=id",
     .arguments =
         ARGUMENTS(A("vpc_id", "vpc"), A("cidr_block", "cidr"), A("availability_zone", "zone"),
                   A("map_public_ip_on_launch", "map_public_ip"), TAGS)},
    {"ec2.internet_gateway", "aws_internet_gateway", .import = "{id}", .refers = "id=id",
     .arguments = ARGUMENTS(A("vpc_id", "vpc"), TAGS)},
    {"ec2.elastic_ip", "aws_eip", .import = "{id}", .refers = "id=id",
     .arguments = ARGUMENTS(A("domain", "=\"vpc\""), TAGS)},
    {"ec2.nat_gateway", "aws_nat_gateway", .import = "{id}", .refers = "id=id",
     .arguments = ARGUMENTS(A("subnet_id", "subnet"), A("allocation_id", "elastic_ip"),
                            A("connectivity_type", "connectivity"), TAGS)},
    {"ec2.route_table", "aws_route_table", .import = "{id}", .refers = "id=id",
     .arguments = ARGUMENTS(A("vpc_id", "vpc"), TAGS)},
    {"ec2.route_table", "aws_route", .each = "routes", .label = "{item.destination}",
     .import = "{id}_{item.destination}", .arguments = route_arguments},
    {"ec2.route_table", "aws_route_table_association", .each = "subnets", .label = "{item}",
     .import = "{item}/{id}",
     .arguments = ARGUMENTS(A("route_table_id", "id"), A("subnet_id", "item"))},
    {"ec2.security_group", "aws_security_group", .import = "{id}", .refers = "id=id",
     .arguments =
         ARGUMENTS(A("name", "name"), A("description", "description"), A("vpc_id", "vpc"), TAGS)},
    {"ec2.security_group", "aws_security_group_rule", .each = "rules",
     .label = "{item.direction}-{argument.from_port}",
     .import = "{id}_{item.direction}_{argument.protocol}_{argument.from_port}_{argument.to_port}_"
               "{item.cidr}{item.cidr6}{item.group}{item.prefix_list}",
     .arguments = rule_arguments},
    {"ec2.vpc_endpoint", "aws_vpc_endpoint", .import = "{id}", .refers = "id=id",
     .arguments = endpoint_arguments},
    {"rds.subnet_group", "aws_db_subnet_group", .import = "{name}", .refers = "name=name",
     .arguments = ARGUMENTS(A("name", "name"), A("description", "description"),
                            A("subnet_ids", "subnets"), TAGS)},
    {"rds.parameter_group", "aws_db_parameter_group", .import = "{name}", .refers = "name=name",
     .arguments =
         ARGUMENTS(A("name", "name"), A("family", "family"), A("description", "description"),
                   A("parameter", "parameters",
                     .items = ARGUMENTS(A("name", "item.key"), A("value", "item.value"),
                                        A("apply_method", "methods[key]"))),
                   TAGS)},
    {"rds.instance", "aws_db_instance", .import = "{name}",
     .refers = "name=identifier arn=arn endpoint=address resource_id=resource_id",
     .ignore = "skip_final_snapshot,final_snapshot_identifier,delete_automated_backups",
     .keeps = true, .arguments = instance_arguments},
    {"rds.proxy", "aws_db_proxy", .import = "{name}", .refers = "name=name endpoint=endpoint",
     .ignore = "auth",
     .note = "Where it signs in by IAM, auth stands for what the provider 5.x cannot say.",
     .arguments = proxy_arguments},
    {"rds.proxy", "aws_db_proxy_default_target_group", .import = "{name}",
     .arguments = pool_arguments},
    {"rds.proxy", "aws_db_proxy_target", .when = "target",
     .import = "{name}/default/RDS_INSTANCE/{target}",
     .arguments = ARGUMENTS(A("db_proxy_name", "name"), A("target_group_name", "=\"default\""),
                            A("db_instance_identifier", "target"))},
    {"iam.role", "aws_iam_role", .import = "{name}", .refers = "name=name arn=arn",
     .arguments = ARGUMENTS(A("name", "name"), A("path", "path"), A("description", "description"),
                            A("assume_role_policy", "assume", .how = TERRAFORM_JSON),
                            A("max_session_duration", "max_session_s"),
                            A("permissions_boundary", "permissions_boundary"), TAGS)},
    {"iam.role", "aws_iam_role_policy", .each = "policies", .label = "{item.key}",
     .import = "{name}:{item.key}",
     .arguments = ARGUMENTS(A("role", "name"), A("name", "item.key"),
                            A("policy", "item.value", .how = TERRAFORM_JSON))},
    {"iam.role", "aws_iam_role_policy_attachment", .each = "managed_policies", .label = "{item}",
     .import = "{name}/{item}", .arguments = ARGUMENTS(A("role", "name"), A("policy_arn", "item"))},
    {"logs.group", "aws_cloudwatch_log_group", .import = "{name}", .refers = "name=name arn=arn",
     .arguments = ARGUMENTS(A("name", "name"), A("retention_in_days", "retention_days"),
                            A("kms_key_id", "kms_key"), A("log_group_class", "class"), TAGS)},
    {"lambda.function", "aws_lambda_function", .import = "{name}",
     .refers = "name=function_name arn=arn", .ignore = "filename,source_code_hash,publish",
     .note = "Its code stays as it is: name the zip, and take filename out of ignore_changes, to "
             "deploy another.",
     .arguments = function_arguments},
    {"lambda.function", "aws_lambda_alias", .label = "live", .when = "live_version",
     .import = "{name}/live", .refers = "alias_arn=arn",
     .arguments = ARGUMENTS(A("name", "=\"live\""), A("function_name", "name"),
                            A("function_version", "live_version"))},
    {"lambda.function", "aws_lambda_permission", .each = "permissions", .label = "{item.id}",
     .import = "{name}:live/{item.id}", .arguments = permission_arguments},
    {"apigateway.api", "aws_apigatewayv2_api", .import = "{id}",
     .refers = "id=id execution_arn=execution_arn", .arguments = api_arguments},
    {"apigateway.api", "aws_apigatewayv2_stage", .import = "{id}/$default",
     .arguments = stage_arguments},
    {"apigateway.api", "aws_apigatewayv2_authorizer", .when = "parts.authorizer",
     .import = "{id}/{parts.authorizer.authorizerId}", .refers = "parts.authorizer.authorizerId=id",
     .arguments = ARGUMENTS(A("api_id", "id"), A("name", "parts.authorizer.name"),
                            A("authorizer_type", "=\"JWT\""),
                            A("identity_sources", "parts.authorizer.identitySource"),
                            A("jwt_configuration.issuer", "authorizer.issuer"),
                            A("jwt_configuration.audience", "authorizer.audience"))},
    {"apigateway.api", "aws_apigatewayv2_integration", .each = "parts.integrations",
     .label = "{item.integrationId}", .import = "{id}/{item.integrationId}",
     .arguments = integration_arguments},
    {"apigateway.api", "aws_apigatewayv2_route", .each = "parts.routes", .label = "{item.routeKey}",
     .import = "{id}/{item.routeId}", .arguments = api_route_arguments},
    {"s3.bucket", "aws_s3_bucket", .import = "{name}", .refers = "name=bucket arn=arn",
     .keeps = true, .arguments = ARGUMENTS(A("bucket", "name"), TAGS)},
    {"s3.bucket", "aws_s3_bucket_versioning", .when = "versioning", .import = "{name}",
     .arguments =
         ARGUMENTS(A("bucket", "name"), A("versioning_configuration.status", "=\"Enabled\""))},
    {"s3.bucket", "aws_s3_bucket_server_side_encryption_configuration", .import = "{name}",
     .arguments =
         ARGUMENTS(A("bucket", "name"),
                   A("rule.apply_server_side_encryption_by_default.sse_algorithm", "encryption"),
                   A("rule.apply_server_side_encryption_by_default.kms_master_key_id", "kms_key"),
                   A("rule.bucket_key_enabled", "bucket_key"))},
    {"s3.bucket", "aws_s3_bucket_public_access_block", .import = "{name}",
     .arguments =
         ARGUMENTS(A("bucket", "name"), A("block_public_acls", "public_access_block.block_acls"),
                   A("ignore_public_acls", "public_access_block.ignore_acls"),
                   A("block_public_policy", "public_access_block.block_policy"),
                   A("restrict_public_buckets", "public_access_block.restrict"))},
    {"s3.bucket", "aws_s3_bucket_ownership_controls", .import = "{name}",
     .arguments = ARGUMENTS(A("bucket", "name"), A("rule.object_ownership", "ownership"))},
    {"s3.bucket", "aws_s3_bucket_policy", .when = "whole_policy", .import = "{name}",
     .arguments =
         ARGUMENTS(A("bucket", "name"), A("policy", "whole_policy", .how = TERRAFORM_JSON))},
    {"s3.bucket", "aws_s3_bucket_lifecycle_configuration", .when = "lifecycle", .import = "{name}",
     .arguments = lifecycle_arguments},
    {"s3.bucket", "aws_s3_bucket_notification", .when = "notifications", .import = "{name}",
     .arguments = notification_arguments},
    {"sns.topic", "aws_sns_topic", .import = "{arn}", .refers = "arn=arn",
     .arguments = ARGUMENTS(A("name", "name"), A("display_name", "display_name"),
                            A("kms_master_key_id", "kms_key"),
                            A("policy", "policy", .how = TERRAFORM_JSON), TAGS)},
    {"sns.topic", "aws_sns_topic_subscription", .each = "confirmed", .label = "{item.Protocol}",
     .import = "{item.SubscriptionArn}",
     .ignore = "confirmation_timeout_in_minutes,endpoint_auto_confirms",
     .arguments = ARGUMENTS(A("topic_arn", "arn"), A("protocol", "item.Protocol"),
                            A("endpoint", "item.Endpoint"))},
    {"cloudwatch.alarm", "aws_cloudwatch_metric_alarm", .import = "{name}",
     .arguments = alarm_arguments},
    {"cloudwatch.dashboard", "aws_cloudwatch_dashboard", .import = "{name}",
     .arguments = ARGUMENTS(A("dashboard_name", "name"),
                            A("dashboard_body", "body", .how = TERRAFORM_JSON))},
    {0},
};
