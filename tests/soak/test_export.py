"""`export --terraform`: the real terraform imports all of it, and finds nothing to change."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest
from typing import Any

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / folder) for folder in ("cli", "aws", "bench")]

import cli  # noqa: E402
import harness  # noqa: E402

import run as bench  # noqa: E402

# What only an emulator needs; `terraform` merges it over the provider's own block.
OVERRIDE = """\
provider "aws" {
  s3_use_path_style       = true
  skip_metadata_api_check = true
}
"""


def mirror() -> str | None:
    try:
        return bench.find_mirror() if shutil.which("terraform") else None
    except SystemExit:
        return None


class ExportCase(cli.CloudCase):
    stack = cli.STACK

    def export(self) -> list[str]:
        return self.json_of_run("export", "--terraform", "--json")["resources"]

    def json_of_run(self, *arguments: str) -> Any:
        return self.status(0, *arguments).json


class WrittenTest(ExportCase):
    def test_what_it_says_and_refuses(self) -> None:
        self.assertIn("say --terraform", self.status(64, "export").stderr)
        self.assertIn("nothing of demo exists", self.status(1, "export", "--terraform").stderr)
        self.status(64, "export", "--terraform", "--local")
        self.status(0, "up", "--yes", "--target", "private-1")
        before = self.changing_calls()
        self.assertEqual(self.export(), ["aws_vpc.vpc", "aws_subnet.private-1"])
        self.assertEqual(self.changing_calls(), before)
        resources = (self.folder / "terraform" / "resources.tf").read_text()
        self.assertIn('resource "aws_vpc" "vpc" {\n  cidr_block = "10.20.0.0/16"\n', resources)
        self.assertIn("  vpc_id = aws_vpc.vpc.id\n", resources)
        self.assertRegex((self.folder / "terraform" / "imports.tf").read_text(),
                         r'import \{\n  to = aws_vpc\.vpc\n  id = "vpc-\w+"\n\}')
        self.assertIn("is there already", self.status(1, "export", "--terraform").stderr)
        self.assertIn("Wrote 2 resources", self.status(0, "export", "--terraform", "another/folder").stdout)

    def test_text_is_never_evaluated(self) -> None:
        text = 'a "${b}" %{c} \\ $${d}'
        self.write("ragstack.yaml", self.stack + "resources: {topic: {kind: sns.topic, display_name: "
                   + json.dumps(text.replace("${b}", "$${b}").replace("$${d}", "$$${d}")) + "}}\n")
        self.status(0, "up", "--yes", "--target", "topic")
        self.export()
        said = re.search(r"display_name = (.*)\n", (self.folder / "terraform" / "resources.tf").read_text())[1]
        self.assertNotRegex(said, r'(?<!\$)\$\{|(?<!%)%\{')
        self.assertTrue(said.startswith('"a \\"$${b}\\" %%{c} \\\\ '), said)


@unittest.skipUnless(mirror(), "no terraform with its AWS provider here (TF_PLUGIN_MIRROR)")
class PlanTest(ExportCase):
    def terraform(self, *words: str) -> str:
        folder = self.folder / "terraform"
        settings = self.write("terraformrc", "provider_installation {\n  filesystem_mirror {\n"
                              f'    path = "{mirror()}"\n  }}\n}}\ndisable_checkpoint = true\n')
        environment = {**self.program.environment, "PATH": os.environ["PATH"], "TF_IN_AUTOMATION": "1",
                       "TF_CLI_CONFIG_FILE": str(settings)}
        done = subprocess.run(["terraform", *words], cwd=folder, env=environment, text=True, timeout=300,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-4000:])
        return done.stdout

    def plan(self) -> list[dict[str, Any]]:
        self.terraform("plan", "-no-color", "-input=false", "-out=plan")
        return json.loads(self.terraform("show", "-json", "plan"))["resource_changes"]

    def assert_only_imports(self, addresses: list[str]) -> None:
        self.write("terraform/emulator_override.tf", OVERRIDE)
        self.terraform("init", "-no-color", "-input=false")
        changes = self.plan()
        touched = {row["address"]: self.differences(row["change"]) for row in changes
                   if row["change"]["actions"] != ["no-op"]}
        self.assertEqual(touched, {})
        self.assertEqual(sorted(row["address"] for row in changes if row["change"].get("importing")), sorted(addresses))

    @staticmethod
    def differences(change: dict[str, Any]) -> dict[str, Any]:
        before, after = change["before"] or {}, change["after"] or {}
        return {"actions": change["actions"],
                **{key: (before.get(key), after.get(key)) for key in {*before, *after} if before.get(key) != after.get(key)}}

    def live(self, text: str) -> None:
        self.write("ragstack.yaml", text)
        self.status(0, "up", "--yes")
        addresses = self.export()
        found = {row["id"] for row in self.json_of_run("status", "--json")["resources"]
                 if row["kind"] not in ("rag.schema",)}
        told = (self.folder / "terraform" / "imports.tf").read_text()
        self.assertEqual(len(re.findall("^import", told, re.M)), len(addresses))
        for name in found:
            self.assertTrue(any(address.split(".", 1)[1] == name for address in addresses), name)
        self.assert_only_imports(addresses)

    def test_the_small_stack(self) -> None:
        self.live((harness.ROOT / "stacks" / "rag.yaml").read_text())
        logs = self.client("logs")
        group = next(row["logGroupName"] for row in logs.describe_log_groups()["logGroups"] if "ask-logs" in row["logGroupName"])
        logs.put_retention_policy(logGroupName=group, retentionInDays=3)
        touched = [row for row in self.plan() if row["change"]["actions"] != ["no-op"]]
        self.assertEqual([(row["address"], row["change"]["actions"]) for row in touched],
                         [("aws_cloudwatch_log_group.ask-logs", ["update"])])

    def test_every_kind_with_all_that_it_can_say(self) -> None:
        shutil.copy(self.folder / "handler.zip", self.folder / "code.zip")
        self.live((pathlib.Path(__file__).parent / "export.yaml").read_text())


if __name__ == "__main__":
    unittest.main()
