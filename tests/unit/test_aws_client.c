/* Calls against a transport whose replies the test writes, under a virtual clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pkg/aws/client.h"
#include "pkg/base/log.h"
#include "pkg/value/json.h"
#include "tests/unit/fake_transport.h"

#define WALL "2026-01-31T12:00:00Z"
#define VPCS "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>"
#define VPC "<CreateVpcResponse><vpc><vpcId>vpc-1</vpcId></vpc></CreateVpcResponse>"
#define EC2_ERROR(code)                                                                     \
    "<Response><Errors><Error><Code>" code "</Code><Message>m</Message></Error></Errors></" \
    "Response>"

/* What the credential chain finds in the environment. */
static const char *access_key_id;

static const char *read_variable(const char *name)
{
    if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0)
        return access_key_id;
    if (strcmp(name, "AWS_EC2_METADATA_DISABLED") == 0)
        return "true";
    return strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0 ? "secret" : NULL;
}

struct fixture {
    struct fake_transport *fake;
    struct virtual_clock clock;
    struct loop *loop;
    struct credential_provider *credentials;
    struct aws_client *client;
    struct arena *arena;
};

static int set_up(void **state)
{
    struct arena *arena = arena_new();
    struct fixture *fixture = arena_new_of(arena, struct fixture);
    fixture->arena = arena;
    access_key_id = "AKIDFIRST";
    fixture->fake = fake_transport_new();
    clock_virtual(&fixture->clock, clock_parse(WALL));
    fixture->loop = loop_new(&fixture->clock.clock);
    const struct credential_options credentials = {
        .clock = &fixture->clock.clock, .region = "eu-west-1", .getenv = read_variable};
    fixture->credentials = credential_provider_new(&credentials);
    const struct aws_client_options options = {.transport = &fixture->fake->transport,
                                               .clock = &fixture->clock.clock,
                                               .credentials = fixture->credentials,
                                               .region = "eu-west-1",
                                               .getenv = read_variable};
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
    loop_free(fixture->loop);
    fake_transport_free(fixture->fake);
    arena_free(fixture->arena);
    return unexpected;
}

/* One call, made in a task. */
struct request {
    struct fixture *fixture;
    const struct aws_service *service;
    const char *operation;
    struct value *parameters;
    struct value *reply;
    int result;
    struct error error;
};

static int make_call(struct task *task, void *argument, struct error *error)
{
    struct request *request = argument;
    (void)error;
    request->result =
        aws_call(task, request->fixture->client, request->fixture->arena, request->service,
                 request->operation, request->parameters, &request->reply, &request->error);
    return 0;
}

static struct request *new_request(struct fixture *fixture, const struct aws_service *service,
                                   const char *operation, const char *json)
{
    struct request *request = arena_new_of(fixture->arena, struct request);
    *request = (struct request){.fixture = fixture, .service = service, .operation = operation};
    struct error error = {0};
    if (json_parse(fixture->arena, json, strlen(json), "test", &request->parameters, &error))
        fail_msg("%s", error.message);
    return request;
}

static struct request *call(struct fixture *fixture, const struct aws_service *service,
                            const char *operation, const char *json)
{
    struct request *request = new_request(fixture, service, operation, json);
    struct error error = {0};
    assert_int_equal(loop_run_task(fixture->loop, operation, make_call, request, &error), 0);
    return request;
}

static void reply_with_header(struct fixture *fixture, int status, const char *body,
                              const char *name, const char *value)
{
    struct http_header *headers = arena_array(fixture->arena, 2, sizeof *headers);
    headers[0] = (struct http_header){name, value};
    fake_reply_with(fixture->fake,
                    (struct fake_reply){.status = status, .body = body, .headers = headers});
}

static int64_t elapsed_ms(const struct fixture *fixture)
{
    return fixture->clock.now_ms;
}

/* -- a call that goes well -- */

static void a_call_is_signed_and_sent(void **state)
{
    struct fixture *fixture = *state;
    fake_reply(fixture->fake, 200, VPC);
    struct request *request =
        call(fixture, &aws_ec2, "CreateVpc", "{\"CidrBlock\": \"10.0.0.0/16\"}");
    assert_int_equal(request->result, 0);
    assert_string_equal(value_text_at(request->reply, "vpc.vpcId"), "vpc-1");
    struct fake_request sent = fake_last(fixture->fake);
    assert_string_equal(sent.method, "POST");
    assert_string_equal(sent.url, "https://ec2.eu-west-1.amazonaws.com/");
    assert_string_equal(sent.body, "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0%2F16");
    assert_string_equal(fake_header(&sent, "Host"), "ec2.eu-west-1.amazonaws.com");
    assert_string_equal(fake_header(&sent, "X-Amz-Date"), "20260131T120000Z");
    const char *authorization = fake_header(&sent, "Authorization");
    assert_non_null(
        strstr(authorization, "Credential=AKIDFIRST/20260131/eu-west-1/ec2/aws4_request"));
    assert_non_null(strstr(authorization, "SignedHeaders=content-type;host;x-amz-date"));
    struct aws_statistics statistics = aws_client_statistics(fixture->client);
    assert_int_equal(statistics.requests, 1);
    assert_int_equal(statistics.writes, 1);
    assert_int_equal(statistics.reads, 0);
    assert_int_equal(statistics.retries, 0);
}

static void s3_is_signed_by_its_own_rules(void **state)
{
    struct fixture *fixture = *state;
    fake_reply(fixture->fake, 200, "");
    call(fixture, &aws_s3, "PutObject",
         "{\"Bucket\": \"my-bucket\", \"Key\": \"a b\", \"Body\": \"x\"}");
    struct fake_request sent = fake_last(fixture->fake);
    assert_string_equal(sent.url, "https://my-bucket.s3.eu-west-1.amazonaws.com/a%20b");
    assert_string_equal(fake_header(&sent, "Host"), "my-bucket.s3.eu-west-1.amazonaws.com");
    assert_string_equal(fake_header(&sent, "x-amz-content-sha256"),
                        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881");
    assert_string_equal(fake_header(&sent, "x-amz-checksum-sha256"),
                        "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=");
    assert_string_equal(fake_header(&sent, "x-amz-sdk-checksum-algorithm"), "SHA256");
}

static void iam_is_signed_in_its_own_region(void **state)
{
    struct fixture *fixture = *state;
    fake_reply(fixture->fake, 200, "<DeleteRoleResponse/>");
    assert_int_equal(call(fixture, &aws_iam, "DeleteRole", "{\"RoleName\": \"r\"}")->result, 0);
    struct fake_request sent = fake_last(fixture->fake);
    assert_string_equal(sent.url, "https://iam.amazonaws.com/");
    assert_non_null(strstr(fake_header(&sent, "Authorization"), "/us-east-1/iam/aws4_request"));
}

static void a_raw_body_is_a_string(void **state)
{
    struct fixture *fixture = *state;
    fake_reply(fixture->fake, 200, "{\"Version\": 1}");
    struct request *request =
        call(fixture, &aws_s3, "GetBucketPolicy", "{\"Bucket\": \"my-bucket\"}");
    assert_int_equal(request->result, 0);
    assert_true(value_is_text(request->reply, "{\"Version\": 1}"));
}

static void tokens_are_filled_in_and_kept(void **state)
{
    struct fixture *fixture = *state;
    fake_reply(fixture->fake, 503, EC2_ERROR("Unavailable"));
    fake_reply(fixture->fake, 200, "<CreateNatGatewayResponse/>");
    fake_reply(fixture->fake, 200, "<CreateNatGatewayResponse/>");
    call(fixture, &aws_ec2, "CreateNatGateway", "{\"SubnetId\": \"s\"}");
    call(fixture, &aws_ec2, "CreateNatGateway", "{\"SubnetId\": \"s\", \"ClientToken\": \"mine\"}");
    const struct fake_request *sent = fixture->fake->requests;
    assert_int_equal(fixture->fake->request_count, 3);
    const char *token = strstr(sent[0].body, "ClientToken=");
    assert_non_null(token);
    assert_int_equal(strlen(token), strlen("ClientToken=") + 36);
    assert_string_equal(sent[0].body, sent[1].body);
    assert_non_null(strstr(sent[2].body, "ClientToken=mine"));
}

/* -- failures -- */

static void a_refusal_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    reply_with_header(fixture, 400, EC2_ERROR("InvalidVpcID.NotFound"), "x-amzn-requestid", "r-1");
    struct request *request = call(fixture, &aws_ec2, "DeleteVpc", "{\"VpcId\": \"vpc-1\"}");
    assert_int_equal(request->result, ERR_NOT_FOUND);
    assert_int_equal(request->error.code, ERR_NOT_FOUND);
    assert_string_equal(request->error.message, "ec2 DeleteVpc: InvalidVpcID.NotFound: m");
    assert_string_equal(request->error.aws_code, "InvalidVpcID.NotFound");
    assert_string_equal(request->error.request_id, "r-1");
    assert_int_equal(request->error.http_status, 400);
    assert_null(request->reply);
    assert_int_equal(fixture->fake->request_count, 1);
}

static void a_denial_names_the_credentials(void **state)
{
    struct fixture *fixture = *state;
    fake_reply(fixture->fake, 403, EC2_ERROR("UnauthorizedOperation"));
    struct request *request = call(fixture, &aws_ec2, "CreateVpc", "{}");
    assert_int_equal(request->result, ERR_DENIED);
    assert_non_null(strstr(request->error.message, "credentials from environment"));
    assert_null(strstr(request->error.message, "secret"));
}

static void what_cannot_be_encoded_is_not_sent(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(call(fixture, &aws_lambda, "GetFunction", "{}")->result, ERR_INPUT);
    assert_int_equal(fixture->fake->request_count, 0);
}

static void missing_credentials_are_told_at_once(void **state)
{
    struct fixture *fixture = *state;
    access_key_id = NULL;
    struct request *request = call(fixture, &aws_ec2, "DescribeVpcs", "{}");
    assert_int_equal(request->result, ERR_DENIED); /* not ERR_NOT_FOUND: that is about resources */
    assert_int_equal(request->error.code, ERR_DENIED);
    assert_non_null(strstr(request->error.message, "no AWS credentials"));
    assert_int_equal(fixture->fake->request_count, 0);
    assert_int_equal(aws_client_statistics(fixture->client).requests, 0);
}

/* -- throttles -- */

static void throttles_are_waited_out(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 12; i++)
        fake_reply(fixture->fake, 503, EC2_ERROR("RequestLimitExceeded"));
    fake_reply(fixture->fake, 200, VPC);
    assert_int_equal(call(fixture, &aws_ec2, "CreateVpc", "{}")->result, 0);
    struct aws_statistics statistics = aws_client_statistics(fixture->client);
    assert_int_equal(statistics.throttles, 12);
    assert_int_equal(statistics.retries, 12);
    assert_int_equal(statistics.requests, 13);
    assert_true(elapsed_ms(fixture) > 10000);
}

static struct fake_reply throttle_all(void *data, const struct fake_request *request)
{
    (void)data, (void)request;
    return (struct fake_reply){.status = 400, .body = "{\"__type\": \"ThrottlingException\"}"};
}

static void a_storm_of_throttles_is_bounded(void **state)
{
    struct fixture *fixture = *state;
    fixture->fake->answer = throttle_all;
    struct request *request = call(fixture, &aws_logs, "CreateLogGroup", "{}");
    assert_int_equal(request->result, ERR_THROTTLED);
    assert_string_equal(request->error.aws_code, "ThrottlingException");
    assert_in_range(elapsed_ms(fixture), 240000, 300000);
    assert_in_range(fixture->fake->request_count, 20, 120);
}

static void the_server_may_ask_for_more_time(void **state)
{
    struct fixture *fixture = *state;
    reply_with_header(fixture, 429, "{}", "retry-after", "30");
    fake_reply(fixture->fake, 200, "{}");
    assert_int_equal(call(fixture, &aws_lambda, "GetAccountSettings", "{}")->result, 0);
    assert_in_range(elapsed_ms(fixture), 30000, 30200);
}

static void a_hard_quota_is_not_waited_for(void **state)
{
    struct fixture *fixture = *state;
    fake_reply(fixture->fake, 400, "{\"__type\": \"LimitExceededException\"}");
    assert_int_equal(call(fixture, &aws_logs, "CreateLogGroup", "{}")->result, ERR_FAILED);
    fake_reply(fixture->fake, 409,
               "<ErrorResponse><Error><Code>LimitExceeded</Code></Error></ErrorResponse>");
    assert_int_equal(call(fixture, &aws_iam, "CreateRole", "{}")->result, ERR_FAILED);
    assert_int_equal(fixture->fake->request_count, 2);
    assert_int_equal(elapsed_ms(fixture), 0);
}

/* -- lost replies and servers in trouble -- */

static void a_read_is_repeated(void **state)
{
    struct fixture *fixture = *state;
    fake_no_reply(fixture->fake, ERR_LOST_REPLY);
    fake_reply(fixture->fake, 500, "<html>oops</html>");
    fake_reply(fixture->fake, 200, "<DescribeVpcsResponse><vpcSet>"); /* cut off */
    fake_reply(fixture->fake, 200, VPCS);
    struct request *request = call(fixture, &aws_ec2, "DescribeVpcs", "{}");
    assert_int_equal(request->result, 0);
    assert_int_equal(aws_client_statistics(fixture->client).retries, 3);
    assert_int_equal(request->error.code, 0); /* nothing is left of what was put right */
}

static void a_read_that_fails_for_good_lost_nothing(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 7; i++)
        fake_no_reply(fixture->fake, ERR_LOST_REPLY);
    struct request *request = call(fixture, &aws_ec2, "DescribeVpcs", "{}");
    assert_int_equal(request->result, ERR_FAILED);
    assert_int_equal(request->error.code, ERR_FAILED);
    assert_int_equal(strncmp(request->error.message, "ec2 DescribeVpcs: no reply", 26), 0);
    assert_int_equal(fixture->fake->request_count, 7);
}

/* A call that could happen twice, and what came back: it is sent once. */
static void assert_lost(struct fixture *fixture, const struct aws_service *service,
                        const char *operation, const char *json)
{
    size_t before = fixture->fake->request_count;
    struct request *request = call(fixture, service, operation, json);
    assert_int_equal(request->result, ERR_LOST_REPLY);
    assert_int_equal(request->error.code, ERR_LOST_REPLY);
    assert_non_null(strstr(request->error.message, "may or may not have happened"));
    assert_int_equal(fixture->fake->request_count, before + 1);
}

static void a_create_is_never_repeated_blindly(void **state)
{
    struct fixture *fixture = *state;
    fake_no_reply(fixture->fake, ERR_LOST_REPLY);
    assert_lost(fixture, &aws_ec2, "CreateVpc", "{}");
    fake_reply(fixture->fake, 500, EC2_ERROR("InternalError"));
    assert_lost(fixture, &aws_ec2, "AllocateAddress", "{}");
    fake_reply(fixture->fake, 504, "");
    assert_lost(fixture, &aws_apigateway, "CreateApi", "{\"name\": \"a\"}");
    fake_reply(fixture->fake, 200, "<html>a proxy's page</html>");
    assert_lost(fixture, &aws_ec2, "CreateVpc", "{}");
    assert_int_equal(elapsed_ms(fixture), 0);
}

static void a_conditional_write_is_never_repeated_blindly(void **state)
{
    struct fixture *fixture = *state;
    const char *lock = "{\"Bucket\": \"my-bucket\", \"Key\": \"lock\", \"IfNoneMatch\": \"*\"}";
    fake_no_reply(fixture->fake, ERR_LOST_REPLY);
    assert_lost(fixture, &aws_s3, "PutObject", lock);
    fake_reply(fixture->fake, 500, "");
    assert_lost(fixture, &aws_lambda, "UpdateFunctionCode",
                "{\"FunctionName\": \"f\", \"RevisionId\": \"1\"}");
}

static void conditions_are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    const char *lock = "{\"Bucket\": \"my-bucket\", \"Key\": \"lock\", \"IfNoneMatch\": \"*\"}";
    fake_reply(fixture->fake, 412, "<Error><Code>PreconditionFailed</Code></Error>");
    struct request *held = call(fixture, &aws_s3, "PutObject", lock);
    assert_int_equal(held->result, ERR_CONFLICT);
    assert_int_equal(held->error.http_status, 412);
    assert_string_equal(held->error.aws_code, "PreconditionFailed");
    fake_reply(fixture->fake, 409, "<Error><Code>ConditionalRequestConflict</Code></Error>");
    struct request *raced = call(fixture, &aws_s3, "PutObject", lock);
    assert_int_equal(raced->result, ERR_CONFLICT);
    assert_int_equal(raced->error.http_status, 409);
    assert_string_equal(raced->error.aws_code, "ConditionalRequestConflict");
    struct fake_request sent = fake_last(fixture->fake);
    assert_string_equal(fake_header(&sent, "If-None-Match"), "*");
    assert_int_equal(fixture->fake->request_count, 2);
}

static void a_create_that_surely_did_not_happen_is_repeated(void **state)
{
    struct fixture *fixture = *state;
    fake_no_reply(fixture->fake, ERR_FAILED);
    fake_reply(fixture->fake, 503, EC2_ERROR("RequestLimitExceeded"));
    fake_reply(fixture->fake, 400, EC2_ERROR("RequestTimeout"));
    fake_reply(fixture->fake, 200, VPC);
    assert_int_equal(call(fixture, &aws_ec2, "CreateVpc", "{}")->result, 0);
    assert_int_equal(fixture->fake->request_count, 4);
}

static void what_cannot_be_reached_is_given_up_soon(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 4; i++)
        fake_no_reply(fixture->fake, ERR_FAILED);
    assert_int_equal(call(fixture, &aws_ec2, "CreateVpc", "{}")->result, ERR_FAILED);
    assert_in_range(elapsed_ms(fixture), 0, 3500);
}

static void changes_that_may_happen_twice_are_repeated(void **state)
{
    struct fixture *fixture = *state;
    fake_no_reply(fixture->fake, ERR_LOST_REPLY);
    fake_reply(fixture->fake, 500, "");
    fake_reply(fixture->fake, 200, "<ModifyVpcAttributeResponse/>");
    assert_int_equal(call(fixture, &aws_ec2, "ModifyVpcAttribute", "{}")->result, 0);
    for (int i = 0; i < 7; i++)
        fake_no_reply(fixture->fake, ERR_LOST_REPLY);
    assert_int_equal(call(fixture, &aws_ec2, "DeleteVpc", "{}")->result, ERR_LOST_REPLY);
}

static void an_error_that_says_200_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    const char *complete = "{\"Bucket\": \"my-bucket\", \"Key\": \"k\", \"UploadId\": \"u\"}";
    fake_reply(fixture->fake, 200, "<Error><Code>NoSuchUpload</Code></Error>");
    struct request *request = call(fixture, &aws_s3, "CompleteMultipartUpload", complete);
    assert_int_equal(request->result, ERR_NOT_FOUND);
    fake_reply(fixture->fake, 200, "<Error><Code>InternalError</Code></Error>");
    assert_lost(fixture, &aws_s3, "CompleteMultipartUpload", complete);
}

static void failed_items_fail_the_call(void **state)
{
    struct fixture *fixture = *state;
    const char *two = "{\"Bucket\": \"my-bucket\", \"Object\": [{\"Key\": \"a\"}]}";
    fake_reply(fixture->fake, 200,
               "<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code><Message>no</Message>"
               "</Error></DeleteResult>");
    assert_int_equal(call(fixture, &aws_s3, "DeleteObjects", two)->result, ERR_DENIED);
    fake_reply(fixture->fake, 200,
               "<DeleteResult><Error><Key>a</Key><Code>SlowDown</Code></Error></DeleteResult>");
    fake_reply(fixture->fake, 200, "<DeleteResult/>");
    assert_int_equal(call(fixture, &aws_s3, "DeleteObjects", two)->result, 0);
}

/* -- clock and credentials -- */

static void the_clock_is_put_right_once_and_stays_so(void **state)
{
    struct fixture *fixture = *state;
    reply_with_header(fixture, 403,
                      "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error>"
                      "</ErrorResponse>",
                      "date", "Sat, 31 Jan 2026 13:30:00 GMT");
    fake_reply(fixture->fake, 200, "<GetRoleResponse/>");
    fake_reply(fixture->fake, 200, "<GetRoleResponse/>");
    assert_int_equal(call(fixture, &aws_iam, "GetRole", "{}")->result, 0);
    assert_int_equal(call(fixture, &aws_iam, "GetRole", "{}")->result, 0);
    const struct fake_request *sent = fixture->fake->requests;
    assert_int_equal(fixture->fake->request_count, 3);
    assert_string_equal(fake_header(&sent[0], "x-amz-date"), "20260131T120000Z");
    assert_string_equal(fake_header(&sent[1], "x-amz-date"), "20260131T133000Z");
    assert_string_equal(fake_header(&sent[2], "x-amz-date"), "20260131T133000Z");
    assert_int_equal(elapsed_ms(fixture), 0);
}

static void a_wrong_key_is_no_wrong_clock(void **state)
{
    struct fixture *fixture = *state;
    reply_with_header(fixture, 401, EC2_ERROR("AuthFailure"), "date",
                      "Sat, 31 Jan 2026 12:00:01 GMT");
    assert_int_equal(call(fixture, &aws_ec2, "CreateVpc", "{}")->result, ERR_DENIED);
    assert_int_equal(fixture->fake->request_count, 1);
}

static struct fake_reply expire_all(void *data, const struct fake_request *request)
{
    (void)data, (void)request;
    access_key_id = "AKIDSECOND";
    return (struct fake_reply){
        .status = 403,
        .body = "<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>"};
}

static void expired_credentials_are_renewed_once(void **state)
{
    struct fixture *fixture = *state;
    fixture->fake->answer = expire_all;
    struct request *request = call(fixture, &aws_iam, "CreateRole", "{}");
    assert_int_equal(request->result, ERR_DENIED);
    const struct fake_request *sent = fixture->fake->requests;
    assert_int_equal(fixture->fake->request_count, 2);
    assert_non_null(strstr(fake_header(&sent[0], "authorization"), "AKIDFIRST"));
    assert_non_null(strstr(fake_header(&sent[1], "authorization"), "AKIDSECOND"));
}

/* -- the guard -- */

static int refuse(void *data, struct error *error)
{
    ++*(int *)data;
    return error_set(error, ERR_LOCKED, "the lease was lost");
}

static void the_guard_stops_changes_only(void **state)
{
    struct fixture *fixture = *state;
    int asked = 0;
    aws_client_set_guard(fixture->client, refuse, &asked);
    struct request *request = call(fixture, &aws_ec2, "CreateVpc", "{}");
    assert_int_equal(request->result, ERR_LOCKED);
    assert_string_equal(request->error.message, "the lease was lost");
    assert_int_equal(fixture->fake->request_count, 0);
    fake_reply(fixture->fake, 200, VPCS);
    assert_int_equal(call(fixture, &aws_ec2, "DescribeVpcs", "{}")->result, 0);
    assert_int_equal(asked, 1);
    struct aws_statistics statistics = aws_client_statistics(fixture->client);
    assert_int_equal(statistics.reads, 1);
    assert_int_equal(statistics.writes, 0);
}

/* -- pacing -- */

static struct fake_reply answer_ok(void *data, const struct fake_request *request)
{
    (void)data, (void)request;
    return (struct fake_reply){.status = 200, .body = "<XResponse/>", .delay_ms = 20};
}

static int make_many(struct task *task, void *argument, struct error *error)
{
    enum { CALLS = 100 };
    struct request *request = argument;
    struct request *all = arena_array(request->fixture->arena, CALLS, sizeof *all);
    for (size_t i = 0; i < CALLS; i++)
        all[i] = *request;
    int result = task_each(task, "call", make_call, all, sizeof *all, CALLS, CALLS, error);
    for (size_t i = 0; i < CALLS && request->result == 0; i++)
        request->result = all[i].result;
    return result;
}

static struct aws_statistics call_many(struct fixture *fixture, const struct aws_service *service,
                                       const char *operation)
{
    struct request *request = new_request(fixture, service, operation, "{}");
    struct error error = {0};
    fixture->fake->answer = answer_ok;
    assert_int_equal(loop_run_task(fixture->loop, "many", make_many, request, &error), 0);
    assert_int_equal(request->result, 0);
    return aws_client_statistics(fixture->client);
}

/* 100 at once: 50 in the burst, and 50 at 5 a second, one after the other. */
static void changes_are_paced(void **state)
{
    struct fixture *fixture = *state;
    struct aws_statistics statistics = call_many(fixture, &aws_ec2, "CreateVpc");
    assert_int_equal(statistics.requests, 100);
    assert_int_equal(elapsed_ms(fixture), 10020);
    assert_int_equal(statistics.paced_ms, 200 * (50 * 51 / 2));
    for (size_t i = 50; i < 100; i++)
        assert_int_equal(fixture->fake->requests[i].at_ms, (i - 49) * 200);
}

static void reads_have_a_bucket_of_their_own(void **state)
{
    struct fixture *fixture = *state;
    struct aws_statistics statistics = call_many(fixture, &aws_ec2, "DescribeVpcs");
    assert_int_equal(statistics.paced_ms, 0);
    assert_int_equal(elapsed_ms(fixture), 20);
}

/* -- what is traced -- */

/* Everything that a call prints at the highest level. */
static const char *trace_of_a_call(struct fixture *fixture)
{
    FILE *file = tmpfile();
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    log_set_level(LOG_TRACE);
    call(fixture, &aws_s3, "PutObject",
         "{\"Bucket\": \"my-bucket\", \"Key\": \"key\", \"Body\": \"BODY\"}");
    log_set_level(LOG_QUIET);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    char *text = arena_alloc(fixture->arena, 8192);
    rewind(file);
    text[fread(text, 1, 8191, file)] = '\0';
    fclose(file);
    return text;
}

static void the_trace_has_the_call_and_no_secret(void **state)
{
    struct fixture *fixture = *state;
    fake_reply(fixture->fake, 503, "<Error><Code>SlowDown</Code><Message>TEXT</Message></Error>");
    reply_with_header(fixture, 200, "<R>REPLY</R>", "x-amz-request-id", "r-1");
    const char *text = trace_of_a_call(fixture);
    assert_non_null(strstr(text, "aws: s3 PutObject: status 503, 0 ms, attempt 1"));
    assert_non_null(strstr(text, "SlowDown"));
    assert_non_null(strstr(text, "aws: s3 PutObject: status 200, 0 ms, attempt 2, request r-1"));
    static const char *const hidden[] = {"secret",    "BODY", "TEXT",  "REPLY",
                                         "Signature", "AWS4", "sha256"};
    for (size_t i = 0; i < COUNT_OF(hidden); i++)
        assert_null(strstr(text, hidden[i]));
}

/* -- small things -- */

static void a_cancelled_call_ends(void **state)
{
    struct fixture *fixture = *state;
    fake_no_reply(fixture->fake, ERR_CANCELLED);
    assert_int_equal(call(fixture, &aws_ec2, "CreateVpc", "{}")->result, ERR_CANCELLED);
    assert_int_equal(fixture->fake->request_count, 1);
}

static void the_client_knows_its_region(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(aws_client_region(fixture->client), "eu-west-1");
    assert_string_equal(aws_client_partition(fixture->client), "aws");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_call_is_signed_and_sent),
        TEST(s3_is_signed_by_its_own_rules),
        TEST(iam_is_signed_in_its_own_region),
        TEST(a_raw_body_is_a_string),
        TEST(tokens_are_filled_in_and_kept),
        TEST(a_refusal_is_an_error),
        TEST(a_denial_names_the_credentials),
        TEST(what_cannot_be_encoded_is_not_sent),
        TEST(missing_credentials_are_told_at_once),
        TEST(throttles_are_waited_out),
        TEST(a_storm_of_throttles_is_bounded),
        TEST(the_server_may_ask_for_more_time),
        TEST(a_hard_quota_is_not_waited_for),
        TEST(a_read_is_repeated),
        TEST(a_read_that_fails_for_good_lost_nothing),
        TEST(a_create_is_never_repeated_blindly),
        TEST(a_conditional_write_is_never_repeated_blindly),
        TEST(conditions_are_told_apart),
        TEST(a_create_that_surely_did_not_happen_is_repeated),
        TEST(what_cannot_be_reached_is_given_up_soon),
        TEST(changes_that_may_happen_twice_are_repeated),
        TEST(an_error_that_says_200_is_an_error),
        TEST(failed_items_fail_the_call),
        TEST(the_clock_is_put_right_once_and_stays_so),
        TEST(a_wrong_key_is_no_wrong_clock),
        TEST(expired_credentials_are_renewed_once),
        TEST(the_guard_stops_changes_only),
        TEST(changes_are_paced),
        TEST(reads_have_a_bucket_of_their_own),
        TEST(the_trace_has_the_call_and_no_secret),
        TEST(a_cancelled_call_ends),
        TEST(the_client_knows_its_region),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
