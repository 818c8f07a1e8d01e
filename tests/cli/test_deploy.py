"""diff, up, down and what looks at a stack: exit codes, streams, saved plans, consent."""

import json
import re
import signal
import stat
import time
import unittest

import cli

class DeployCase(cli.CloudCase):
    def counts(self, *arguments: str, status: int) -> dict[str, int]:
        return self.json_of("plan", status, "diff", "--json", *arguments)["summary"]


class WayTest(DeployCase):
    """From nothing to a stack, and back."""

    def test_the_whole_way(self):
        self.before_anything()
        self.up()
        self.look_at_it()
        self.change_it()
        self.change_it_behind_its_back()
        self.down()

    def before_anything(self):
        summary = self.counts(status=2)
        self.assertGreater(summary["create"], 30)
        self.assertEqual(summary["unchanged"], 0)
        text = self.plain(self.status(2, "diff"))
        self.assertRegex(text.stdout, r"(?m)^  \+ ec2\.vpc +vpc +create: it does not exist yet")
        self.assertRegex(text.stdout, r"(?m)^  \+ rds\.instance .*ragstack\.yaml:4$")
        self.assertEqual(text.stderr, "")
        self.assertIn("Nothing of demo exists", self.status(0, "status").stdout)
        self.status(1, "status", "--check")
        self.assertEqual(self.json_of("ls", 0, "ls", "--json", env={"AWS_REGION": "us-east-1"})["stacks"], [])
        self.assertEqual(self.json_of("outputs", 0, "outputs", "--json")["outputs"], {})
        self.assertIn("`ragstack up`", self.status(1, "outputs", "api_url").stderr)
        self.assertEqual(self.changing_calls(), [])

    def up(self):
        result = self.plain(self.status(0, "up", "--yes"))
        self.assertRegex(result.stdout, r"(?m)^api_url +https://")
        for line in result.stdout.splitlines():  # the outputs and nothing else
            self.assertRegex(line, r"^[a-z_]+ +\S+$")
        self.assertRegex(result.stderr, r"(?m)^  ✓ ec2\.vpc +vpc +create")
        self.assertRegex(result.stderr, r"(?m)^\d+ steps in \d+\.\d s$")
        self.assertEqual(self.counts(status=0)["create"], 0)
        again = self.status(0, "up", "--yes")
        self.assertIn("Nothing to do", again.stderr)
        self.assertEqual(again.stdout, result.stdout)
        self.fits("outputs", json.loads(self.status(0, "up", "--yes", "--json").stdout))

    def look_at_it(self):
        text = self.plain(self.status(0, "status", "--check"))
        self.assertRegex(text.stdout, r"(?m)^  ✓ rds\.instance +database +demo-database-\w+  available$")
        self.assertRegex(text.stdout, r"(?m)^\d+ healthy\.$")
        report = self.json_of("status", 0, "status", "--json")
        self.assertTrue(report["healthy"])
        self.assertEqual({row["health"] for row in report["resources"]}, {"healthy"})
        url = self.status(0, "outputs", "api_url").stdout.strip()
        self.assertEqual(self.json_of("outputs", 0, "outputs", "--json")["outputs"]["api_url"], url)
        self.assertEqual(self.json_of("outputs", 0, "outputs", "api_url", "--json")["outputs"], {"api_url": url})
        self.assertIn('did you mean "api_url"?', self.status(1, "outputs", "api_uri").stderr)
        stacks = self.json_of("ls", 0, "ls", "--json", env={"AWS_REGION": "us-east-1"})["stacks"]
        self.assertEqual([(row["stack"], row["environment"]) for row in stacks], [("demo", "")])
        self.assertEqual(stacks[0]["kinds"]["ec2:vpc"], 1)
        self.assertEqual(sum(stacks[0]["kinds"].values()), stacks[0]["resources"])
        self.assertRegex(self.status(0, "ls", env={"AWS_REGION": "us-east-1"}).stdout, r"^demo  \d+ resources\n  ")
        self.assertIn("No stack", self.status(0, "ls", env={"AWS_REGION": "eu-west-1"}).stderr)

    def change_it(self):
        self.write("ragstack.yaml", self.stack + "watch: {retention_days: 30}\n")
        plan = self.json_of("plan", 2, "diff", "--json")
        self.assertEqual({step["kind"] for step in plan["steps"]}, {"logs.group"})
        difference = plan["steps"][0]["differences"][0]
        self.assertEqual((difference["path"], difference["before"], difference["after"]), ("retention_days", 14, 30))
        self.assertEqual(difference["place"]["line"], 6)
        markdown = self.status(2, "diff", "--markdown").stdout
        self.assertIn("```diff\n", markdown)
        self.assertIn("retention_days: 14 -> 30", markdown)
        self.status(0, "up", "--yes")
        self.counts(status=0)

    def change_it_behind_its_back(self):
        group = next(step["physical_id"] for step in self.json_of("status", 0, "status", "--json")["resources"]
                     if step["id"] == "ask-logs")
        self.client("logs").put_retention_policy(logGroupName=group, retentionInDays=3)
        plan = self.json_of("plan", 3, "diff", "--json")
        self.assertTrue(plan["summary"]["drift_only"])
        self.assertEqual([step["id"] for step in plan["steps"]], ["ask-logs"])
        self.assertIn("All of it is drift", self.status(3, "diff").stdout)
        self.status(0, "ci", "--fail-on=changes")
        self.status(3, "ci", "--fail-on=drift")
        self.status(0, "up", "--yes")
        self.counts(status=0)

    def down(self):
        result = self.plain(self.status(0, "down", "--yes"))
        self.assertEqual(result.stdout, "")
        self.assertTrue(result.stderr.endswith("Nothing of the stack is left.\n"), result)
        self.assertIn("Nothing of the stack exists", self.status(0, "down", "--yes").stderr)


class ConsentTest(DeployCase):
    def test_nobody_is_there_to_be_asked(self):
        for command in ("up",):
            result = self.plain(self.status(64, command))
            self.assertIn("--yes", result.stderr)
            self.assertEqual(result.stdout, "")
        self.assertEqual(self.changing_calls(), [])

    def test_a_person_says_no(self):
        terminal = cli.Terminal(self.program, "up", "--target", "ec2.vpc.vpc")
        terminal.read_until('Type "yes"')
        terminal.type("no\n")
        self.assertEqual(terminal.end(), 130)
        self.assertIn("nothing was changed", terminal.seen)
        self.assertEqual(self.changing_calls(), [])

    def test_a_person_presses_ctrl_c_at_the_question(self):
        terminal = cli.Terminal(self.program, "up", "--target", "ec2.vpc.vpc")
        terminal.read_until('Type "yes"')
        terminal.type("\x03")
        self.assertEqual(terminal.end(), 130)
        self.assertEqual(self.changing_calls(), [])

    def test_a_person_says_yes_and_down_wants_the_name(self):
        terminal = cli.Terminal(self.program, "up", "--target", "ec2.vpc.vpc")
        terminal.read_until('Type "yes"')
        terminal.type("yes\n")
        self.assertEqual(terminal.end(), 0, terminal.seen)
        self.assertIn("\x1b[32m✓\x1b[0m", terminal.seen)
        self.assertIn("of 1 steps", terminal.seen)
        terminal = cli.Terminal(self.program, "down")
        terminal.read_until('Type "demo"')
        terminal.type("yes\n")
        self.assertEqual(terminal.end(), 130)
        terminal = cli.Terminal(self.program, "down")
        terminal.read_until('Type "demo"')
        terminal.type("demo\n")
        self.assertEqual(terminal.end(), 0, terminal.seen)


class ColourTest(DeployCase):
    def test_a_terminal_gets_colours_unless_told(self):
        for env, arguments, coloured in (({}, [], True), ({"NO_COLOR": "1"}, [], False), ({"NO_COLOR": ""}, [], True),
                                         ({"TERM": "dumb"}, [], False), ({}, ["--no-color"], False),
                                         ({}, ["--color=never"], False), ({"NO_COLOR": "1"}, ["--color", "always"], True)):
            with self.subTest(env=env, arguments=arguments):
                terminal = cli.Terminal(self.program, "diff", "--target", "vpc", *arguments, env=env)
                self.assertEqual(terminal.end(), 2)
                self.assertEqual("\x1b[" in terminal.seen, coloured, terminal.seen)

    def test_a_pipe_gets_none_unless_asked(self):
        self.plain(self.status(2, "diff"))
        self.assertIn("\x1b[32m", self.status(2, "diff", "--color=always").stdout)

    def test_without_colour_the_live_list_still_lives(self):
        terminal = cli.Terminal(self.program, "up", "--yes", "--target", "ec2.vpc.vpc", env={"NO_COLOR": "1"})
        self.assertEqual(terminal.end(), 0)
        self.assertIn("✓ ec2.vpc", terminal.seen)
        self.assertNotRegex(terminal.seen, r"\x1b\[[0-9;]*m")


class LiveTest(DeployCase):
    def test_elapsed_times_move_while_aws_is_silent(self):
        terminal = cli.Terminal(self.program, "up", "--yes", "--target", "ec2.subnet.private-1", columns=60)
        terminal.read_until("of 2 steps")
        self.gateway.pause()
        self.addCleanup(self.gateway.go_on)
        terminal.read_until("create 1.")
        self.gateway.go_on()
        self.assertEqual(terminal.end(), 0, terminal.seen)
        drawn = re.sub(r"\x1b\[[0-9;]*[a-zA-Z]", "", terminal.seen).split("of 2 steps")[1]
        for line in drawn.splitlines():
            self.assertLessEqual(len(line), 60, line)


class AlarmTest(DeployCase):
    def test_an_alarm_that_rings_is_told(self):
        self.status(0, "up", "--yes", "--target", "alarm-model-cost")
        rows = self.json_of("status", 0, "status", "--json")["resources"]
        name = next(row["physical_id"] for row in rows if row["id"] == "alarm-model-cost")
        self.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="it costs 7 dollars")
        report = self.json_of("status", 0, "status", "--json")
        self.assertEqual([(row["id"], row["state"]) for row in report["alarms"]],
                         [("alarm-model-cost", "it costs 7 dollars")])
        self.assertRegex(report["alarms"][0]["since"], r"^\d{4}-\d\d-\d\dT")
        text = self.plain(self.status(1, "status", "--check")).stdout
        self.assertRegex(text, r"(?m)^In alarm:\n  ! alarm-model-cost since \S+: it costs 7 dollars$")


class TargetTest(DeployCase):
    def test_only_it_and_what_it_needs(self):
        plan = self.json_of("plan", 2, "diff", "--json", "--target", "ec2.subnet.private-1")
        self.assertEqual({step["id"] for step in plan["steps"]}, {"vpc", "private-1"})
        self.status(0, "up", "--yes", "--target", "private-1")
        self.assertEqual(self.json_of("plan", 0, "diff", "--json", "-t", "private-1")["steps"], [])
        report = self.json_of("status", 0, "status", "--json")
        self.assertEqual({row["id"] for row in report["resources"] if row["health"] == "healthy"}, {"vpc", "private-1"})
        self.assertFalse(report["healthy"])

    def test_what_is_not_there(self):
        self.assertIn("--target nope", self.status(64, "diff", "--target", "nope").stderr)


class PlanFileTest(DeployCase):
    TARGET = ("--target", "ec2.subnet.private-1")

    def save(self) -> dict:
        self.status(2, "diff", "--out", "plan.json", *self.TARGET)
        document = json.loads((self.folder / "plan.json").read_text())
        self.fits("plan", document)
        return document

    def test_what_was_reviewed_is_what_is_done(self):
        self.save()
        self.assertEqual(stat.S_IMODE((self.folder / "plan.json").stat().st_mode), 0o600)
        self.status(0, "up", "--yes", "plan.json")
        self.assertEqual({row["id"] for row in self.json_of("status", 0, "status", "--json")["resources"]
                          if row["health"] == "healthy"}, {"vpc", "private-1"})

    def test_it_is_refused_when_the_world_has_moved(self):
        self.save()
        self.status(0, "up", "--yes", "--target", "ec2.vpc.vpc")
        before = len(self.changing_calls())
        self.assertIn("has moved", self.status(1, "up", "--yes", "plan.json").stderr)
        self.assertEqual(len(self.changing_calls()), before)

    def test_it_is_refused_when_the_file_has_moved(self):
        self.save()
        self.write("ragstack.yaml", self.stack + "network: {cidr: 10.30.0.0/16}\n")
        self.assertIn("has moved", self.status(1, "up", "--yes", "plan.json").stderr)
        self.assertEqual(self.changing_calls(), [])

    def test_it_is_refused_for_another_stack(self):
        document = self.save()
        self.write("ragstack.yaml", self.stack.replace("stack: demo", "stack: other"))
        self.assertIn('stack "demo", but this is "other"', self.status(1, "up", "--yes", "plan.json").stderr)
        self.write("ragstack.yaml", self.stack)
        document["account"] = "999999999999"
        (self.folder / "plan.json").write_text(json.dumps(document))
        self.assertIn('account "999999999999"', self.status(1, "up", "--yes", "plan.json").stderr)

    def test_what_is_no_plan(self):
        for text in ("", "{", "[]", "{}", '{"schema": 2}', '{"schema": 1, "fingerprint": 1}',
                     '{"schema": 1, "fingerprint": "x", "steps": []', "\0" * 100, '{"schema": 1, "fingerprint": "x"}',
                     '{"schema": 1, "fingerprint": "x", "steps": [], "targets": [1]}'):
            with self.subTest(text):
                self.write("plan.json", text)
                self.plain(self.status(65, "up", "--yes", "plan.json"))
        self.status(64, "up", "--yes", "nowhere.json")
        self.assertEqual(self.changing_calls(), [])

    def test_a_plan_that_cannot_be_written_leaves_nothing(self):
        result = self.status(1, "diff", "--out", "no/such/folder/plan.json", *self.TARGET)
        self.assertIn("cannot write no/such/folder/plan.json", result.stderr)
        self.assertEqual(result.stdout, "")


class DataTest(DeployCase):
    def test_data_is_not_lost_without_consent(self):
        self.status(0, "up", "--yes")
        self.write("ragstack.yaml", self.stack + "  name: other\n")
        plan = self.json_of("plan", 4, "diff", "--json")
        self.assertTrue(plan["summary"]["loses_data"])
        before = len(self.changing_calls())
        text = self.plain(self.status(4, "diff")).stdout
        self.assertIn("DATA LOSS", text)
        result = self.plain(self.status(4, "up", "--yes"))
        self.assertIn("--allow-data-loss=database", result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertEqual(len(self.changing_calls()), before)


class NoteTest(DeployCase):
    stack = cli.STACK.replace("proxy: false", "proxy: true") + "api:\n  auth: none\n"

    def test_what_a_plan_means_is_said(self):
        result = self.status(2, "diff")
        self.assertRegex(result.stdout, r"(?m)^  ! api: anybody .*: api\.auth is none  ragstack\.yaml:\d+$")
        self.assertRegex(result.stdout, r"(?m)^  ! proxy: .*billed.*  ragstack\.yaml:4$")
        self.assertEqual({note["id"] for note in self.json_of("plan", 2, "diff", "--json")["notes"]}, {"api", "proxy"})
        self.assertIn("! api: ", self.status(64, "up").stderr)
        self.assertIn("> **api**: ", self.status(2, "diff", "--markdown").stdout)


class ExpandTest(DeployCase):
    def test_it_asks_nobody(self):
        document = self.json_of("expand", 0, "diff", "--expand", "--json")
        self.assertEqual(document["resources"]["vpc"]["kind"], "ec2.vpc")
        text = self.plain(self.status(0, "diff", "--expand")).stdout
        self.assertRegex(text, r"(?m)^rds\.instance database  ragstack\.yaml:4$")
        self.assertEqual(self.gateway.requests()["log"], [])


class EnvironmentTest(DeployCase):
    stack = cli.STACK + "environments:\n  dev:\n  prod: {network: {zones: 3}}\n"

    def test_it_must_be_said_and_is_part_of_the_identity(self):
        self.assertIn("--env NAME (dev, prod)", self.status(64, "diff").stderr)
        self.status(0, "up", "--yes", "--env", "dev", "--target", "ec2.vpc.vpc")
        self.assertEqual(self.json_of("plan", 0, "diff", "--json", "--env", "dev", "-t", "vpc")["steps"], [])
        plan = self.json_of("plan", 2, "diff", "--json", "--env", "prod", "-t", "vpc")
        self.assertEqual(plan["environment"], "prod")
        stacks = self.json_of("ls", 0, "ls", "--json", env={"AWS_REGION": "us-east-1"})["stacks"]
        self.assertEqual([(row["stack"], row["environment"]) for row in stacks], [("demo", "dev")])


class PartialTest(DeployCase):
    BAD = "resources:\n  bad: {kind: iam.role, assume: {Version: '2012-10-17', Statement: []}}\n"

    def test_what_fails_stops_only_what_needs_it(self):
        self.write("ragstack.yaml", self.stack + self.BAD)
        result = self.plain(self.status(6, "up", "--yes"))
        self.assertRegex(result.stderr, r"(?m)^  ✗ iam\.role +bad +create: ")
        self.assertRegex(result.stderr, r"(?m)^error: ragstack\.yaml:7:\d+: iam\.role bad: .*")
        self.assertIn("(request ", result.stderr)
        self.assertEqual(result.stdout, "")
        plan = self.json_of("plan", 2, "diff", "--json")
        self.assertEqual([step["id"] for step in plan["steps"]], ["bad"])
        self.write("ragstack.yaml", self.stack)
        self.counts(status=0)

    def test_an_up_that_is_interrupted_finishes_what_runs_and_goes_on_later(self):
        process = self.program.start("up", "--yes")
        seen = ""
        while "  ✓ " not in seen:
            seen = process.stderr.readline()
        self.gateway.pause()
        self.addCleanup(self.gateway.go_on)
        process.send_signal(signal.SIGINT)
        while "stopping: " not in seen:
            seen = process.stderr.readline()
        self.gateway.go_on()
        stdout, stderr = process.communicate(timeout=60)
        self.assertEqual((process.returncode, stdout), (6, ""), stderr)
        self.assertRegex(stderr, r"error: interrupted: \d+ of \d+ steps are left")
        plan = self.counts(status=2)
        self.assertGreater(plan["unchanged"], 0)
        self.status(0, "up", "--yes")
        self.counts(status=0)


class InterruptTest(cli.OfflineCase):
    def test_what_changes_nothing_ends_at_once(self):
        self.write("ragstack.yaml", cli.STACK)
        for arguments in (["diff"], ["status"], ["up", "--yes"], ["logs"], ["ci"]):
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(arguments=arguments, signal=number):
                    silence = cli.Silence()
                    self.addCleanup(silence.close)
                    self.program.environment["RAGSTACK_HANDLER_ZIP"] = str(cli.write_handler(self.folder))
                    process = self.program.start(*arguments, env={"AWS_ENDPOINT_URL": silence.url})
                    silence.wait_for_call()
                    start = time.monotonic()
                    process.send_signal(number)
                    stdout, stderr = process.communicate(timeout=30)
                    self.assertLess(time.monotonic() - start, 5)
                    self.assertEqual((process.returncode, stdout), (130, ""), stderr)


if __name__ == "__main__":
    unittest.main()
