#!/usr/bin/env python3
"""The kinds that hold data, rights and code: rds.*, iam.role, lambda.function.

What is tested for each of them: after `up`, `diff` is empty; every field that can change is changed,
and goes back to its unset value when the file stops saying it, with an empty `diff` after each; and
what somebody changes behind the program's back shows, field by field, and is put right.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import io
import json
import unittest
import zipfile
from typing import Any

import harness

ROLE_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}],
}
OTHER_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole"],
                   "Principal": {"Service": ["lambda.amazonaws.com", "rds.amazonaws.com"]}}],
}


def document(action: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


# What a function in a network and a proxy to a database by IAM need: AWS checks both.
NETWORK = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": [
    "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]}]}


class DataTest(harness.TestCase):
    """A stack whose own functions and database stand aside; the kinds under test are free resources."""

    def setUp(self) -> None:
        super().setUp()
        self.zips = {name: self.zip(name) for name in ("one", "two")}
        self.stack: dict[str, Any] = {
            "stack": "data", "region": harness.REGION, "network": {"endpoints": ["bedrock-runtime"]},
            "database": {"proxy": False}, "documents": {"bucket": False}, "resources": {},
        }
        self.program.environment["RAGSTACK_HANDLER_ZIP"] = self.zips["one"][0]

    def zip(self, text: str) -> tuple[str, str]:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(zipfile.ZipInfo("bootstrap", (2026, 1, 1, 0, 0, 0)), f"#!/bin/sh\n# {text}\n")
        path = self.folder / f"{text}.zip"
        path.write_bytes(buffer.getvalue())
        return str(path), base64.b64encode(hashlib.sha256(buffer.getvalue()).digest()).decode()

    def save(self) -> None:
        self.write("ragstack.yaml", json.dumps(self.stack))

    def up(self, *options: str) -> None:
        self.save()
        self.must("up", "--yes", *options)
        self.assert_same()

    def assert_same(self) -> None:
        result = self.ragstack("diff")
        self.assertEqual(result.status, 0, result)

    def differences(self, id: str) -> dict[str, Any]:
        """What `diff` says of one resource: {path: its row}."""
        result = self.ragstack("diff", "--json")
        self.assertIn(result.status, (0, 2, 3, 4), result)
        rows: dict[str, Any] = {}
        for step in result.json["steps"]:
            if step["id"] == id:
                rows.update({row["path"]: row for row in step["differences"]})
        return rows

    def name(self, id: str) -> str:
        for step in json.loads(self.must("status", "--json").stdout)["resources"]:
            if step["id"] == id:
                return step["physical_id"]
        raise KeyError(id)

    def found(self, id: str) -> Any:
        return next(one for one in json.loads(self.must("status", "--json").stdout)["resources"] if one["id"] == id)

    def round_trip(self, id: str, changed: dict[str, Any]) -> None:
        """Each change shows under its own name, is made, and is taken back when it is no longer said."""
        before = copy.deepcopy(self.stack["resources"][id])
        self.up()
        self.stack["resources"][id] = {**before, **changed}
        self.save()
        shown = {path.split(".")[0].split("[")[0] for path in self.differences(id)}
        self.assertEqual(shown, set(changed) - {"code"}, "what diff shows is what was changed")
        self.up()
        self.stack["resources"][id] = before
        self.save()
        shown = {path.split(".")[0].split("[")[0] for path in self.differences(id)}
        self.assertEqual(shown, set(changed) - {"code"}, "what is no longer said goes back")
        self.up()

    def assert_drift(self, id: str, *fields: str) -> None:
        shown = {path.split(".")[0].split("[")[0] for path in self.differences(id)}
        self.assertEqual(shown, set(fields))
        self.up()

    def tearDown(self) -> None:
        self.must("down", "--yes")
        super().tearDown()


class Roles(DataTest):
    def setUp(self) -> None:
        super().setUp()
        self.stack["resources"]["more-role"] = {"kind": "iam.role", "assume": ROLE_TRUST,
                                                "policies": {"keeps": document("s3:GetObject")}}

    def test_every_field_changes_and_goes_back(self) -> None:
        iam = self.client("iam")
        made = [iam.create_policy(PolicyName=f"p{n}", PolicyDocument=json.dumps(document("s3:*")))["Policy"]["Arn"]
                for n in (1, 2)]
        self.round_trip("more-role", {
            "description": "changed: 100 % of it, <&> and ü", "assume": OTHER_TRUST,
            "policies": {"keeps": document("s3:PutObject"), "new": document("sqs:SendMessage")},
            "managed_policies": [made[1], made[0]], "max_session_s": 7200, "permissions_boundary": made[0],
        })

    def test_drift_shows_and_is_put_right(self) -> None:
        self.up()
        iam, name = self.client("iam"), self.name("more-role")
        arn = iam.create_policy(PolicyName="p", PolicyDocument=json.dumps(document("s3:*")))["Policy"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="added", PolicyDocument=json.dumps(document("*")))
        self.assert_drift("more-role", "policies")
        iam.delete_role_policy(RoleName=name, PolicyName="keeps")
        self.assert_drift("more-role", "policies")
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        self.assert_drift("more-role", "managed_policies")
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=arn)
        self.assert_drift("more-role", "permissions_boundary")
        iam.update_role(RoleName=name, Description="mine", MaxSessionDuration=3601)
        self.assert_drift("more-role", "description", "max_session_s")
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(OTHER_TRUST))
        self.assert_drift("more-role", "assume")
        iam.tag_role(RoleName=name, Tags=[{"Key": "hand", "Value": "made"}])
        self.assert_drift("more-role", "tags")

    def test_a_policy_in_other_words_is_the_same(self) -> None:
        self.up()
        words = {"Statement": {"Resource": ["*"], "Effect": "Allow", "Action": ["s3:GetObject"]}, "Version": "2012-10-17"}
        self.client("iam").put_role_policy(RoleName=self.name("more-role"), PolicyName="keeps",
                                           PolicyDocument=json.dumps(words, indent=3))
        self.assert_same()

    def test_a_role_that_the_file_forgets_goes(self) -> None:
        self.up()
        iam, name = self.client("iam"), self.name("more-role")
        del self.stack["resources"]["more-role"]
        self.up()
        with self.assertRaises(iam.exceptions.NoSuchEntityException):
            iam.get_role(RoleName=name)

    def test_a_role_of_another_is_not_touched(self) -> None:
        self.up()
        name = self.name("more-role")
        self.must("down", "--yes")
        iam = self.client("iam")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(ROLE_TRUST))
        result = self.ragstack("up", "--yes")
        self.assertNotEqual(result.status, 0, result)
        self.assertIn("ragstack adopt iam.role.more-role", result.stderr)
        iam.delete_role(RoleName=name)


class Functions(DataTest):
    def setUp(self) -> None:
        super().setUp()
        path, sum = self.zips["one"]
        self.stack["resources"].update({
            "more-role": {"kind": "iam.role", "assume": ROLE_TRUST, "policies": {"network": NETWORK}},
            "more-role-2": {"kind": "iam.role", "assume": ROLE_TRUST, "policies": {"network": NETWORK}},
            "more-logs": {"kind": "logs.group", "retention_days": 7},
            "more": {"kind": "lambda.function", "code": path, "code_sha256": sum, "role": "${more-role.arn}",
                     "log_group": "${more-logs.name}", "environment": {"ONE": "1", "TWO": "2"}},
        })

    def live(self) -> Any:
        return self.client("lambda").get_function(FunctionName=self.name("more"), Qualifier="live")["Configuration"]

    def test_every_field_changes_and_goes_back(self) -> None:
        self.round_trip("more", {
            "description": "changed", "code": self.zips["two"][0], "code_sha256": self.zips["two"][1],
            "handler": "other", "runtime": "provided.al2", "architecture": "arm64", "role": "${more-role-2.arn}",
            "memory_mb": 512, "timeout_s": 30, "ephemeral_mb": 1024, "environment": {"ONE": "2", "THREE": "3"},
            "subnets": ["${private-1.id}", "${private-2.id}"], "groups": ["${functions-group.id}"],
            "log_format": "JSON", "tracing": "Active", "concurrency": 5,
            "permissions": [{"id": "one", "principal": "s3.amazonaws.com", "source_arn": "arn:aws:s3:::x",
                             "source_account": harness.ACCOUNT},
                            {"id": "two", "principal": "events.amazonaws.com"}],
        })

    def test_the_alias_follows_each_deployment(self) -> None:
        self.up()
        first = self.live()
        self.stack["resources"]["more"].update(code=self.zips["two"][0], code_sha256=self.zips["two"][1], memory_mb=256)
        self.up()
        second = self.live()
        self.assertEqual(second["CodeSha256"], self.zips["two"][1])
        self.assertEqual(second["MemorySize"], 256)
        self.assertNotEqual(first["Version"], second["Version"])

    def test_an_alias_that_was_moved_shows_and_is_put_right(self) -> None:
        self.up()
        first = self.live()["Version"]
        self.stack["resources"]["more"]["memory_mb"] = 256
        self.up()
        client = self.client("lambda")
        client.update_alias(FunctionName=self.name("more"), Name="live", FunctionVersion=first)
        self.assert_drift("more", "live")
        self.assertEqual(self.live()["MemorySize"], 256)
        client.delete_alias(FunctionName=self.name("more"), Name="live")
        self.assert_drift("more", "live")
        self.assertEqual(self.live()["MemorySize"], 256)

    def test_drift_shows_and_is_put_right(self) -> None:
        self.up()
        client, name = self.client("lambda"), self.name("more")
        client.update_function_configuration(FunctionName=name, Timeout=9, Environment={"Variables": {"ONE": "9"}})
        self.assert_drift("more", "timeout_s", "environment", "live")
        client.update_function_code(FunctionName=name, ZipFile=(self.folder / "two.zip").read_bytes())
        self.assert_drift("more", "code_sha256", "live")
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
        self.assert_drift("more", "concurrency")
        client.add_permission(FunctionName=name, Qualifier="live", StatementId="hand", Action="lambda:InvokeFunction",
                              Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::x")
        self.assert_drift("more", "permissions")
        client.tag_resource(Resource=client.get_function(FunctionName=name)["Configuration"]["FunctionArn"],
                            Tags={"hand": "made"})
        self.assert_drift("more", "tags")

    def test_old_versions_go(self) -> None:
        self.up()
        for memory in range(129, 137):
            self.stack["resources"]["more"]["memory_mb"] = memory
            self.save()
            self.must("up", "--yes")
        versions = self.client("lambda").list_versions_by_function(FunctionName=self.name("more"))["Versions"]
        self.assertEqual(len(versions), 1 + 5, [one["Version"] for one in versions])
        self.assertEqual(self.live()["MemorySize"], 136)
        self.assert_same()


class Databases(DataTest):
    def setUp(self) -> None:
        super().setUp()
        self.stack["resources"].update({
            "more-parameters": {"kind": "rds.parameter_group", "family": "postgres17"},
            "more-database": {
                "kind": "rds.instance", "version": "17", "class": "db.t4g.micro",
                "subnet_group": "${database-subnets.name}", "groups": ["${database-group.id}"],
                "parameter_group": "${more-parameters.name}", "deletion_protection": False,
            },
        })

    def test_every_field_of_an_instance_changes_and_goes_back(self) -> None:
        self.round_trip("more-database", {
            "class": "db.t4g.small", "max_storage_gb": 100, "multi_az": True, "backup_days": 3,
            "auto_minor_upgrade": False, "deletion_protection": True, "copy_tags_to_snapshot": False,
            "performance_insights": True, "log_exports": ["postgresql", "upgrade"], "iam_auth": False,
            "groups": ["${schema-group.id}", "${database-group.id}"],
        })

    def test_the_first_user_may_have_a_secret_of_rds(self) -> None:
        self.up()
        self.stack["resources"]["more-database"]["master_auth"] = "managed-secret"
        self.up()
        described = self.client("rds").describe_db_instances(DBInstanceIdentifier=self.name("more-database"))
        self.assertIn("SecretArn", described["DBInstances"][0]["MasterUserSecret"])

    def test_storage_grows_and_never_shrinks(self) -> None:
        self.up()
        self.stack["resources"]["more-database"]["storage_gb"] = 40
        self.up()
        self.stack["resources"]["more-database"]["storage_gb"] = 20
        self.up()
        described = self.client("rds").describe_db_instances(DBInstanceIdentifier=self.name("more-database"))
        self.assertEqual(described["DBInstances"][0]["AllocatedStorage"], 40)

    def test_drift_of_an_instance_shows_and_is_put_right(self) -> None:
        self.up()
        rds, name = self.client("rds"), self.name("more-database")
        changes: dict[str, dict[str, Any]] = {
            "class": {"DBInstanceClass": "db.t4g.medium"}, "multi_az": {"MultiAZ": True},
            "backup_days": {"BackupRetentionPeriod": 1}, "deletion_protection": {"DeletionProtection": True},
            "public": {"PubliclyAccessible": True}, "max_storage_gb": {"MaxAllocatedStorage": 99},
            "copy_tags_to_snapshot": {"CopyTagsToSnapshot": False},
        }
        for field, change in changes.items():
            with self.subTest(field):
                rds.modify_db_instance(DBInstanceIdentifier=name, ApplyImmediately=True, **change)
                self.assert_drift("more-database", field)
        arn = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBInstanceArn"]
        rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "hand", "Value": "made"}])
        self.assert_drift("more-database", "tags")

    def test_what_cannot_change_needs_consent(self) -> None:
        self.up()
        self.stack["resources"]["more-database"]["master_user"] = "somebody"
        self.save()
        result = self.ragstack("diff")
        self.assertEqual(result.status, 4, result)
        refused = self.ragstack("up", "--yes")
        self.assertEqual(refused.status, 4, refused)
        self.must("up", "--yes", "--allow-data-loss=more-database")
        self.assert_same()
        snapshots = self.client("rds").describe_db_snapshots()["DBSnapshots"]
        self.assertTrue(any("-final-2" in one["DBSnapshotIdentifier"] for one in snapshots), snapshots)

    def test_down_keeps_a_snapshot_of_a_protected_instance(self) -> None:
        self.stack["resources"]["more-database"]["deletion_protection"] = True
        self.up()
        name = self.name("more-database")
        self.must("down", "--yes")
        names = [one["DBSnapshotIdentifier"] for one in self.client("rds").describe_db_snapshots()["DBSnapshots"]]
        self.assertTrue(any(one.startswith(f"{name}-final-2") for one in names), names)

    def test_parameters_are_owned_whole(self) -> None:
        self.round_trip("more-parameters", {"parameters": {"log_min_duration_statement": "250", "max_connections": "90"}})
        rds, name = self.client("rds"), self.name("more-parameters")
        rds.modify_db_parameter_group(DBParameterGroupName=name, Parameters=[
            {"ParameterName": "work_mem", "ParameterValue": "8192", "ApplyMethod": "immediate"}])
        self.assert_drift("more-parameters", "parameters")

    def test_a_replaced_parameter_group_takes_the_next_name(self) -> None:
        self.up()
        first = self.name("more-parameters")
        self.stack["resources"]["more-parameters"]["description"] = "other words"
        self.up()
        self.assertEqual(self.name("more-parameters"), f"{first}-2")
        described = self.client("rds").describe_db_instances(DBInstanceIdentifier=self.name("more-database"))
        self.assertEqual(described["DBInstances"][0]["DBParameterGroups"][0]["DBParameterGroupName"], f"{first}-2")

    def test_a_subnet_group_changes_in_place(self) -> None:
        self.stack["resources"]["more-subnets"] = {"kind": "rds.subnet_group",
                                                   "subnets": ["${private-1.id}", "${private-2.id}"]}
        self.round_trip("more-subnets", {"description": "changed", "subnets": ["${public-1.id}", "${public-2.id}"]})


class Proxies(DataTest):
    def setUp(self) -> None:
        super().setUp()
        self.stack["database"]["proxy"] = True
        connect = document("rds-db:connect")
        self.stack["resources"].update({
            "more-role": {"kind": "iam.role", "assume": OTHER_TRUST, "policies": {"connect": connect}},
            "more-role-2": {"kind": "iam.role", "assume": OTHER_TRUST, "policies": {"connect": connect}},
            "more-proxy": {"kind": "rds.proxy", "role": "${more-role.arn}", "target": "${database.name}",
                           "subnets": ["${private-1.id}", "${private-2.id}"], "groups": ["${proxy-group.id}"]},
        })

    def test_every_field_changes_and_goes_back(self) -> None:
        self.round_trip("more-proxy", {
            "require_tls": False, "role": "${more-role-2.arn}", "idle_client_timeout_s": 60, "debug_logging": True,
            "groups": ["${proxy-group.id}", "${functions-group.id}"], "max_connections_percent": 80,
            "max_idle_connections_percent": 20, "borrow_timeout_s": 30,
            "session_pinning_filters": ["EXCLUDE_VARIABLE_SETS"],
        })

    def test_drift_shows_and_is_put_right(self) -> None:
        self.up()
        rds, name = self.client("rds"), self.name("more-proxy")
        rds.modify_db_proxy(DBProxyName=name, RequireTLS=False)
        self.assert_drift("more-proxy", "require_tls")
        rds.modify_db_proxy_target_group(DBProxyName=name, TargetGroupName="default",
                                         ConnectionPoolConfig={"MaxConnectionsPercent": 70, "MaxIdleConnectionsPercent": 50})
        self.assert_drift("more-proxy", "max_connections_percent")
        rds.deregister_db_proxy_targets(DBProxyName=name, DBInstanceIdentifiers=[self.name("database")])
        self.assert_drift("more-proxy", "target")

    def test_a_target_that_cannot_be_reached_says_why(self) -> None:
        self.up()
        ec2 = self.client("ec2")
        group = self.name("database-group")
        rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
        ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[
            rule["SecurityGroupRuleId"] for rule in rules if not rule["IsEgress"]])
        found = self.found("more-proxy")
        self.assertEqual(found["health"], "pending", found)
        self.assertIn("security group", json.dumps(found))
        self.up()
        self.assertEqual(self.found("more-proxy")["health"], "healthy")

    def test_other_subnets_replace_it(self) -> None:
        self.up()
        first = self.name("more-proxy")
        self.stack["resources"]["more-proxy"]["subnets"] = ["${public-1.id}", "${public-2.id}"]
        self.up()
        self.assertEqual(self.name("more-proxy"), f"{first}-2")
        names = [one["DBProxyName"] for one in self.client("rds").describe_db_proxies()["DBProxies"]]
        self.assertNotIn(first, names)


if __name__ == "__main__":
    unittest.main()
