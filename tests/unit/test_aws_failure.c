/* What AWS says when it refuses, in every shape that it has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/aws/failure.h"
#include "pkg/value/json.h"

static const struct http_header no_headers[] = {{NULL, NULL}};

static struct http_reply reply_of(int status, const char *body, const struct http_header *headers)
{
    size_t count = 0;
    while (headers[count].name)
        count++;
    return (struct http_reply){.status = status,
                               .headers = (struct http_header *)headers,
                               .header_count = count,
                               .body = body,
                               .body_length = strlen(body)};
}

struct shape {
    const struct aws_service *service;
    int status;
    const char *body;
    struct http_header headers[3];
    const char *code, *message, *request_id;
};

static const struct shape shapes[] = {
    {&aws_ec2,
     400,
     "<?xml version=\"1.0\"?>\n<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code>"
     "<Message>The vpc ID 'vpc-1' does not exist</Message></Error></Errors>"
     "<RequestID>r-1</RequestID></Response>",
     {{NULL, NULL}},
     "InvalidVpcID.NotFound",
     "The vpc ID 'vpc-1' does not exist",
     "r-1"},
    {&aws_iam,
     404,
     "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error>"
     "<Type>Sender</Type><Code>NoSuchEntity</Code><Message>none</Message></Error>"
     "<RequestId>r-2</RequestId></ErrorResponse>",
     {{"x-amzn-requestid", "r-2-header"}},
     "NoSuchEntity",
     "none",
     "r-2"},
    {&aws_s3,
     412,
     "<Error><Code>PreconditionFailed</Code><Message>did not hold</Message>"
     "<Condition>If-None-Match</Condition><RequestId>r-3</RequestId><HostId>h</HostId></Error>",
     {{"x-amz-request-id", "r-3"}, {"x-amz-id-2", "h"}},
     "PreconditionFailed",
     "did not hold",
     "r-3"},
    {&aws_logs,
     400,
     "{\"__type\":\"com.amazonaws.logs#ResourceNotFoundException\",\"message\":\"no group\"}",
     {{"x-amzn-requestid", "r-4"}},
     "ResourceNotFoundException",
     "no group",
     "r-4"},
    {&aws_tagging,
     400,
     "{\"__type\":\"InvalidParameterException\",\"Message\":\"bad\"}",
     {{NULL, NULL}},
     "InvalidParameterException",
     "bad",
     ""},
    {&aws_lambda,
     409,
     "{\"Type\":\"User\",\"Message\":\"Function already exist: f\"}",
     {{"x-amzn-errortype", "ResourceConflictException:http://internal.amazon.com/x"},
      {"x-amzn-requestid", "r-5"}},
     "ResourceConflictException",
     "Function already exist: f",
     "r-5"},
    {&aws_apigateway,
     404,
     "{\"code\":\"NotFoundException\",\"message\":\"no API\"}",
     {{NULL, NULL}},
     "NotFoundException",
     "no API",
     ""},
    {&aws_cloudwatch,
     400,
     "{\"__type\":\"com.amazonaws.cloudwatch#ResourceNotFound\",\"message\":\"no dashboard\"}",
     {{"x-amzn-query-error", "DashboardNotFoundError;Sender"}},
     "DashboardNotFoundError",
     "no dashboard",
     ""},
    {&aws_lambda,
     403,
     "<AccessDeniedException>\n  <Message>Unable to determine</Message>\n</AccessDeniedException>",
     {{NULL, NULL}},
     "AccessDeniedException",
     "Unable to determine",
     ""},
    {&aws_apigateway,
     403,
     "{\"message\":\"Missing Authentication Token\"}",
     {{"x-amzn-errortype", "MissingAuthenticationTokenException"}},
     "MissingAuthenticationTokenException",
     "Missing Authentication Token",
     ""},
    {&aws_bedrock_runtime,
     429,
     "{\"message\":\"Too many tokens\"}",
     {{"x-amzn-errortype", "ThrottlingException"}},
     "ThrottlingException",
     "Too many tokens",
     ""},
    {&aws_ec2,
     503,
     "<html><body><b>Http/1.1 Service Unavailable</b></body></html>",
     {{"content-type", "text/html"}},
     "",
     "HTTP 503 with a body that is no AWS error (61 bytes of text/html)",
     ""},
    {&aws_ec2,
     502,
     "<p>bad<br>gateway",
     {{NULL, NULL}},
     "",
     "HTTP 502 with a body that is no AWS error (17 bytes of unknown type)",
     ""},
    {&aws_logs, 500, "", {{NULL, NULL}}, "", "HTTP 500 without a body", ""},
    {&aws_logs,
     500,
     "{broken",
     {{NULL, NULL}},
     "",
     "HTTP 500 with a body that is no AWS error (7 bytes of unknown type)",
     ""},
    {&aws_logs,
     400,
     "{\"__type\": 5}",
     {{NULL, NULL}},
     "",
     "HTTP 400 with a body that is no AWS error (13 bytes of unknown type)",
     ""},
    {&aws_s3, 404, "", {{"x-amz-request-id", "r-6"}}, "NotFound", "it does not exist", "r-6"},
    {&aws_s3, 403, "", {{NULL, NULL}}, "AccessDenied", "access is denied", ""},
    {&aws_s3,
     412,
     "",
     {{NULL, NULL}},
     "PreconditionFailed",
     "a condition of the request does not hold",
     ""},
    {&aws_s3, 304, "", {{NULL, NULL}}, "NotModified", "it has not changed", ""},
    {&aws_s3,
     301,
     "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>",
     {{"x-amz-bucket-region", "eu-west-1"}},
     "PermanentRedirect",
     "elsewhere (the bucket is in region eu-west-1)",
     ""},
    {&aws_s3,
     200,
     "<Error><Code>InternalError</Code><Message>We failed</Message></Error>",
     {{NULL, NULL}},
     "InternalError",
     "We failed",
     ""},
    {&aws_ec2,
     400,
     "<Response><Errors></Errors></Response>",
     {{NULL, NULL}},
     "",
     "HTTP 400 with a body that is no AWS error (38 bytes of unknown type)",
     ""},
    {&aws_ec2,
     400,
     "<Response><Errors><Error><Code>A</Code></Error><Error><Code>B</Code></Error></Errors>"
     "</Response>",
     {{NULL, NULL}},
     "A",
     "no further message",
     ""},
};

static void every_shape_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        const struct shape *shape = &shapes[i];
        struct wire_call call = wire_call_of(shape->service, "Operation");
        struct http_reply reply = reply_of(shape->status, shape->body, shape->headers);
        struct failure failure;
        failure_read(arena, &call, &reply, &failure);
        if (strcmp(failure.code, shape->code) || strcmp(failure.message, shape->message) ||
            strcmp(failure.request_id, shape->request_id))
            fail_msg("row %zu: %s, %s, %s", i, failure.code, failure.message, failure.request_id);
        assert_int_equal(failure.status, shape->status);
    }
}

/* -- what callers branch on -- */

struct meaning {
    int status;
    const char *code, *message;
    int expected;
};

static const struct meaning meanings[] = {
    {400, "InvalidVpcID.NotFound", "", ERR_NOT_FOUND},
    {400, "NatGatewayNotFound", "", ERR_NOT_FOUND},
    {404, "NoSuchEntity", "", ERR_NOT_FOUND},
    {404, "NoSuchBucketPolicy", "", ERR_NOT_FOUND},
    {404, "NoSuchPublicAccessBlockConfiguration", "", ERR_NOT_FOUND},
    {404, "ServerSideEncryptionConfigurationNotFoundError", "", ERR_NOT_FOUND},
    {404, "DBInstanceNotFound", "", ERR_NOT_FOUND},
    {404, "DBProxyNotFoundFault", "", ERR_NOT_FOUND},
    {404, "NotFound", "", ERR_NOT_FOUND},
    {404, "", "HTML", ERR_FAILED},
    {400, "InvalidPermission.Duplicate", "", ERR_EXISTS},
    {400, "InvalidGroup.Duplicate", "", ERR_EXISTS},
    {400, "RouteAlreadyExists", "", ERR_EXISTS},
    {400, "Resource.AlreadyAssociated", "", ERR_EXISTS},
    {409, "EntityAlreadyExists", "", ERR_EXISTS},
    {409, "BucketAlreadyOwnedByYou", "", ERR_EXISTS},
    {400, "DBInstanceAlreadyExists", "", ERR_EXISTS},
    {400, "DBProxyTargetAlreadyRegisteredFault", "", ERR_EXISTS},
    {409, "ResourceConflictException", "Function already exist: f", ERR_EXISTS},
    {409, "ResourceConflictException", "An update is in progress", ERR_CONFLICT},
    {409, "ConflictException", "Route with key GET / already exists", ERR_EXISTS},
    {409, "ConflictException", "concurrent modification", ERR_CONFLICT},
    {400, "DependencyViolation", "", ERR_CONFLICT},
    {409, "DeleteConflict", "", ERR_CONFLICT},
    {400, "InvalidDBInstanceState", "", ERR_CONFLICT},
    {400, "InvalidDBProxyStateFault", "", ERR_CONFLICT},
    {400, "InvalidDBSnapshotState", "", ERR_CONFLICT},
    {400, "IncorrectState", "", ERR_CONFLICT},
    {400, "InvalidGroup.InUse", "", ERR_CONFLICT},
    {409, "BucketNotEmpty", "", ERR_CONFLICT},
    {409, "ConditionalRequestConflict", "", ERR_CONFLICT},
    {412, "PreconditionFailed", "", ERR_CONFLICT},
    {403, "UnauthorizedOperation", "", ERR_DENIED},
    {400, "AccessDeniedException", "", ERR_DENIED},
    {403, "AccessDenied", "", ERR_DENIED},
    {401, "AuthFailure", "", ERR_DENIED},
    {403, "InvalidClientTokenId", "", ERR_DENIED},
    {403, "SignatureDoesNotMatch", "", ERR_DENIED},
    {403, "ExpiredToken", "", ERR_DENIED},
    {403, "", "HTML", ERR_DENIED},
    {503, "RequestLimitExceeded", "", ERR_THROTTLED},
    {400, "Throttling", "Rate exceeded", ERR_THROTTLED},
    {429, "TooManyRequestsException", "", ERR_THROTTLED},
    {503, "SlowDown", "", ERR_THROTTLED},
    {429, "", "HTML", ERR_THROTTLED},
    {400, "LimitExceededException", "", ERR_FAILED},
    {409, "LimitExceeded", "", ERR_FAILED},
    {400, "InvalidParameterValue", "already exists", ERR_FAILED},
    {400, "ValidationError", "", ERR_FAILED},
    {500, "InternalFailure", "", ERR_FAILED},
};

static void codes_are_told_apart(void **state)
{
    (void)state;
    struct wire_call call = wire_call_of(&aws_ec2, "Operation");
    for (size_t i = 0; i < COUNT_OF(meanings); i++) {
        struct failure failure = {.status = meanings[i].status,
                                  .code = meanings[i].code,
                                  .message = meanings[i].message,
                                  .request_id = "id"};
        struct error error = {0};
        int code = failure_to_error(&call, &failure, &error);
        if (code != meanings[i].expected)
            fail_msg("%d %s: %d, not %d", failure.status, failure.code, code, meanings[i].expected);
        assert_int_equal(error.code, code);
        assert_int_equal(failure_to_error(&call, &failure, NULL), code);
    }
}

static void an_error_says_all_that_is_known(void **state)
{
    (void)state;
    struct wire_call call = wire_call_of(&aws_ec2, "CreateVpc");
    struct failure failure = {.status = 400,
                              .code = "VpcLimitExceeded",
                              .message = "The maximum number of VPCs has been reached.",
                              .request_id = "r-1"};
    struct error error = {0};
    failure_to_error(&call, &failure, &error);
    assert_string_equal(error.message, "ec2 CreateVpc: VpcLimitExceeded: The maximum number of "
                                       "VPCs has been reached.");
    assert_string_equal(error.aws_code, "VpcLimitExceeded");
    assert_string_equal(error.request_id, "r-1");
    assert_int_equal(error.http_status, 400);
}

static void long_codes_are_cut(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct wire_call call = wire_call_of(&aws_ec2, "CreateVpc");
    const char *code = arena_printf(arena, "%0500d", 0);
    struct failure failure = {.code = code, .message = "", .request_id = code};
    struct error error = {0};
    failure_to_error(&call, &failure, &error);
    assert_int_equal(strlen(error.aws_code), sizeof error.aws_code - 1);
    assert_int_equal(strlen(error.request_id), sizeof error.request_id - 1);
}

/* -- failures of items -- */

static bool items_fail(struct arena *arena, const struct aws_service *service,
                       const char *operation, const char *json, struct failure *failure)
{
    struct wire_call call = wire_call_of(service, operation);
    struct http_reply reply = reply_of(200, json, no_headers);
    struct value *value;
    assert_int_equal(json_parse(arena, json, strlen(json), "t", &value, NULL), 0);
    return failure_in_success(arena, &call, &reply, value, failure);
}

static void failed_items_are_found(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct failure failure;
    assert_false(
        items_fail(arena, &aws_s3, "DeleteObjects", "{\"Deleted\": {\"Key\": \"k\"}}", &failure));
    assert_true(items_fail(arena, &aws_s3, "DeleteObjects",
                           "{\"Error\": [{\"Key\": \"k\", \"Code\": \"SlowDown\", \"Message\": "
                           "\"m\"}, {\"Key\": \"l\"}]}",
                           &failure));
    assert_string_equal(failure.code, "SlowDown");
    assert_string_equal(failure.message, "k: m (2 failed)");
    assert_false(
        items_fail(arena, &aws_ec2, "DeleteVpcEndpoints", "{\"unsuccessful\": {}}", &failure));
    assert_true(items_fail(arena, &aws_ec2, "DeleteVpcEndpoints",
                           "{\"unsuccessful\": {\"item\": {\"resourceId\": \"vpce-1\", \"error\": "
                           "{\"code\": \"InvalidVpcEndpoint.NotFound\", \"message\": \"none\"}}}}",
                           &failure));
    assert_string_equal(failure.code, "InvalidVpcEndpoint.NotFound");
    assert_string_equal(failure.message, "vpce-1: none (1 failed)");
    assert_false(
        items_fail(arena, &aws_tagging, "TagResources", "{\"FailedResourcesMap\": {}}", &failure));
    assert_true(items_fail(arena, &aws_tagging, "TagResources",
                           "{\"FailedResourcesMap\": {\"arn:1\": {\"StatusCode\": 404, "
                           "\"ErrorCode\": \"InvalidParameterException\", \"ErrorMessage\": "
                           "\"no\"}}}",
                           &failure));
    assert_string_equal(failure.code, "InvalidParameterException");
    assert_false(items_fail(arena, &aws_ec2, "DescribeVpcs", "{\"Error\": [{}]}", &failure));
}

/* Invoke succeeds, and the function did not: the body is what the function's process said. */
static void a_function_that_failed_is_found(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    static const struct http_header failed[] = {{"x-amz-function-error", "Unhandled"},
                                                {NULL, NULL}};
    const char *json = "{\"errorType\": \"Runtime.ExitError\", \"errorMessage\": \"it ended\"}";
    struct wire_call call = wire_call_of(&aws_lambda, "Invoke");
    struct http_reply reply = reply_of(200, json, failed);
    struct failure failure;
    assert_true(failure_in_success(arena, &call, &reply, NULL, &failure));
    assert_string_equal(failure.code, "Runtime.ExitError");
    assert_string_equal(failure.message, "it ended");
    reply = reply_of(200, json, no_headers); /* the same text as an answer is none */
    assert_false(failure_in_success(arena, &call, &reply, NULL, &failure));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_is_read),
        cmocka_unit_test(codes_are_told_apart),
        cmocka_unit_test(an_error_says_all_that_is_known),
        cmocka_unit_test(long_codes_are_cut),
        cmocka_unit_test(failed_items_are_found),
        cmocka_unit_test(a_function_that_failed_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
