#include <stddef.h>

#include "pkg/aws/service.h"

#define FUNCTIONS "/2015-03-31/functions"
#define FUNCTION FUNCTIONS "/{FunctionName}"
#define ROW(operation, http_method, http_path, ...)                                    \
    {                                                                                  \
        .name = (operation), .method = (http_method), .path = (http_path), __VA_ARGS__ \
    }
#define PAGED(operation, http_path, members, items)                                           \
    ROW(operation, "GET", http_path, .query = members "Marker MaxItems", .page_in = "Marker", \
        .page_out = "NextMarker", .page_items = (items))
#define QUALIFIED .query = "Qualifier"

static const struct aws_operation operations[] = {
    ROW("CreateFunction", "POST", FUNCTIONS, .timeout_s = 300),
    ROW("GetFunction", "GET", FUNCTION, QUALIFIED),
    ROW("GetFunctionConfiguration", "GET", FUNCTION "/configuration", QUALIFIED),
    PAGED("ListFunctions", FUNCTIONS, "FunctionVersion ", "Functions"),
    ROW("UpdateFunctionCode", "PUT", FUNCTION "/code", .timeout_s = 300),
    ROW("UpdateFunctionConfiguration", "PUT", FUNCTION "/configuration", ),
    ROW("DeleteFunction", "DELETE", FUNCTION, QUALIFIED),
    /* Makes no second version of the same code and configuration. */
    ROW("PublishVersion", "POST", FUNCTION "/versions", .repeat = AWS_REPEAT_ALWAYS),
    PAGED("ListVersionsByFunction", FUNCTION "/versions", "", "Versions"),
    ROW("CreateAlias", "POST", FUNCTION "/aliases", ),
    ROW("GetAlias", "GET", FUNCTION "/aliases/{Name}", ),
    ROW("UpdateAlias", "PUT", FUNCTION "/aliases/{Name}", ),
    ROW("DeleteAlias", "DELETE", FUNCTION "/aliases/{Name}", ),
    PAGED("ListAliases", FUNCTION "/aliases", "FunctionVersion ", "Aliases"),
    ROW("AddPermission", "POST", FUNCTION "/policy", QUALIFIED),
    ROW("RemovePermission", "DELETE", FUNCTION "/policy/{StatementId}",
        .query = "Qualifier RevisionId"),
    ROW("GetPolicy", "GET", FUNCTION "/policy", QUALIFIED),
    ROW("PutFunctionConcurrency", "PUT", "/2017-10-31/functions/{FunctionName}/concurrency", ),
    ROW("GetFunctionConcurrency", "GET", "/2019-09-30/functions/{FunctionName}/concurrency", ),
    ROW("DeleteFunctionConcurrency", "DELETE",
        "/2017-10-31/functions/{FunctionName}/concurrency", ),
    ROW("PutFunctionEventInvokeConfig", "PUT",
        "/2019-09-25/functions/{FunctionName}/event-invoke-config", QUALIFIED),
    ROW("GetFunctionEventInvokeConfig", "GET",
        "/2019-09-25/functions/{FunctionName}/event-invoke-config", QUALIFIED),
    ROW("DeleteFunctionEventInvokeConfig", "DELETE",
        "/2019-09-25/functions/{FunctionName}/event-invoke-config", QUALIFIED),
    ROW("TagResource", "POST", "/2017-03-31/tags/{Resource}", ),
    ROW("UntagResource", "DELETE", "/2017-03-31/tags/{Resource}", .query = "TagKeys=tagKeys"),
    ROW("ListTags", "GET", "/2017-03-31/tags/{Resource}", ),
    ROW("GetAccountSettings", "GET", "/2016-08-19/account-settings", ),
    ROW("Invoke", "POST", FUNCTION "/invocations", QUALIFIED,
        .headers = "InvocationType=X-Amz-Invocation-Type LogType=X-Amz-Log-Type "
                   "ClientContext=X-Amz-Client-Context",
        .payload = "Payload", .body_is_raw = true, .timeout_s = 900),
    {.name = NULL},
};

const struct aws_service aws_lambda = {
    .id = "lambda",
    .sdk_id = "LAMBDA",
    .endpoint_prefix = "lambda",
    .signing_name = "lambda",
    .protocol = AWS_REST_JSON,
    .version = "2015-03-31",
    .calls_per_s = 10,
    .burst = 15,
    .operations = operations,
};
