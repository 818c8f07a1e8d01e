"""API Gateway v2: HTTP APIs, whole, since moto lacks or accepts too much of it."""

from __future__ import annotations

import copy
import datetime
import random
import re
import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from corrections import corrects
from messages import AwsError, Reply
from pages import page_of

if TYPE_CHECKING:
    from call import Call

Result = dict[str, Any]

METHODS = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
NO_CONTENT = Reply(204, [], b"")


@dataclass
class Api:
    config: Result
    routes: dict[str, Result] = field(default_factory=dict)
    integrations: dict[str, Result] = field(default_factory=dict)
    authorizers: dict[str, Result] = field(default_factory=dict)
    stages: dict[str, Result] = field(default_factory=dict)
    deployments: dict[str, Result] = field(default_factory=dict)


def apis(call: Call) -> dict[str, Api]:
    """The region's APIs by id; they go when moto's own state is reset."""
    return call.backend("apigatewayv2").__dict__.setdefault("gateway_apis", {})


def _api(call: Call) -> Api:
    api = apis(call).get(call.params["ApiId"])
    if api is None:
        raise AwsError("NotFoundException", f"Invalid API identifier specified {call.account}:{call.params['ApiId']}", 404)
    return api


def _bad(message: str) -> AwsError:
    return AwsError("BadRequestException", message)


def _new_id(length: int = 7) -> str:
    return "".join(random.choices(string.ascii_lowercase + string.digits, k=length))


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def _found(table: dict[str, Result], name: str, what: str) -> Result:
    if name not in table:
        raise AwsError("NotFoundException", f"Invalid {what} identifier specified: {name}", 404)
    return table[name]


def _given(params: Result, *names: str) -> Result:
    return {name: copy.deepcopy(params[name]) for name in names if name in params}


def _replace(config: Result, changed: Result) -> None:
    config.clear()
    config.update(changed)


# -- APIs ------------------------------------------------------------------------------------------

API_MEMBERS = ("ApiKeySelectionExpression", "CorsConfiguration", "Description", "DisableExecuteApiEndpoint",
               "DisableSchemaValidation", "IpAddressType", "Name", "RouteSelectionExpression", "Version")


@corrects("apigatewayv2", "CreateApi")
def create_api(call: Call) -> Result:
    params, name = call.params, _new_id(10)
    if params["ProtocolType"] != "HTTP":
        raise _bad("The gateway has HTTP APIs only")
    api = Api({
        "ApiId": name, "ApiEndpoint": f"https://{name}.execute-api.{call.region}.amazonaws.com", "ProtocolType": "HTTP",
        "RouteSelectionExpression": "$request.method $request.path", "CreatedDate": _now(), "IpAddressType": "ipv4",
        "ApiKeySelectionExpression": "$request.header.x-api-key", "DisableExecuteApiEndpoint": False,
        "Tags": dict(params.get("Tags") or {}), **_given(params, *API_MEMBERS)})
    _check_api(api.config)
    apis(call)[name] = api
    if params.get("Target"):
        _quick_create(call, api)
    return api.config


def _quick_create(call: Call, api: Api) -> None:
    """An integration, a route and a stage from a target, as `Target` asks for."""
    integration, route = _new_id(), _new_id()
    api.integrations[integration] = {
        "IntegrationId": integration, "IntegrationType": "AWS_PROXY", "IntegrationUri": call.params["Target"],
        "PayloadFormatVersion": "2.0", "TimeoutInMillis": 30000, "ConnectionType": "INTERNET",
        "IntegrationMethod": "POST", "ApiGatewayManaged": True}
    api.routes[route] = {
        "RouteId": route, "RouteKey": call.params.get("RouteKey", "$default"), "Target": f"integrations/{integration}",
        "AuthorizationType": "NONE", "ApiKeyRequired": False, "ApiGatewayManaged": True}
    api.stages["$default"] = {"StageName": "$default", "AutoDeploy": True, "CreatedDate": _now(), "ApiGatewayManaged": True,
                              "DefaultRouteSettings": {"DetailedMetricsEnabled": False}, "RouteSettings": {},
                              "StageVariables": {}, "Tags": {}, "LastUpdatedDate": _now()}
    _deploy_automatically(api)


def _check_api(config: Result) -> None:
    cors = config.get("CorsConfiguration") or {}
    if cors.get("AllowCredentials") and "*" in (cors.get("AllowOrigins") or []):
        raise _bad("Allow-credentials is not compatible with a wildcard origin")
    for origin in cors.get("AllowOrigins") or []:
        if origin != "*" and not re.match(r"[a-z][a-z0-9+.-]*://", origin):
            raise _bad(f"Invalid format for origin {origin}. Origin should be of the form scheme://domain")


@corrects("apigatewayv2", "GetApi")
def get_api(call: Call) -> Result:
    return _api(call).config


@corrects("apigatewayv2", "GetApis")
def get_apis(call: Call) -> Result:
    return page_of(call, {"Items": [api.config for api in apis(call).values()]})


@corrects("apigatewayv2", "UpdateApi")
def update_api(call: Call) -> Result:
    api = _api(call)
    config = {**api.config, **_given(call.params, *API_MEMBERS)}
    _check_api(config)
    api.config = config
    return api.config


@corrects("apigatewayv2", "DeleteApi")
def delete_api(call: Call) -> Reply:
    _api(call)
    apis(call).pop(call.params["ApiId"])
    return NO_CONTENT


@corrects("apigatewayv2", "DeleteCorsConfiguration")
def delete_cors(call: Call) -> Reply:
    _api(call).config.pop("CorsConfiguration", None)
    return NO_CONTENT


# -- integrations ----------------------------------------------------------------------------------

INTEGRATION_MEMBERS = ("ConnectionId", "ConnectionType", "CredentialsArn", "Description", "IntegrationMethod",
                       "IntegrationSubtype", "IntegrationType", "IntegrationUri", "PassthroughBehavior",
                       "PayloadFormatVersion", "RequestParameters", "ResponseParameters", "TimeoutInMillis", "TlsConfig")


def _check_integration(config: Result) -> None:
    kind, uri = config["IntegrationType"], config.get("IntegrationUri", "")
    if kind not in ("AWS_PROXY", "HTTP_PROXY"):
        raise _bad(f"Invalid integration type {kind} for an HTTP API")
    if config.get("IntegrationSubtype"):
        return
    if kind == "AWS_PROXY":
        if not re.search(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+(:[\w$-]+)?(/invocations)?$", uri):
            raise _bad("Invalid function ARN or invalid uri")
        if config.get("PayloadFormatVersion") not in ("1.0", "2.0"):
            raise _bad("PayloadFormatVersion is a required parameter for integration")
    if kind == "HTTP_PROXY" and (not uri.startswith(("http://", "https://")) or not config.get("IntegrationMethod")):
        raise _bad("HttpMethod and a URI of http or https are required for an HTTP_PROXY integration")


@corrects("apigatewayv2", "CreateIntegration")
def create_integration(call: Call) -> Result:
    api, name = _api(call), _new_id()
    config = {"IntegrationId": name, "ConnectionType": "INTERNET", "TimeoutInMillis": 30000, "ApiGatewayManaged": False,
              **_given(call.params, *INTEGRATION_MEMBERS)}
    _check_integration(config)
    if config["IntegrationType"] == "AWS_PROXY":
        config["IntegrationMethod"] = "POST"
    elif not config.get("PayloadFormatVersion"):
        config["PayloadFormatVersion"] = "1.0"
    api.integrations[name] = config
    return config


@corrects("apigatewayv2", "GetIntegrations")
def get_integrations(call: Call) -> Result:
    return page_of(call, {"Items": list(_api(call).integrations.values())})


@corrects("apigatewayv2", "GetIntegration")
def get_integration(call: Call) -> Result:
    return _found(_api(call).integrations, call.params["IntegrationId"], "Integration")


@corrects("apigatewayv2", "UpdateIntegration")
def update_integration(call: Call) -> Result:
    api = _api(call)
    config = _found(api.integrations, call.params["IntegrationId"], "Integration")
    changed = {**config, **_given(call.params, *INTEGRATION_MEMBERS)}
    for name in ("CredentialsArn", "Description"):
        if not changed.get(name):
            changed.pop(name, None)
    _check_integration(changed)
    _replace(config, changed)
    _deploy_automatically(api)
    return config


@corrects("apigatewayv2", "DeleteIntegration")
def delete_integration(call: Call) -> Reply:
    api, name = _api(call), call.params["IntegrationId"]
    _found(api.integrations, name, "Integration")
    for route in api.routes.values():
        if route.get("Target") == f"integrations/{name}":
            raise AwsError("ConflictException", f"Cannot delete Integration '{name}' due to Route '{route['RouteId']}' "
                           "that references it.", 409)
    api.integrations.pop(name)
    return NO_CONTENT


# -- routes ----------------------------------------------------------------------------------------

ROUTE_MEMBERS = ("ApiKeyRequired", "AuthorizationScopes", "AuthorizationType", "AuthorizerId", "OperationName",
                 "RouteKey", "Target")


def _check_route(api: Api, config: Result) -> None:
    key = config["RouteKey"]
    if key != "$default":
        method, _, path = key.partition(" ")
        parts = path.split("/")[1:]
        good = method in METHODS and path.startswith("/") and all(
            re.fullmatch(r"[a-zA-Z0-9._~:@!$&'()*+,;=%-]*|\{[a-zA-Z0-9._-]+\}", part) or
            part == parts[-1] and re.fullmatch(r"\{[a-zA-Z0-9._-]+\+\}", part) for part in parts)
        if not good:
            raise _bad(f"The provided route key is not formatted properly for HTTP protocol. Format should be "
                       f"\"<HTTP METHOD> /<RESOURCE PATH>\" or \"$default\": {key}")
    for other in api.routes.values():
        if other["RouteKey"] == key and other["RouteId"] != config["RouteId"]:
            raise AwsError("ConflictException", f"Route with key {key} already exists for this API", 409)
    target = config.get("Target", "")
    if target and target.removeprefix("integrations/") not in api.integrations:
        raise _bad(f"Invalid integration target: {target}")
    kind = config["AuthorizationType"]
    if kind in ("JWT", "CUSTOM"):
        authorizer = api.authorizers.get(config.get("AuthorizerId", ""))
        wanted = {"JWT": "JWT", "CUSTOM": "REQUEST"}[kind]
        if not authorizer or authorizer["AuthorizerType"] != wanted:
            raise _bad(f"AuthorizerId is required and must be of a {wanted} authorizer where AuthorizationType is {kind}")
    elif config.get("AuthorizerId"):
        raise _bad(f"AuthorizerId is not allowed where AuthorizationType is {kind}")
    if config.get("AuthorizationScopes") and kind != "JWT":
        raise _bad("AuthorizationScopes are allowed with JWT only")


@corrects("apigatewayv2", "CreateRoute")
def create_route(call: Call) -> Result:
    api, name = _api(call), _new_id()
    config = {"RouteId": name, "ApiKeyRequired": False, "AuthorizationType": "NONE", "ApiGatewayManaged": False,
              **_given(call.params, *ROUTE_MEMBERS)}
    _check_route(api, config)
    api.routes[name] = config
    _deploy_automatically(api)
    return config


@corrects("apigatewayv2", "GetRoutes")
def get_routes(call: Call) -> Result:
    return page_of(call, {"Items": list(_api(call).routes.values())})


@corrects("apigatewayv2", "GetRoute")
def get_route(call: Call) -> Result:
    return _found(_api(call).routes, call.params["RouteId"], "Route")


@corrects("apigatewayv2", "UpdateRoute")
def update_route(call: Call) -> Result:
    api = _api(call)
    config = _found(api.routes, call.params["RouteId"], "Route")
    changed = {**config, **_given(call.params, *ROUTE_MEMBERS)}
    if changed["AuthorizationType"] in ("NONE", "AWS_IAM") and "AuthorizerId" not in call.params:
        changed.pop("AuthorizerId", None)
    if changed["AuthorizationType"] != "JWT" and "AuthorizationScopes" not in call.params:
        changed.pop("AuthorizationScopes", None)
    for name in ("AuthorizerId", "AuthorizationScopes"):
        if not changed.get(name):
            changed.pop(name, None)
    _check_route(api, changed)
    _replace(config, changed)
    _deploy_automatically(api)
    return config


@corrects("apigatewayv2", "DeleteRoute")
def delete_route(call: Call) -> Reply:
    api = _api(call)
    key = _found(api.routes, call.params["RouteId"], "Route")["RouteKey"]
    for stage in api.stages.values():
        stage["RouteSettings"].pop(key, None)
    api.routes.pop(call.params["RouteId"])
    _deploy_automatically(api)
    return NO_CONTENT


# -- authorizers -----------------------------------------------------------------------------------

AUTHORIZER_MEMBERS = ("AuthorizerCredentialsArn", "AuthorizerPayloadFormatVersion", "AuthorizerResultTtlInSeconds",
                      "AuthorizerType", "AuthorizerUri", "EnableSimpleResponses", "IdentitySource",
                      "IdentityValidationExpression", "JwtConfiguration", "Name")


def _check_authorizer(api: Api, config: Result) -> None:
    jwt = config.get("JwtConfiguration") or {}
    if config["AuthorizerType"] == "JWT":
        if not jwt.get("Issuer", "").startswith("https://") or not jwt.get("Audience"):
            raise _bad("JwtConfiguration needs an Issuer of https and an Audience")
        if len(config["IdentitySource"]) != 1 or not re.fullmatch(
                r"\$request\.(header|querystring)\.[\w-]+", config["IdentitySource"][0]):
            raise _bad("IdentitySource of a JWT authorizer is one $request.header or $request.querystring expression")
    elif not config.get("AuthorizerUri") or not config.get("AuthorizerPayloadFormatVersion"):
        raise _bad("AuthorizerUri and AuthorizerPayloadFormatVersion are required for a REQUEST authorizer")
    for other in api.authorizers.values():
        if other["Name"] == config["Name"] and other["AuthorizerId"] != config["AuthorizerId"]:
            raise _bad(f"Authorizer name must be unique: {config['Name']}")


@corrects("apigatewayv2", "CreateAuthorizer")
def create_authorizer(call: Call) -> Result:
    api, name = _api(call), _new_id(6)
    config = {"AuthorizerId": name, **_given(call.params, *AUTHORIZER_MEMBERS)}
    _check_authorizer(api, config)
    api.authorizers[name] = config
    return config


@corrects("apigatewayv2", "GetAuthorizers")
def get_authorizers(call: Call) -> Result:
    return page_of(call, {"Items": list(_api(call).authorizers.values())})


@corrects("apigatewayv2", "GetAuthorizer")
def get_authorizer(call: Call) -> Result:
    return _found(_api(call).authorizers, call.params["AuthorizerId"], "Authorizer")


@corrects("apigatewayv2", "UpdateAuthorizer")
def update_authorizer(call: Call) -> Result:
    api = _api(call)
    config = _found(api.authorizers, call.params["AuthorizerId"], "Authorizer")
    changed = {**config, **_given(call.params, *AUTHORIZER_MEMBERS)}
    _check_authorizer(api, changed)
    _replace(config, changed)
    _deploy_automatically(api)
    return config


@corrects("apigatewayv2", "DeleteAuthorizer")
def delete_authorizer(call: Call) -> Reply:
    api, name = _api(call), call.params["AuthorizerId"]
    _found(api.authorizers, name, "Authorizer")
    users = [route["RouteKey"] for route in api.routes.values() if route.get("AuthorizerId") == name]
    if users:
        raise AwsError("ConflictException", f"Cannot delete authorizer '{name}', is referenced in route: {users[0]}", 409)
    api.authorizers.pop(name)
    return NO_CONTENT


# -- stages and deployments ------------------------------------------------------------------------

STAGE_MEMBERS = ("AccessLogSettings", "AutoDeploy", "ClientCertificateId", "DeploymentId", "Description")
SETTINGS_DEFAULTS = {"DetailedMetricsEnabled": False}


def _check_stage(call: Call, api: Api, params: Result) -> None:
    log = params.get("AccessLogSettings")
    if log is not None:
        arn, form = log.get("DestinationArn", ""), log.get("Format", "")
        groups = call.backend("logs").groups
        if arn.split(":log-group:")[-1].removesuffix(":*") not in groups or ":logs:" not in arn:
            raise _bad(f"Invalid ARN specified in the request: {arn} is no log group")
        if "$context.requestId" not in form and "$context.extendedRequestId" not in form:
            raise _bad("AccessLogSetting format must contain $context.requestId or $context.extendedRequestId")
    keys = {route["RouteKey"] for route in api.routes.values()}
    for key in params.get("RouteSettings") or {}:
        if key not in keys:
            raise AwsError("NotFoundException", f"Unable to find Route by key {key} within the provided RouteSettings", 404)
    if params.get("DeploymentId") and params.get("AutoDeploy"):
        raise _bad("DeploymentId cannot be set where AutoDeploy is true")
    if params.get("DeploymentId"):
        _found(api.deployments, params["DeploymentId"], "Deployment")


@corrects("apigatewayv2", "CreateStage")
def create_stage(call: Call) -> Result:
    api, name = _api(call), call.params["StageName"]
    if not re.fullmatch(r"\$default|[a-zA-Z0-9_-]{1,128}", name):
        raise _bad(f"Invalid stage name: {name}")
    if name in api.stages:
        raise AwsError("ConflictException", "Stage already exists", 409)
    _check_stage(call, api, call.params)
    api.stages[name] = {
        "StageName": name, "AutoDeploy": False, "ApiGatewayManaged": False, "CreatedDate": _now(), "LastUpdatedDate": _now(),
        "DefaultRouteSettings": {**SETTINGS_DEFAULTS, **(call.params.get("DefaultRouteSettings") or {})},
        "RouteSettings": dict(call.params.get("RouteSettings") or {}),
        "StageVariables": dict(call.params.get("StageVariables") or {}), "Tags": dict(call.params.get("Tags") or {}),
        **_given(call.params, *STAGE_MEMBERS)}
    _deploy_automatically(api)
    return api.stages[name]


@corrects("apigatewayv2", "GetStages")
def get_stages(call: Call) -> Result:
    return page_of(call, {"Items": list(_api(call).stages.values())})


@corrects("apigatewayv2", "GetStage")
def get_stage(call: Call) -> Result:
    return _found(_api(call).stages, call.params["StageName"], "Stage")


@corrects("apigatewayv2", "UpdateStage")
def update_stage(call: Call) -> Result:
    """Route settings and variables are merged; each has a call or a value of its own to take one out."""
    api, params = _api(call), call.params
    stage = _found(api.stages, params["StageName"], "Stage")
    _check_stage(call, api, params)
    stage |= _given(params, *STAGE_MEMBERS)
    if "DefaultRouteSettings" in params:
        stage["DefaultRouteSettings"] = {**SETTINGS_DEFAULTS, **params["DefaultRouteSettings"]}
    stage["RouteSettings"] |= params.get("RouteSettings") or {}
    for name, value in (params.get("StageVariables") or {}).items():
        if value:
            stage["StageVariables"][name] = value
        else:
            stage["StageVariables"].pop(name, None)
    stage["LastUpdatedDate"] = _now()
    _deploy_automatically(api)
    return stage


@corrects("apigatewayv2", "DeleteStage")
def delete_stage(call: Call) -> Reply:
    stages = _api(call).stages
    _found(stages, call.params["StageName"], "Stage")
    stages.pop(call.params["StageName"])
    return NO_CONTENT


@corrects("apigatewayv2", "DeleteAccessLogSettings")
def delete_access_log(call: Call) -> Reply:
    _found(_api(call).stages, call.params["StageName"], "Stage").pop("AccessLogSettings", None)
    return NO_CONTENT


@corrects("apigatewayv2", "DeleteRouteSettings")
def delete_route_settings(call: Call) -> Reply:
    _found(_api(call).stages, call.params["StageName"], "Stage")["RouteSettings"].pop(call.params["RouteKey"], None)
    return NO_CONTENT


def _deploy(api: Api, automatic: bool, description: str | None = None) -> str:
    name = _new_id(6)
    api.deployments[name] = {"DeploymentId": name, "AutoDeployed": automatic, "CreatedDate": _now(),
                             "DeploymentStatus": "DEPLOYED", **({"Description": description} if description else {})}
    return name


def _deploy_automatically(api: Api) -> None:
    for stage in api.stages.values():
        if stage.get("AutoDeploy") and api.routes:
            stage["DeploymentId"] = _deploy(api, True)
            stage["LastDeploymentStatusMessage"] = ("Successfully deployed stage with deployment ID "
                                                    f"'{stage['DeploymentId']}'")


@corrects("apigatewayv2", "CreateDeployment")
def create_deployment(call: Call) -> Result:
    api = _api(call)
    if not api.routes:
        raise _bad("At least one route is required before deploying the Api.")
    stage = None
    if call.params.get("StageName"):
        stage = _found(api.stages, call.params["StageName"], "Stage")
        if stage.get("AutoDeploy"):
            raise _bad("Deployment ID cannot be set on a stage with AutoDeploy")
    name = _deploy(api, False, call.params.get("Description"))
    if stage is not None:
        stage["DeploymentId"] = name
    return api.deployments[name]


@corrects("apigatewayv2", "GetDeployments")
def get_deployments(call: Call) -> Result:
    return page_of(call, {"Items": list(_api(call).deployments.values())})


@corrects("apigatewayv2", "GetDeployment")
def get_deployment(call: Call) -> Result:
    return _found(_api(call).deployments, call.params["DeploymentId"], "Deployment")


# -- tags ------------------------------------------------------------------------------------------


def tagged(call: Call, arn: str) -> dict[str, str]:
    """The tags of the API or stage that an ARN names."""
    match = re.fullmatch(r"arn:aws[a-z-]*:apigateway:[a-z0-9-]+::/apis/(\w+)(?:/stages/(.+))?", arn)
    api = apis(call).get(match.group(1)) if match else None
    if api is None or match.group(2) and match.group(2) not in api.stages:  # type: ignore[union-attr]
        raise AwsError("NotFoundException", f"Invalid resource identifier specified: {arn}", 404)
    return api.stages[match.group(2)]["Tags"] if match.group(2) else api.config["Tags"]  # type: ignore[union-attr]


@corrects("apigatewayv2", "GetTags")
def get_tags(call: Call) -> Result:
    return {"Tags": tagged(call, call.params["ResourceArn"])}


@corrects("apigatewayv2", "TagResource")
def tag_resource(call: Call) -> Result:
    tagged(call, call.params["ResourceArn"]).update(call.params.get("Tags") or {})
    return {}


@corrects("apigatewayv2", "UntagResource")
def untag_resource(call: Call) -> Reply:
    for key in call.params["TagKeys"]:
        tagged(call, call.params["ResourceArn"]).pop(key, None)
    return NO_CONTENT
