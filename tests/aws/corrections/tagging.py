"""The tagging API over every kind that AWS lists: moto's own misses many. IAM roles are not in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corrections import corrects
from corrections.apigatewayv2 import apis
from corrections.lambda_ import functions
from messages import AwsError
from pages import page_of

if TYPE_CHECKING:
    from call import Call

Tags = dict[str, str]


@dataclass
class Tagged:
    arn: str
    kind: str  # as ResourceTypeFilters names it
    tags: Tags
    put: Callable[[Tags], Any]
    remove: Callable[[list[str]], Any]


def tagged_things(call: Call) -> Iterator[Tagged]:
    for source in (_ec2, _rds, _lambda, _apigateway, _logs, _cloudwatch, _sns, _s3, _secrets):
        yield from source(call)


def _in_dict(arn: str, kind: str, tags: Tags) -> Tagged:
    def remove(keys: list[str]) -> None:
        for key in keys:
            tags.pop(key, None)

    return Tagged(arn, kind, tags, tags.update, remove)


def _in_list(arn: str, kind: str, owner: Any) -> Tagged:
    """moto's RDS keeps a list of pairs."""
    tags = {tag["Key"]: tag["Value"] for tag in owner.tags or []}

    def write(new: Tags) -> None:
        owner.tags = [{"Key": key, "Value": value} for key, value in new.items()]

    return Tagged(arn, kind, tags, lambda more: write({**tags, **more}),
                  lambda keys: write({key: value for key, value in tags.items() if key not in keys}))


def _by_tagger(arn: str, kind: str, tagger: Any) -> Tagged:
    return Tagged(
        arn, kind, tagger.get_tag_dict_for_resource(arn),
        lambda more: tagger.tag_resource(arn, [{"Key": key, "Value": value} for key, value in more.items()]),
        lambda keys: tagger.untag_resource_using_names(arn, keys))


def _ec2(call: Call) -> Iterator[Tagged]:
    """A deleted NAT gateway stays listed for a while, as everything does that AWS forgets slowly."""
    ec2 = call.backend("ec2")
    tables: dict[str, Any] = {
        "vpc": ec2.vpcs, "internet-gateway": ec2.internet_gateways, "natgateway": ec2.nat_gateways,
        "route-table": ec2.route_tables, "vpc-endpoint": ec2.vpc_end_points, "network-interface": ec2.enis,
        "subnet": [name for zone in ec2.subnets.values() for name in zone],
        "security-group": [name for network in ec2.groups.values() for name in network],
        "elastic-ip": [address.allocation_id for address in ec2.addresses],
        "security-group-rule": [rule.id for network in ec2.groups.values() for group in network.values()
                                for rule in group.ingress_rules + group.egress_rules],
    }
    for kind, names in tables.items():
        for name in list(names):
            yield _in_dict(f"arn:aws:ec2:{call.region}:{call.account}:{kind}/{name}", f"ec2:{kind}", ec2.tags[name])


def _rds(call: Call) -> Iterator[Tagged]:
    rds = call.backend("rds")
    for kind, table in (("db", rds.databases), ("subgrp", rds.subnet_groups), ("pg", rds.db_parameter_groups),
                        ("db-proxy", rds.db_proxies), ("snapshot", rds.database_snapshots)):
        for owner in table.values():
            yield _in_list(owner.arn, f"rds:{kind}", owner)


def _lambda(call: Call) -> Iterator[Tagged]:
    for function in functions(call).values():
        yield _in_dict(function.arn, "lambda:function", function.tags)


def _apigateway(call: Call) -> Iterator[Tagged]:
    for name, api in apis(call).items():
        arn = f"arn:aws:apigateway:{call.region}::/apis/{name}"
        yield _in_dict(arn, "apigateway:apis", api.config["Tags"])
        for stage, config in api.stages.items():
            yield _in_dict(f"{arn}/stages/{stage}", "apigateway:apis", config["Tags"])


def _logs(call: Call) -> Iterator[Tagged]:
    for group in call.backend("logs").groups.values():
        yield _by_tagger(group.arn, "logs:log-group", call.backend("logs").tagger)


def _cloudwatch(call: Call) -> Iterator[Tagged]:
    backend = call.backend("cloudwatch")
    for alarm in backend.alarms.values():
        yield _by_tagger(alarm.alarm_arn, "cloudwatch:alarm", backend.tagger)
    for name in backend.dashboards:
        yield _by_tagger(f"arn:aws:cloudwatch::{call.account}:dashboard/{name}", "cloudwatch:dashboard", backend.tagger)


def _sns(call: Call) -> Iterator[Tagged]:
    for topic in call.backend("sns").topics.values():
        if topic._tags is None:
            topic._tags = {}
        yield _in_dict(topic.arn, "sns:topic", topic._tags)


def _s3(call: Call) -> Iterator[Tagged]:
    backend = call.backend("s3")
    for bucket in backend.buckets.values():
        if bucket.region_name == call.region:
            yield _by_tagger(bucket.arn, "s3:bucket", backend.tagger)


def _secrets(call: Call) -> Iterator[Tagged]:
    for secret in call.backend("secretsmanager").secrets.values():
        yield _in_list(secret.arn, "secretsmanager:secret", secret)


# -- operations ------------------------------------------------------------------------------------


@corrects("resourcegroupstaggingapi", "GetResources")
def get_resources(call: Call) -> dict[str, Any]:
    params = call.params
    size = params.get("ResourcesPerPage")
    if size is not None and not 1 <= size <= 100:
        raise AwsError("InvalidParameterException", "ResourcesPerPage must be between 1 and 100.")
    kinds, arns = params.get("ResourceTypeFilters"), params.get("ResourceARNList")
    found = []
    for item in tagged_things(call):
        if not item.tags or arns and item.arn not in arns:
            continue
        if kinds and not any(item.kind == kind or item.kind.split(":")[0] == kind for kind in kinds):
            continue
        if all(_matches(item.tags, wanted) for wanted in params.get("TagFilters", [])):
            found.append({"ResourceARN": item.arn,
                          "Tags": [{"Key": key, "Value": value} for key, value in sorted(item.tags.items())]})
    return {"PaginationToken": "", **page_of(call, {"ResourceTagMappingList": found})}


def _matches(tags: Tags, wanted: dict[str, Any]) -> bool:
    key, values = wanted.get("Key", ""), wanted.get("Values") or []
    return key in tags and (not values or tags[key] in values)


@corrects("resourcegroupstaggingapi", "TagResources", "UntagResources")
def change_tags(call: Call) -> dict[str, Any]:
    known = {item.arn: item for item in tagged_things(call)}
    failed = {}
    for arn in call.params["ResourceARNList"]:
        if arn not in known:
            failed[arn] = {"StatusCode": 404, "ErrorCode": "InvalidParameterException", "ErrorMessage": f"{arn} not found"}
        elif call.operation == "TagResources":
            known[arn].put(call.params["Tags"])
        else:
            known[arn].remove(call.params["TagKeys"])
    return {"FailedResourcesMap": failed}
