#!/usr/bin/env python3
"""Functions: code, configuration, versions, the alias and who may call it."""

from __future__ import annotations

import unittest
from typing import Any

import harness
import kinds


class Functions(kinds.KindTest):
    def setUp(self) -> None:
        super().setUp()
        path, sha256 = self.zips["one"]
        self.stack["resources"].update({
            "more-role": {"kind": "iam.role", "assume": kinds.ROLE_TRUST, "policies": {"network": kinds.NETWORK}},
            "more-role-2": {"kind": "iam.role", "assume": kinds.ROLE_TRUST, "policies": {"network": kinds.NETWORK}},
            "more-logs": {"kind": "logs.group", "retention_days": 7},
            "more": {"kind": "lambda.function", "code": path, "code_sha256": sha256, "role": "${more-role.arn}",
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


if __name__ == "__main__":
    unittest.main()
