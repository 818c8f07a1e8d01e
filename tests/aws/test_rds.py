#!/usr/bin/env python3
"""Databases and their groups."""

from __future__ import annotations

import unittest
from typing import Any

import kinds


class Databases(kinds.KindTest):
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


if __name__ == "__main__":
    unittest.main()
