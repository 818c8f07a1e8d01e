#include <stddef.h>

#include "pkg/aws/service.h"

#define API "/v2/apis/{apiId}"
#define ROW(operation, http_method, http_path, ...)                                    \
    {                                                                                  \
        .name = (operation), .method = (http_method), .path = (http_path), __VA_ARGS__ \
    }
#define PAGED(operation, http_path)                                                           \
    ROW(operation, "GET", http_path, .query = "maxResults nextToken", .page_in = "nextToken", \
        .page_out = "nextToken", .page_items = "items")

static const struct aws_operation operations[] = {
    ROW("CreateApi", "POST", "/v2/apis", ),
    ROW("GetApi", "GET", API, ),
    PAGED("GetApis", "/v2/apis"),
    ROW("UpdateApi", "PATCH", API, ),
    ROW("DeleteApi", "DELETE", API, ),
    ROW("DeleteCorsConfiguration", "DELETE", API "/cors", ),
    ROW("ImportApi", "PUT", "/v2/apis", .query = "basepath failOnWarnings"),
    ROW("ReimportApi", "PUT", API, .query = "basepath failOnWarnings", .repeat = AWS_REPEAT_ALWAYS),
    ROW("ExportApi", "GET", API "/exports/{specification}",
        .query = "exportVersion includeExtensions outputType stageName", .body_is_raw = true),
    ROW("CreateIntegration", "POST", API "/integrations", ),
    ROW("GetIntegration", "GET", API "/integrations/{integrationId}", ),
    PAGED("GetIntegrations", API "/integrations"),
    ROW("UpdateIntegration", "PATCH", API "/integrations/{integrationId}", ),
    ROW("DeleteIntegration", "DELETE", API "/integrations/{integrationId}", ),
    ROW("CreateRoute", "POST", API "/routes", ),
    ROW("GetRoute", "GET", API "/routes/{routeId}", ),
    PAGED("GetRoutes", API "/routes"),
    ROW("UpdateRoute", "PATCH", API "/routes/{routeId}", ),
    ROW("DeleteRoute", "DELETE", API "/routes/{routeId}", ),
    ROW("CreateAuthorizer", "POST", API "/authorizers", ),
    ROW("GetAuthorizer", "GET", API "/authorizers/{authorizerId}", ),
    PAGED("GetAuthorizers", API "/authorizers"),
    ROW("UpdateAuthorizer", "PATCH", API "/authorizers/{authorizerId}", ),
    ROW("DeleteAuthorizer", "DELETE", API "/authorizers/{authorizerId}", ),
    ROW("CreateStage", "POST", API "/stages", ),
    ROW("GetStage", "GET", API "/stages/{stageName}", ),
    PAGED("GetStages", API "/stages"),
    ROW("UpdateStage", "PATCH", API "/stages/{stageName}", ),
    ROW("DeleteStage", "DELETE", API "/stages/{stageName}", ),
    ROW("DeleteAccessLogSettings", "DELETE", API "/stages/{stageName}/accesslogsettings", ),
    ROW("DeleteRouteSettings", "DELETE", API "/stages/{stageName}/routesettings/{routeKey}", ),
    ROW("CreateDeployment", "POST", API "/deployments", ),
    ROW("GetDeployment", "GET", API "/deployments/{deploymentId}", ),
    PAGED("GetDeployments", API "/deployments"),
    ROW("TagResource", "POST", "/v2/tags/{resourceArn}", ),
    ROW("UntagResource", "DELETE", "/v2/tags/{resourceArn}", .query = "tagKeys"),
    ROW("GetTags", "GET", "/v2/tags/{resourceArn}", ),
    {.name = NULL},
};

/* The control plane has one bucket an account for all calls, reads too. */
const struct aws_service aws_apigateway = {
    .id = "apigateway",
    .sdk_id = "APIGATEWAYV2",
    .endpoint_prefix = "apigateway",
    .signing_name = "apigateway",
    .protocol = AWS_REST_JSON,
    .version = "2018-11-29",
    .calls_per_s = 10,
    .burst = 40,
    .one_bucket = true,
    .operations = operations,
};
