"""What stands in a region, in words that a second run of the same kind says alike: for comparing.

Ids that AWS makes up are left out; whose a thing is, is told by its tags. Equal things are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from corrections.apigatewayv2 import apis
from corrections.ec2 import sync_interfaces
from corrections.lambda_ import functions
from corrections.tagging import tagged_things

if TYPE_CHECKING:
    from call import Call

LEDGER = "ragstack-"  # its bucket stays, by design


def inventory(call: Call) -> dict[str, int]:
    """`call` is any call: only its account and region count."""
    sync_interfaces(call)
    return dict(sorted(Counter(_everything(call)).items()))


def _everything(call: Call) -> Iterator[str]:
    for source in (_tagged, _network, _roles, _databases, _functions, _apis, _storage, _watch):
        yield from source(call)


def _tagged(call: Call) -> Iterator[str]:
    for thing in tagged_things(call):
        if thing.kind == "s3:bucket" and thing.arn.split(":::")[1].startswith(LEDGER):
            continue
        if thing.kind in ("ec2:security-group-rule", "ec2:network-interface", "rds:snapshot"):
            continue
        tags = {key: value for key, value in thing.tags.items() if key.startswith("ragstack:")}
        yield f"{thing.kind} {' '.join(f'{key}={value}' for key, value in sorted(tags.items()))}".strip()


def _network(call: Call) -> Iterator[str]:
    ec2 = call.backend("ec2")
    for table in ec2.route_tables.values():
        name = ec2.tags[table.id].get("ragstack:id", "-")
        for route in table._routes.values():
            yield f"route of {name}: {route.destination_cidr_block or 'prefix list'}"
        yield from (f"association of route table {name}" for _ in table._associations)
    for network in ec2.groups.values():
        for group in network.values():
            name = ec2.tags[group.id].get("ragstack:id", group.name)
            for side, rules in (("in", group.ingress_rules), ("out", group.egress_rules)):
                yield from (f"rule {side} of {name}: {rule.ip_protocol} {rule.from_port}" for rule in rules)
    for interface in ec2.enis.values():
        yield f"interface {interface.interface_type}: {interface.description.split('-')[0].split(' vpce')[0]}"
    for gateway in ec2.internet_gateways.values():
        yield f"internet gateway {'attached' if gateway.vpc else 'loose'}"


def _roles(call: Call) -> Iterator[str]:
    for role in call.backend("iam").roles.values():
        yield f"role {role.path}{role.name}"
        yield from (f"policy {name} of {role.name}" for name in role.policies)


def _databases(call: Call) -> Iterator[str]:
    rds = call.backend("rds")
    yield from (f"database {instance.db_instance_identifier}" for instance in rds.databases.values())
    yield from (f"{snapshot.snapshot_type} snapshot" for snapshot in rds.database_snapshots.values())
    for proxy in rds.db_proxies.values():
        for group in proxy.proxy_target_groups.values():
            yield from (f"target of {proxy.db_proxy_name}: {target.rds_resource_id}" for target in group.targets)


def _functions(call: Call) -> Iterator[str]:
    for name, function in functions(call).items():
        yield from (f"version {number} of {name}" for number in function.versions)
        yield from (f"alias {alias} of {name}: {config['FunctionVersion']}" for alias, config in function.aliases.items())
        for qualifier, statements in function.policies.items():
            yield from (f"permission {statement['Sid']} of {name}:{qualifier}" for statement in statements)
        if function.concurrency is not None:
            yield f"concurrency of {name}: {function.concurrency}"


def _apis(call: Call) -> Iterator[str]:
    for api in apis(call).values():
        name = api.config["Name"]
        yield from (f"route of {name}: {route['RouteKey']}" for route in api.routes.values())
        for what in ("integrations", "authorizers", "stages"):
            yield from (f"{what} of {name}" for _ in getattr(api, what))


def _storage(call: Call) -> Iterator[str]:
    for name, bucket in call.backend("s3").buckets.items():
        if name.startswith(LEDGER) or bucket.region_name != call.region:
            continue
        yield f"bucket {name}"
        yield f"objects of {name}: {len(list(bucket.keys))}"
        yield f"notifications of {name}: {bool(bucket.notification_configuration)}"


def _watch(call: Call) -> Iterator[str]:
    yield from (f"log group {name}" for name in call.backend("logs").groups)
    for group in call.backend("logs").groups.values():
        yield from (f"filter {name} of {group.name}" for name in getattr(group, "metric_filters", {}))
    yield from (f"alarm {name}" for name in call.backend("cloudwatch").alarms)
    yield from (f"dashboard {name}" for name in call.backend("cloudwatch").dashboards)
    yield from (f"subscription to {subscription.topic.name}" for subscription in call.backend("sns").subscriptions.values())
