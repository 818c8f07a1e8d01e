/* Listings: every shape of paging that the services have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/aws/client.h"
#include "pkg/value/json.h"
#include "tests/unit/fake_transport.h"

static const char *no_variable(const char *name)
{
    (void)name;
    return NULL;
}

struct fixture {
    struct fake_transport *fake;
    struct virtual_clock clock;
    struct credential_provider *credentials;
    struct aws_client *client;
    struct arena *arena;
};

static int set_up(void **state)
{
    struct arena *arena = arena_new();
    struct fixture *fixture = arena_new_of(arena, struct fixture);
    fixture->arena = arena;
    fixture->fake = fake_transport_new();
    clock_virtual(&fixture->clock, 0);
    fixture->credentials = credential_provider_static("AKID", "secret", NULL);
    const struct aws_client_options options = {.transport = &fixture->fake->transport,
                                               .clock = &fixture->clock.clock,
                                               .credentials = fixture->credentials,
                                               .region = "eu-west-1",
                                               .getenv = no_variable};
    fixture->client = aws_client_new(&options);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    int unexpected = fixture->fake->unexpected;
    aws_client_free(fixture->client);
    credential_provider_free(fixture->credentials);
    fake_transport_free(fixture->fake);
    arena_free(fixture->arena);
    return unexpected;
}

static const char *list(struct fixture *fixture, const struct aws_service *service,
                        const char *operation, const char *json)
{
    struct value *parameters, *items;
    struct error error = {0};
    assert_int_equal(json_parse(fixture->arena, json, strlen(json), "test", &parameters, &error),
                     0);
    const struct value *before = value_copy(fixture->arena, parameters);
    if (aws_list(NULL, fixture->client, fixture->arena, service, operation, parameters, &items,
                 &error))
        return arena_strdup(fixture->arena, error.message);
    assert_true(value_equal(before, parameters)); /* the caller's own are left alone */
    return json_text(fixture->arena, items);
}

static void assert_sent(const struct fixture *fixture, size_t index, const char *part)
{
    const struct fake_request *request = &fixture->fake->requests[index];
    assert_true(index < fixture->fake->request_count);
    if (!strstr(request->body, part) && !strstr(request->url, part))
        fail_msg("\"%s\" is neither in %s nor in %s", part, request->url, request->body);
}

static void ec2_pages_by_token(void **state)
{
    struct fixture *fixture = *state;
    fake_reply(fixture->fake, 200,
               "<DescribeVpcsResponse><vpcSet><item><vpcId>1</vpcId></item></vpcSet>"
               "<nextToken>t/1</nextToken></DescribeVpcsResponse>");
    fake_reply(fixture->fake, 200,
               "<DescribeVpcsResponse><vpcSet/><nextToken>t2</nextToken></DescribeVpcsResponse>");
    fake_reply(fixture->fake, 200,
               "<DescribeVpcsResponse><vpcSet><item><vpcId>2</vpcId></item><item><vpcId>3</vpcId>"
               "</item></vpcSet><nextToken/></DescribeVpcsResponse>");
    assert_string_equal(list(fixture, &aws_ec2, "DescribeVpcs", "{\"MaxResults\": 5}"),
                        "[{\"vpcId\":\"1\"},{\"vpcId\":\"2\"},{\"vpcId\":\"3\"}]");
    assert_int_equal(fixture->fake->request_count, 3);
    assert_null(strstr(fixture->fake->requests[0].body, "NextToken"));
    assert_sent(fixture, 1, "MaxResults=5&NextToken=t%2F1");
    assert_sent(fixture, 2, "MaxResults=5&NextToken=t2");
}

static void query_pages_by_marker(void **state)
{
    struct fixture *fixture = *state;
    fake_reply(fixture->fake, 200,
               "<ListRolesResponse><ListRolesResult><IsTruncated>true</IsTruncated><Roles><member>"
               "<RoleName>a</RoleName></member></Roles><Marker>m</Marker></ListRolesResult>"
               "</ListRolesResponse>");
    fake_reply(fixture->fake, 200,
               "<ListRolesResponse><ListRolesResult><IsTruncated>false</IsTruncated><Roles><member>"
               "<RoleName>b</RoleName></member></Roles></ListRolesResult></ListRolesResponse>");
    assert_string_equal(list(fixture, &aws_iam, "ListRoles", "{\"PathPrefix\": \"/x/\"}"),
                        "[{\"RoleName\":\"a\"},{\"RoleName\":\"b\"}]");
    assert_sent(fixture, 1, "PathPrefix=%2Fx%2F&Marker=m");
}

static void json_pages_by_token_and_empty_ends(void **state)
{
    struct fixture *fixture = *state;
    fake_reply(fixture->fake, 200,
               "{\"ResourceTagMappingList\": [{\"ResourceARN\": \"a\"}], \"PaginationToken\": "
               "\"p\"}");
    fake_reply(fixture->fake, 200,
               "{\"ResourceTagMappingList\": [{\"ResourceARN\": \"b\"}], \"PaginationToken\": "
               "\"\"}");
    assert_string_equal(list(fixture, &aws_tagging, "GetResources", "{}"),
                        "[{\"ResourceARN\":\"a\"},{\"ResourceARN\":\"b\"}]");
    assert_sent(fixture, 1, "{\"PaginationToken\":\"p\"}");
}

static void rest_pages_in_the_query_string(void **state)
{
    struct fixture *fixture = *state;
    fake_reply(fixture->fake, 200, "{\"Functions\": [{\"n\": 1}], \"NextMarker\": \"m 1\"}");
    fake_reply(fixture->fake, 200, "{\"Functions\": [], \"NextMarker\": null}");
    assert_string_equal(list(fixture, &aws_lambda, "ListFunctions", "{}"), "[{\"n\":1}]");
    assert_sent(fixture, 1, "/2015-03-31/functions?Marker=m%201");
    fake_reply(fixture->fake, 200, "{\"items\": [{\"n\": 1}], \"nextToken\": \"t\"}");
    fake_reply(fixture->fake, 200, "{\"items\": [{\"n\": 2}]}");
    assert_string_equal(list(fixture, &aws_apigateway, "GetRoutes", "{\"apiId\": \"a\"}"),
                        "[{\"n\":1},{\"n\":2}]");
    assert_sent(fixture, 3, "/v2/apis/a/routes?nextToken=t");
}

/* Two tokens, and items of two kinds. */
static void versions_page_by_two_markers(void **state)
{
    struct fixture *fixture = *state;
    fake_reply(fixture->fake, 200,
               "<ListVersionsResult><Version><Key>a</Key></Version><DeleteMarker><Key>b</Key>"
               "</DeleteMarker><Version><Key>c</Key></Version><NextKeyMarker>c</NextKeyMarker>"
               "<NextVersionIdMarker>v</NextVersionIdMarker></ListVersionsResult>");
    fake_reply(fixture->fake, 200,
               "<ListVersionsResult><DeleteMarker><Key>d</Key></DeleteMarker><NextKeyMarker>d"
               "</NextKeyMarker></ListVersionsResult>");
    fake_reply(fixture->fake, 200, "<ListVersionsResult/>");
    assert_string_equal(list(fixture, &aws_s3, "ListObjectVersions", "{\"Bucket\": \"buck\"}"),
                        "[{\"Key\":\"a\"},{\"Key\":\"c\"},{\"Key\":\"b\"},{\"Key\":\"d\"}]");
    assert_sent(fixture, 1, "?versions&key-marker=c&version-id-marker=v");
    assert_null(strstr(fixture->fake->requests[2].url, "version-id-marker"));
    assert_sent(fixture, 2, "key-marker=d");
}

static void a_listing_may_have_one_page_only(void **state)
{
    struct fixture *fixture = *state;
    fake_reply(fixture->fake, 200,
               "<DescribeAddressesResponse><addressesSet><item><publicIp>1</publicIp></item>"
               "</addressesSet></DescribeAddressesResponse>");
    assert_string_equal(list(fixture, &aws_ec2, "DescribeAddresses", "{}"),
                        "[{\"publicIp\":\"1\"}]");
}

static struct fake_reply same_page(void *data, const struct fake_request *request)
{
    (void)data, (void)request;
    return (struct fake_reply){.status = 200,
                               .body = "{\"logGroups\": [{}], \"nextToken\": \"same\"}"};
}

static void pages_that_do_not_end_are_an_error(void **state)
{
    struct fixture *fixture = *state;
    fixture->fake->answer = same_page;
    assert_string_equal(list(fixture, &aws_logs, "DescribeLogGroups", "{}"),
                        "logs DescribeLogGroups: the pages do not come to an end");
    assert_int_equal(fixture->fake->request_count, 2);
}

static void a_page_that_fails_fails_the_listing(void **state)
{
    struct fixture *fixture = *state;
    fake_reply(fixture->fake, 200, "{\"logGroups\": [{}], \"nextToken\": \"t\"}");
    fake_reply(fixture->fake, 400,
               "{\"__type\": \"InvalidParameterException\", \"message\": \"expired token\"}");
    assert_string_equal(list(fixture, &aws_logs, "DescribeLogGroups", "{}"),
                        "logs DescribeLogGroups: InvalidParameterException: expired token");
}

static void what_is_no_listing_is_not_sent(void **state)
{
    struct fixture *fixture = *state;
    assert_non_null(
        strstr(list(fixture, &aws_ec2, "CreateTags", "{}"), "CreateTags is no listing"));
    assert_non_null(strstr(list(fixture, &aws_ec2, "DescribeMoons", "{}"), "is no listing"));
    assert_int_equal(fixture->fake->request_count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(ec2_pages_by_token),
        TEST(query_pages_by_marker),
        TEST(json_pages_by_token_and_empty_ends),
        TEST(rest_pages_in_the_query_string),
        TEST(versions_page_by_two_markers),
        TEST(a_listing_may_have_one_page_only),
        TEST(pages_that_do_not_end_are_an_error),
        TEST(a_page_that_fails_fails_the_listing),
        TEST(what_is_no_listing_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
