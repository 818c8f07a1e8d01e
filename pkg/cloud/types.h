/* The kinds of the aws target: the one list. A new kind is a file that defines it, and a line here.
 */
#ifndef RAGSTACK_CLOUD_TYPES_H
#define RAGSTACK_CLOUD_TYPES_H

#include "pkg/resource/type.h"

#define CLOUD_TYPES(X)      \
    X(ec2_vpc)              \
    X(ec2_subnet)           \
    X(ec2_internet_gateway) \
    X(ec2_elastic_ip)       \
    X(ec2_nat_gateway)      \
    X(ec2_route_table)      \
    X(ec2_security_group)   \
    X(ec2_vpc_endpoint)     \
    X(rds_subnet_group)     \
    X(rds_parameter_group)  \
    X(rds_instance)         \
    X(rds_proxy)            \
    X(iam_role)             \
    X(logs_group)           \
    X(lambda_function)      \
    X(rag_schema)           \
    X(apigateway_api)       \
    X(s3_bucket)            \
    X(sns_topic)            \
    X(cloudwatch_alarm)     \
    X(cloudwatch_dashboard)

#define CLOUD_TYPE_DECLARE(type) extern const struct resource_type type;
CLOUD_TYPES(CLOUD_TYPE_DECLARE)
#undef CLOUD_TYPE_DECLARE

#endif
