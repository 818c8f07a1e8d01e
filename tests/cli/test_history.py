"""The ledger from outside: the lock, history, rollback, unlock, and why things differ."""

import json
import os
import signal
import subprocess
import threading
import unittest

import cli

LOCK = "demo/-/lock.json"


class LedgerCase(cli.CloudCase):
    def bucket(self) -> str:
        names = [bucket["Name"] for bucket in self.client("s3").list_buckets()["Buckets"]]
        return next(name for name in names if name.startswith("ragstack-123456789012-us-east-1-"))

    def keys(self) -> list[str]:
        listing = self.client("s3").list_objects_v2(Bucket=self.bucket())
        return [entry["Key"] for entry in listing.get("Contents", [])]

    def history(self) -> list[dict]:
        return self.json_of("history", 0, "history", "--json")["deployments"]

    def stranger_takes_the_lock(self) -> None:
        """As another machine would: it is fresh, and nobody here can tell whether its process lives."""
        self.client("s3").put_object(Bucket=self.bucket(), Key=LOCK, Body=json.dumps({
            "schema": 1, "id": "x", "owner": "bob@elsewhere", "pid": 7, "command": "down", "process": "other/1/7/1",
            "since": "2026-01-31T12:00:00Z", "expires": "2026-01-31T12:02:00Z"}).encode())

    def retention(self, group: str) -> int:
        groups = self.client("logs").describe_log_groups()["logGroups"]
        return next(one["retentionInDays"] for one in groups if group in one["logGroupName"])

    def keep_for(self, days: int) -> None:
        self.write("ragstack.yaml", self.stack + f"watch: {{retention_days: {days}}}\n")


class HistoryTest(LedgerCase):
    TARGET = ("--target", "logs.group.ask-logs")

    def test_nothing_yet(self):
        self.assertEqual(self.status(0, "history").stdout, "There are no deployments yet.\n")
        self.assertEqual(self.history(), [])
        self.assertIn("no deployments yet", self.status(1, "history", "1").stderr)
        self.assertIn("no deployments yet", self.status(1, "rollback", "1", "--yes").stderr)
        self.assertEqual(self.json_of("unlock", 0, "unlock", "--json"), {"schema": 1, "held": False, "released": False})
        self.assertEqual(self.changing_calls(), [])

    def test_the_ledger_is_named_and_made_with_consent(self):
        text = self.plain(self.status(2, "diff", *self.TARGET)).stdout
        self.assertRegex(text, r"(?m)^Ledger: s3://ragstack-123456789012-us-east-1-[0-9a-f]{8}/demo/-  \(.*made first")
        self.assertEqual(self.client("s3").list_buckets()["Buckets"], [])
        self.assertIn("Ledger: s3://", self.status(64, "up", *self.TARGET).stderr)
        self.assertEqual(self.client("s3").list_buckets()["Buckets"], [])
        self.status(0, "up", "--yes", *self.TARGET)
        self.assertEqual(self.keys(), ["demo/-/applied.json", "demo/-/history/99999998.json"])
        self.keep_for(30)
        plan = self.json_of("plan", 2, "diff", "--json", *self.TARGET)
        self.assertEqual(plan["ledger"], f"s3://{self.bucket()}/demo/-")
        self.assertNotIn("made first", self.status(2, "diff", *self.TARGET).stdout)

    def test_down_leaves_the_ledger(self):
        self.status(0, "up", "--yes", *self.TARGET)
        self.status(0, "down", "--yes")
        self.assertEqual([row["command"] for row in self.history()], ["down", "up"])
        self.assertEqual(json.loads(self.client("s3").get_object(
            Bucket=self.bucket(), Key="demo/-/applied.json")["Body"].read())["resources"], {})

    def test_down_makes_no_ledger(self):
        self.status(0, "up", "--yes", *self.TARGET)
        s3, bucket = self.client("s3"), self.bucket()
        for key in self.keys():
            s3.delete_object(Bucket=bucket, Key=key)
        s3.delete_bucket(Bucket=bucket)
        self.status(0, "down", "--yes")
        self.assertEqual(s3.list_buckets()["Buckets"], [])

    def test_what_is_recorded(self):
        self.commit()
        self.status(0, "up", "--yes", *self.TARGET)
        self.keep_for(30)
        self.status(0, "up", "--yes", *self.TARGET, env={
            "GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ID": "77"})
        self.status(0, "up", "--yes", *self.TARGET)  # nothing to do: no deployment
        second, first = self.history()
        self.assertEqual((first["number"], first["status"], first["command"]), (1, "done", "up"))
        self.assertEqual([(step["action"], step["kind"], step["id"], step["outcome"]) for step in first["steps"]],
                         [("create", "logs.group", "ask-logs", "done")])
        self.assertEqual(first["git"]["commit"], self.git("rev-parse", "HEAD"))
        self.assertEqual(first["git"]["author"], "Ann <ann@example.com>")
        self.assertFalse(first["git"]["dirty"])
        self.assertIsNone(first.get("job"))
        self.assertTrue(second["git"]["dirty"])
        self.assertEqual(second["job"], "https://github.example/a/b/actions/runs/77")
        lines = self.plain(self.status(0, "history")).stdout.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], r"^   2  \d{4}-\d\d-\d\d \d\d:\d\d  up +done +[0-9a-f]{8}\*  .+@.+  1 change$")
        self.assertRegex(lines[1], r"^   1  .*  1 create$")
        self.assertEqual(self.status(0, "history", "-n", "1").stdout.splitlines(), lines[:1])
        text = self.plain(self.status(0, "history", "1")).stdout
        self.assertIn("done      create   logs.group ask-logs: it does not exist yet", text)
        self.assertIn("Ann <ann@example.com>", text)
        document = json.loads(self.status(0, "history", "1", "--json").stdout)
        self.assertEqual(document["resources"]["ask-logs"]["props"]["retention_days"], 14)

    def test_an_interruption_is_recorded(self):
        terminal = cli.Terminal(self.program, "up", "--yes", env={"NO_COLOR": "1"})
        terminal.read_until("✓")
        os.kill(terminal.pid, signal.SIGINT)
        self.assertEqual(terminal.end(), 6, terminal.seen)
        row = self.history()[0]
        self.assertEqual(row["status"], "interrupted")
        self.assertLess({"done", "not tried"}, {step["outcome"] for step in row["steps"]} | {"failed"})
        self.assertIn("not done", self.status(0, "history").stdout)
        plan = self.json_of("plan", 2, "diff", "--json")  # what was never made is no drift
        self.assertIn("it does not exist yet", {step["reason"] for step in plan["steps"]})
        self.status(0, "up", "--yes")
        self.assertEqual([row["status"] for row in self.history()], ["done", "interrupted"])

    def test_what_is_no_number(self):
        for word in ("0", "-1", "x", "1x", "", "99999999999999999999"):
            with self.subTest(word):
                self.status(64, "history", "--", word)
                self.status(64, "rollback", "--yes", "--", word)
        self.status(64, "history", "-n", "0")
        self.status(64, "rollback", "--yes")

    def git(self, *arguments: str) -> str:
        return subprocess.run(["git", "-C", str(self.folder), *arguments], check=True, capture_output=True, text=True,
                              env={**os.environ, "HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1"}).stdout.strip()

    def commit(self) -> None:
        self.git("init", "-q")
        self.git("add", "ragstack.yaml")
        self.git("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-q", "-m", "stack")


class WhyTest(LedgerCase):
    TARGET = ("--target", "logs.group.ask-logs")

    def why(self, status: int) -> str:
        plan = self.json_of("plan", status, "diff", "--json", *self.TARGET)
        return plan["steps"][0]["differences"][0]["why"]

    def drift(self) -> None:
        logs = self.client("logs")
        logs.put_retention_policy(logGroupName=logs.describe_log_groups()["logGroups"][0]["logGroupName"],
                                  retentionInDays=90)

    def test_the_file_the_cloud_or_nobody_knows(self):
        self.status(0, "up", "--yes", *self.TARGET)
        self.drift()
        self.assertEqual(self.why(3), "drifted")
        self.assertIn("All of it is drift", self.status(3, "diff", *self.TARGET).stdout)
        self.keep_for(30)
        self.assertEqual(self.why(2), "you changed it")
        self.client("s3").delete_object(Bucket=self.bucket(), Key="demo/-/applied.json")
        self.assertEqual(self.why(2), "differs")

    def test_a_thing_that_is_gone_is_drift(self):
        self.status(0, "up", "--yes", *self.TARGET)
        logs = self.client("logs")
        logs.delete_log_group(logGroupName=logs.describe_log_groups()["logGroups"][0]["logGroupName"])
        self.assertIn("it was deployed, and is gone", self.status(3, "diff", *self.TARGET).stdout)

    def test_the_ledger_need_not_be_readable(self):
        self.status(0, "up", "--yes", *self.TARGET)
        self.client("s3").put_object(Bucket=self.bucket(), Key="demo/-/applied.json", Body=b"}{")
        self.assertEqual(self.json_of("plan", 0, "diff", "--json", *self.TARGET)["steps"], [])
        self.drift()
        self.assertEqual(self.why(2), "differs")

    def test_targets_leave_the_others_as_they_were(self):
        self.status(0, "up", "--yes", *self.TARGET)
        self.keep_for(30)
        self.status(0, "up", "--yes", "--target", "logs.group.ingest-logs")
        self.assertEqual(self.why(2), "you changed it")


class LockTest(LedgerCase):
    TARGET = ("--target", "logs.group.ask-logs")

    def test_who_holds_it_is_told(self):
        self.status(0, "up", "--yes", *self.TARGET)
        self.stranger_takes_the_lock()
        self.keep_for(30)
        for arguments in (["up", "--yes"], ["down", "--yes"], ["rollback", "1", "--yes"]):
            with self.subTest(arguments=arguments):
                before = len(self.changing_calls())
                result = self.plain(self.status(5, *arguments))
                self.assertIn("locked by bob@elsewhere (process 7, `ragstack down`), since 2026-01-31T12:00:00Z",
                              result.stderr)
                self.assertIn("ragstack unlock", result.stderr)
                self.assertEqual(len(self.changing_calls()), before)
        self.status(2, "diff", *self.TARGET)  # looking needs no lock
        self.status(0, "history")

    def test_it_is_taken_away_with_consent(self):
        self.status(0, "up", "--yes", *self.TARGET)
        self.stranger_takes_the_lock()
        result = self.plain(self.status(64, "unlock"))
        self.assertIn("bob@elsewhere", result.stderr)
        self.assertIn(LOCK, self.keys())
        document = self.json_of("unlock", 0, "unlock", "--yes", "--json")
        self.assertEqual((document["released"], document["holder"]["owner"]), (True, "bob@elsewhere"))
        self.assertNotIn(LOCK, self.keys())
        self.assertEqual(self.status(0, "unlock", "--yes").stdout, "Nobody holds the lock.\n")
        self.status(0, "up", "--yes", *self.TARGET)

    def test_other_stacks_and_environments_have_their_own(self):
        self.status(0, "up", "--yes", *self.TARGET)
        self.stranger_takes_the_lock()
        self.write("ragstack.yaml", self.stack.replace("stack: demo", "stack: other"))
        self.status(0, "up", "--yes", *self.TARGET)
        self.write("ragstack.yaml", self.stack + "environments: {dev: {}}\n")
        self.status(0, "up", "--yes", "--env", "dev", *self.TARGET)
        self.assertIn("demo/dev/history/99999998.json", self.keys())
        self.assertNotIn("demo/dev/lock.json", self.keys())

    def test_a_killed_process_of_this_machine_hinders_nobody(self):
        self.status(0, "up", "--yes", *self.TARGET)
        self.keep_for(30)
        terminal = cli.Terminal(self.program, "up", *self.TARGET)
        terminal.read_until('Type "yes"')
        self.assertIn(LOCK, self.keys())
        self.assertIn("is locked by", self.status(5, "up", "--yes", *self.TARGET).stderr)
        os.kill(terminal.pid, signal.SIGKILL)
        self.assertEqual(terminal.end(), -signal.SIGKILL)
        result = self.status(0, "up", "--yes", *self.TARGET)
        self.assertIn("note: the lock was left behind by", result.stderr)
        self.assertNotIn(LOCK, self.keys())

    def test_a_broken_lock_stops_the_holder(self):
        self.status(0, "up", "--yes", *self.TARGET)
        self.keep_for(30)
        terminal = cli.Terminal(self.program, "up", *self.TARGET)
        terminal.read_until('Type "yes"')
        self.status(0, "unlock", "--yes")
        self.status(0, "up", "--yes", *self.TARGET)  # somebody else, meanwhile
        before = len(self.changing_calls())
        terminal.type("yes\n")
        self.assertEqual(terminal.end(), 5)
        self.assertIn("released by `ragstack unlock`", terminal.seen)
        self.assertEqual(len(self.changing_calls()), before)
        self.assertEqual(self.retention("ask"), 30)

    def test_many_at_once(self):
        results = []

        def up() -> None:
            results.append(self.ragstack("up", "--yes", *self.TARGET))

        threads = [threading.Thread(target=up) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = sorted(result.status for result in results)
        self.assertIn(0, statuses)
        for result in results:
            self.assertIn(result.status, (0, 1, 5), result)
            if result.status == 1:
                self.assertIn("somebody else has deployed meanwhile", result.stderr)
        self.assertEqual([row["number"] for row in self.history()], [1])
        self.assertNotIn(LOCK, self.keys())


class RollbackTest(LedgerCase):
    def code(self, function: str) -> str:
        functions = self.client("lambda").list_functions()["Functions"]
        return next(one["CodeSha256"] for one in functions if f"-{function}-" in one["FunctionName"])

    def test_back_and_forward(self):
        self.status(0, "up", "--yes")
        code = self.code("ask")
        cli.write_handler(self.folder, "#!/bin/sh\n# another\n")
        self.keep_for(30)
        self.status(0, "up", "--yes")
        self.assertNotEqual(self.code("ask"), code)
        self.assertEqual(self.retention("ask"), 30)
        self.refused_without_consent()
        result = self.plain(self.status(0, "rollback", "1", "--yes"))
        self.assertRegex(result.stdout, r"(?m)^api_url +https://")
        self.assertIn("`ragstack up` goes forward again", result.stderr)
        self.assertEqual(self.code("ask"), code)
        self.assertEqual(self.retention("ask"), 14)
        row = self.history()[0]
        self.assertEqual((row["number"], row["command"], row["rolled_back_to"], row["status"]), (3, "rollback", 1, "done"))
        self.assertRegex(self.status(0, "history", "-n", "1").stdout, r"^   3  .*  rollback 1  done ")
        self.assertIn("Nothing to do", self.status(0, "rollback", "1", "--yes").stderr)
        plan = self.json_of("plan", 2, "diff", "--json")
        self.assertEqual({difference["why"] for step in plan["steps"] for difference in step["differences"]},
                         {"you changed it"})
        self.assertEqual(list((self.folder / ".home").glob("ragstack-code-*")), [])
        self.status(0, "rollback", "2", "--yes")
        self.status(0, "diff")

    def refused_without_consent(self):
        before = len(self.changing_calls())
        self.assertIn("--yes", self.plain(self.status(64, "rollback", "1")).stderr)
        self.assertEqual(len(self.changing_calls()), before)

    def test_data_stays_as_it_is(self):
        self.status(0, "up", "--yes")
        self.write("ragstack.yaml", self.stack + "  backup_days: 3\nwatch: {retention_days: 30}\n")
        self.status(0, "up", "--yes")
        rds = self.client("rds")
        self.assertEqual(rds.describe_db_instances()["DBInstances"][0]["BackupRetentionPeriod"], 3)
        result = self.plain(self.status(0, "rollback", "1", "--yes"))
        self.assertRegex(result.stderr, r"(?s)Stays as it is:\n  rds\.instance database  \(.*it .*data")
        self.assertEqual(rds.describe_db_instances()["DBInstances"][0]["BackupRetentionPeriod"], 3)
        self.assertEqual(self.retention("ask"), 14)
        document = json.loads(self.status(0, "history", "3", "--json").stdout)
        self.assertEqual(document["resources"]["database"]["props"]["backup_days"], 3)
        self.assertEqual(document["resources"]["ask-logs"]["props"]["retention_days"], 14)

    def test_what_the_data_needs_stays(self):
        self.status(0, "up", "--yes", "--target", "logs.group.ask-logs")
        self.status(0, "up", "--yes", "--target", "rds.instance.database")
        result = self.plain(self.status(0, "rollback", "1", "--yes"))
        self.assertEqual(len(self.client("rds").describe_db_instances()["DBInstances"]), 1)
        self.assertEqual(len(self.client("rds").describe_db_subnet_groups()["DBSubnetGroups"]), 1)
        gone, stays = result.stderr.split("Stays as it is:")
        self.assertIn("ec2.vpc_endpoint endpoint-s3", gone)  # nothing of the database's
        for needed in ("rds.instance database ", "rds.subnet_group database-subnets ", "ec2.subnet private-1 ",
                       "ec2.vpc vpc ", "ec2.security_group database-group ", "rds.parameter_group database-parameters "):
            self.assertIn(f"  {needed}", stays)
            self.assertNotIn(needed, gone)

    def test_after_down_there_is_nothing(self):
        self.status(0, "up", "--yes", "--target", "logs.group.ask-logs")
        self.status(0, "down", "--yes")
        self.assertIn("took the stack down", self.status(64, "rollback", "2", "--yes").stderr)
        self.assertIn("the newest is 2", self.status(1, "rollback", "3", "--yes").stderr)

    def test_code_that_was_not_kept(self):
        self.status(0, "up", "--yes")
        cli.write_handler(self.folder, "#!/bin/sh\n# another\n")
        self.status(0, "up", "--yes")
        s3, bucket = self.client("s3"), self.bucket()
        for key in self.keys():
            if "/artifacts/" in key:
                s3.delete_object(Bucket=bucket, Key=key)
        before = len(self.changing_calls())
        self.assertIn("was not kept in the ledger", self.status(1, "rollback", "1", "--yes").stderr)
        self.assertEqual(len(self.changing_calls()), before)


if __name__ == "__main__":
    unittest.main()
