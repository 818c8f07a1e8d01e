"""logs: merged, followed, filtered; for people and programs."""

import json
import re
import signal
import time
import unittest

import cli


class LogsCase(cli.CloudCase):
    def setUp(self):
        super().setUp()
        self.status(0, "up", "--yes", "--target", "ask-logs", "--target", "ingest-logs", "--target", "api-logs")
        self.logs = self.client("logs")
        names = [group["logGroupName"] for group in self.logs.describe_log_groups()["logGroups"]]
        self.groups = {id: name for id in ("ask-logs", "ingest-logs", "api-logs") for name in names if f"-{id}-" in name}
        self.now_ms = int(time.time() * 1000)
        for group in self.groups.values():
            self.logs.create_log_stream(logGroupName=group, logStreamName="stream")

    def put(self, source: str, *events: tuple[int, str]) -> None:
        """Lines of (milliseconds ago, message)."""
        self.logs.put_log_events(
            logGroupName=self.groups[f"{source}-logs"], logStreamName="stream",
            logEvents=[{"timestamp": self.now_ms - ago, "message": message} for ago, message in events])

    def messages(self, *arguments: str) -> list[str]:
        """Source and message of each line."""
        result = self.status(0, "logs", "--json", *arguments)
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        for line in lines:
            self.fits("logs", line)
        return [f"{line['source']}: {line['message']}" for line in lines]


class LogsTest(LogsCase):
    def test_sources_are_merged_by_time(self):
        self.put("ask", (5000, "one"), (3000, "three"))
        self.put("api", (4000, "two"), (2000, "four"))
        self.assertEqual(self.messages(), ["ask: one", "api: two", "ask: three", "api: four"])
        text = self.plain(self.status(0, "logs"))
        lines = text.stdout.splitlines()
        self.assertRegex(lines[0], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ask    one$")
        self.assertRegex(lines[1], r"Z api    two$")
        self.assertEqual(text.stderr, "")

    def test_functions_are_chosen(self):
        self.put("ask", (5000, "one"))
        self.put("ingest", (4000, "two"))
        self.put("api", (3000, "three"))
        self.assertEqual(self.messages("--function", "ask"), ["ask: one"])
        self.assertEqual(self.messages("--function", "ask", "--function=api"), ["ask: one", "api: three"])
        self.assertRegex(self.status(64, "logs", "--function", "aks").stderr, r'there are: ask, ingest, schema, api')

    def test_time_is_bounded(self):
        self.put("ask", (7200000, "old"), (1200000, "older"), (60000, "new"))
        self.assertEqual(self.messages(), ["ask: new"])
        self.assertEqual(self.messages("--since", "30m"), ["ask: older", "ask: new"])
        self.assertEqual(self.messages("--since", "1d", "--until", "10m"), ["ask: old", "ask: older"])
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now_ms / 1000 - 90))
        self.assertEqual(self.messages("--since", moment), ["ask: new"])
        for wrong in ("yesterday", "15", "15w", "-5m", "m", "99999999999m"):
            self.assertIn("is no time", self.status(64, "logs", f"--since={wrong}").stderr)
        self.assertIn("before", self.status(64, "logs", "--since", "5m", "--until", "10m").stderr)
        self.assertIn("--follow", self.status(64, "logs", "-f", "--until", "10m").stderr)

    def test_one_request_is_followed_through_all(self):
        self.put("ask", (5000, "START RequestId: 7f1c-2a"), (4500, "other"), (4000, '{"request": "7f1c-2a", "ms": 5}'))
        self.put("api", (3000, '{"requestId": "7f1c-2a"}'), (2000, '{"requestId": "9"}'))
        self.assertEqual(self.messages("--request", "7f1c-2a"), [
            "ask: START RequestId: 7f1c-2a", 'ask: {"request": "7f1c-2a", "ms": 5}', 'api: {"requestId": "7f1c-2a"}'])
        self.assertEqual(self.messages("--request", "7f1c-2a", "--filter", "START"), ["ask: START RequestId: 7f1c-2a"])

    def test_filters_are_cloudwatchs(self):
        self.put("ask", (5000, "all is well"), (4000, "ERROR: it is not"))
        self.assertEqual(self.messages("--filter", "ERROR"), ["ask: ERROR: it is not"])

    def test_json_reads_as_key_value_and_nothing_steers_the_terminal(self):
        self.put("ask", (5000, '{"level": "info", "ms": 12.5, "note": "two words", "_aws": {"Timestamp": 1}, "ok": true}'),
                 (4000, "\x1b[31mred\x07 and \u009b2J"), (3000, "tab\tand newline\n"))
        lines = [line.split(" ask ", 1)[1].strip() for line in self.status(0, "logs").stdout.splitlines()]
        self.assertEqual(lines[0], 'level=info ms=12.5 note="two words" ok=true')
        self.assertEqual(lines[1], r"\x1b[31mred\x07 and \x9b2J")
        self.assertEqual(lines[2], "tab\tand newline")

    def test_many_pages_lose_nothing(self):
        for first in range(0, 12000, 6000):
            self.put("ask", *((20000 - number, f"line {number:05}") for number in range(first, first + 6000)))
        self.assertEqual(self.messages(), [f"ask: line {number:05}" for number in range(12000)])

    def test_nothing_to_show(self):
        result = self.plain(self.status(0, "logs"))
        self.assertEqual(result.stdout, "")
        self.assertIn("No lines", result.stderr)

    def test_a_terminal_has_colours_and_prefixes(self):
        self.put("ask", (5000, "one"))
        self.put("api", (4000, "two"))
        terminal = cli.Terminal(self.program, "logs")
        self.assertEqual(terminal.end(), 0)
        text = re.sub(r"\x1b\[[0-9;]*m", "", terminal.seen).replace("\r", "")
        self.assertRegex(text, r"-- \d{4}-\d\d-\d\d --\n\d\d:\d\d:\d\d\.\d{3} ask    one\n\d\d:\d\d:\d\d\.\d{3} api    two\n")
        colours = re.findall(r"(\x1b\[3\dm)a(?:sk|pi)", terminal.seen)
        self.assertEqual(len(set(colours)), 2)


class FollowTest(LogsCase):
    def follow(self, *arguments: str):
        process = self.program.start("logs", "-f", "--json", *arguments)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def next_message(self, process) -> str:
        line = json.loads(process.stdout.readline())
        return f"{line['source']}: {line['message']}"

    def test_new_lines_come_until_ctrl_c(self):
        self.put("ask", (5000, "before"))
        process = self.follow()
        self.assertEqual(self.next_message(process), "ask: before")
        self.put("api", (0, "now"))
        self.assertEqual(self.next_message(process), "api: now")
        self.put("ask", (20000, "late"))
        self.assertEqual(self.next_message(process), "ask: late")
        time.sleep(3)  # a round or more: nothing comes twice
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
        self.assertEqual((process.returncode, stdout, stderr), (0, "", ""))

    def test_it_stays_within_the_rate(self):
        process = self.follow()
        time.sleep(6)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        starts = [entry["started_ms"] for entry in self.gateway.requests()["log"]
                  if entry["operation"] == "FilterLogEvents"]
        self.assertGreater(len(starts), 6)
        for first, fifth in zip(starts, starts[5:]):
            self.assertGreaterEqual(fifth - first, 1000)

    def test_it_ends_when_nobody_reads(self):
        self.put("ask", (5000, "before"))
        process = self.follow()
        self.next_message(process)
        process.stdout.close()
        self.put("ask", (0, "more"))
        self.assertEqual(process.wait(timeout=30), 0)


class NoLogsTest(cli.CloudCase):
    def test_before_up(self):
        self.assertIn("`ragstack up`", self.status(1, "logs").stderr)


if __name__ == "__main__":
    unittest.main()
