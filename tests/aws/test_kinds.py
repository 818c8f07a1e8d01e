"""Every resource kind through its life, driven by the tables that `ragstack explain --json` prints.

A kind is tested by being there: its example is kinds/<kind>.yaml, and a kind or a field without one
fails; kinds/<kind>.<variant>.yaml is one more. One stack is made first; each example is added to its
`resources:`, so that "nothing to do" is said of a whole system. An example holds

    needs:    resources that the subject refers to, by id
    subject:  the subject's required fields
    change:   field: another value for it; or field: {to: value, with: {other fields that it needs},
              shows: [fields that the diff names]}
    fixed:    field: why it is not changed here
    drift:    calls behind our back, each with the field that then differs
    gone:     a call that fails, or lists nothing, when the subject is deleted
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest
from typing import Any

import yaml
from botocore.exceptions import ClientError

import harness
import scenario

EXAMPLES = harness.HERE / "kinds"
THOROUGH = os.environ.get("THOROUGH") == "1"  # `make soak` has the time for all
STACK = {"stack": "kinds", "region": harness.REGION}


@functools.cache
def kinds() -> dict[str, dict[str, Any]]:
    program = subprocess.run([harness.build() / "ragstack", "explain", "--json"], capture_output=True, check=True)
    return {kind["kind"]: kind for kind in json.loads(program.stdout)["kinds"]}


def examples_of(kind: str) -> list[str]:
    """Its own, which has to be there, and the variants."""
    return [f"{kind}.yaml", *sorted(path.name for path in EXAMPLES.glob(f"{kind}.*.yaml"))]


class World:
    """The stack that all kinds share."""

    def __init__(self) -> None:
        self.gateway = harness.shared_gateway()
        self.gateway.reset(state=True)
        self._folder = tempfile.TemporaryDirectory(prefix="ragstack-kinds-")
        self.folder = pathlib.Path(self._folder.name)
        self.program = harness.Program(self.folder, self.gateway.url, timeout_s=120)
        self.write({})

        for name in ("one", "two"):
            (self.folder / f"{name}.zip").write_bytes(scenario.handler_zip(name))

    def write(self, resources: dict[str, Any]) -> None:
        text = yaml.safe_dump({**STACK, **({"resources": resources} if resources else {})}, sort_keys=False)
        (self.folder / "ragstack.yaml").write_text(text)


@functools.cache
def world() -> World:
    made = World()
    result = made.program.run("up", "--yes")
    if result.status != 0:
        raise RuntimeError(str(result))
    return made


class Kind(unittest.TestCase):
    """One kind's life; the classes below are made of it, one a kind."""

    kind = example_file = ""
    maxDiff = None

    def setUp(self) -> None:
        self.table = kinds()[self.kind]
        self.fields = {field["name"]: field for field in self.table["fields"]}
        path = EXAMPLES / self.example_file
        self.assertTrue(path.is_file(), f"{self.kind} has no example: write tests/aws/kinds/{path.name}")
        self.example = yaml.safe_load(path.read_text())
        self.world = world()
        self.world.gateway.reset()
        self.addCleanup(self._check_violations)
        self.addCleanup(self._clear)

    def _check_violations(self) -> None:
        violations = self.world.gateway.violations()
        self.world.gateway.reset()
        self.assertEqual(violations, [])

    def _clear(self) -> None:
        self.world.write({})
        ids = ["subject", *(self.example.get("needs") or {})]
        self.run_program("up", "--yes", *(f"--allow-data-loss={name}" for name in ids))

    # -- running ----------------------------------------------------------------------------------

    def run_program(self, *arguments: str) -> harness.Result:
        return self.world.program.run(*arguments)

    def write(self, subject: dict[str, Any] | None, needs: bool = True, name: str = "subject") -> None:
        resources = dict(self.example.get("needs") or {}) if needs else {}
        if subject is not None:
            said = {key: value for key, value in subject.items() if value is not None}
            resources[name] = {"kind": self.kind, **said}
        self.world.write(resources)

    def up(self, *options: str) -> harness.Result:
        result = self.run_program("up", "--yes", *options)
        self.assertEqual(result.status, 0, result)
        return result

    def steps(self, status: int | None = None) -> dict[str, dict[str, Any]]:
        """The diff's steps by id, deeds only."""
        result = self.run_program("diff", "--json")
        self.assertIn(result.status, (0, 2, 3, 4), result)
        if status is not None:
            self.assertEqual(result.status, status, result)
        return {step["id"]: step for step in result.json["steps"]}

    def only_step(self, status: int | None = None) -> dict[str, Any]:
        steps = self.steps(status)
        self.assertEqual(list(steps), ["subject"], json.dumps(steps, indent=1))
        return steps["subject"]

    def nothing_to_do(self) -> None:
        result = self.run_program("diff")
        self.assertEqual(result.status, 0, result)

    def physical_ids(self) -> dict[str, str]:
        found = self.run_program("status", "--json")
        return {item["id"]: item["physical_id"] for item in found.json["resources"] if "physical_id" in item}

    @staticmethod
    def roots(step: dict[str, Any]) -> set[str]:
        return {re.split(r"[.\[]", item["path"])[0] for item in step["differences"]}

    # -- the example ------------------------------------------------------------------------------

    @property
    def subject(self) -> dict[str, Any]:
        return dict(self.example.get("subject") or {})

    def changes(self) -> dict[str, dict[str, Any]]:
        """Field -> the value that it changes to, what has to change with it, what the diff shows."""
        found = {}
        for name, value in (self.example.get("change") or {}).items():
            full = isinstance(value, dict) and "to" in value and set(value) <= {"to", "with", "shows"}
            found[name] = {"with": {}, **(value if full else {"to": value})}
        return found

    def may_change(self, name: str) -> bool:
        flags = self.fields[name]["flags"]
        return "replace" not in flags and self.table["updates"]

    def call(self, item: dict[str, Any]) -> Any:
        ids = self.physical_ids() if "{" in json.dumps(item.get("with", {})) else {}

        def fill(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: fill(inner) for key, inner in value.items()}
            if isinstance(value, list):
                return [fill(inner) for inner in value]
            if isinstance(value, str):
                return re.sub(r"\{([a-z][a-z0-9-]*)\}", lambda match: ids.get(match.group(1), match.group(0)), value)
            return value

        service, operation = item["call"].split(".")
        return getattr(self.world.gateway.client(service), operation)(**fill(item.get("with", {})))

    # -- the life ---------------------------------------------------------------------------------

    def test_every_field_has_an_example(self) -> None:
        told = set()
        for name in examples_of(self.kind):
            path = EXAMPLES / name
            example = yaml.safe_load(path.read_text())
            told |= set(example.get("change") or {}) | set(example.get("fixed") or {})
        given = {name for name, field in self.fields.items() if "computed" not in field["flags"]}
        self.assertEqual(given - told, set(), "fields that kinds/*.yaml neither changes nor says why not")
        self.assertEqual(told - given, set(), "the example names fields that the kind does not have")
        self.assertTrue(self.example.get("drift"), "no drift")

    def test_life(self) -> None:
        """Created, changed, put back, replaced, deleted; a check that fails lets the next begin anew."""
        more = (self.check_drift_of_every_field, self.check_deletion_behind_our_back, self.check_new_id)
        for check in (self.check_changes, self.check_drift, *(more if THOROUGH else ()), self.check_replacement,
                      self.check_removal):
            with self.subTest(check.__name__.removeprefix("check_")):
                self.write({**self.subject, **(self.drift_subject if check == self.check_drift else {})})
                self.up("--allow-data-loss=subject")
                self.nothing_to_do()
                check()

    @property
    def drift_subject(self) -> dict[str, Any]:
        return self.example.get("drift_subject") or {}

    def check_changes(self) -> None:
        """Each step sets one field and takes the one before out: the diff names exactly these."""
        base = self.subject
        written, shown = base, set()
        for name, change in [*self.changes().items(), ("", {})]:
            if name and not self.may_change(name):
                continue
            with self.subTest(name or "the last one taken out"):
                now = {**base, **change.get("with", {}), **({name: change["to"]} if name else {})}
                expected = {key for key in {*written, *now} if self.differ(key, written, now)}
                now_shown = set(change.get("shows", ()))
                expected |= now_shown | shown
                self.write(now)
                steps = self.steps()
                result = self.run_program("up", "--yes", "--allow-data-loss=subject")
                step = steps.get("subject", {"action": "change", "differences": []})
                self.assertLessEqual(set(steps), {"subject"}, json.dumps(steps, indent=1))
                self.assertEqual((step["action"], self.roots(step)), ("change", expected), json.dumps(step, indent=1))
                self.check_values(step, now, now_shown | shown)
                self.assertEqual(result.status, 0, result)
            kept = {key: value for key, value in written.items() if self.keeps(key, value, now)}
            written, shown = {**now, **kept}, now_shown
        self.nothing_to_do()

    def keeps(self, name: str, value: Any, now: dict[str, Any]) -> bool:
        """What the file no longer says, or says to be less, stays as it was made."""
        if name in now:
            return "at_least" in self.fields[name]["flags"] and self.size(value) > self.size(now[name])
        return self.stays(name)

    @staticmethod
    def size(value: Any) -> tuple[int, ...]:
        return tuple(int(part) for part in str(value).split("."))

    def stays(self, name: str) -> bool:
        """What the file stops saying is kept as it is found."""
        return bool({"sticky", "at_least"} & set(self.fields[name]["flags"]))

    def differ(self, name: str, before: dict[str, Any], after: dict[str, Any]) -> bool:
        flags = self.fields[name]["flags"]
        if name not in after and self.stays(name) or "write_only" in flags:
            return False
        if "at_least" in flags and name in before:
            return self.size(after.get(name, before[name])) > self.size(before[name])
        unset = self.fields[name]["unset"]
        return before.get(name, unset) != after.get(name, unset)

    def check_values(self, step: dict[str, Any], now: dict[str, Any], follow: set[str]) -> None:
        """What is taken out goes back to the value that the table documents."""
        for item in step["differences"]:
            name = item["path"]
            if name not in self.fields or name in now or name in follow:
                continue
            if self.fields[name]["type"] not in ("list", "map", "document"):
                self.assertEqual(item.get("after"), self.fields[name]["unset"], item)

    def check_replacement(self) -> None:
        """The diff says replace, and why, for each field that cannot change; the first is done, too."""
        base = self.subject
        names = [name for name in self.changes() if not self.may_change(name)]
        if not names:
            return
        for name in names:
            change = self.changes()[name]
            with self.subTest(name):
                self.write({**base, **change["with"], name: change["to"]})
                step = self.only_step()
                self.assertEqual(step["action"], "replace", json.dumps(step, indent=1))
                reasons = {item["path"] for item in step["differences"] if item["replaces"]}
                self.assertIn(name, reasons)
                self.assertTrue(any(reason in step["reason"] for reason in reasons), step["reason"])
                if "data" in self.fields[name]["flags"]:
                    self.assertTrue(step["loses_data"], step)
        name = names[0]
        before = self.physical_ids()["subject"]
        change = self.changes()[name]
        self.write({**base, **change["with"], name: change["to"]})
        self.up("--allow-data-loss=subject")
        self.nothing_to_do()
        if "named" not in self.table["flags"]:
            self.assertNotEqual(self.physical_ids()["subject"], before)

    def check_drift(self) -> None:
        """What is edited behind our back is told, and alone repaired."""
        for item in self.example["drift"]:
            with self.subTest(item["call"]):
                self.call(item)
                shows = item["shows"] if isinstance(item["shows"], list) else [item["shows"]]
                steps = self.steps()
                self.up("--allow-data-loss=subject")
                self.assertEqual(list(steps), ["subject"], json.dumps(steps, indent=1))
                step = steps["subject"]
                self.assertEqual((self.roots(step), step["drift"]), (set(shows), True), json.dumps(step, indent=1))
                self.nothing_to_do()

    def behind_our_back(self, subject: dict[str, Any] | None) -> None:
        """The cloud becomes what this file says, and the ledger knows nothing of it."""
        s3 = self.world.gateway.client("s3")
        ledger = next(row["Name"] for row in s3.list_buckets()["Buckets"] if row["Name"].startswith("ragstack-"))
        keys = [row["Key"] for row in s3.list_objects_v2(Bucket=ledger).get("Contents", [])]
        kept = {key: s3.get_object(Bucket=ledger, Key=key)["Body"].read() for key in keys}
        self.write(subject)
        self.up("--allow-data-loss=subject")
        for row in s3.list_objects_v2(Bucket=ledger).get("Contents", []):
            if row["Key"] not in kept:
                s3.delete_object(Bucket=ledger, Key=row["Key"])
        for key, body in kept.items():
            s3.put_object(Bucket=ledger, Key=key, Body=body)

    def check_drift_of_every_field(self) -> None:
        """Whatever somebody makes of any field: named, and repaired. All at once, for time's sake."""
        names = [name for name in self.changes() if self.may_change(name) and not self.stays(name)
                 and "write_only" not in self.fields[name]["flags"]]
        moved = {name: self.changes()[name]["to"] for name in names}
        for name in names:
            moved |= self.changes()[name]["with"]
        if not names:
            return
        self.behind_our_back({**self.subject, **moved})
        self.write(self.subject)
        step = self.only_step(3)
        self.assertEqual((step["action"], step["drift"]), ("change", True), json.dumps(step, indent=1))
        self.assertEqual(set(names) - self.roots(step), set(), json.dumps(step, indent=1))
        self.up()
        self.nothing_to_do()

    def check_deletion_behind_our_back(self) -> None:
        self.behind_our_back(None)
        self.write(self.subject)
        step = self.only_step(3)
        self.assertEqual((step["action"], step["drift"], step["reason"]),
                         ("create", True, "it was deployed, and is gone"), json.dumps(step, indent=1))
        self.up()
        self.nothing_to_do()

    def check_new_id(self) -> None:
        """`was` keeps the thing: nothing of it changes but the tag that tells its id, there and back."""
        thing = self.physical_ids()["subject"]
        for name, was in (("renamed", "subject"), ("subject", "renamed")):
            self.write({**self.subject, "was": was}, name=name)
            steps = self.steps(2)
            self.assertEqual(list(steps), [name], json.dumps(steps, indent=1))
            step = steps[name]
            self.assertEqual((step["action"], step["was"], step["drift"]), ("change", was, False), step)
            self.assertEqual((step["reason"], self.roots(step)), (f'renamed, it was "{was}"', {"tags"}), step)
            self.up()
            self.write(self.subject, name=name)
            self.nothing_to_do()
            self.assertEqual(self.physical_ids()[name], thing)

    def check_removal(self) -> None:
        gone = self.example["gone"]
        call = json.loads(json.dumps(gone).replace("{subject}", self.physical_ids()["subject"]))
        self.write(None)
        step = self.only_step()
        self.assertEqual(step["action"], "delete")
        self.up("--allow-data-loss=subject")
        try:
            found = self.call(call)
        except ClientError as error:
            self.assertEqual(error.response["Error"]["Code"], gone.get("error"), error)
        else:
            self.assertIn("lists", gone, f"{gone['call']} still succeeds")
            left = [item for item in found[gone["lists"]] if item.get("State") != "deleted"]
            self.assertEqual(left, [])


def load_tests(loader: unittest.TestLoader, _tests: unittest.TestSuite, _pattern: str | None) -> unittest.TestSuite:
    """A class a kind, so that a new kind is tested by being there."""
    suite = unittest.TestSuite()
    for name, kind in kinds().items():
        if "hidden" in kind["flags"]:  # not for `resources:`: it has a suite of its own
            continue
        for file in examples_of(name):
            title = "".join(part.title() for part in re.split(r"[._]", file.removesuffix(".yaml")))
            members = {"kind": name, "example_file": file, "__module__": __name__}
            suite.addTests(loader.loadTestsFromTestCase(type(title, (Kind,), members)))
    return suite


if __name__ == "__main__":
    unittest.main()
