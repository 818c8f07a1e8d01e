#!/usr/bin/env python3
"""Data is not lost by accident: every field of every kind that holds data, from the table that
`ragstack explain --json` prints, with the values of kinds/<kind>.yaml.

Something is put into the subject first. Then whatever the file comes to say of it, `up --yes` either leaves
that where it is, or changes nothing at all and asks for consent by name; and with consent what goes leaves a
snapshot, where the service has such. A new kind that holds data fails here until `KEEPERS` tells how to see it.
"""

from __future__ import annotations

import json
import pathlib
import sys
import unittest
from typing import Any

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "aws"))

import harness  # noqa: E402
import test_kinds  # noqa: E402

CONSENT = "--allow-data-loss=subject"


class Instances:
    """The data of an instance are its own as long as it lives: what RDS calls its resource id tells it."""

    def __init__(self, gateway: harness.Gateway) -> None:
        self.rds = gateway.client("rds")

    def put(self, name: str) -> str:
        return self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DbiResourceId"]

    def is_there(self, data: str) -> bool:
        rows = self.rds.describe_db_instances()["DBInstances"]
        return data in [row["DbiResourceId"] for row in rows if row["DBInstanceStatus"] != "deleting"]

    def is_saved(self, data: str) -> bool:
        rows = self.rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
        return data in [row["DbiResourceId"] for row in rows]


class Buckets:
    """An object; S3 has no snapshots, so that only what is named goes."""

    def __init__(self, gateway: harness.Gateway) -> None:
        self.s3 = gateway.client("s3")

    def put(self, name: str) -> str:
        self.s3.put_object(Bucket=name, Key="kept", Body=b"kept")
        return name

    def is_there(self, data: str) -> bool:
        names = [row["Name"] for row in self.s3.list_buckets()["Buckets"]]
        return data in names and "Contents" in self.s3.list_objects_v2(Bucket=data)

    def is_saved(self, data: str) -> bool:
        return True


KEEPERS = {"rds.instance": Instances, "s3.bucket": Buckets}


class Data(unittest.TestCase):
    """One kind; the classes below are made of it, one a kind that holds data."""

    kind = ""
    maxDiff = None

    @classmethod
    def setUpClass(cls) -> None:
        cls.gateway = harness.shared_gateway()
        cls.gateway.reset(state=True)
        cls.world = test_kinds.World()

    def setUp(self) -> None:
        self.fields = {field["name"]: field for field in test_kinds.kinds()[self.kind]["fields"]}
        self.assertIn(self.kind, KEEPERS, f"{self.kind} holds data, and nothing here tells how to see that")
        self.keeper = KEEPERS[self.kind](self.gateway)
        self.example = yaml.safe_load((test_kinds.EXAMPLES / f"{self.kind}.yaml").read_text())
        self.base = self.example.get("subject") or {}
        self.gateway.reset()
        self.make()
        self.addCleanup(self.end)

    def end(self) -> None:
        violations = self.gateway.violations()
        self.write(None)
        self.up("--target", "subject", CONSENT)
        self.gateway.reset()
        self.assertEqual(violations, [])

    # -- running ----------------------------------------------------------------------------------

    def write(self, subject: dict[str, Any] | None, name: str = "subject", kind: str | None = None) -> None:
        resources = dict(self.example.get("needs") or {})
        if subject is not None:
            said = {key: value for key, value in subject.items() if value is not None}
            resources[name] = {"kind": kind or self.kind, **said}
        self.world.write(resources)

    def up(self, *options: str) -> harness.Result:
        return self.world.program.run("up", "--yes", *(options or ("--target", "subject")))

    def must_up(self, *options: str) -> None:
        result = self.up(*options)
        self.assertEqual(result.status, 0, result)

    def step(self) -> dict[str, Any]:
        result = self.world.program.run("diff", "--json", "--target", "subject")
        steps = [step for step in result.json["steps"] if step["id"] == "subject"]
        self.assertEqual(len(steps), 1, result)
        return steps[0]

    def make(self) -> None:
        """The subject as it is at first, with data in it."""
        self.write(self.base)
        self.must_up("--target", "subject", CONSENT)
        rows = self.world.program.run("status", "--json").json["resources"]
        self.data = self.keeper.put(next(row["physical_id"] for row in rows if row["id"] == "subject"))
        self.assertTrue(self.keeper.is_there(self.data))

    # -- the property -----------------------------------------------------------------------------

    def try_without_consent(self, *options: str) -> bool:
        """True: it was refused. Either way, the data are where they were."""
        told = self.world.program.run("diff", "--json", "--target", "subject").json["steps"]
        loses = any(step["loses_data"] for step in told if step["id"] == "subject")
        before = len(self.gateway.changing_operations())
        result = self.up("--target", "subject", *options)
        self.assertEqual(result.status, 4 if loses else 0, result)
        self.assertTrue(self.keeper.is_there(self.data), result)
        if loses:
            self.assertIn("would lose its data", result.stderr)
            self.assertIn(f"{CONSENT}\n", result.stderr)
            self.assertEqual(self.gateway.changing_operations()[before:], [], result)
        return loses

    def refused_then_saved(self) -> int:
        """Nobody's consent but that to this very resource helps; with it, a snapshot comes first. And what
        AWS does not make anew is not taken away."""
        self.assertTrue(self.try_without_consent("--allow-data-loss=database", "--allow-data-loss=rds.instance"))
        result = self.up("--target", "subject", CONSENT)
        self.assertEqual(self.keeper.is_there(self.data), result.status != 0, result)
        self.assertTrue(result.status != 0 or self.keeper.is_saved(self.data), result)
        return result.status

    def changes(self) -> dict[str, tuple[Any, dict[str, Any]]]:
        found = {}
        for name, value in (self.example.get("change") or {}).items():
            full = isinstance(value, dict) and "to" in value
            found[name] = (value["to"], value.get("with", {})) if full else (value, {})
        return found

    def test_every_field(self) -> None:
        """Changed, and gone back: in place with its data, or refused."""
        told = set(self.changes()) | set(self.example.get("fixed") or {})
        self.assertEqual({name for name, field in self.fields.items() if "computed" not in field["flags"]} - told, set())
        for name, (value, others) in self.changes().items():
            flags = self.fields[name]["flags"]
            with self.subTest(name):
                self.write({**self.base, **others, name: value})
                loses = self.try_without_consent()
                self.assertEqual(loses, bool({"data", "replace"} & set(flags)), flags)
                self.write(self.base)
                if not loses:
                    self.try_without_consent()

    def test_every_replacement(self) -> None:
        done = []
        for name, (value, others) in self.changes().items():
            if "replace" not in self.fields[name]["flags"]:
                continue
            with self.subTest(name):
                self.write({**self.base, **others, name: value})
                self.assertEqual(self.step()["action"], "replace")
                done += [name] if self.refused_then_saved() == 0 else []
                self.make()
        self.assertTrue(done)

    def test_taken_out_of_the_file(self) -> None:
        self.write(None)
        self.assertEqual(self.refused_then_saved(), 0)

    def test_another_kind_under_its_id(self) -> None:
        self.write({}, kind="sns.topic")
        self.assertEqual(self.refused_then_saved(), 0)

    def test_another_id(self) -> None:
        """Without `was` it is another thing; with it, the same."""
        self.write(self.base, name="renamed")
        result = self.up("--target", "subject", "--target", "renamed")
        self.assertEqual(result.status, 4, result)
        self.assertTrue(self.keeper.is_there(self.data))
        self.write({**self.base, "was": "subject"}, name="renamed")
        self.must_up("--target", "renamed")
        self.assertTrue(self.keeper.is_there(self.data))
        self.write({**self.base, "was": "renamed"})
        self.must_up("--target", "subject")
        self.assertTrue(self.keeper.is_there(self.data))

    def test_down(self) -> None:
        """Nobody consented: it stays, or leaves a snapshot."""
        self.world.program.run("down", "--yes", "--target", "subject")
        self.assertTrue(self.keeper.is_there(self.data) or
                        (self.kind != "s3.bucket" and self.keeper.is_saved(self.data)))

    def test_no_version_goes_back(self) -> None:
        for name in [name for name, field in self.fields.items() if "at_least" in field["flags"]]:
            with self.subTest(name):
                self.write({**self.base, name: self.changes()[name][0]})
                self.must_up("--target", "subject")
                self.write({**self.base, name: self.base.get(name, self.fields[name]["unset"])})
                result = self.world.program.run("diff", "--json", "--target", "subject")
                self.assertEqual((result.status, result.json["steps"]), (0, []), json.dumps(result.json))


def kinds_with_data() -> list[str]:
    """What no file can name by itself (the schema) has a suite of its own."""
    return [name for name, kind in test_kinds.kinds().items() if "hidden" not in kind["flags"]
            and ("holds_data" in kind["flags"] or any("data" in field["flags"] for field in kind["fields"]))]


class TableTest(unittest.TestCase):
    def test_what_is_known_to_hold_data_says_so(self) -> None:
        self.assertEqual(sorted(kinds_with_data()), sorted(KEEPERS))


def load_tests(loader: unittest.TestLoader, _tests: unittest.TestSuite, _pattern: str | None) -> unittest.TestSuite:
    """A class a kind that holds data, so that a new one is tested by being there."""
    suite = unittest.TestSuite([loader.loadTestsFromTestCase(TableTest)])
    for name in kinds_with_data():
        title = "".join(part.title() for part in name.replace(".", "_").split("_"))
        suite.addTests(loader.loadTestsFromTestCase(type(title, (Data,), {"kind": name, "__module__": __name__})))
    return suite


if __name__ == "__main__":
    unittest.main()
