"""EC2: dry runs, filters, tokens, rules, dependencies, endpoints, managed network interfaces."""

from __future__ import annotations

import copy
import functools
import ipaddress
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from corrections import checks, corrects, paged_or_plain
from corrections.lambda_ import in_vpc
from messages import AwsError
from pages import paged

if TYPE_CHECKING:
    from call import Call

Result = dict[str, Any]


@functools.cache
def repair_rules() -> None:
    """moto compares rules with their descriptions, and shows those of addresses alone."""
    from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule

    def same(self: Any, other: Any) -> bool:
        return _rule_key(self) == _rule_key(other)

    def description(self: Any) -> str | None:
        parts = (self.ip_range, self.source_group, {"Description": self.prefix_description})
        return next((part["Description"] for part in parts if part.get("Description")), None)

    made, flattened = SecurityGroupRule.__init__, SecurityGroup._flattened_rules

    def make(self: Any, *args: Any, **params: Any) -> None:
        made(self, *args, **params)
        given = params.get("prefix_list_id", args[7] if len(args) > 7 else None)
        self.prefix_description = (given or {}).get("Description")

    def with_descriptions(self: Any, rules: list[Any]) -> list[Any]:
        views = flattened(self, rules)
        told = {rule.prefix_list_id: rule.prefix_description for rule in rules if rule.prefix_list_id}
        for view in views:
            for item in view.prefix_list_ids:
                if told.get(item["PrefixListId"]):
                    item["Description"] = told[item["PrefixListId"]]
        return views

    SecurityGroupRule.__init__ = make
    SecurityGroup._flattened_rules = with_descriptions
    SecurityGroupRule.__eq__ = same
    SecurityGroupRule.description = property(description)


def _rule_key(rule: Any) -> tuple[Any, ...]:
    ip_range, source = rule.ip_range or {}, rule.source_group or {}
    ports = (None, None) if rule.ip_protocol == "-1" else (rule.from_port, rule.to_port)
    return (rule.ip_protocol, *ports, ip_range.get("CidrIp"), ip_range.get("CidrIpv6"), source.get("GroupId"),
            rule.prefix_list_id)


# -- every call ------------------------------------------------------------------------------------


@functools.cache
def _filter_names(model: Any, operation: str) -> frozenset[str]:
    """The filters that the operation's documentation lists."""
    shape = model.operation_model(operation).input_shape
    member = shape.members.get("Filters") or shape.members.get("Filter")
    return frozenset(re.findall(r"<li>\s*<p>\s*<code>([^<]+)</code>", member.documentation)) if member else frozenset()


@checks("ec2")
def check_every_call(call: Call) -> Result | None:
    repair_rules()
    names = _filter_names(call.target.model, call.operation)
    for item in call.params.get("Filters") or call.params.get("Filter") or []:
        name = item.get("Name", "null")
        if names and name not in names - {"tag"} and not name.startswith("tag:"):
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
    if call.operation in TOKENS and (done := _earlier(call)) is not None:
        return done
    _check_before(call)
    if call.params.get("DryRun"):
        raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
    return None


TOKENS = ("CreateNatGateway", "CreateRouteTable", "CreateVpcEndpoint")


def _tokens(call: Call) -> dict[Any, tuple[Result, Result]]:
    backend = call.backend()
    if not hasattr(backend, "gateway_tokens"):
        backend.gateway_tokens = {}
    return backend.gateway_tokens


def _earlier(call: Call) -> Result | None:
    token = call.params.get("ClientToken")
    params, result = _tokens(call).get((call.operation, token), (None, None)) if token else (None, None)
    if params is not None and params != call.params:
        raise AwsError("IdempotentParameterMismatch", "The client token has been used before with other parameters.")
    return result


def _once(call: Call, result: Result) -> Result:
    token = call.params.get("ClientToken")
    if token:
        _tokens(call)[call.operation, token] = (copy.deepcopy(call.params), result)
    return result


def _check_before(call: Call) -> None:
    ids = {"VpcId": ("vpcs", "InvalidVpcID.NotFound", "vpc ID")}
    for name, (table, code, what) in ids.items():
        value = call.params.get(name)
        if isinstance(value, str) and value not in getattr(call.backend(), table):
            raise AwsError(code, f"The {what} '{value}' does not exist")


# -- networks and subnets --------------------------------------------------------------------------


@corrects("ec2", "CreateVpc")
def create_vpc(call: Call) -> Any:
    block = call.params.get("CidrBlock")
    if not block and not call.params.get("Ipv4IpamPoolId"):
        raise AwsError("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.")
    _network(block, "CidrBlock")
    return call.pass_through()


def _network(text: str, name: str) -> Any:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise AwsError("InvalidParameterValue", f"Value ({text}) for parameter {name} is invalid. This is not a valid "
                       "CIDR block.") from None
    return network


@corrects("ec2", "ModifyVpcAttribute", "ModifySubnetAttribute")
def modify_attribute(call: Call) -> Any:
    given = [name for name in call.params if name not in ("VpcId", "SubnetId", "DryRun")]
    if len(given) != 1:
        raise AwsError("InvalidParameterCombination", "Exactly one attribute must be specified in a call.")
    return call.pass_through()


@corrects("ec2", "CreateSubnet")
def create_subnet(call: Call) -> Any:
    zone = call.params.get("AvailabilityZone")
    if not call.params.get("CidrBlock"):
        raise AwsError("MissingParameter", "Either 'ipv6CidrBlock' or 'cidrBlock' should be provided.")
    _network(call.params["CidrBlock"], "cidrBlock")
    if zone is None and not call.params.get("AvailabilityZoneId"):
        return _private(call, call.forward({**call.params, "AvailabilityZone": f"{call.region}a"}))
    if zone and not zone.startswith(call.region):
        raise AwsError("InvalidParameterValue", f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can "
                       "currently only be created in the following availability zones: of this region.")
    return _private(call, call.forward())


def _private(call: Call, result: Result) -> Result:
    """moto lets the first subnet of a zone give public addresses."""
    subnet = call.backend().get_subnet(result["Subnet"]["SubnetId"])
    subnet.map_public_ip_on_launch = False
    subnet.default_for_az = False
    result["Subnet"] |= {"MapPublicIpOnLaunch": False, "DefaultForAz": False}
    return result


@corrects("ec2", "DeleteSubnet")
def delete_subnet(call: Call) -> Any:
    name = call.params["SubnetId"]
    sync_interfaces(call)
    if any(interface.subnet.id == name for interface in call.backend().enis.values()):
        raise AwsError("DependencyViolation", f"The subnet '{name}' has dependencies and cannot be deleted.")
    for table in call.backend().route_tables.values():
        table._associations = {key: value for key, value in table._associations.items() if value != name}
    return call.pass_through()


@corrects("ec2", "DeleteVpc")
def delete_vpc(call: Call) -> Any:
    name, backend = call.params["VpcId"], call.backend()
    sync_interfaces(call)
    dependents: Iterator[bool] = (found for found in (
        any(gateway.vpc and gateway.vpc.id == name for gateway in backend.internet_gateways.values()),
        any(not group.is_default for group in backend.groups.get(name, {}).values()),
        any(endpoint.vpc_id == name for endpoint in backend.vpc_end_points.values()),
        any(nat.vpc_id == name and nat.state != "deleted" for nat in backend.nat_gateways.values()),
        any(interface.subnet.vpc_id == name for interface in backend.enis.values()),
    ))
    if any(dependents):
        raise AwsError("DependencyViolation", f"The vpc '{name}' has dependencies and cannot be deleted.")
    return call.pass_through()


# -- gateways and addresses ------------------------------------------------------------------------


@corrects("ec2", "DetachInternetGateway")
def detach_gateway(call: Call) -> Any:
    vpc, backend = call.params["VpcId"], call.backend()
    mapped = [address for address in backend.addresses if address.eni and address.eni.subnet.vpc_id == vpc]
    nats = [nat for nat in backend.nat_gateways.values() if nat.vpc_id == vpc and nat.state != "deleted"]
    if mapped or nats:
        raise AwsError("DependencyViolation", f"Network {vpc} has some mapped public address(es). Please unmap those "
                       "public address(es) before detaching the gateway.")
    return call.pass_through()


@corrects("ec2", "AttachInternetGateway")
def attach_gateway(call: Call) -> Any:
    vpc = call.params["VpcId"]
    if any(gateway.vpc and gateway.vpc.id == vpc for gateway in call.backend().internet_gateways.values()):
        raise AwsError("InvalidParameterValue", f"Network {vpc} already has an internet gateway attached")
    return call.pass_through()


@corrects("ec2", "AllocateAddress")
def allocate_address(call: Call) -> Any:
    return call.forward({"Domain": "vpc", **call.params})


@corrects("ec2", "ReleaseAddress")
def release_address(call: Call) -> Any:
    for address in call.backend().addresses:
        if address.allocation_id == call.params.get("AllocationId") and address.association_id:
            raise AwsError("InvalidIPAddress.InUse", f"Address {address.public_ip} is in use.")
    return call.pass_through()


@corrects("ec2", "CreateNatGateway")
def create_nat(call: Call) -> Result:
    params, backend = call.params, call.backend()
    public = params.get("ConnectivityType", "public") == "public"
    if public and not params.get("AllocationId"):
        raise AwsError("MissingParameter", "The request must include the AllocationId parameter.")
    if not public and params.get("AllocationId"):
        raise AwsError("InvalidParameterCombination", "AllocationId can't be used with a private NAT gateway.")
    subnet = backend.get_subnet(params["SubnetId"])
    if public:
        address = backend.address_by_allocation([params["AllocationId"]])[0]
        if address.association_id:
            raise AwsError("Resource.AlreadyAssociated", f"Elastic IP address [{params['AllocationId']}] is already "
                           "associated")
        if not any(gateway.vpc and gateway.vpc.id == subnet.vpc_id for gateway in backend.internet_gateways.values()):
            raise AwsError("Gateway.NotAttached", f"Network {subnet.vpc_id} has no Internet gateway attached")
    made = call.forward({key: value for key, value in params.items() if key != "ClientToken"})
    nat = backend.nat_gateways[made["NatGateway"]["NatGatewayId"]]
    nat._eni._group_set = []
    _mark(nat._eni, "nat_gateway", f"Interface for NAT Gateway {nat.id}", "amazon-aws")
    return _once(call, made)


def _nat(call: Call, name: str) -> Any:
    nat = call.backend().nat_gateways.get(name)
    if nat is None:
        raise AwsError("NatGatewayNotFound", f"The Nat Gateway {name} was not found")
    return nat


@corrects("ec2", "DeleteNatGateway")
def delete_nat(call: Call) -> Result:
    nat, backend = _nat(call, call.params["NatGatewayId"]), call.backend()
    for address in backend.addresses:
        if address.eni and address.eni.id == nat._eni.id:
            backend.disassociate_address(address=address.public_ip)
    backend.enis.pop(nat._eni.id, None)
    return call.forward()


@corrects("ec2", "DescribeNatGateways")
def describe_nats(call: Call) -> Result:
    for name in call.params.get("NatGatewayIds", []):
        _nat(call, name)
    return _tag_filtered(call, paged(call), "NatGateways")


def _tag_filtered(call: Call, result: Result, key: str) -> Result:
    """moto forgets tag filters here."""
    for item in call.params.get("Filters") or call.params.get("Filter") or []:
        name, values = item["Name"], item.get("Values", [])
        if name.startswith("tag:"):
            result[key] = [found for found in result[key] if any(
                tag["Key"] == name[4:] and tag["Value"] in values for tag in found.get("Tags", []))]
        elif name == "tag-key":
            result[key] = [found for found in result[key] if any(tag["Key"] in values for tag in found.get("Tags", []))]
    return result


# -- route tables ----------------------------------------------------------------------------------


@corrects("ec2", "CreateRouteTable")
def create_route_table(call: Call) -> Result:
    return _once(call, call.forward())


@corrects("ec2", "AssociateRouteTable")
def associate_route_table(call: Call) -> Any:
    subnet = call.params.get("SubnetId")
    for table in call.backend().route_tables.values():
        if subnet and subnet in table._associations.values() and table.id != call.params["RouteTableId"]:
            raise AwsError("Resource.AlreadyAssociated", "the specified association for route table "
                           f"{call.params['RouteTableId']} conflicts with an existing association")
    return call.pass_through()


@corrects("ec2", "CreateRoute", "ReplaceRoute")
def write_route(call: Call) -> Any:
    params, backend = call.params, call.backend()
    table = backend.get_route_table(params["RouteTableId"])
    targets = [name for name in ("GatewayId", "NatGatewayId", "NetworkInterfaceId", "TransitGatewayId", "VpcEndpointId",
                                 "EgressOnlyInternetGatewayId", "VpcPeeringConnectionId") if params.get(name)]
    if len(targets) != 1:
        raise AwsError("InvalidParameterCombination", "Exactly one target of the route must be specified.")
    if params.get("DestinationCidrBlock"):
        network = _network(params["DestinationCidrBlock"], "destinationCidrBlock")
        if any(str(network) == route.destination_cidr_block and route.local for route in table._routes.values()):
            raise AwsError("RouteAlreadyExists", f"The route identified by {network} already exists.")
    if params.get("NatGatewayId"):
        nat = backend.nat_gateways.get(params["NatGatewayId"])
        if nat is None or nat.state == "deleted":
            raise AwsError("InvalidNatGatewayID.NotFound", f"The natGateway ID '{params['NatGatewayId']}' does not exist")
    gateway = params.get("GatewayId", "")
    if gateway.startswith("igw-"):
        attached = backend.get_internet_gateway(gateway).vpc
        if not attached or attached.id != table.vpc_id:
            raise AwsError("InvalidParameterValue", f"route table {table.id} and network gateway {gateway} belong to "
                           "different networks")
    return call.pass_through()


@corrects("ec2", "DeleteRouteTable")
def delete_route_table(call: Call) -> Any:
    table = call.backend().get_route_table(call.params["RouteTableId"])
    if table.main_association_id:
        raise AwsError("DependencyViolation", f"The routeTable '{table.id}' has dependencies and cannot be deleted.")
    return call.pass_through()


# -- security groups -------------------------------------------------------------------------------


def _group(call: Call) -> Any:
    name = call.params.get("GroupId") or call.params.get("GroupName")
    group = call.backend().get_security_group_by_name_or_id(name)
    if group is None:
        raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
    return group


@corrects("ec2", "CreateSecurityGroup")
def create_group(call: Call) -> Any:
    name, description = call.params["GroupName"], call.params["Description"]
    if name.startswith("sg-"):
        raise AwsError("InvalidParameterValue", "Invalid value for groupName. Group names may not be in the format sg-*.")
    for text, what in ((name, "groupName"), (description, "groupDescription")):
        if not re.fullmatch(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}", text):
            raise AwsError("InvalidParameterValue", f"Value ({text}) for parameter {what} is invalid. Character sets "
                           "beyond ASCII are not supported.")
    return call.pass_through()


@corrects("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
def authorize(call: Call) -> Result:
    """All of the rules or none of them, and all in the reply."""
    group = _group(call)
    side = "egress_rules" if call.operation.endswith("Egress") else "ingress_rules"
    before = list(getattr(group, side))
    for permission in call.params.get("IpPermissions", []):
        _check_permission(permission)
    try:
        result = call.forward()
    except AwsError as error:
        setattr(group, side, before)
        if error.code == "InvalidPermission.Duplicate":
            error.message = "the specified rule already exists"
        raise
    known = {rule.id for rule in before}
    added = {rule.id for rule in getattr(group, side)} - known
    result["SecurityGroupRules"] = [rule for rule in _rules(call, group.id) if rule["SecurityGroupRuleId"] in added]
    return result


def _check_permission(permission: Result) -> None:
    protocol = permission.get("IpProtocol")
    if protocol is None:
        raise AwsError("InvalidParameterValue", "Invalid value 'null' for protocol. VPC security group rules must "
                       "specify protocols explicitly.")
    low, high = permission.get("FromPort"), permission.get("ToPort")
    if protocol in ("tcp", "udp", "6", "17"):
        if low is None or high is None:
            raise AwsError("InvalidParameterValue", "Invalid value 'Must specify both from and to ports with TCP/UDP.' "
                           "for portRange.")
        if not 0 <= low <= high <= 65535:
            raise AwsError("InvalidParameterValue", f"Invalid TCP/UDP port range ({low}:{high})")
    for item in permission.get("IpRanges", []):
        network = item.get("CidrIp", "")
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise AwsError("InvalidParameterValue", f"CIDR block {network} is malformed") from None
    sides = [key for key in ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds") if permission.get(key)]
    if not sides:
        raise AwsError("InvalidPermission.Malformed", "A permission names no address, group or prefix list.")
    for key in sides:
        for item in permission[key]:
            text = item.get("Description", "")
            if not re.fullmatch(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}", text):
                raise AwsError("InvalidParameterValue", f"Invalid rule description {text!r}.")


def _rules(call: Call, group: str) -> list[Result]:
    found = call.forward({"Filters": [{"Name": "group-id", "Values": [group]}]}, "DescribeSecurityGroupRules")
    return [_rule_as_aws(rule) for rule in found["SecurityGroupRules"]]


def _rule_as_aws(rule: Result) -> Result:
    source = rule.get("ReferencedGroupInfo")
    if source:
        rule["ReferencedGroupInfo"] = {key: source[key] for key in ("GroupId", "UserId") if key in source}
    return rule


@corrects("ec2", "DescribeSecurityGroupRules")
def describe_rules(call: Call) -> Result:
    from pages import page_of

    filters = [item for item in call.params.get("Filters", []) if not item["Name"].startswith("tag")]
    params = {key: call.params[key] for key in ("SecurityGroupRuleIds",) if key in call.params}
    result = call.forward({**params, "Filters": filters} if filters else params)
    result["SecurityGroupRules"] = [_rule_as_aws(rule) for rule in result["SecurityGroupRules"]]
    return page_of(call, _tag_filtered(call, result, "SecurityGroupRules"))


@corrects("ec2", "ModifySecurityGroupRules")
def modify_rules(call: Call) -> Result:
    group = _group(call)
    for item in call.params["SecurityGroupRules"]:
        name, wanted = item["SecurityGroupRuleId"], item.get("SecurityGroupRule", {})
        rule = next((rule for rule in group.ingress_rules + group.egress_rules if rule.id == name), None)
        if rule is None:
            raise AwsError("InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{name}' does not exist")
        sides = [key for key in ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId") if wanted.get(key)]
        if len(sides) != 1:
            raise AwsError("InvalidParameterCombination", "Exactly one of cidrIpv4, cidrIpv6, prefixListId and "
                           "referencedGroupId must be specified")
        rule.ip_protocol = wanted["IpProtocol"]
        rule.from_port, rule.to_port = wanted.get("FromPort"), wanted.get("ToPort")
        text = {"Description": wanted["Description"]} if wanted.get("Description") else {}
        value = wanted[sides[0]]
        rule.ip_range = {"CidrIp": value, **text} if sides == ["CidrIpv4"] else (
            {"CidrIpv6": value, **text} if sides == ["CidrIpv6"] else {})
        rule.source_group = ({"GroupId": value, "UserId": call.account, "OwnerId": call.account, **text}
                             if sides == ["ReferencedGroupId"] else {})
        rule.prefix_list_id = value if sides == ["PrefixListId"] else None
        rule.prefix_description = wanted.get("Description") if sides == ["PrefixListId"] else None
    return {"Return": True}


@corrects("ec2", "UpdateSecurityGroupRuleDescriptionsIngress", "UpdateSecurityGroupRuleDescriptionsEgress")
def update_descriptions(call: Call) -> Result:
    """A description that is left out is taken out."""
    group = _group(call)
    side = "egress_rules" if call.operation.endswith("Egress") else "ingress_rules"
    wanted = list(_described(call.params.get("IpPermissions", [])))
    for item in call.params.get("SecurityGroupRuleDescriptions", []):
        wanted.append((item["SecurityGroupRuleId"], item.get("Description")))
    for key, text in wanted:
        rule = next((rule for rule in getattr(group, side) if key in (rule.id, _rule_key(rule))), None)
        if rule is None:
            raise AwsError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
        for part in (rule.ip_range, rule.source_group):
            part.pop("Description", None)
            if text and part:
                part["Description"] = text
        rule.prefix_description = text if rule.prefix_list_id else None
    return {"Return": True}


def _described(permissions: list[Result]) -> Iterator[tuple[Any, str | None]]:
    for permission in permissions:
        protocol = permission["IpProtocol"]
        ports = (None, None) if protocol == "-1" else (permission.get("FromPort"), permission.get("ToPort"))
        for place, name in enumerate(("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds")):
            for item in permission.get(name, []):
                target: list[str | None] = [None] * 4
                target[place] = next(item[key] for key in ("CidrIp", "CidrIpv6", "GroupId", "PrefixListId") if key in item)
                yield (protocol, *ports, *target), item.get("Description")


@corrects("ec2", "DeleteSecurityGroup")
def delete_group(call: Call) -> Any:
    group, backend = _group(call), call.backend()
    if group.is_default:
        raise AwsError("CannotDelete", f"the specified group: \"{group.id}\" name: \"default\" cannot be deleted by a user")
    sync_interfaces(call)
    users = [eni.id for eni in backend.enis.values() if any(member.id == group.id for member in eni._group_set)]
    for groups in backend.groups.values():
        for other in groups.values():
            rules = other.ingress_rules + other.egress_rules
            if other.id != group.id and any((rule.source_group or {}).get("GroupId") == group.id for rule in rules):
                users.append(other.id)
    if users:
        raise AwsError("DependencyViolation", f"resource {group.id} has a dependent object")
    return call.forward()


# -- endpoints -------------------------------------------------------------------------------------


@corrects("ec2", "CreateVpcEndpoint")
def create_endpoint(call: Call) -> Result:
    params, backend = dict(call.params), call.backend()
    params.pop("ClientToken", None)
    kind, service = params.setdefault("VpcEndpointType", "Gateway"), params.get("ServiceName", "")
    details = backend.describe_vpc_endpoint_services(
        service_names=[], filters=[], max_results=None, next_token=None, region=call.region)["servicesDetails"]
    offered = [item for item in details if item["ServiceName"] == service]
    if not offered:
        raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{service}' does not exist")
    if not any(kind == types["ServiceType"] for item in offered for types in item["ServiceType"]):
        raise AwsError("InvalidParameter", f"Endpoint type ({kind}) does not match available service types.")
    vpc = backend.get_vpc(params["VpcId"])
    if kind == "Gateway":
        params["PrivateDnsEnabled"] = False
        _check_gateway_endpoint(call, params)
    else:
        params.setdefault("PrivateDnsEnabled", True)
        _check_interface_endpoint(call, params, vpc)
        if not params.get("SecurityGroupIds"):
            params["SecurityGroupIds"] = [backend.get_default_security_group(vpc.id).id]
    made = call.forward(params)["VpcEndpoint"]["VpcEndpointId"]
    sync_endpoint(call, backend.vpc_end_points[made])
    return _once(call, {"VpcEndpoint": _endpoints(call, [made])[0], "ClientToken": call.params.get("ClientToken")})


def _check_gateway_endpoint(call: Call, params: Result) -> None:
    for name in params.get("RouteTableIds", []):
        table = call.backend().get_route_table(name)
        if table.vpc_id != params["VpcId"]:
            raise AwsError("InvalidParameter", f"Route table {name} belongs to another VPC.")
    for endpoint in call.backend().vpc_end_points.values():
        taken = set(endpoint.route_table_ids or []) & set(params.get("RouteTableIds", []))
        if endpoint.service_name == params["ServiceName"] and taken:
            raise AwsError("RouteAlreadyExists", f"route table {sorted(taken)[0]} already has a route with "
                           f"destination-prefix-list-id {endpoint.destination_prefix_list_id}")


def _check_interface_endpoint(call: Call, params: Result, vpc: Any) -> None:
    backend = call.backend()
    _check_endpoint_subnets(call, params.get("SubnetIds", []), vpc.id)
    for name in params.get("SecurityGroupIds", []):
        group = backend.get_security_group_from_id(name)
        if group is None:
            raise AwsError("InvalidSecurityGroupId.NotFound", f"The security group '{name}' does not exist")
        if group.vpc_id != vpc.id:
            raise AwsError("InvalidParameter", f"Security group {name} and subnets belong to different networks.")
    if not params["PrivateDnsEnabled"]:
        return
    if not (_on(vpc.enable_dns_support) and _on(vpc.enable_dns_hostnames)):
        raise AwsError("InvalidParameter", "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames "
                       f"VPC attributes set to true for {vpc.id}")
    for endpoint in backend.vpc_end_points.values():
        if endpoint.vpc_id == vpc.id and endpoint.service_name == params["ServiceName"] and _on(endpoint.private_dns_enabled):
            raise AwsError("InvalidParameter", "private-dns-enabled cannot be set because there is already a "
                           f"conflicting DNS domain for {params['ServiceName']} in the VPC {vpc.id}")


def _check_endpoint_subnets(call: Call, names: list[str], vpc: str) -> None:
    subnets = [call.backend().get_subnet(name) for name in names]
    if any(subnet.vpc_id != vpc for subnet in subnets):
        raise AwsError("InvalidParameter", "The subnets belong to another VPC.")
    zones = [subnet.availability_zone for subnet in subnets]
    if len(set(zones)) < len(zones):
        raise AwsError("DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the availability zone of one "
                       "of the given subnets.")


def _on(value: Any) -> bool:
    return value in (True, "true")


def _endpoint(call: Call, name: str) -> Any:
    endpoint = call.backend().vpc_end_points.get(name)
    if endpoint is None:
        raise AwsError("InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{name}' does not exist")
    return endpoint


def sync_endpoint(call: Call, endpoint: Any) -> None:
    """An interface endpoint has a network interface a subnet, a gateway endpoint a route a table."""
    backend = call.backend()
    if endpoint.vpc_endpoint_type == "Interface":
        here = {backend.enis[name].subnet.id: name for name in endpoint.network_interface_ids if name in backend.enis}
        for subnet in set(endpoint.subnet_ids or []) - set(here):
            here[subnet] = backend.create_network_interface(backend.get_subnet(subnet), None).id
        for subnet in set(here) - set(endpoint.subnet_ids or []):
            backend.enis.pop(here.pop(subnet), None)
        for name in here.values():
            groups = [backend.get_security_group_from_id(group) for group in endpoint.security_group_ids]
            backend.enis[name]._group_set = [group for group in groups if group]
            _mark(backend.enis[name], "vpc_endpoint", f"VPC Endpoint Interface {endpoint.id}", "amazon-aws")
        endpoint.network_interface_ids = list(here.values())
        return
    for table in backend.route_tables.values():
        routes = {key: route for key, route in table._routes.items() if route.gateway_id == endpoint.id}
        if table.id in endpoint.route_table_ids and not routes:
            backend.create_route(table.id, None, gateway_id=endpoint.id,
                                 destination_prefix_list_id=endpoint.destination_prefix_list_id)
        elif table.id not in endpoint.route_table_ids:
            for key in routes:
                table._routes.pop(key)


@corrects("ec2", "ModifyVpcEndpoint")
def modify_endpoint(call: Call) -> Result:
    params, endpoint = call.params, _endpoint(call, call.params["VpcEndpointId"])
    interface = endpoint.vpc_endpoint_type == "Interface"
    wrong = [name for name in params if ("Subnet" in name or "SecurityGroup" in name or "PrivateDns" in name) != interface
             and ("Subnet" in name or "SecurityGroup" in name or "PrivateDns" in name or "RouteTable" in name)]
    if wrong:
        raise AwsError("InvalidParameter", f"{wrong[0]} cannot be modified of an endpoint of type "
                       f"{endpoint.vpc_endpoint_type}.")
    subnets = set(endpoint.subnet_ids or []) | set(params.get("AddSubnetIds", []))
    _check_endpoint_subnets(call, sorted(subnets - set(params.get("RemoveSubnetIds", []))), endpoint.vpc_id)
    for kind, attribute in (("RouteTable", "route_table_ids"), ("SecurityGroup", "security_group_ids"), ("Subnet", "subnet_ids")):
        have = set(getattr(endpoint, attribute) or [])
        for name in params.get(f"Remove{kind}Ids", []):
            if name not in have:
                raise AwsError("InvalidParameter", f"{name} is not associated with {endpoint.id}.")
    if params.get("ResetPolicy"):
        endpoint.policy_document = json.dumps(type(endpoint).DEFAULT_POLICY)
    if "PrivateDnsEnabled" in params:
        vpc = call.backend().get_vpc(endpoint.vpc_id)
        if params["PrivateDnsEnabled"] and not (_on(vpc.enable_dns_support) and _on(vpc.enable_dns_hostnames)):
            raise AwsError("InvalidParameter", "Enabling private DNS requires both enableDnsSupport and "
                           f"enableDnsHostnames VPC attributes set to true for {vpc.id}")
        endpoint.private_dns_enabled = params["PrivateDnsEnabled"]
    result = call.forward()
    sync_endpoint(call, endpoint)
    return result


def _endpoints(call: Call, names: list[str]) -> list[Result]:
    found = call.forward({"VpcEndpointIds": names}, "DescribeVpcEndpoints")["VpcEndpoints"]
    return [_endpoint_as_aws(call, item) for item in found]


def _endpoint_as_aws(call: Call, item: Result) -> Result:
    item.setdefault("IpAddressType", "ipv4")
    item["RequesterManaged"] = False
    if item.get("VpcEndpointType") == "Gateway":
        item["PrivateDnsEnabled"] = False
        for key in ("SubnetIds", "NetworkInterfaceIds", "Groups", "DnsEntries"):
            item[key] = []
    return item


@corrects("ec2", "DescribeVpcEndpoints")
def describe_endpoints(call: Call) -> Result:
    for name in call.params.get("VpcEndpointIds", []):
        _endpoint(call, name)
    result = paged(call)
    result["VpcEndpoints"] = [_endpoint_as_aws(call, item) for item in result["VpcEndpoints"]]
    return _tag_filtered(call, result, "VpcEndpoints")


@corrects("ec2", "DeleteVpcEndpoints")
def delete_endpoints(call: Call) -> Result:
    """Those that are not there are told in the reply, and the others go."""
    backend, unsuccessful = call.backend(), []
    for name in call.params["VpcEndpointIds"]:
        endpoint = backend.vpc_end_points.get(name)
        if endpoint is None:
            unsuccessful.append({"ResourceId": name, "Error": {
                "Code": "InvalidVpcEndpoint.NotFound", "Message": f"The Vpc Endpoint Id '{name}' does not exist"}})
            continue
        endpoint.subnet_ids, endpoint.route_table_ids = [], []
        sync_endpoint(call, endpoint)
        backend.vpc_end_points.pop(name)
    return {"Unsuccessful": unsuccessful}


# -- network interfaces that services keep ---------------------------------------------------------


def _mark(interface: Any, kind: str, description: str, requester: str) -> None:
    interface.interface_type = kind
    interface.description = description
    interface.requester_managed = True
    interface.requester_id = requester
    interface.status = "in-use"


def sync_interfaces(call: Call) -> None:
    """Makes the interfaces of functions, databases and proxies those that their state asks for."""
    backend = call.backend("ec2")
    have: dict[Any, str] = backend.__dict__.setdefault("gateway_interfaces", {})
    wanted = dict(_managed(call))
    for key in set(have) - set(wanted):
        if not _lingers(call, key):
            backend.enis.pop(have.pop(key), None)
    for key in wanted:
        call.delays.forget(("lingers", key))
    for key, (subnet, groups, kind, description, requester) in wanted.items():
        if key not in have or have[key] not in backend.enis:
            have[key] = backend.create_network_interface(backend.get_subnet(subnet), None).id
        interface = backend.enis[have[key]]
        members = [backend.get_security_group_from_id(name) for name in groups]
        interface._group_set = [group for group in members if group]
        _mark(interface, kind, description, requester)


def _lingers(call: Call, key: Any) -> bool:
    """Lambda releases the interfaces of functions long after they are gone."""
    if key[0] != "lambda" or not call.delays.on:
        return False
    if not call.delays.known(("lingers", key)):
        call.delays.begin(("lingers", key), ("lingers", "interface lingers"))
    return call.delays.state(("lingers", key)) is not None


def _managed(call: Call) -> Iterator[tuple[Any, tuple[str, list[str], str, str, str]]]:
    for function in in_vpc(call):
        groups = function.vpc_config["SecurityGroupIds"]
        for subnet in function.vpc_config["SubnetIds"]:
            key = ("lambda", subnet, tuple(sorted(groups)))
            yield key, (subnet, groups, "lambda", f"AWS Lambda VPC ENI-{function.function_name}", "AROAEXAMPLE:lambda")
    rds = call.backend("rds")
    for instance in rds.databases.values():
        group = rds.subnet_groups.get(instance._db_subnet_group_name or "")
        subnets = [subnet for subnet in group._subnets if subnet.availability_zone == instance.availability_zone] if group else []
        for subnet in subnets[:1]:
            key = ("rds", instance.dbi_resource_id)
            yield key, (subnet.id, instance.vpc_security_group_ids, "interface", "RDSNetworkInterface", "amazon-rds")
    for proxy in rds.db_proxies.values():
        for subnet in proxy.vpc_subnet_ids:
            key = ("proxy", proxy.unique_id, subnet)
            yield key, (subnet, proxy.vpc_security_group_ids, "interface", f"Network interface for DBProxy "
                        f"{proxy.db_proxy_name}", "amazon-rds")


@corrects("ec2", "DescribeNetworkInterfaces")
def describe_interfaces(call: Call) -> Any:
    sync_interfaces(call)
    return paged_or_plain(call)


@corrects("ec2", "DeleteNetworkInterface")
def delete_interface(call: Call) -> Any:
    sync_interfaces(call)
    interface = call.backend().enis.get(call.params["NetworkInterfaceId"])
    if interface is not None and interface.status == "in-use":
        raise AwsError("InvalidParameterValue", f"Network interface '{interface.id}' is currently in use.")
    return call.pass_through()
