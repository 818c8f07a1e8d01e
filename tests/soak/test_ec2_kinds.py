"""The EC2 kinds, one by one, through their lives."""

from __future__ import annotations

import pathlib
import sys
import unittest
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "aws"))

import harness  # noqa: E402
from kind_case import KindCase  # noqa: E402

NET: dict[str, Any] = {"net": {"kind": "ec2.vpc", "cidr": "10.50.0.0/16", "dns_hostnames": True}}
OTHER_NET: dict[str, Any] = {"other-net": {"kind": "ec2.vpc", "cidr": "10.51.0.0/16"}}
SUBNETS: dict[str, Any] = {
    "left": {"kind": "ec2.subnet", "vpc": "${net.id}", "cidr": "10.50.0.0/24", "zone_index": 0},
    "right": {"kind": "ec2.subnet", "vpc": "${net.id}", "cidr": "10.50.1.0/24", "zone_index": 1},
}
GATE: dict[str, Any] = {"gate": {"kind": "ec2.internet_gateway", "vpc": "${net.id}"}}
GROUPS: dict[str, Any] = {
    "first": {"kind": "ec2.security_group", "vpc": "${net.id}"},
    "second": {"kind": "ec2.security_group", "vpc": "${net.id}"},
}


class VpcTest(KindCase, harness.TestCase):
    kind = "ec2.vpc"
    base = {"cidr": "10.60.0.0/16"}
    changes = {"dns_support": False, "dns_hostnames": True}
    replaces = {"cidr": "10.61.0.0/16", "tenancy": "dedicated"}

    def test_made_with_everything_at_once(self) -> None:
        self.make(dns_support=True, dns_hostnames=True)


class SubnetTest(KindCase, harness.TestCase):
    kind = "ec2.subnet"
    base = {"vpc": "${net.id}", "cidr": "10.50.9.0/24"}
    changes = {"map_public_ip": True}
    replaces = {"vpc": "${other-net.id}", "cidr": "10.50.10.0/24"}
    others = {**NET, "other-net": {"kind": "ec2.vpc", "cidr": "10.50.0.0/17"}}

    def test_the_zone_by_its_number_is_a_choice_that_sticks(self) -> None:
        self.make(zone_index=1)
        before = self.client("ec2").describe_subnets(Filters=[{"Name": "tag:ragstack:id", "Values": ["thing"]}])
        self.assertEqual(before["Subnets"][0]["AvailabilityZone"], "us-east-1b")
        self.say({**self.base, "zone_index": 2})
        self.assert_settled()

    def test_the_zone_by_its_name_is_kept_to(self) -> None:
        self.make(zone="us-east-1d")
        self.say({**self.base, "zone": "us-east-1c", "cidr": "10.50.11.0/24"})
        self.assertEqual(self.only_step()["action"], "replace")
        self.up()
        self.assert_settled()

    def test_a_zone_that_is_not_there_is_said(self) -> None:
        self.say({**self.base, "zone_index": 25})
        result = self.ragstack("up", "--yes", *self.target())
        self.assertEqual(result.status, 6, result)
        self.assertIn("only 6 zones", result.stderr)


class InternetGatewayTest(KindCase, harness.TestCase):
    kind = "ec2.internet_gateway"
    base = {"vpc": "${net.id}"}
    changes = {"vpc": "${other-net.id}"}
    others = {**NET, **OTHER_NET}


class ElasticIpTest(KindCase, harness.TestCase):
    kind = "ec2.elastic_ip"


class NatGatewayTest(KindCase, harness.TestCase):
    kind = "ec2.nat_gateway"
    base = {"subnet": "${left.id}", "elastic_ip": "${here.id}", "internet_gateway": "${gate.id}"}
    replaces = {"subnet": "${right.id}", "elastic_ip": "${there.id}"}
    others = {**NET, **SUBNETS, **GATE, "here": {"kind": "ec2.elastic_ip"}, "there": {"kind": "ec2.elastic_ip"}}

    def test_private_ones_have_no_address(self) -> None:
        self.say({"subnet": "${left.id}", "connectivity": "private"})
        self.up()
        self.assert_settled()


class RouteTableTest(KindCase, harness.TestCase):
    kind = "ec2.route_table"
    base = {"vpc": "${net.id}"}
    changes = {
        "routes": [{"destination": "0.0.0.0/0", "gateway": "${gate.id}"},
                   {"destination": "172.16.0.0/12", "gateway": "${gate.id}"}],
        "subnets": ["${left.id}", "${right.id}"],
    }
    replaces = {"vpc": "${other-net.id}"}
    others = {**NET, **OTHER_NET, **SUBNETS, **GATE}

    def test_subnets_come_and_go_one_by_one(self) -> None:
        self.make(subnets=["${left.id}"])
        for subnets in (["${right.id}", "${left.id}"], ["${right.id}"], []):
            with self.subTest(subnets=subnets):
                self.say({**self.base, "subnets": subnets})
                self.assertEqual(self.fields(), ["subnets"])
                self.up()
                self.assert_settled()

    def test_the_order_of_routes_means_nothing(self) -> None:
        self.make(routes=self.changes["routes"])
        self.say({**self.base, "routes": self.changes["routes"][::-1]})
        self.assert_settled()


class SecurityGroupTest(KindCase, harness.TestCase):
    kind = "ec2.security_group"
    base = {"vpc": "${net.id}"}
    changes = {"rules": [
        {"direction": "ingress", "port": 443, "group": "${first.id}", "description": "from the first"},
        {"direction": "ingress", "from_port": 8000, "to_port": 8080, "cidr": "10.0.0.0/8"},
        {"direction": "ingress", "protocol": "icmp", "cidr6": "fd00::/8"},
        {"direction": "ingress", "protocol": "udp", "group": "${thing.id}"},
        {"direction": "egress", "protocol": "all", "cidr": "0.0.0.0/0", "description": "anywhere"},
        {"direction": "egress", "port": 443, "prefix_list": "${store.prefix_list}", "description": "to S3"},
    ]}
    replaces = {"vpc": "${other-net.id}", "description": "something else"}
    others = {**NET, **OTHER_NET, **GROUPS,
              "store": {"kind": "ec2.vpc_endpoint", "vpc": "${net.id}", "service": "s3", "type": "gateway"}}

    def test_each_member_of_a_rule_changes_in_place(self) -> None:
        rule = {"direction": "ingress", "port": 443, "group": "${first.id}", "description": "why"}
        self.make(rules=[rule])
        group = self.physical_id()
        ranged = {key: value for key, value in rule.items() if key != "port"}
        for other in ({**rule, "direction": "egress"}, {**rule, "protocol": "udp"}, {**rule, "port": 444},
                      {**rule, "group": "${second.id}"}, {**rule, "description": "because"},
                      {**rule, "description": ""}, {**ranged, "from_port": 1, "to_port": 9}, ranged):
            with self.subTest(rule=other):
                self.say({**self.base, "rules": [other]})
                self.assertEqual(self.fields(), ["rules"])
                self.up()
                self.assert_settled()
        self.assertEqual(self.physical_id(), group)

    def test_a_rule_with_two_other_sides_is_refused(self) -> None:
        self.say({**self.base, "rules": [{"direction": "ingress", "port": 1, "cidr": "10.0.0.0/8",
                                          "group": "${first.id}"}]})
        result = self.ragstack("up", "--yes", *self.target())
        self.assertEqual(result.status, 6, result)
        self.assertIn("one other side", result.stderr)


class GatewayEndpointTest(KindCase, harness.TestCase):
    kind = "ec2.vpc_endpoint"
    base = {"vpc": "${net.id}", "service": "s3", "type": "gateway"}
    changes = {
        "route_tables": ["${here.id}", "${there.id}"],
        "policy": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::one/*"}]},
    }
    replaces = {"vpc": "${other-net.id}", "service": "dynamodb"}
    others = {**NET, **OTHER_NET, "here": {"kind": "ec2.route_table", "vpc": "${net.id}"},
              "there": {"kind": "ec2.route_table", "vpc": "${net.id}"}}


class InterfaceEndpointTest(KindCase, harness.TestCase):
    kind = "ec2.vpc_endpoint"
    base = {"vpc": "${net.id}", "service": "logs", "subnets": ["${left.id}"], "groups": ["${first.id}"]}
    changes = {
        "subnets": ["${left.id}", "${right.id}"],
        "groups": ["${second.id}"],
        "private_dns": True,
        "policy": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": ["logs:PutLogEvents"], "Resource": "*"}]},
    }
    replaces = {"service": "monitoring"}
    others = {**NET, **SUBNETS, **GROUPS}


if __name__ == "__main__":
    unittest.main()
