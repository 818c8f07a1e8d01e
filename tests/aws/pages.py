"""Lists in pages of AWS's sizes, where moto answers in one or in pages of its own."""

from __future__ import annotations

import base64
import binascii
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.loaders import Loader

from messages import AwsError, Reply

if TYPE_CHECKING:
    from call import Call

# (service, operation) -> items on a page that the caller does not size, and the most it may ask for.
SIZES: dict[tuple[str, str], tuple[int, int]] = {
    ("apigatewayv2", "GetApis"): (25, 500),
    ("apigatewayv2", "GetAuthorizers"): (25, 500),
    ("apigatewayv2", "GetDeployments"): (25, 500),
    ("apigatewayv2", "GetIntegrations"): (25, 500),
    ("apigatewayv2", "GetRoutes"): (25, 500),
    ("apigatewayv2", "GetStages"): (25, 500),
    ("cloudwatch", "DescribeAlarms"): (50, 100),
    ("cloudwatch", "ListDashboards"): (100, 100),
    ("ec2", "DescribeInternetGateways"): (1000, 1000),
    ("ec2", "DescribeManagedPrefixLists"): (100, 100),
    ("ec2", "DescribeNatGateways"): (1000, 1000),
    ("ec2", "DescribeNetworkInterfaces"): (1000, 1000),
    ("ec2", "DescribePrefixLists"): (1000, 1000),
    ("ec2", "DescribeRouteTables"): (100, 100),
    ("ec2", "DescribeSecurityGroupRules"): (1000, 1000),
    ("ec2", "DescribeSecurityGroups"): (1000, 1000),
    ("ec2", "DescribeSubnets"): (1000, 1000),
    ("ec2", "DescribeTags"): (1000, 1000),
    ("ec2", "DescribeVpcEndpoints"): (1000, 1000),
    ("ec2", "DescribeVpcs"): (1000, 1000),
    ("iam", "GetAccountAuthorizationDetails"): (100, 1000),
    ("iam", "ListAttachedRolePolicies"): (100, 1000),
    ("iam", "ListRolePolicies"): (100, 1000),
    ("iam", "ListRoles"): (100, 1000),
    ("lambda", "ListAliases"): (50, 10000),
    ("lambda", "ListFunctions"): (50, 50),
    ("lambda", "ListVersionsByFunction"): (50, 50),
    ("logs", "DescribeLogGroups"): (50, 50),
    ("logs", "DescribeLogStreams"): (50, 50),
    ("logs", "DescribeMetricFilters"): (50, 50),
    ("rds", "DescribeDBEngineVersions"): (100, 100),
    ("rds", "DescribeDBInstances"): (100, 100),
    ("rds", "DescribeDBParameterGroups"): (100, 100),
    ("rds", "DescribeDBParameters"): (100, 100),
    ("rds", "DescribeDBProxies"): (100, 100),
    ("rds", "DescribeDBProxyTargetGroups"): (100, 100),
    ("rds", "DescribeDBProxyTargets"): (100, 100),
    ("rds", "DescribeDBSnapshots"): (100, 100),
    ("rds", "DescribeDBSubnetGroups"): (100, 100),
    ("resourcegroupstaggingapi", "GetResources"): (50, 100),
    ("secretsmanager", "ListSecrets"): (100, 100),
    ("sns", "ListSubscriptionsByTopic"): (100, 100),
    ("sns", "ListTopics"): (100, 100),
}


LARGEST = [1 << 30]  # what the gateway was told: no page is larger, whatever is asked


@cache
def _paginators(service: str) -> dict[str, Any]:
    return Loader().load_service_model(service, "paginators-1")["pagination"]


def is_paged(call: Call) -> bool:
    return (call.service, call.operation) in SIZES


def paged_reply(call: Call) -> dict[str, Any] | Reply:
    """As `paged`; where all fits on one page that nobody has sized, moto's own words."""
    from call import read_reply

    config = _paginators(call.service)[call.operation]
    if any(call.params.get(key) is not None for key in (config["input_token"], config.get("limit_key"))):
        return paged(call)
    reply = call.pass_through()
    if reply.status >= 300:
        return reply
    whole = read_reply(reply, call.target.operation, call.target.protocol)
    keys = config["result_key"] if isinstance(config["result_key"], list) else [config["result_key"]]
    fits = max(len(whole.get(key) or []) for key in keys) <= min(SIZES[call.service, call.operation][0], LARGEST[0])
    return reply if fits and not whole.get(config["output_token"]) else paged(call)


def paged(call: Call) -> dict[str, Any]:
    """The page that the call asks for, of all that moto has."""
    config = _paginators(call.service)[call.operation]
    params = {key: value for key, value in call.params.items()
              if key not in (config["input_token"], config.get("limit_key"))}
    whole = call.forward(params) if params != call.params else call.forward()
    result_keys = config["result_key"] if isinstance(config["result_key"], list) else [config["result_key"]]
    while whole.get(config["output_token"]):
        more = call.forward({**params, config["input_token"]: whole.pop(config["output_token"])})
        for key in result_keys:
            more[key] = whole.get(key, []) + more.get(key, [])
        whole = more
    return page_of(call, whole)


def page_of(call: Call, whole: dict[str, Any]) -> dict[str, Any]:
    """Cuts the call's page out of a whole result."""
    config = _paginators(call.service)[call.operation]
    keys = config["result_key"] if isinstance(config["result_key"], list) else [config["result_key"]]
    key = next((key for key in keys if whole.get(key)), keys[0])
    default, most = SIZES[call.service, call.operation]
    limit_key = config.get("limit_key")
    size = min(int(call.params.get(limit_key) or default), most) if limit_key else default
    size = min(size, LARGEST[0])
    start = _offset(call, config["input_token"])
    items = whole.get(key) or []
    result = {**whole, key: items[start:start + size]}
    for name in ("IsTruncated",):
        if name in result or config.get("more_results") == name:
            result[name] = start + size < len(items)
    if start + size < len(items):
        result[config["output_token"]] = _token(call, start + size)
    return result


def _token(call: Call, offset: int) -> str:
    text = json.dumps([call.operation, offset])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _offset(call: Call, input_token: str) -> int:
    token = call.params.get(input_token)
    if not token:
        return 0
    try:
        operation, offset = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        if operation == call.operation:
            return int(offset)
    except (ValueError, TypeError, binascii.Error):
        pass
    code = {"ec2": "InvalidNextToken", "rds": "InvalidParameterValue", "iam": "ValidationError",
            "cloudwatch": "InvalidNextToken", "apigatewayv2": "BadRequestException",
            "sns": "InvalidParameter"}.get(call.service, "InvalidParameterException")
    raise AwsError(code, f"The token {token!r} is not one that this operation gave out")
