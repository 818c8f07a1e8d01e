"""examples/aws-smoke.sh, on the emulator: what it can show there comes out, and nothing is left."""

import os
import re
import shutil
import subprocess
import unittest

import cli
import harness


@unittest.skipUnless(shutil.which("jq") and shutil.which("curl"), "no jq or curl")
class SmokeTest(cli.CloudCase):
    def test_it_walks_to_its_end(self):
        environment = {**self.program.environment, "PATH": os.environ["PATH"], "AWS_REGION": harness.REGION,
                       "RAGSTACK": str(harness.build() / "ragstack"), "SMOKE_KILL_AFTER": "0.5"}
        run = subprocess.run([str(harness.ROOT / "examples/aws-smoke.sh"), "--yes", "--report", "report.md"],
                             cwd=self.folder, env=environment, text=True, capture_output=True, timeout=240)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        report = (self.folder / "report.md").read_text()
        rows = re.findall(r"^\| (.*?) \| (\w+) \| \d* \| .* \|$", report, re.M)
        listed = subprocess.run([str(harness.ROOT / "examples/aws-smoke.sh"), "--list"], text=True, capture_output=True)
        self.assertEqual([title for title, _ in rows], listed.stdout.splitlines())
        seen = {title for title, outcome in rows if outcome == "seen"}
        self.assertEqual({outcome for _, outcome in rows}, {"seen", "skipped"}, report)
        for word in ("signatures", "up from nothing", "diff after it is empty", "changes nothing", "healthy",
                     "tagging", "changed memory", "history", "down comes"):
            self.assertTrue(any(word in title for title in seen), (word, report))
        # the emulator keeps the instance's automated snapshot, which AWS takes away with it
        snapshots = self.client("rds").describe_db_snapshots()["DBSnapshots"]
        self.assertEqual({snapshot["SnapshotType"] for snapshot in snapshots} - {"automated"}, set())
        stacks = self.json_of("ls", 0, "ls", "--json", env={"AWS_REGION": harness.REGION})["stacks"]
        self.assertLessEqual({kind for stack in stacks for kind in stack["kinds"]}, {"rds:snapshot"})


if __name__ == "__main__":
    unittest.main()
