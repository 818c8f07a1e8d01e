#!/usr/bin/env python3
"""`ragstack adopt`: what a hand has made is taken in, kind by kind, under a name that is not the stack's.

Each kind's thing is made by boto3, with tags of somebody's own; then `adopt` has to foretell what `diff`
says of it afterwards, `up` has to repair it without another taking its place, and `diff` be empty.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import unittest
from typing import Any

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "aws"))

import harness  # noqa: E402
import scenario  # noqa: E402

BY_HAND = [{"Key": "owner", "Value": "somebody"}]
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                 "Principal": {"Service": "lambda.amazonaws.com"}}]}
BODY = {"widgets": [{"type": "text", "x": 0, "y": 0, "width": 6, "height": 2, "properties": {"markdown": "one"}}]}


def tagged(kind: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": BY_HAND}]


class Made:
    """A thing of every kind: its id or name in the cloud, and what the stack file says of it."""

    def __init__(self, case: scenario.Case) -> None:
        self.case = case
        self.vpc = case.vpc(dns=True)
        self.subnets = case.subnets(self.vpc)
        self.security = case.group(self.vpc, "by-hand-others")

    def ec2_vpc(self):
        name = self.case.ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=tagged("vpc"))["Vpc"]["VpcId"]
        return name, {"cidr": "10.9.0.0/16", "dns_hostnames": True}

    def ec2_subnet(self):
        made = self.case.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.9.0/24", TagSpecifications=tagged("subnet"))
        return made["Subnet"]["SubnetId"], {"vpc": self.vpc, "cidr": "10.0.9.0/24", "map_public_ip": True}

    def ec2_internet_gateway(self):
        made = self.case.ec2.create_internet_gateway(TagSpecifications=tagged("internet-gateway"))
        return made["InternetGateway"]["InternetGatewayId"], {"vpc": self.vpc}

    def ec2_elastic_ip(self):
        made = self.case.ec2.allocate_address(Domain="vpc", TagSpecifications=tagged("elastic-ip"))
        return made["AllocationId"], {}

    def ec2_nat_gateway(self):
        self.case.internet_gateway(self.vpc)
        address = self.case.ec2.allocate_address(Domain="vpc")["AllocationId"]
        made = self.case.ec2.create_nat_gateway(SubnetId=self.subnets[0], AllocationId=address,
                                                TagSpecifications=tagged("natgateway"))
        return made["NatGateway"]["NatGatewayId"], {"subnet": self.subnets[0], "elastic_ip": address}

    def ec2_route_table(self):
        made = self.case.ec2.create_route_table(VpcId=self.vpc, TagSpecifications=tagged("route-table"))
        return made["RouteTable"]["RouteTableId"], {"vpc": self.vpc, "subnets": [self.subnets[1]]}

    def ec2_security_group(self):
        made = self.case.ec2.create_security_group(GroupName="by-hand", Description="mine", VpcId=self.vpc,
                                                   TagSpecifications=tagged("security-group"))
        return made["GroupId"], {"vpc": self.vpc, "description": "mine",
                                 "rules": [{"direction": "ingress", "port": 443, "cidr": "10.0.0.0/8"}]}

    def ec2_vpc_endpoint(self):
        made = self.case.ec2.create_vpc_endpoint(VpcId=self.vpc, ServiceName="com.amazonaws.us-east-1.s3",
                                                 VpcEndpointType="Gateway", TagSpecifications=tagged("vpc-endpoint"))
        table = self.case.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        return made["VpcEndpoint"]["VpcEndpointId"], {"vpc": self.vpc, "service": "s3", "type": "gateway",
                                                      "route_tables": [table]}

    def rds_subnet_group(self):
        self.case.rds.create_db_subnet_group(DBSubnetGroupName="by-hand", DBSubnetGroupDescription="mine",
                                             SubnetIds=self.subnets, Tags=BY_HAND)
        return "by-hand", {"subnets": self.subnets, "vpc": self.vpc}

    def rds_parameter_group(self):
        self.case.rds.create_db_parameter_group(DBParameterGroupName="by-hand", DBParameterGroupFamily="postgres17",
                                                Description="mine", Tags=BY_HAND)
        return "by-hand", {"family": "postgres17", "description": "mine",
                           "parameters": {"log_min_duration_statement": "500"}}

    def rds_instance(self):
        self.case.database(self.subnets, [self.security], name="by-hand-db", StorageEncrypted=True, Tags=BY_HAND)
        return "by-hand-db", {"class": "db.t4g.micro", "subnet_group": "by-hand-db-subnets", "groups": [self.security],
                              "master_user": "ragstack", "deletion_protection": False, "backup_days": 3}

    def rds_proxy(self):
        self.case.database(self.subnets, [self.security], name="behind")
        self.case.ec2.authorize_security_group_ingress(GroupId=self.security, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": self.security}]}])
        role = self.case.role("for-proxy", "rds.amazonaws.com", "rds-db:connect")
        self.case.rds.create_db_proxy(
            DBProxyName="by-hand", EngineFamily="POSTGRESQL", DefaultAuthScheme="IAM_AUTH", RoleArn=role,
            VpcSubnetIds=self.subnets, VpcSecurityGroupIds=[self.security], RequireTLS=True, Tags=BY_HAND)
        return "by-hand", {"role": role, "subnets": self.subnets, "groups": [self.security], "target": "behind"}

    def iam_role(self):
        self.case.iam.create_role(RoleName="by-hand", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=BY_HAND)
        return "by-hand", {"name": "by-hand", "assume": TRUST, "description": "from the file"}

    def logs_group(self):
        self.case.logs.create_log_group(logGroupName="/by/hand", tags={"owner": "somebody"})
        return "/by/hand", {"retention_days": 7}

    def lambda_function(self):
        role = self.case.role("for-function", "lambda.amazonaws.com")
        self.case.function("by-hand", Role=role, Tags={"owner": "somebody"})
        (self.case.folder / "code.zip").write_bytes(scenario.handler_zip())
        return "by-hand", {"role": role, "code": "code.zip", "timeout_s": 9}

    def apigateway_api(self):
        made = self.case.apis.create_api(Name="by hand", ProtocolType="HTTP", Tags={"owner": "somebody"})
        return made["ApiId"], {"description": "from the file"}

    def s3_bucket(self):
        self.case.s3.create_bucket(Bucket="by-hand-bucket")
        self.case.s3.put_bucket_tagging(Bucket="by-hand-bucket", Tagging={"TagSet": BY_HAND})
        self.case.s3.put_object(Bucket="by-hand-bucket", Key="kept", Body=b"kept")
        return "by-hand-bucket", {"versioning": True}

    def sns_topic(self):
        return self.case.sns.create_topic(Name="by-hand", Tags=BY_HAND)["TopicArn"], {"display_name": "From the file"}

    def cloudwatch_alarm(self):
        props = {"namespace": "AWS/Lambda", "metric": "Errors", "statistic": "Sum", "period_s": 60, "threshold": 1,
                 "comparison": "GreaterThanThreshold"}
        self.case.metrics.put_metric_alarm(
            AlarmName="by hand/alarm", Namespace="AWS/Lambda", MetricName="Errors", Statistic="Sum", Period=60,
            Threshold=9, ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, Tags=BY_HAND)
        return "by hand/alarm", props

    def cloudwatch_dashboard(self):
        self.case.metrics.put_dashboard(DashboardName="by-hand", DashboardBody=json.dumps(BODY))
        return "by-hand", {"name": "by-hand", "body": {**BODY, "start": "-PT3H"}}


class AdoptCase(scenario.Case):
    def say(self, kind: str, props: dict[str, Any], name: str = "ragstack.yaml", stack: str = "acme", **more: Any) -> None:
        resources = {"thing": {"kind": kind, **props}, **more}
        self.write(name, yaml.safe_dump({"stack": stack, "region": harness.REGION, "resources": resources}))

    def diff(self, *options: str) -> list[dict[str, Any]]:
        result = self.ragstack("diff", "--json", "--target", "thing", *options)
        self.assertIn(result.status, (0, 2, 3, 4), result)
        return result.json["steps"]

    def adopt(self, kind: str, called: str, *options: str) -> dict[str, Any]:
        return self.must("adopt", f"{kind}.thing", called, "--yes", "--json", *options).json

    def refused(self, status: int, kind: str, called: str, *options: str) -> str:
        before = len(self.gateway.changing_operations())
        result = self.ragstack("adopt", f"{kind}.thing", called, "--yes", *options)
        self.assertEqual((result.status, result.stdout), (status, ""), result)
        self.assertEqual(self.gateway.changing_operations()[before:], [])
        return result.stderr

    @staticmethod
    def deeds(steps: list[dict[str, Any]]) -> list[Any]:
        """What is done, whatever the reason."""
        return [(step["action"], step["kind"], step["id"], step["physical_id"], step["loses_data"],
                 [(row["path"], row.get("before"), row.get("after")) for row in step["differences"]]) for step in steps]


class KindsTest(AdoptCase):
    def test_every_kind_is_taken_in_under_its_own_name(self) -> None:
        told = subprocess.run([harness.build() / "ragstack", "explain", "--json"], capture_output=True, check=True)
        for kind in [row["kind"] for row in json.loads(told.stdout)["kinds"] if "hidden" not in row["flags"]]:
            with self.subTest(kind):
                self.gateway.reset(state=True)
                called, props = getattr(Made(self), kind.replace(".", "_"))()
                self.say(kind, props)
                self.life(kind, called)

    def life(self, kind: str, called: str) -> None:
        foretold = self.adopt(kind, called)
        self.assertEqual((foretold["kind"], foretold["id"]), (kind, "thing"))
        self.assertEqual(self.deeds(self.diff()), self.deeds(foretold["steps"]))
        for step in foretold["steps"]:
            self.assertEqual((step["action"], step["loses_data"]), ("change", False), step)
        again = self.adopt(kind, called)
        self.assertEqual(again["physical_id"], foretold["physical_id"])
        self.must("up", "--yes", "--target", "thing")
        self.assertEqual(self.diff(), [])
        rows = [row for row in self.must("status", "--json").json["resources"] if row["id"] == "thing"]
        self.assertEqual([row["physical_id"] for row in rows], [foretold["physical_id"]])
        down = self.ragstack("down", "--yes", "--target", "thing", "--allow-data-loss=thing")
        self.assertEqual(down.status, 0, down)


class RefusalTest(AdoptCase):
    VPC = {"cidr": "10.0.0.0/16"}

    def setUp(self) -> None:
        super().setUp()
        self.say("ec2.vpc", self.VPC)

    def test_what_does_not_exist(self) -> None:
        self.assertIn("there is no ec2.vpc vpc-0123456789abcdef0 in us-east-1",
                      self.refused(1, "ec2.vpc", "vpc-0123456789abcdef0"))

    def test_what_nobody_may_look_at_is_not_said_to_be_missing(self) -> None:
        self.say("logs.group", {})

        def looks() -> int:
            return sum(entry["operation"] == "DescribeLogGroups" for entry in self.gateway.requests()["log"])

        before = looks()
        self.assertIn("there is no logs.group by-hand", self.refused(1, "logs.group", "by-hand"))
        self.gateway.fault("denied", service="logs", operation="DescribeLogGroups", at=looks() - before)
        said = self.refused(1, "logs.group", "by-hand")
        self.assertIn("AccessDeniedException", said)
        self.assertNotIn("there is no", said)
        self.assertEqual([len(rule["hits"]) for rule in self.gateway.faults()], [1])

    def test_another_kind(self) -> None:
        subnet, = self.subnets(self.vpc(), 1)
        self.assertIn(f"{subnet} is of the kind ec2.subnet, not ec2.vpc", self.refused(1, "ec2.vpc", subnet))
        self.take_violations()
        self.assertIn('"thing" is of the kind ec2.vpc in the stack file', self.refused(64, "ec2.subnet", subnet))
        self.say("rds.parameter_group", {"family": "postgres17"})
        vpc = self.vpc()
        self.rds.create_db_subnet_group(DBSubnetGroupName="main", DBSubnetGroupDescription="d", SubnetIds=self.subnets(vpc))
        arn = f"arn:aws:rds:us-east-1:{harness.ACCOUNT}:subgrp:main"
        for called in ("main", arn):
            self.assertIn(f"{called} is of the kind rds.subnet_group", self.refused(1, "rds.parameter_group", called))
        self.rds.create_db_parameter_group(DBParameterGroupName="main", DBParameterGroupFamily="postgres17", Description="d")
        self.assertIn("is of the kind rds.subnet_group", self.refused(1, "rds.parameter_group", arn))
        self.take_violations()

    def test_what_the_file_does_not_have(self) -> None:
        result = self.ragstack("adopt", "ec2.vpc.thin", "vpc-1", "--yes")
        self.assertEqual(result.status, 64, result)
        self.assertIn('did you mean "ec2.vpc.thing"?', result.stderr)
        self.assertIn("usage: ragstack adopt KIND.ID CLOUD-ID", self.ragstack("adopt", "ec2.vpc.thing").stderr)

    def test_another_stack(self) -> None:
        self.say("ec2.vpc", self.VPC, name="other.yaml", stack="other")
        self.must("up", "--yes", "-f", "other.yaml", "--target", "thing")
        vpc = self.physical("other.yaml")
        self.assertIn(f'{vpc} belongs to the stack "other": it is not taken from there', self.refused(1, "ec2.vpc", vpc))
        self.assertEqual(self.diff("-f", "other.yaml"), [])

    def physical(self, file: str) -> str:
        rows = self.must("status", "--json", "-f", file).json["resources"]
        return next(row["physical_id"] for row in rows if row["id"] == "thing")

    def test_another_account_or_region(self) -> None:
        self.say("sns.topic", {})
        self.assertIn("is in eu-west-1", self.refused(65, "sns.topic", f"arn:aws:sns:eu-west-1:{harness.ACCOUNT}:t"))
        self.assertIn("is of account 210987654321",
                      self.refused(65, "sns.topic", "arn:aws:sns:us-east-1:210987654321:t"))

    def test_an_arn_that_does_not_tell_the_name(self) -> None:
        self.say("rds.proxy", {"role": f"arn:aws:iam::{harness.ACCOUNT}:role/r", "subnets": ["subnet-1", "subnet-2"],
                               "groups": ["sg-1"], "target": "behind"})
        arn = f"arn:aws:rds:us-east-1:{harness.ACCOUNT}:db-proxy:prx-0a1b2c3d4e5f60718"
        self.assertIn("RDS finds a proxy by its name", self.refused(65, "rds.proxy", arn))

    def test_an_id_that_is_taken(self) -> None:
        self.must("up", "--yes", "--target", "thing")
        first, second = self.physical("ragstack.yaml"), self.vpc()
        self.assertIn(f"ec2.vpc.thing exists already: it is {first}", self.refused(1, "ec2.vpc", second))
        self.say("ec2.vpc", self.VPC, more={"kind": "ec2.vpc", "cidr": "10.1.0.0/16"})
        result = self.ragstack("adopt", "ec2.vpc.more", first, "--yes")
        self.assertEqual(result.status, 1, result)
        self.assertIn(f"{first} belongs to this stack already, as ec2.vpc.thing; `was: thing`", result.stderr)

    def test_a_role_whose_name_the_file_does_not_say(self) -> None:
        self.say("iam.role", {"assume": TRUST})
        self.role("by-hand", "lambda.amazonaws.com")
        self.assertIn("say `name: by-hand` of \"thing\"", self.refused(65, "iam.role", "by-hand"))
        result = self.ragstack("adopt", "iam.role.ask-role", "by-hand", "--yes")
        self.assertEqual(result.status, 65, result)
        self.assertIn("has a name of its own", result.stderr)

    def test_nobody_is_asked(self) -> None:
        vpc = self.vpc()
        result = self.ragstack("adopt", "ec2.vpc.thing", vpc)
        self.assertEqual(result.status, 64, result)
        self.assertIn("Nobody can be asked here: say --yes", result.stderr)
        self.assertEqual(self.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0].get("Tags", []), [])

    def test_this_machine_has_no_tags(self) -> None:
        result = self.ragstack("adopt", "local.postgres.database", "x", "--yes", "--local")
        self.assertEqual(result.status, 64, result)
        self.assertIn("takes no tags", result.stderr)


class ShownTest(AdoptCase):
    def test_a_database_that_would_be_replaced_says_that_its_data_would_go(self) -> None:
        subnets = self.subnets(vpc := self.vpc())
        group = self.group(vpc)
        self.database(subnets, [group], name="papers", StorageEncrypted=False)
        self.say("rds.instance", {"class": "db.t4g.micro", "subnet_group": "papers-subnets", "groups": [group],
                                  "master_user": "ragstack", "deletion_protection": False})
        result = self.must("adopt", "rds.instance.thing", "papers", "--yes")
        self.assertRegex(result.stderr, r"± rds\.instance thing  replace: encrypted cannot change in place  DATA LOSS")
        self.assertIn("encrypted: false -> true", result.stderr)
        self.assertIn("another would take its place, and its data would be LOST", result.stderr)
        self.assertIn("papers is rds.instance.thing now.", result.stdout)
        up = self.ragstack("up", "--yes", "--target", "thing")
        self.assertEqual(up.status, 4, up)
        self.assertEqual(len(self.rds.describe_db_instances()["DBInstances"]), 1)

    def test_what_it_refers_to_comes_first(self) -> None:
        vpc = self.vpc()
        subnet, = self.subnets(vpc, 1)
        net = {"kind": "ec2.vpc", "cidr": "10.0.0.0/16", "dns_support": True}
        self.say("ec2.subnet", {"vpc": "${net.id}", "cidr": "10.0.0.0/24"}, net=net)
        result = self.must("adopt", "ec2.subnet.thing", subnet, "--yes")
        self.assertIn("It refers to what the stack does not have yet: take that in first.", result.stderr)
        self.must("adopt", "ec2.vpc.net", vpc, "--yes")
        self.assertEqual(self.diff(), [])

    def test_the_engine_names_the_command_and_it_helps(self) -> None:
        self.say("logs.group", {"name": "/by/hand"})
        self.logs.create_log_group(logGroupName="/by/hand")
        result = self.ragstack("up", "--yes", "--target", "thing")
        self.assertEqual(result.status, 1, result)
        self.assertIn("take it in with `ragstack adopt logs.group.thing /by/hand`", result.stderr)
        self.must("adopt", "logs.group.thing", "/by/hand", "--yes")
        self.assertEqual(self.diff(), [])

    def test_its_own_tags_stay_until_up(self) -> None:
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged("vpc"))["Vpc"]["VpcId"]
        self.say("ec2.vpc", {"cidr": "10.0.0.0/16"})
        result = self.must("adopt", "ec2.vpc.thing", vpc, "--yes")
        self.assertIn("- tags.owner: \"somebody\"", result.stderr)
        tags = {row["Key"]: row["Value"] for row in self.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"]}
        self.assertEqual(tags, {"owner": "somebody", "ragstack:stack": "acme", "ragstack:env": "-", "ragstack:id": "thing"})

    def test_one_whose_tags_were_lost_keeps_its_generation(self) -> None:
        vpc = self.vpc()
        self.say("ec2.security_group", {"vpc": vpc, "description": "one"})
        self.must("up", "--yes", "--target", "thing")
        self.say("ec2.security_group", {"vpc": vpc, "description": "two"})
        self.must("up", "--yes", "--target", "thing")
        group = next(row for row in self.ec2.describe_security_groups()["SecurityGroups"] if row["Description"] == "two")
        self.assertTrue(group["GroupName"].endswith("-2"), group)
        self.ec2.delete_tags(Resources=[group["GroupId"]], Tags=[{"Key": tag["Key"]} for tag in group["Tags"]])
        self.must("adopt", "ec2.security_group.thing", group["GroupId"], "--yes")
        self.assertEqual(self.diff(), [])
        tags = self.ec2.describe_security_groups(GroupIds=[group["GroupId"]])["SecurityGroups"][0]["Tags"]
        self.assertIn({"Key": "ragstack:generation", "Value": "2"}, tags)


class TakeOverTest(AdoptCase):
    """`was` in a section of the file's own: what stood under `resources:` goes on as the stack's."""

    def test_the_documents_bucket(self) -> None:
        self.say("s3.bucket", {"versioning": True})
        self.must("up", "--yes", "--target", "thing")
        name = next(row["Name"] for row in self.s3.list_buckets()["Buckets"] if "thing" in row["Name"])
        self.s3.put_object(Bucket=name, Key="kept", Body=b"kept")
        self.take_over({"documents": {"was": "thing"}}, "documents", name)
        self.assertEqual(self.s3.list_objects_v2(Bucket=name)["KeyCount"], 1)

    def test_the_database(self) -> None:
        self.write("ragstack.yaml", yaml.safe_dump({"stack": "acme", "region": harness.REGION}))
        own = self.must("diff", "--expand", "--json").json["resources"]["database"]["props"]
        self.say("rds.instance", own)
        self.must("up", "--yes", "--target", "thing")
        name, = [row["DBInstanceIdentifier"] for row in self.rds.describe_db_instances()["DBInstances"]]
        self.take_over({"database": {"was": "thing"}}, "database", name)
        self.assertEqual(len(self.rds.describe_db_instances()["DBInstances"]), 1)

    def take_over(self, section: dict[str, Any], name: str, physical_id: str) -> None:
        self.write("ragstack.yaml", yaml.safe_dump({"stack": "acme", "region": harness.REGION, **section}))
        steps = self.must_diff("--target", name)
        step = next(step for step in steps if step["id"] == name)
        self.assertEqual((step["action"], step["was"], step["physical_id"]), ("change", "thing", physical_id), step)
        self.assertTrue(step["reason"].startswith('renamed, it was "thing"'), step)
        self.must("up", "--yes", "--target", name)
        self.assertEqual(self.must_diff("--target", name), [])

    def must_diff(self, *options: str) -> list[dict[str, Any]]:
        result = self.ragstack("diff", "--json", *options)
        self.assertIn(result.status, (0, 2), result)
        return result.json["steps"]


if __name__ == "__main__":
    unittest.main()
