/* Requests as AWS's own SDK for Python sends them, and replies as AWS writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/aws/protocol.h"
#include "pkg/value/json.h"

static struct value *parse(struct arena *arena, const char *text)
{
    struct value *value;
    struct error error = {0};
    if (json_parse(arena, text, strlen(text), "test", &value, &error))
        fail_msg("%s in %s", error.message, text);
    return value;
}

static struct wire_request encode(struct arena *arena, const struct aws_service *service,
                                  const char *operation, const char *parameters)
{
    struct wire_call call = wire_call_of(service, operation);
    struct wire_request request;
    struct error error = {0};
    if (wire_encode(arena, &call, parse(arena, parameters), &request, &error))
        fail_msg("%s: %s", operation, error.message);
    return request;
}

static const char *header(const struct wire_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

/* Without its percent-encoding. */
static const char *decoded(struct arena *arena, const char *text)
{
    char *out = arena_strdup(arena, text ? text : ""), *end = out;
    for (const char *at = out; *at; at++) {
        unsigned byte;
        if (*at == '%' && sscanf(at + 1, "%2x", &byte) == 1) {
            *end++ = (char)byte;
            at += 2;
        } else {
            *end++ = *at;
        }
    }
    *end = '\0';
    return out;
}

/* -- golden requests -- */

struct golden {
    const struct aws_service *service;
    const char *operation, *parameters; /* JSON */
    const char *line;                   /* "PATCH /v2/apis/a?x=y" */
    const char *headers;                /* "Name: value" lines, all of them, in their order */
    const char *body;                   /* forms before their percent-encoding */
};

#define FORM "Content-Type: application/x-www-form-urlencoded; charset=utf-8\n"
#define JSON "Content-Type: application/json\n"
#define XML "Content-Type: application/xml\n"
#define XMLNS " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

static const struct golden form_requests[] = {
    {&aws_ec2, "CreateVpc",
     "{\"CidrBlock\": \"10.0.0.0/16\", \"TagSpecification\": [{\"ResourceType\": \"vpc\", "
     "\"Tag\": [{\"Key\": \"ragstack:stack\", \"Value\": \"demo\"}]}]}",
     "POST /", FORM,
     "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0/"
     "16&TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=ragstack:stack"
     "&TagSpecification.1.Tag.1.Value=demo"},
    {&aws_ec2, "DescribeSubnets",
     "{\"Filter\": [{\"Name\": \"tag:ragstack:stack\", \"Value\": [\"demo\"]}], "
     "\"MaxResults\": 1000}",
     "POST /", FORM,
     "Action=DescribeSubnets&Version=2016-11-15&Filter.1.Name=tag:ragstack:stack"
     "&Filter.1.Value.1=demo&MaxResults=1000"},
    {&aws_ec2, "ModifyVpcAttribute",
     "{\"VpcId\": \"vpc-1\", \"EnableDnsHostnames\": {\"Value\": true}}", "POST /", FORM,
     "Action=ModifyVpcAttribute&Version=2016-11-15&VpcId=vpc-1&EnableDnsHostnames.Value=true"},
    {&aws_ec2, "AuthorizeSecurityGroupIngress",
     "{\"GroupId\": \"sg-1\", \"IpPermissions\": [{\"IpProtocol\": \"tcp\", \"FromPort\": 5432, "
     "\"ToPort\": 5432, \"Groups\": [{\"GroupId\": \"sg-2\", \"Description\": \"d\"}]}]}",
     "POST /", FORM,
     "Action=AuthorizeSecurityGroupIngress&Version=2016-11-15&GroupId=sg-1"
     "&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=5432&IpPermissions.1.ToPort=5432"
     "&IpPermissions.1.Groups.1.GroupId=sg-2&IpPermissions.1.Groups.1.Description=d"},
    {&aws_ec2, "CreateVpcEndpoint",
     "{\"VpcId\": \"vpc-1\", \"VpcEndpointType\": \"Interface\", \"ServiceName\": "
     "\"com.amazonaws.eu-west-1.secretsmanager\", \"SubnetId\": [\"subnet-1\"], "
     "\"SecurityGroupId\": [\"sg-1\"], \"PrivateDnsEnabled\": true}",
     "POST /", FORM,
     "Action=CreateVpcEndpoint&Version=2016-11-15&VpcId=vpc-1&VpcEndpointType=Interface"
     "&ServiceName=com.amazonaws.eu-west-1.secretsmanager&SubnetId.1=subnet-1"
     "&SecurityGroupId.1=sg-1&PrivateDnsEnabled=true"},
    {&aws_ec2, "DeleteVpcEndpoints", "{\"VpcEndpointId\": [\"vpce-1\", \"vpce-2\"]}", "POST /",
     FORM,
     "Action=DeleteVpcEndpoints&Version=2016-11-15&VpcEndpointId.1=vpce-1&VpcEndpointId.2=vpce-2"},
    {&aws_rds, "CreateDBSubnetGroup",
     "{\"DBSubnetGroupName\": \"g\", \"DBSubnetGroupDescription\": \"d\", \"SubnetIds\": "
     "{\"SubnetIdentifier\": [\"subnet-1\", \"subnet-2\"]}, \"Tags\": {\"Tag\": [{\"Key\": "
     "\"ragstack:stack\", \"Value\": \"demo\"}]}}",
     "POST /", FORM,
     "Action=CreateDBSubnetGroup&Version=2014-10-31&DBSubnetGroupName=g"
     "&DBSubnetGroupDescription=d&SubnetIds.SubnetIdentifier.1=subnet-1"
     "&SubnetIds.SubnetIdentifier.2=subnet-2&Tags.Tag.1.Key=ragstack:stack&Tags.Tag.1.Value=demo"},
    {&aws_rds, "ModifyDBParameterGroup",
     "{\"DBParameterGroupName\": \"p\", \"Parameters\": {\"Parameter\": [{\"ParameterName\": "
     "\"rds.force_ssl\", \"ParameterValue\": \"1\", \"ApplyMethod\": \"immediate\"}]}}",
     "POST /", FORM,
     "Action=ModifyDBParameterGroup&Version=2014-10-31&DBParameterGroupName=p"
     "&Parameters.Parameter.1.ParameterName=rds.force_ssl&Parameters.Parameter.1.ParameterValue=1"
     "&Parameters.Parameter.1.ApplyMethod=immediate"},
    {&aws_rds, "CreateDBProxy",
     "{\"DBProxyName\": \"p\", \"EngineFamily\": \"POSTGRESQL\", \"Auth\": {\"member\": "
     "[{\"AuthScheme\": \"SECRETS\", \"SecretArn\": \"arn\", \"IAMAuth\": \"REQUIRED\"}]}, "
     "\"RoleArn\": \"r\", \"VpcSubnetIds\": {\"member\": [\"subnet-1\"]}}",
     "POST /", FORM,
     "Action=CreateDBProxy&Version=2014-10-31&DBProxyName=p&EngineFamily=POSTGRESQL"
     "&Auth.member.1.AuthScheme=SECRETS&Auth.member.1.SecretArn=arn"
     "&Auth.member.1.IAMAuth=REQUIRED&RoleArn=r&VpcSubnetIds.member.1=subnet-1"},
    {&aws_rds, "DescribeDBInstances",
     "{\"Filters\": {\"Filter\": [{\"Name\": \"db-instance-id\", \"Values\": {\"Value\": "
     "[\"d\"]}}]}}",
     "POST /", FORM,
     "Action=DescribeDBInstances&Version=2014-10-31&Filters.Filter.1.Name=db-instance-id"
     "&Filters.Filter.1.Values.Value.1=d"},
    {&aws_iam, "CreateRole",
     "{\"RoleName\": \"r\", \"AssumeRolePolicyDocument\": \"{}\", \"Tags\": {\"member\": "
     "[{\"Key\": \"ragstack:stack\", \"Value\": \"demo\"}]}}",
     "POST /", FORM,
     "Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument={}"
     "&Tags.member.1.Key=ragstack:stack&Tags.member.1.Value=demo"},
    {&aws_sns, "CreateTopic",
     "{\"Name\": \"t\", \"Attributes\": {\"entry\": [{\"key\": \"DisplayName\", \"value\": "
     "\"x\"}]}}",
     "POST /", FORM,
     "Action=CreateTopic&Version=2010-03-31&Name=t&Attributes.entry.1.key=DisplayName"
     "&Attributes.entry.1.value=x"},
    {&aws_sts, "AssumeRole", "{\"RoleArn\": \"arn\", \"RoleSessionName\": \"sess\"}", "POST /",
     FORM, "Action=AssumeRole&Version=2011-06-15&RoleArn=arn&RoleSessionName=sess"},
};

static const struct golden json_requests[] = {
    {&aws_logs, "CreateLogGroup", "{\"logGroupName\": \"/x\", \"tags\": {\"a\": \"b\"}}", "POST /",
     "Content-Type: application/x-amz-json-1.1\nX-Amz-Target: Logs_20140328.CreateLogGroup\n",
     "{\"logGroupName\":\"/x\",\"tags\":{\"a\":\"b\"}}"},
    {&aws_cloudwatch, "PutMetricAlarm",
     "{\"AlarmName\": \"a\", \"EvaluationPeriods\": 1, \"ComparisonOperator\": "
     "\"GreaterThanThreshold\", \"Threshold\": 1.5}",
     "POST /",
     "Content-Type: application/x-amz-json-1.0\n"
     "X-Amz-Target: GraniteServiceVersion20100801.PutMetricAlarm\nx-amzn-query-mode: true\n",
     "{\"AlarmName\":\"a\",\"EvaluationPeriods\":1,\"ComparisonOperator\":"
     "\"GreaterThanThreshold\",\"Threshold\":1.5}"},
    {&aws_tagging, "GetResources",
     "{\"TagFilters\": [{\"Key\": \"ragstack:stack\", \"Values\": [\"demo\"]}], "
     "\"ResourcesPerPage\": 100}",
     "POST /",
     "Content-Type: application/x-amz-json-1.1\n"
     "X-Amz-Target: ResourceGroupsTaggingAPI_20170126.GetResources\n",
     "{\"TagFilters\":[{\"Key\":\"ragstack:stack\",\"Values\":[\"demo\"]}],"
     "\"ResourcesPerPage\":100}"},
};

static const struct golden rest_requests[] = {
    {&aws_lambda, "CreateFunction",
     "{\"FunctionName\": \"f\", \"Code\": {\"ZipFile\": \"UEs=\"}, \"Publish\": true}",
     "POST /2015-03-31/functions", JSON,
     "{\"FunctionName\":\"f\",\"Code\":{\"ZipFile\":\"UEs=\"},\"Publish\":true}"},
    {&aws_lambda, "AddPermission",
     "{\"FunctionName\": \"f\", \"Qualifier\": \"live\", \"StatementId\": \"s\", \"Action\": "
     "\"lambda:InvokeFunction\", \"Principal\": \"apigateway.amazonaws.com\"}",
     "POST /2015-03-31/functions/f/policy?Qualifier=live", JSON,
     "{\"StatementId\":\"s\",\"Action\":\"lambda:InvokeFunction\",\"Principal\":"
     "\"apigateway.amazonaws.com\"}"},
    {&aws_lambda, "PublishVersion", "{\"FunctionName\": \"f\"}",
     "POST /2015-03-31/functions/f/versions", JSON, "{}"},
    {&aws_lambda, "TagResource",
     "{\"Resource\": \"arn:aws:lambda:eu-west-1:1:function:f\", \"Tags\": {\"a\": \"b\"}}",
     "POST /2017-03-31/tags/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Af", JSON,
     "{\"Tags\":{\"a\":\"b\"}}"},
    {&aws_lambda, "UntagResource", "{\"Resource\": \"a/b\", \"TagKeys\": [\"x y\", \"z\"]}",
     "DELETE /2017-03-31/tags/a%2Fb?tagKeys=x%20y&tagKeys=z", "", ""},
    {&aws_apigateway, "ImportApi", "{\"body\": \"{}\"}", "PUT /v2/apis", JSON, "{\"body\":\"{}\"}"},
    {&aws_apigateway, "CreateStage",
     "{\"ApiId\": \"a\", \"stageName\": \"$default\", \"autoDeploy\": true}",
     "POST /v2/apis/a/stages", JSON, "{\"stageName\":\"$default\",\"autoDeploy\":true}"},
    {&aws_apigateway, "UpdateStage",
     "{\"apiId\": \"a\", \"stageName\": \"$default\", \"autoDeploy\": true}",
     "PATCH /v2/apis/a/stages/%24default", JSON, "{\"autoDeploy\":true}"},
    {&aws_bedrock_runtime, "InvokeModel",
     "{\"modelId\": \"amazon.titan-embed-text-v2:0\", \"accept\": \"application/json\", \"body\": "
     "\"{\\\"inputText\\\":\\\"x\\\"}\"}",
     "POST /model/amazon.titan-embed-text-v2%3A0/invoke", "Accept: application/json\n" JSON,
     "{\"inputText\":\"x\"}"},
    {&aws_bedrock_runtime, "Converse",
     "{\"modelId\": \"m:0\", \"messages\": [{\"role\": \"user\"}]}", "POST /model/m%3A0/converse",
     JSON, "{\"messages\":[{\"role\":\"user\"}]}"},
    {&aws_s3, "CreateBucket",
     "{\"Bucket\": \"b\", \"LocationConstraint\": \"eu-west-1\", \"Tags\": {\"Tag\": [{\"Key\": "
     "\"ragstack:stack\", \"Value\": \"demo\"}]}}",
     "PUT /b", XML,
     "<CreateBucketConfiguration" XMLNS "><LocationConstraint>eu-west-1</LocationConstraint>"
     "<Tags><Tag><Key>ragstack:stack</Key><Value>demo</Value></Tag></Tags>"
     "</CreateBucketConfiguration>"},
    {&aws_s3, "CreateBucket", "{\"Bucket\": \"b\"}", "PUT /b", "", ""},
    {&aws_s3, "PutBucketVersioning", "{\"Bucket\": \"b\", \"Status\": \"Enabled\"}",
     "PUT /b?versioning", XML,
     "<VersioningConfiguration" XMLNS "><Status>Enabled</Status></VersioningConfiguration>"},
    {&aws_s3, "PutBucketNotificationConfiguration", "{\"Bucket\": \"b\"}", "PUT /b?notification",
     XML, "<NotificationConfiguration" XMLNS "></NotificationConfiguration>"},
    {&aws_s3, "PutBucketPolicy", "{\"Bucket\": \"b\", \"Policy\": \"{}\"}", "PUT /b?policy",
     "Content-Type: application/octet-stream\n", "{}"},
    {&aws_s3, "PutObject",
     "{\"Bucket\": \"b\", \"Key\": \"k/l m\", \"IfNoneMatch\": \"*\", \"Body\": \"x\", "
     "\"ExpectedBucketOwner\": \"1\", \"Metadata\": {\"owner\": \"me\"}}",
     "PUT /b/k/l%20m",
     "x-amz-expected-bucket-owner: 1\nIf-None-Match: *\nx-amz-meta-owner: me\n"
     "Content-Type: application/octet-stream\n",
     "x"},
    {&aws_s3, "DeleteObjects",
     "{\"Bucket\": \"b\", \"Object\": [{\"Key\": \"k\", \"VersionId\": \"v\"}, {\"Key\": "
     "\"<&>\\n\"}], \"Quiet\": true}",
     "POST /b?delete", XML,
     "<Delete" XMLNS "><Object><Key>k</Key><VersionId>v</VersionId></Object>"
     "<Object><Key>&lt;&amp;&gt;&#10;</Key></Object><Quiet>true</Quiet></Delete>"},
    {&aws_s3, "ListObjectsV2", "{\"Bucket\": \"b\", \"Prefix\": \"a/b c\", \"MaxKeys\": 5}",
     "GET /b?list-type=2&max-keys=5&prefix=a%2Fb%20c", "", ""},
};

static void assert_golden(const struct golden *golden)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct wire_request request =
        encode(arena, golden->service, golden->operation, golden->parameters);
    const char *line = arena_printf(arena, "%s %s%s%s", request.method, request.path,
                                    request.query ? "?" : "", request.query ? request.query : "");
    assert_string_equal(line, golden->line);
    const char *headers = "";
    for (size_t i = 0; i < request.header_count; i++)
        headers = arena_printf(arena, "%s%s: %s\n", headers, request.headers[i].name,
                               request.headers[i].value);
    assert_string_equal(headers, golden->headers);
    assert_int_equal(request.body_length, request.body ? strlen(request.body) : 0);
    bool form = golden->service->protocol == AWS_EC2 || golden->service->protocol == AWS_QUERY;
    const char *body = form ? decoded(arena, request.body) : request.body ? request.body : "";
    assert_string_equal(body, golden->body);
}

static void forms_are_flattened(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(form_requests); i++)
        assert_golden(&form_requests[i]);
}

static void json_has_its_target(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(json_requests); i++)
        assert_golden(&json_requests[i]);
}

static void rest_members_go_to_their_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rest_requests); i++)
        assert_golden(&rest_requests[i]);
}

/* -- details of encoding -- */

static void forms_are_percent_encoded(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct wire_request request =
        encode(arena, &aws_ec2, "X", "{\"A\": \"a b&c=d+\u00e9/~\", \"N\": null}");
    assert_string_equal(request.body, "Action=X&Version=2016-11-15&A=a%20b%26c%3Dd%2B%C3%A9%2F~");
}

static void empty_lists_are_said_in_query_only(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *parameters = "{\"Auth\": {\"member\": []}, \"C\": {\"On\": {\"member\": []}}}";
    assert_string_equal(encode(arena, &aws_rds, "X", parameters).body,
                        "Action=X&Version=2014-10-31&Auth=&C.On=");
    assert_string_equal(encode(arena, &aws_ec2, "X", parameters).body,
                        "Action=X&Version=2016-11-15");
}

static void numbers_keep_their_digits(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct wire_request request = encode(
        arena, &aws_rds, "X", "{\"I\": 9007199254740993, \"R\": 0.1, \"B\": false, \"Z\": -1}");
    assert_string_equal(request.body,
                        "Action=X&Version=2014-10-31&I=9007199254740993&R=0.1&B=false&Z=-1");
}

static void no_parameters_are_an_empty_document(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct wire_call call = wire_call_of(&aws_logs, "DescribeLogGroups");
    struct wire_request request;
    assert_int_equal(wire_encode(arena, &call, NULL, &request, NULL), 0);
    assert_string_equal(request.body, "{}");
    call = wire_call_of(&aws_apigateway, "GetApis");
    assert_int_equal(wire_encode(arena, &call, NULL, &request, NULL), 0);
    assert_string_equal(request.path, "/v2/apis");
    assert_null(request.query);
    assert_null(request.body);
}

static void a_bucket_in_the_host_is_not_in_the_path(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct wire_call call = wire_call_of(&aws_s3, "HeadBucket");
    struct wire_request request;
    call.bucket_in_host = true;
    assert_int_equal(wire_encode(arena, &call, parse(arena, "{\"Bucket\": \"b\"}"), &request, NULL),
                     0);
    assert_string_equal(request.path, "/");
    call.operation = "GetObject";
    call.row = aws_operation(&aws_s3, "GetObject");
    assert_int_equal(wire_encode(arena, &call, parse(arena, "{\"Bucket\": \"b\", \"Key\": \"/k\"}"),
                                 &request, NULL),
                     0);
    assert_string_equal(request.path, "//k");
}

static void assert_refused(const struct aws_service *service, const char *operation,
                           const char *parameters, int code, const char *message)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct wire_call call = wire_call_of(service, operation);
    struct wire_request request;
    struct error error = {0};
    assert_int_equal(wire_encode(arena, &call, parse(arena, parameters), &request, &error), code);
    assert_non_null(strstr(error.message, message));
}

static void what_cannot_be_sent_is_refused(void **state)
{
    (void)state;
    assert_refused(&aws_lambda, "GetFunction", "{}", ERR_INPUT, "needs FunctionName");
    assert_refused(&aws_lambda, "GetFunction", "{\"FunctionName\": \"\"}", ERR_INPUT,
                   "needs FunctionName");
    assert_refused(&aws_lambda, "GetFunction", "{\"FunctionName\": \"f\", \"Qualifer\": \"1\"}",
                   ERR_INPUT, "no place for Qualifer");
    assert_refused(&aws_s3, "PutObject", "{\"Bucket\": \"b\", \"Key\": \"k\", \"Boddy\": \"x\"}",
                   ERR_INPUT, "no place for Boddy");
    assert_refused(&aws_lambda, "CreateEverything", "{}", ERR_FAILED, "no operation");
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct wire_call call = wire_call_of(&aws_ec2, "CreateSubnet");
    struct wire_request request;
    struct value *parameters = value_set(arena, value_map(arena), "VpcId", value_unknown(arena));
    assert_int_equal(wire_encode(arena, &call, parameters, &request, NULL), ERR_INPUT);
}

static void a_payload_may_hold_any_byte(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct value *parameters = parse(arena, "{\"Bucket\": \"b\", \"Key\": \"k\"}");
    value_set(arena, parameters, "Body", value_string_n(arena, "a\0b", 3));
    struct wire_call call = wire_call_of(&aws_s3, "PutObject");
    struct wire_request request;
    assert_int_equal(wire_encode(arena, &call, parameters, &request, NULL), 0);
    assert_int_equal(request.body_length, 3);
    assert_memory_equal(request.body, "a\0b", 3);
    assert_string_equal(header(&request, "Content-Type"), "application/octet-stream");
}

/* -- replies -- */

static void assert_decoded(const struct aws_service *service, const char *operation,
                           const char *body, const char *expected)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct wire_call call = wire_call_of(service, operation);
    struct http_reply reply = {.status = 200, .body = body, .body_length = strlen(body)};
    struct value *value;
    struct error error = {0};
    if (wire_decode(arena, &call, &reply, &value, &error))
        fail_msg("%s: %s", operation, error.message);
    assert_string_equal(json_text(arena, value), expected);
}

static void replies_become_values(void **state)
{
    (void)state;
    assert_decoded(&aws_ec2, "DescribeVpcs",
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeVpcsResponse "
                   "xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>"
                   "<vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></DescribeVpcsResponse>",
                   "{\"requestId\":\"r\",\"vpcSet\":{\"item\":{\"vpcId\":\"vpc-1\"}}}");
    assert_decoded(&aws_iam, "GetRole",
                   "<GetRoleResponse><GetRoleResult><Role><RoleName>r</RoleName></Role>"
                   "</GetRoleResult><ResponseMetadata><RequestId>q</RequestId></ResponseMetadata>"
                   "</GetRoleResponse>",
                   "{\"Role\":{\"RoleName\":\"r\"}}");
    assert_decoded(&aws_iam, "DeleteRole",
                   "<DeleteRoleResponse><ResponseMetadata><RequestId>q</RequestId>"
                   "</ResponseMetadata></DeleteRoleResponse>",
                   "{}");
    assert_decoded(&aws_s3, "GetBucketLocation",
                   "<LocationConstraint xmlns=\"x\">eu-west-1</LocationConstraint>",
                   "\"eu-west-1\"");
    assert_decoded(&aws_logs, "DescribeLogGroups", "{\"logGroups\": []}", "{\"logGroups\":[]}");
    assert_decoded(&aws_logs, "CreateLogGroup", "", "{}");
    assert_decoded(&aws_s3, "PutObject", "", "{}");
}

static void raw_bodies_are_left_alone(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct wire_call call = wire_call_of(&aws_s3, "GetObject");
    struct http_reply reply = {.status = 200, .body = "<Error/>", .body_length = 8};
    struct value *value;
    assert_int_equal(wire_decode(arena, &call, &reply, &value, NULL), 0);
    assert_null(value);
}

static void assert_undecodable(const struct aws_service *service, const char *operation,
                               const char *body, int code)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct wire_call call = wire_call_of(service, operation);
    struct http_reply reply = {.status = 200, .body = body, .body_length = strlen(body)};
    struct value *value;
    struct error error = {0};
    assert_int_equal(wire_decode(arena, &call, &reply, &value, &error), code);
    assert_int_equal(error.code, code);
    assert_true(error.message[0]);
}

static void other_replies_are_errors(void **state)
{
    (void)state;
    assert_undecodable(&aws_ec2, "DescribeVpcs", "<html><body>hello</body></html>", ERR_INPUT);
    assert_undecodable(&aws_ec2, "DescribeVpcs", "{}", ERR_INPUT);
    assert_undecodable(&aws_ec2, "DescribeVpcs", "<DescribeVpcsResponse>", ERR_INPUT);
    assert_undecodable(&aws_logs, "DescribeLogGroups", "<html>", ERR_INPUT);
    assert_undecodable(&aws_s3, "CompleteMultipartUpload", "<Error><Code>X</Code></Error>",
                       ERR_CONFLICT);
}

/* -- tables -- */

static void verbs_tell_reads_and_repeats(void **state)
{
    (void)state;
    assert_true(aws_operation_reads(&aws_ec2, "DescribeVpcs"));
    assert_true(aws_operation_reads(&aws_s3, "HeadObject"));
    assert_true(aws_operation_reads(&aws_logs, "FilterLogEvents"));
    assert_true(aws_operation_reads(&aws_sts, "AssumeRole"));
    assert_true(aws_operation_reads(&aws_bedrock_runtime, "InvokeModel"));
    assert_false(aws_operation_reads(&aws_lambda, "Invoke"));
    assert_false(aws_operation_reads(&aws_s3, "PutObject"));
    assert_true(aws_operation_repeats(&aws_s3, "PutObject"));
    assert_true(aws_operation_repeats(&aws_ec2, "DeleteVpc"));
    assert_true(aws_operation_repeats(&aws_ec2, "CreateNatGateway"));
    assert_true(aws_operation_repeats(&aws_ec2, "CreateTags"));
    assert_true(aws_operation_repeats(&aws_sts, "AssumeRole"));
    assert_false(aws_operation_repeats(&aws_ec2, "CreateVpc"));
    assert_false(aws_operation_repeats(&aws_ec2, "AllocateAddress"));
    assert_false(aws_operation_repeats(&aws_apigateway, "CreateApi"));
    assert_false(aws_operation_repeats(&aws_lambda, "AddPermission"));
    assert_false(aws_operation_repeats(&aws_lambda, "Invoke"));
    assert_false(aws_operation_repeats(&aws_cloudwatch, "PutMetricData"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_flattened),
        cmocka_unit_test(json_has_its_target),
        cmocka_unit_test(rest_members_go_to_their_places),
        cmocka_unit_test(forms_are_percent_encoded),
        cmocka_unit_test(empty_lists_are_said_in_query_only),
        cmocka_unit_test(numbers_keep_their_digits),
        cmocka_unit_test(no_parameters_are_an_empty_document),
        cmocka_unit_test(a_bucket_in_the_host_is_not_in_the_path),
        cmocka_unit_test(what_cannot_be_sent_is_refused),
        cmocka_unit_test(a_payload_may_hold_any_byte),
        cmocka_unit_test(replies_become_values),
        cmocka_unit_test(raw_bodies_are_left_alone),
        cmocka_unit_test(other_replies_are_errors),
        cmocka_unit_test(verbs_tell_reads_and_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
