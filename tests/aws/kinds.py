"""What the suites of single kinds share: a stack file whose free resources are under test.

For each kind: after `up`, `diff` is empty; every field that can change is changed, and goes back to
its unset value when the file stops saying it, with an empty `diff` after each; and what somebody
changes behind the program's back shows, field by field, and is put right.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import io
import json
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


class KindTest(harness.TestCase):
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
