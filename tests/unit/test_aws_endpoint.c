#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/aws/endpoint.h"

/* Variables of the test, as name and value. */
static const char *const *variables;

static const char *read_variable(const char *name)
{
    for (const char *const *at = variables; at && *at; at += 2)
        if (strcmp(at[0], name) == 0)
            return at[1];
    return NULL;
}

struct expected {
    const struct aws_service *service;
    const char *region, *bucket;
    const char *variables[5];
    const char *base, *host, *path, *signing_region;
    bool bucket_in_host;
};

static void assert_resolved(const struct expected *expected)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct endpoint endpoint;
    struct error error = {0};
    variables = expected->variables;
    if (endpoint_resolve(arena, expected->service, expected->region, expected->bucket,
                         read_variable, &endpoint, &error))
        fail_msg("%s", error.message);
    assert_string_equal(endpoint.base, expected->base);
    assert_string_equal(endpoint.host, expected->host);
    assert_string_equal(endpoint.path, expected->path);
    assert_string_equal(endpoint.signing_region, expected->signing_region);
    assert_int_equal(endpoint.bucket_in_host, expected->bucket_in_host);
}

#define AT(host) "https://" host, host, ""

static const struct expected own_hosts[] = {
    {&aws_ec2, "eu-west-1", NULL, {NULL}, AT("ec2.eu-west-1.amazonaws.com"), "eu-west-1", false},
    {&aws_cloudwatch,
     "us-east-1",
     NULL,
     {NULL},
     AT("monitoring.us-east-1.amazonaws.com"),
     "us-east-1",
     false},
    {&aws_apigateway,
     "cn-north-1",
     NULL,
     {NULL},
     AT("apigateway.cn-north-1.amazonaws.com.cn"),
     "cn-north-1",
     false},
    {&aws_sts,
     "us-gov-west-1",
     NULL,
     {NULL},
     AT("sts.us-gov-west-1.amazonaws.com"),
     "us-gov-west-1",
     false},
    {&aws_ec2,
     "us-isob-east-1",
     NULL,
     {NULL},
     AT("ec2.us-isob-east-1.sc2s.sgov.gov"),
     "us-isob-east-1",
     false},
    {&aws_iam, "eu-west-1", NULL, {NULL}, AT("iam.amazonaws.com"), "us-east-1", false},
    {&aws_iam,
     "cn-northwest-1",
     NULL,
     {NULL},
     AT("iam.cn-north-1.amazonaws.com.cn"),
     "cn-north-1",
     false},
    {&aws_iam,
     "us-gov-east-1",
     NULL,
     {NULL},
     AT("iam.us-gov.amazonaws.com"),
     "us-gov-west-1",
     false},
    {&aws_pricing,
     "eu-west-1",
     NULL,
     {NULL},
     AT("api.pricing.us-east-1.amazonaws.com"),
     "us-east-1",
     false},
    {&aws_tagging,
     "eu-west-1",
     NULL,
     {"AWS_USE_FIPS_ENDPOINT", "true"},
     AT("tagging-fips.eu-west-1.amazonaws.com"),
     "eu-west-1",
     false},
    {&aws_lambda,
     "eu-west-1",
     NULL,
     {"AWS_USE_DUALSTACK_ENDPOINT", "true"},
     AT("lambda.eu-west-1.api.aws"),
     "eu-west-1",
     false},
    {&aws_ec2,
     "cn-north-1",
     NULL,
     {"AWS_USE_DUALSTACK_ENDPOINT", "true", "AWS_USE_FIPS_ENDPOINT", "TRUE"},
     AT("ec2-fips.cn-north-1.api.amazonwebservices.com.cn"),
     "cn-north-1",
     false},
    {&aws_iam,
     "eu-west-1",
     NULL,
     {"AWS_USE_DUALSTACK_ENDPOINT", "true"},
     AT("iam.global.api.aws"),
     "us-east-1",
     false},
    {&aws_s3,
     "eu-west-1",
     NULL,
     {"AWS_USE_DUALSTACK_ENDPOINT", "true", "AWS_USE_FIPS_ENDPOINT", "true"},
     AT("s3-fips.dualstack.eu-west-1.amazonaws.com"),
     "eu-west-1",
     false},
};

static void aws_hosts_are_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(own_hosts); i++)
        assert_resolved(&own_hosts[i]);
}

static const struct expected buckets[] = {
    {&aws_s3, "eu-west-1", NULL, {NULL}, AT("s3.eu-west-1.amazonaws.com"), "eu-west-1", false},
    {&aws_s3,
     "us-east-1",
     "my-bucket",
     {NULL},
     AT("my-bucket.s3.us-east-1.amazonaws.com"),
     "us-east-1",
     true},
    {&aws_s3,
     "us-east-1",
     "my.bucket",
     {NULL},
     AT("s3.us-east-1.amazonaws.com"),
     "us-east-1",
     false},
    {&aws_s3,
     "us-east-1",
     "Old_Bucket",
     {NULL},
     AT("s3.us-east-1.amazonaws.com"),
     "us-east-1",
     false},
    {&aws_s3,
     "us-east-1",
     "evil.com/",
     {NULL},
     AT("s3.us-east-1.amazonaws.com"),
     "us-east-1",
     false},
    {&aws_s3,
     "us-east-1",
     "my-bucket",
     {"AWS_ENDPOINT_URL", "http://127.0.0.1:5000"},
     "http://127.0.0.1:5000",
     "127.0.0.1:5000",
     "",
     "us-east-1",
     false},
};

static void buckets_are_in_the_host_where_they_can(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(buckets); i++)
        assert_resolved(&buckets[i]);
}

static const struct expected overrides[] = {
    {&aws_iam,
     "eu-west-1",
     NULL,
     {"AWS_ENDPOINT_URL", "http://localhost:4566/"},
     "http://localhost:4566",
     "localhost:4566",
     "",
     "us-east-1",
     false},
    {&aws_logs,
     "eu-west-1",
     NULL,
     {"AWS_ENDPOINT_URL", "http://a", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "https://b:443/x/y/"},
     "https://b:443/x/y",
     "b",
     "/x/y",
     "eu-west-1",
     false},
    {&aws_logs,
     "eu-west-1",
     NULL,
     {"AWS_ENDPOINT_URL_EC2", "http://a"},
     AT("logs.eu-west-1.amazonaws.com"),
     "eu-west-1",
     false},
    {&aws_bedrock_runtime,
     "eu-west-1",
     NULL,
     {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://[::1]:80"},
     "http://[::1]:80",
     "[::1]",
     "",
     "eu-west-1",
     false},
    {&aws_ec2,
     "eu-west-1",
     NULL,
     {"AWS_ENDPOINT_URL", "http://a", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"},
     AT("ec2.eu-west-1.amazonaws.com"),
     "eu-west-1",
     false},
    {&aws_ec2,
     "eu-west-1",
     NULL,
     {"AWS_ENDPOINT_URL", ""},
     AT("ec2.eu-west-1.amazonaws.com"),
     "eu-west-1",
     false},
};

static void the_environment_overrides_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(overrides); i++)
        assert_resolved(&overrides[i]);
}

static void overrides_that_are_no_urls_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"localhost:4566", "ftp://host", "http://", "https:///path",
                                      "http://user:password@host"};
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const char *const set[] = {"AWS_ENDPOINT_URL", bad[i], NULL};
        struct endpoint endpoint;
        struct error error = {0};
        variables = set;
        assert_int_equal(
            endpoint_resolve(arena, &aws_ec2, "eu-west-1", NULL, read_variable, &endpoint, &error),
            ERR_INPUT);
        assert_non_null(strstr(error.message, "AWS_ENDPOINT_URL"));
        assert_null(strstr(error.message, "password"));
    }
}

static void partitions_are_told_by_the_region(void **state)
{
    (void)state;
    assert_string_equal(endpoint_partition("eu-central-2"), "aws");
    assert_string_equal(endpoint_partition("us-east-1"), "aws");
    assert_string_equal(endpoint_partition("cn-north-1"), "aws-cn");
    assert_string_equal(endpoint_partition("us-gov-west-1"), "aws-us-gov");
    assert_string_equal(endpoint_partition("us-iso-east-1"), "aws-iso");
    assert_string_equal(endpoint_partition("us-isob-east-1"), "aws-iso-b");
    assert_string_equal(endpoint_partition("eusc-de-east-1"), "aws-eusc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aws_hosts_are_known),
        cmocka_unit_test(buckets_are_in_the_host_where_they_can),
        cmocka_unit_test(the_environment_overrides_hosts),
        cmocka_unit_test(overrides_that_are_no_urls_are_refused),
        cmocka_unit_test(partitions_are_told_by_the_region),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
