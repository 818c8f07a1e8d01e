"""What is not done when AWS has answered: states, propagation, and things that go slowly.

A hook before a call may refuse it, or answer it; a hook after it changes what the answer says. All
of it only where the gateway has a time scale (delays.py): without, the world is ready at once.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import corrections
from call import read_reply
from corrections import rds as rds_corrections
from corrections.ec2 import sync_interfaces
from corrections.lambda_ import functions, split_name
from corrections.tagging import Tagged, tagged_things
from faults import changes
from messages import AwsError, Reply

if TYPE_CHECKING:
    from call import Call

Result = dict[str, Any]
Before = Callable[["Call"], "Result | Reply | None"]
After = Callable[["Call", Result], None]

_before: dict[tuple[str, str], list[Before]] = {}
_after: dict[tuple[str, str], list[After]] = {}


def before(service: str, *operations: str) -> Callable[[Before], Before]:
    def register(function: Before) -> Before:
        for operation in operations:
            _before.setdefault((service, operation), []).append(function)
        return function

    return register


def after(service: str, *operations: str) -> Callable[[After], After]:
    def register(function: After) -> After:
        for operation in operations:
            _after.setdefault((service, operation), []).append(function)
        return function

    return register


def answer(call: Call) -> Reply:
    """As `corrections.answer`, with time."""
    if not call.delays.on:
        return corrections.answer(call)
    call.delays.run_due()
    _check_ids(call)
    for hook in _before.get((call.service, call.operation), ()):
        early = hook(call)
        if early is not None:
            return early if isinstance(early, Reply) else call.reply(early)
    reply = corrections.answer(call)
    if changes(call.operation):
        _note_births(call)
        if call.service == "lambda":
            sync_interfaces(call)
    hooks = _after.get((call.service, call.operation), ())
    if not hooks or reply.status >= 300:
        return reply
    result = read_reply(reply, call.target.operation, call.target.protocol)
    for after_hook in hooks:
        after_hook(call, result)
    return call.reply(result)


# -- ids that are not known everywhere yet ---------------------------------------------------------

NEW_IDS: dict[str, tuple[str, str, str]] = {
    "CreateVpc": ("Vpc.VpcId", "InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"),
    "CreateSubnet": ("Subnet.SubnetId", "InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist"),
    "CreateSecurityGroup": ("GroupId", "InvalidGroup.NotFound", "The security group '{}' does not exist"),
    "CreateRouteTable": ("RouteTable.RouteTableId", "InvalidRouteTableID.NotFound",
                         "The routeTable ID '{}' does not exist"),
    "CreateInternetGateway": ("InternetGateway.InternetGatewayId", "InvalidInternetGatewayID.NotFound",
                              "The internetGateway ID '{}' does not exist"),
    "AllocateAddress": ("AllocationId", "InvalidAllocationID.NotFound", "The allocation ID '{}' does not exist"),
}
LISTS = {"DescribeVpcs": ("Vpcs", "VpcId"), "DescribeSubnets": ("Subnets", "SubnetId"),
         "DescribeSecurityGroups": ("SecurityGroups", "GroupId"), "DescribeRouteTables": ("RouteTables", "RouteTableId"),
         "DescribeInternetGateways": ("InternetGateways", "InternetGatewayId"),
         "DescribeAddresses": ("Addresses", "AllocationId")}


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in items for text in _strings(item)]


@after("ec2", *NEW_IDS)
def new_id(call: Call, result: Result) -> None:
    path, code, words = NEW_IDS[call.operation]
    value: Any = result
    for part in path.split("."):
        value = value[part]
    call.delays.begin(("id", value), (f"{code}|{words.format(value)}", "id spreads"))


def _check_ids(call: Call) -> None:
    """Half of the calls about a new id come to a machine that does not know it; a filter finds nothing."""
    if call.service != "ec2":
        return
    for text in _strings({name: value for name, value in call.params.items() if name != "Filters"}):
        state = call.delays.state(("id", text))
        if state and call.delays.chance(0.5):
            code, _, message = state.partition("|")
            raise AwsError(code, message)


@after("ec2", *LISTS)
def lists_lag(call: Call, result: Result) -> None:
    key, name = LISTS[call.operation]
    result[key] = [item for item in result.get(key, [])
                   if not (call.delays.state(("id", item.get(name))) and call.delays.chance(0.5))]


# -- the tagging API hears of things late ----------------------------------------------------------


def _seen(call: Call) -> dict[str, Tagged]:
    return call.delays.memory.setdefault(("seen", call.region), {})


def _note_births(call: Call) -> None:
    seen, here = _seen(call), {thing.arn: thing for thing in tagged_things(call) if thing.tags}
    for arn in set(here) - set(seen):
        call.delays.begin(("tags", arn), ("new", "tags spread"))
    for arn in set(seen) - set(here):
        call.delays.begin(("ghost", arn), ("gone", "tags spread"))
        call.delays.memory.setdefault(("ghosts", call.region), {})[arn] = seen[arn]
    call.delays.memory["seen", call.region] = here


@after("resourcegroupstaggingapi", "GetResources")
def tags_lag(call: Call, result: Result) -> None:
    """What is new is not there yet, and what is gone still is."""
    found = [row for row in result["ResourceTagMappingList"] if not call.delays.state(("tags", row["ResourceARN"]))]
    listed = {row["ResourceARN"] for row in result["ResourceTagMappingList"]}
    if not call.params.get("PaginationToken"):
        filters = {item["Key"]: item.get("Values") or [] for item in call.params.get("TagFilters", [])}
        for arn, thing in call.delays.memory.get(("ghosts", call.region), {}).items():
            wanted = all(key in thing.tags and (not values or thing.tags[key] in values) for key, values in filters.items())
            if wanted and arn not in listed and call.delays.state(("ghost", arn)):
                tags = [{"Key": key, "Value": value} for key, value in sorted(thing.tags.items())]
                found.append({"ResourceARN": arn, "Tags": tags})
    result["ResourceTagMappingList"] = found


# -- roles -----------------------------------------------------------------------------------------


@after("iam", "CreateRole", "PutRolePolicy", "AttachRolePolicy")
def role_spreads(call: Call, result: Result) -> None:
    kind = "role" if call.operation == "CreateRole" else "policy"
    call.delays.begin((kind, call.params["RoleName"]), ("new", f"{kind} spreads"))


def _new(call: Call, kind: str, arn: str) -> bool:
    return call.delays.state((kind, arn.rsplit("/", 1)[-1])) is not None


@before("lambda", "CreateFunction", "UpdateFunctionConfiguration")
def role_for_function(call: Call) -> None:
    arn = call.params.get("Role")
    if not arn:
        return
    if _new(call, "role", arn):
        raise AwsError("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")
    if (call.params.get("VpcConfig") or {}).get("SubnetIds") and _new(call, "policy", arn):
        raise AwsError("InvalidParameterValueException", "The provided execution role does not have permissions to call "
                       "CreateNetworkInterface on EC2")


@before("rds", "CreateDBProxy", "ModifyDBProxy")
def role_for_proxy(call: Call) -> None:
    arn = call.params.get("RoleArn")
    if arn and _new(call, "role", arn):
        raise AwsError("InvalidParameterValue", f"RDS is not authorized to assume the role {arn}.")


# -- databases -------------------------------------------------------------------------------------


def _database(call: Call, name: str) -> tuple[str, str]:
    return "database", name


@after("rds", "CreateDBInstance")
def database_created(call: Call, result: Result) -> None:
    name = result["DBInstance"]["DBInstanceIdentifier"]
    call.delays.begin(_database(call, name), ("creating", "database creating"),
                      ("configuring-iam-database-auth", "database configuring"), ("backing-up", "database backing up"))
    _show_database(call, result["DBInstance"])


def _show_database(call: Call, found: Result) -> None:
    state = call.delays.state(_database(call, found["DBInstanceIdentifier"]))
    old = call.delays.memory.get(("old", found["DBInstanceIdentifier"]), {})
    if state is None:
        return
    found["DBInstanceStatus"] = "available" if state == "about to modify" else state
    if state == "creating":
        found.pop("Endpoint", None)
    if state in ("about to modify", "modifying"):
        for name, value in old.items():
            found.setdefault("PendingModifiedValues", {})[name] = found.get(name)
            found[name] = value


@after("rds", "DescribeDBInstances")
def databases_described(call: Call, result: Result) -> None:
    for found in result["DBInstances"]:
        _show_database(call, found)


@before("rds", "ModifyDBInstance", "RebootDBInstance")
def database_changeable(call: Call) -> None:
    name = call.params["DBInstanceIdentifier"]
    state = call.delays.state(_database(call, name))
    if state not in (None, "about to modify", "modifying"):
        raise AwsError("InvalidDBInstanceState", f"Database instance {name} is not in available state.")
    if call.operation == "ModifyDBInstance" and name in call.backend().databases:
        before_it = rds_corrections._instance(call, name)
        delayed = [shown for given, shown in rds_corrections.DELAYED.items() if given in call.params]
        call.delays.memory["old", name] = {shown: copy.deepcopy(before_it[shown]) for shown in delayed if shown in before_it}


@after("rds", "ModifyDBInstance")
def database_modified(call: Call, result: Result) -> None:
    name = result["DBInstance"]["DBInstanceIdentifier"]
    call.delays.begin(_database(call, name), ("about to modify", "database change begins"),
                      ("modifying", "database modifying"))
    old = call.delays.memory.get(("old", name), {})
    call.delays.memory["old", name] = {key: value for key, value in old.items() if result["DBInstance"].get(key) != value}
    _show_database(call, result["DBInstance"])


@before("rds", "DeleteDBInstance")
def database_goes(call: Call) -> Result | None:
    name, backend = call.params["DBInstanceIdentifier"], call.backend()
    instance, key = backend.databases.get(name), _database(call, call.params["DBInstanceIdentifier"])
    state = call.delays.state(key)
    if instance is None:
        return None
    if state == "deleting":
        raise AwsError("InvalidDBInstanceState", f"Instance {name} is already being deleted.")
    if state not in (None, "about to modify") and call.params.get("FinalDBSnapshotIdentifier"):
        raise AwsError("InvalidDBInstanceState", f"Cannot create a snapshot because the database instance {name} is not "
                       "currently in the available state.")
    result = rds_corrections.delete_instance(call)
    backend.databases[name] = instance  # it is there until it is gone
    call.delays.later(call.delays.begin(key, ("deleting", "database deleting")), lambda: backend.databases.pop(name, None))
    return result


# -- proxies ---------------------------------------------------------------------------------------


def _proxy(name: str) -> tuple[str, str]:
    return "proxy", name.lower()


@after("rds", "CreateDBProxy", "ModifyDBProxy")
def proxy_changed(call: Call, result: Result) -> None:
    word = "creating" if call.operation == "CreateDBProxy" else "modifying"
    call.delays.begin(_proxy(result["DBProxy"]["DBProxyName"]), (word, f"proxy {word}"))
    result["DBProxy"]["Status"] = word


@after("rds", "DescribeDBProxies")
def proxies_described(call: Call, result: Result) -> None:
    for found in result["DBProxies"]:
        found["Status"] = call.delays.state(_proxy(found["DBProxyName"])) or found["Status"]


@before("rds", "ModifyDBProxy", "ModifyDBProxyTargetGroup", "RegisterDBProxyTargets", "DeregisterDBProxyTargets")
def proxy_changeable(call: Call) -> None:
    state = call.delays.state(_proxy(call.params["DBProxyName"]))
    if state and call.params["DBProxyName"] in call.backend().db_proxies:
        raise AwsError("InvalidDBProxyStateFault", f"DB Proxy {call.params['DBProxyName']} is in {state} state.")
    for name in call.params.get("DBInstanceIdentifiers", []) if call.operation.startswith("Register") else []:
        state = call.delays.state(_database(call, name))
        if state not in (None, "about to modify"):
            raise AwsError("InvalidDBInstanceState", f"DB instance {name} is in {state} state.")


@after("rds", "RegisterDBProxyTargets")
def target_registered(call: Call, result: Result) -> None:
    call.delays.begin(("target", call.params["DBProxyName"]), ("REGISTERING", "target registering"),
                      ("PENDING_PROXY_CAPACITY", "target pending"))


@after("rds", "DescribeDBProxyTargets")
def targets_described(call: Call, result: Result) -> None:
    state = call.delays.state(("target", call.params["DBProxyName"]))
    for found in result["Targets"]:
        if state == "REGISTERING":
            found["TargetHealth"] = {"State": "REGISTERING"}
        elif state:
            found["TargetHealth"] = {"State": "UNAVAILABLE", "Reason": state,
                                     "Description": "DBProxy Target is waiting for proxy to scale to desired capacity"}


@before("rds", "DeleteDBProxy")
def proxy_goes(call: Call) -> Result | None:
    name, backend = call.params["DBProxyName"], call.backend()
    proxy = backend.db_proxies.get(name)
    if proxy is None:
        return None
    state = call.delays.state(_proxy(name))
    if state in ("creating", "deleting"):
        raise AwsError("InvalidDBProxyStateFault", f"DB Proxy {name} is in {state} state.")
    result = rds_corrections.delete_proxy(call)
    backend.db_proxies[name] = proxy
    call.delays.later(call.delays.begin(_proxy(name), ("deleting", "proxy deleting")),
                      lambda: backend.db_proxies.pop(name, None))
    return result


# -- gateways and endpoints ------------------------------------------------------------------------


@after("ec2", "CreateNatGateway")
def nat_created(call: Call, result: Result) -> None:
    call.delays.begin(("nat", result["NatGateway"]["NatGatewayId"]), ("pending", "nat pending"))
    result["NatGateway"]["State"] = "pending"


@after("ec2", "DescribeNatGateways")
def nats_described(call: Call, result: Result) -> None:
    for found in result["NatGateways"]:
        found["State"] = call.delays.state(("nat", found["NatGatewayId"])) or found["State"]


@before("ec2", "DeleteNatGateway")
def nat_goes(call: Call) -> Result | None:
    """Until it is gone it holds its address and its subnet."""
    name = call.params["NatGatewayId"]
    nat, key = call.backend().nat_gateways.get(name), ("nat", name)
    if nat is None or nat.state == "deleted":
        return None
    if call.delays.state(key) != "deleting":
        call.delays.later(call.delays.begin(key, ("deleting", "nat deleting")), lambda: corrections.answer(call))
    return {"NatGatewayId": name}


@after("ec2", "CreateVpcEndpoint")
def endpoint_created(call: Call, result: Result) -> None:
    found = result["VpcEndpoint"]
    if found.get("VpcEndpointType") == "Interface":
        call.delays.begin(("endpoint", found["VpcEndpointId"]), ("pending", "endpoint pending"))
        found["State"] = "pending"


@after("ec2", "DescribeVpcEndpoints")
def endpoints_described(call: Call, result: Result) -> None:
    for found in result["VpcEndpoints"]:
        found["State"] = call.delays.state(("endpoint", found["VpcEndpointId"])) or found["State"]


@before("ec2", "ModifyVpcEndpoint")
def endpoint_changeable(call: Call) -> None:
    state = call.delays.state(("endpoint", call.params["VpcEndpointId"]))
    if state:
        raise AwsError("IncorrectState", f"The VPC endpoint {call.params['VpcEndpointId']} is in {state} state.")


@before("ec2", "DeleteVpcEndpoints")
def endpoints_go(call: Call) -> Result | None:
    """Those of an interface hold their subnets and groups for a while; the others go at once."""
    endpoints, slow = call.backend().vpc_end_points, []
    for name in call.params["VpcEndpointIds"]:
        if name in endpoints and endpoints[name].vpc_endpoint_type == "Interface":
            slow.append(name)
    for name in slow:
        key = ("endpoint", name)
        if call.delays.state(key) != "deleting":
            one = copy.copy(call)
            one.params = {"VpcEndpointIds": [name]}
            call.delays.later(call.delays.begin(key, ("deleting", "endpoint deleting")),
                              lambda one=one: corrections.answer(one))
    call.params["VpcEndpointIds"] = [name for name in call.params["VpcEndpointIds"] if name not in slow]
    return None if call.params["VpcEndpointIds"] else {"Unsuccessful": []}


# -- functions -------------------------------------------------------------------------------------

STATES = {
    "Pending": {"State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating"},
    "InProgress": {"State": "Active", "LastUpdateStatus": "InProgress", "LastUpdateStatusReasonCode": "Creating",
                   "LastUpdateStatusReason": "The function is being created."},
}


def _function(call: Call) -> tuple[Any, Any]:
    name = split_name(call.params["FunctionName"])[0]
    return functions(call).get(name), ("function", call.region, name)


@before("lambda", "UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion", "DeleteFunction", "Invoke")
def function_changeable(call: Call) -> None:
    function, key = _function(call)
    if function is None:
        return
    state = call.delays.state(key)
    function.settled, function.created, function.changed_s = state is None, state != "Pending", time.monotonic()
    if state == "Pending" and call.operation in ("DeleteFunction", "Invoke"):
        raise AwsError("ResourceConflictException", "The operation cannot be performed at this time. The function is "
                       "currently in the following state: Pending", 409)
    call.delays.memory["network", key] = copy.deepcopy(function.vpc_config)


@after("lambda", "CreateFunction")
def function_created(call: Call, result: Result) -> None:
    name = "function pending in a network" if result.get("VpcConfig", {}).get("SubnetIds") else "function pending"
    call.delays.begin(_function(call)[1], ("Pending", name))


@after("lambda", "UpdateFunctionCode", "UpdateFunctionConfiguration")
def function_updated(call: Call, result: Result) -> None:
    function, key = _function(call)
    moves = call.delays.memory.get(("network", key)) != function.vpc_config
    call.delays.begin(key, ("InProgress", "function moving" if moves else "function updating"))


@after("lambda", "GetFunction", "GetFunctionConfiguration")
def function_read(call: Call, result: Result) -> None:
    function, key = _function(call)
    state = call.delays.state(key)
    shown = result["Configuration"] if call.operation == "GetFunction" else result
    function.settled, function.created = state is None, state != "Pending"
    if state:
        for name in ("State", "StateReason", "StateReasonCode", "LastUpdateStatus"):
            shown.pop(name, None)
        shown.update(STATES[state])
