"""The EC2 kinds: every field there and back, drift, half-made things, and all gone at the end."""

from __future__ import annotations

import unittest
from typing import Any

import harness

FIRST = """
stack: net
region: us-east-1
resources:
  net: {kind: ec2.vpc, cidr: 10.50.0.0/16, dns_hostnames: true}
  sub: {kind: ec2.subnet, vpc: "${net.id}", cidr: 10.50.0.0/24, zone_index: 0}
  sub2: {kind: ec2.subnet, vpc: "${net.id}", cidr: 10.50.1.0/24, zone: us-east-1c}
  gate: {kind: ec2.internet_gateway, vpc: "${net.id}"}
  addr: {kind: ec2.elastic_ip}
  out: {kind: ec2.nat_gateway, subnet: "${sub.id}", elastic_ip: "${addr.id}", internet_gateway: "${gate.id}"}
  table:
    kind: ec2.route_table
    vpc: "${net.id}"
    routes: [{destination: 0.0.0.0/0, gateway: "${gate.id}"}]
    subnets: ["${sub.id}", "${sub2.id}"]
  table2: {kind: ec2.route_table, vpc: "${net.id}"}
  alpha:
    kind: ec2.security_group
    vpc: "${net.id}"
    description: alpha
    rules:
      - {direction: ingress, port: 443, group: "${beta.id}", description: from beta}
      - {direction: ingress, port: 22, cidr: 10.0.0.0/8}
      - {direction: egress, protocol: all, cidr: 0.0.0.0/0}
      - {direction: egress, port: 443, prefix_list: "${store.prefix_list}", description: to S3}
  beta:
    kind: ec2.security_group
    vpc: "${net.id}"
    rules:
      - {direction: egress, port: 443, group: "${alpha.id}", description: to alpha}
      - {direction: ingress, from_port: 1000, to_port: 2000, group: "${beta.id}"}
      - {direction: ingress, protocol: icmp, cidr: 10.50.0.0/16}
      - {direction: ingress, protocol: icmp, from_port: 8, to_port: -1, cidr: 10.51.0.0/16}
      - {direction: ingress, protocol: udp, cidr: 10.50.0.0/16}
      - {direction: ingress, port: 80, cidr6: "fd00::/8"}
  store: {kind: ec2.vpc_endpoint, vpc: "${net.id}", service: s3, type: gateway, route_tables: ["${table.id}"]}
  talk:
    kind: ec2.vpc_endpoint
    vpc: "${net.id}"
    service: logs
    subnets: ["${sub.id}"]
    groups: ["${alpha.id}"]
    private_dns: true
"""

# Every field that can change has changed; what cannot change in place is replaced.
SECOND = """
stack: net
region: us-east-1
tags: {team: search, empty: ""}
resources:
  net: {kind: ec2.vpc, cidr: 10.50.0.0/16, dns_support: false}
  sub: {kind: ec2.subnet, vpc: "${net.id}", cidr: 10.50.0.0/24, zone_index: 1, map_public_ip: true}
  sub2: {kind: ec2.subnet, vpc: "${net.id}", cidr: 10.50.2.0/24, zone: us-east-1b}
  gate: {kind: ec2.internet_gateway, vpc: "${net.id}"}
  addr: {kind: ec2.elastic_ip}
  addr2: {kind: ec2.elastic_ip}
  out: {kind: ec2.nat_gateway, subnet: "${sub.id}", elastic_ip: "${addr2.id}", internet_gateway: "${gate.id}"}
  table:
    kind: ec2.route_table
    vpc: "${net.id}"
    routes:
      - {destination: 0.0.0.0/0, nat_gateway: "${out.id}"}
      - {destination: 192.168.0.0/16, gateway: "${gate.id}"}
    subnets: ["${sub2.id}"]
  table2: {kind: ec2.route_table, vpc: "${net.id}", subnets: ["${sub.id}"]}
  alpha:
    kind: ec2.security_group
    vpc: "${net.id}"
    description: alpha changed
    rules:
      - {direction: ingress, port: 443, group: "${beta.id}", description: from beta again}
      - {direction: ingress, port: 23, cidr: 10.0.0.0/8}
      - {direction: egress, port: 443, prefix_list: "${store.prefix_list}", description: to S3 again}
  beta:
    kind: ec2.security_group
    vpc: "${net.id}"
    rules:
      - {direction: egress, port: 443, group: "${alpha.id}", description: to alpha again}
      - {direction: ingress, from_port: 1000, to_port: 2001, group: "${beta.id}"}
      - {direction: ingress, protocol: icmp, cidr: 10.50.0.0/16, description: ping}
      - {direction: ingress, port: 80, cidr6: "fd00::/8", description: inside}
  store:
    kind: ec2.vpc_endpoint
    vpc: "${net.id}"
    service: s3
    type: gateway
    route_tables: ["${table2.id}"]
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: "*", Action: ["s3:GetObject"], Resource: ["*"]}]
  talk:
    kind: ec2.vpc_endpoint
    vpc: "${net.id}"
    service: logs
    subnets: ["${sub2.id}"]
    groups: ["${beta.id}"]
"""

IDS = ("net", "sub", "sub2", "gate", "addr", "out", "table", "table2", "alpha", "beta", "store", "talk")


class Ec2Test(harness.TestCase):
    """The free resources alone: --target keeps the rest of the stack out."""

    targets = [part for name in IDS for part in ("--target", name)]

    def setUp(self) -> None:
        super().setUp()
        self.ec2 = self.client("ec2")
        self.environment = {"RAGSTACK_HANDLER_ZIP": str(self.write("handler.zip", "not asked for"))}

    def run_it(self, *arguments: str, targets: list[str] | None = None) -> harness.Result:
        return self.ragstack(*arguments, *(self.targets if targets is None else targets), env=self.environment)

    def up(self, text: str) -> harness.Result:
        self.write("ragstack.yaml", text)
        result = self.run_it("up", "--yes")
        self.assertEqual(result.status, 0, result)
        return result

    def steps(self) -> dict[str, str]:
        result = self.run_it("diff", "--json")
        self.assertIn(result.status, (0, 2, 3), result)
        return {step["id"]: step["action"] for step in result.json["steps"]}

    def assert_settled(self) -> None:
        result = self.run_it("diff")
        self.assertEqual(result.status, 0, result)

    def tagged(self, name: str) -> list[dict[str, str]]:
        return [{"Name": "tag:ragstack:stack", "Values": ["net"]}, {"Name": "tag:ragstack:id", "Values": [name]}]

    def group(self, name: str) -> Any:
        return self.ec2.describe_security_groups(Filters=self.tagged(name))["SecurityGroups"][0]

    def table(self, name: str) -> Any:
        return self.ec2.describe_route_tables(Filters=self.tagged(name))["RouteTables"][0]

    def tags_of(self, name: str) -> list[dict[str, str]]:
        return [{"Key": "ragstack:stack", "Value": "net"}, {"Key": "ragstack:env", "Value": "-"},
                {"Key": "ragstack:id", "Value": name}]

    def specification(self, kind: str, name: str) -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": self.tags_of(name)}]


class RoundTripTest(Ec2Test):
    def test_every_field_there_and_back(self) -> None:
        self.up(FIRST)
        self.assert_settled()
        self.up(SECOND)
        self.assert_settled()
        self.up(FIRST)
        self.assert_settled()
        result = self.ragstack("down", "--yes", env=self.environment)
        self.assertEqual(result.status, 0, result)
        self.assert_nothing_left()

    def assert_nothing_left(self) -> None:
        ours = [{"Name": "tag:ragstack:stack", "Values": ["net"]}]
        self.assertEqual(self.ec2.describe_vpcs(Filters=ours)["Vpcs"], [])
        self.assertEqual(self.ec2.describe_subnets(Filters=ours)["Subnets"], [])
        self.assertEqual(self.ec2.describe_addresses(Filters=ours)["Addresses"], [])
        self.assertEqual(self.ec2.describe_security_groups(Filters=ours)["SecurityGroups"], [])
        self.assertEqual(self.ec2.describe_internet_gateways(Filters=ours)["InternetGateways"], [])
        self.assertEqual(self.ec2.describe_route_tables(Filters=ours)["RouteTables"], [])
        gateways = self.ec2.describe_nat_gateways(Filters=ours)["NatGateways"]
        self.assertEqual({gateway["State"] for gateway in gateways}, {"deleted"})

    def test_a_zone_that_moves_keeps_what_exists(self) -> None:
        self.up(FIRST)
        before = self.ec2.describe_subnets(Filters=self.tagged("sub"))["Subnets"][0]
        self.up(FIRST.replace("zone_index: 0", "zone_index: 3"))
        after = self.ec2.describe_subnets(Filters=self.tagged("sub"))["Subnets"][0]
        self.assertEqual(before["SubnetId"], after["SubnetId"])

    def test_a_new_network_replaces_everything_in_it(self) -> None:
        self.up(FIRST)
        old = self.ec2.describe_vpcs(Filters=self.tagged("net"))["Vpcs"][0]["VpcId"]
        self.up(FIRST.replace("10.50.", "10.60."))
        self.assert_settled()
        new = self.ec2.describe_vpcs(Filters=self.tagged("net"))["Vpcs"]
        self.assertEqual(len(new), 1)
        self.assertNotEqual(new[0]["VpcId"], old)


class DriftTest(Ec2Test):
    def setUp(self) -> None:
        super().setUp()
        self.up(FIRST)

    def repaired(self, *names: str) -> None:
        self.assertEqual(self.steps(), dict.fromkeys(names, "change"))
        self.up(FIRST)
        self.assert_settled()

    def test_a_rule_added_by_hand_is_taken_away(self) -> None:
        group = self.group("alpha")["GroupId"]
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
            {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.1.0.0/16", "Description": "all of it"}]},
            {"IpProtocol": "50", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "10.2.0.0/16"}]}])
        self.repaired("alpha")

    def test_a_rule_taken_away_by_hand_comes_back(self) -> None:
        group = self.group("beta")
        self.ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
        self.repaired("beta")

    def test_a_description_changed_by_hand_is_put_right(self) -> None:
        self.ec2.update_security_group_rule_descriptions_ingress(
            GroupId=self.group("beta")["GroupId"],
            IpPermissions=[{"IpProtocol": "udp", "FromPort": 0, "ToPort": 65535,
                            "IpRanges": [{"CidrIp": "10.50.0.0/16", "Description": "who knows"}]}])
        self.repaired("beta")

    def test_a_route_that_is_pointed_elsewhere_is_put_right(self) -> None:
        nat = self.ec2.describe_nat_gateways()["NatGateways"][0]["NatGatewayId"]
        table = self.table("table")["RouteTableId"]
        self.ec2.replace_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
        self.repaired("table")

    def test_a_route_added_by_hand_is_taken_away(self) -> None:
        gate = self.ec2.describe_internet_gateways(Filters=self.tagged("gate"))["InternetGateways"][0]
        self.ec2.create_route(RouteTableId=self.table("table2")["RouteTableId"],
                              DestinationCidrBlock="172.16.0.0/12", GatewayId=gate["InternetGatewayId"])
        self.repaired("table2")

    def test_a_subnet_moved_to_another_table_is_moved_back(self) -> None:
        association = next(row for row in self.table("table")["Associations"] if row.get("SubnetId"))
        self.ec2.replace_route_table_association(
            AssociationId=association["RouteTableAssociationId"], RouteTableId=self.table("table2")["RouteTableId"])
        self.repaired("table", "table2")

    def test_a_gateway_that_is_detached_is_attached_again(self) -> None:
        nat = self.ec2.describe_nat_gateways()["NatGateways"][0]
        self.ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
        gate = self.ec2.describe_internet_gateways(Filters=self.tagged("gate"))["InternetGateways"][0]
        self.ec2.detach_internet_gateway(InternetGatewayId=gate["InternetGatewayId"],
                                         VpcId=gate["Attachments"][0]["VpcId"])
        self.assertEqual(self.steps(), {"gate": "change", "out": "create"})
        self.up(FIRST)
        self.assert_settled()

    def test_dns_and_addresses_are_put_right(self) -> None:
        vpc = self.ec2.describe_vpcs(Filters=self.tagged("net"))["Vpcs"][0]["VpcId"]
        subnet = self.ec2.describe_subnets(Filters=self.tagged("sub"))["Subnets"][0]["SubnetId"]
        self.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})
        self.ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        self.repaired("net", "sub")

    def test_a_tag_changed_by_hand_is_put_right(self) -> None:
        addr = self.ec2.describe_addresses(Filters=self.tagged("addr"))["Addresses"][0]["AllocationId"]
        self.ec2.create_tags(Resources=[addr], Tags=[{"Key": "team", "Value": "else"}])
        self.repaired("addr")

    def test_what_others_own_is_left_alone(self) -> None:
        vpc = self.ec2.describe_vpcs(Filters=self.tagged("net"))["Vpcs"][0]["VpcId"]
        stranger = self.ec2.create_security_group(
            GroupName="net-alpha", Description="of somebody else", VpcId=vpc,
            TagSpecifications=[{"ResourceType": "security-group",
                                "Tags": [{"Key": "ragstack:stack", "Value": "net-two"}]}])["GroupId"]
        main = self.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]},
                                                       {"Name": "association.main", "Values": ["true"]}])
        self.assert_settled()
        self.ec2.describe_security_groups(GroupIds=[stranger])
        self.assertEqual(len(main["RouteTables"]), 1)


class HalfMadeTest(Ec2Test):
    """What a run that was killed between two calls leaves is found, and finished."""

    def test_a_gateway_that_was_never_attached(self) -> None:
        gate = self.ec2.create_internet_gateway(TagSpecifications=self.specification("internet-gateway", "gate"))
        self.up(FIRST)
        self.assert_settled()
        found = self.ec2.describe_internet_gateways(Filters=self.tagged("gate"))["InternetGateways"]
        self.assertEqual([row["InternetGatewayId"] for row in found], [gate["InternetGateway"]["InternetGatewayId"]])

    def test_a_group_that_still_lets_everything_out(self) -> None:
        vpc = self.ec2.create_vpc(CidrBlock="10.50.0.0/16", TagSpecifications=self.specification("vpc", "net"))
        self.ec2.create_security_group(
            GroupName="whatever", Description="made by ragstack", VpcId=vpc["Vpc"]["VpcId"],
            TagSpecifications=self.specification("security-group", "beta"))
        self.up(FIRST)
        self.assert_settled()
        self.assertEqual([row["IpProtocol"] for row in self.group("beta")["IpPermissionsEgress"]], ["tcp"])

    def test_a_table_without_its_routes(self) -> None:
        vpc = self.ec2.create_vpc(CidrBlock="10.50.0.0/16", TagSpecifications=self.specification("vpc", "net"))
        self.ec2.create_route_table(VpcId=vpc["Vpc"]["VpcId"],
                                    TagSpecifications=self.specification("route-table", "table"))
        self.up(FIRST)
        self.assert_settled()
        self.assertEqual(len(self.ec2.describe_route_tables(Filters=self.tagged("table"))["RouteTables"]), 1)


if __name__ == "__main__":
    unittest.main()
