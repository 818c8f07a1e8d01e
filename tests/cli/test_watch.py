"""watch: the figures of a stack, against sums made by hand; the page, by what stands on the screen."""

import datetime
import fcntl
import math
import os
import re
import signal
import struct
import termios
import time
import unittest

import cli
import screen


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


class WatchCase(cli.CloudCase):
    stack = cli.STACK.replace("proxy: false", "proxy: true")

    def setUp(self):
        super().setUp()
        self.status(0, "up", "--yes")
        self.cloudwatch = self.client("cloudwatch")
        api = self.client("apigatewayv2").get_apis()["Items"][0]["ApiId"]
        functions = [one["FunctionName"] for one in self.client("lambda").list_functions()["Functions"]]
        rds = self.client("rds")
        self.dimensions = {
            "ragstack": ("Stack", "demo"), "AWS/ApiGateway": ("ApiId", api),
            "ask": ("FunctionName", next(name for name in functions if "-ask-" in name)),
            "ingest": ("FunctionName", next(name for name in functions if "-ingest-" in name)),
            "database": ("DBInstanceIdentifier", rds.describe_db_instances()["DBInstances"][0]["DBInstanceIdentifier"]),
            "proxy": ("ProxyName", rds.describe_db_proxies()["DBProxies"][0]["DBProxyName"]),
        }
        self.now = datetime.datetime.now(datetime.timezone.utc)
        self.gateway.reset()

    def measure(self, subject: str, name: str, *values: tuple[float, float]) -> None:
        """Values of (minutes ago, value)."""
        namespace = {"ask": "AWS/Lambda", "ingest": "AWS/Lambda", "database": "AWS/RDS", "proxy": "AWS/RDS"}
        dimension = dict(zip(("Name", "Value"), self.dimensions[subject]))
        self.cloudwatch.put_metric_data(Namespace=namespace.get(subject, subject), MetricData=[
            {"MetricName": name, "Dimensions": [dimension], "Value": value,
             "Timestamp": self.now - datetime.timedelta(minutes=minutes)} for minutes, value in values])

    def calls(self, operation: str) -> list[dict]:
        return [entry for entry in self.gateway.requests()["log"] if entry["operation"] == operation]

    def busy_day(self) -> None:
        """What the tests add up."""
        self.totals = [(minute, 100.0 + 7 * minute) for minute in range(1, 41)]
        self.latency = [(minute, 150.0 + 7 * minute) for minute in range(1, 41)]
        self.measure("ragstack", "Questions", *((minute, 1) for minute, _ in self.totals), (90, 5))
        self.measure("ragstack", "TotalMs", *self.totals)
        self.measure("ragstack", "EmbedMs", (1, 12.5), (2, 7.25))
        self.measure("ragstack", "NoAnswer", (3, 1), (4, 0), (5, 1))
        self.measure("ragstack", "CostUSD", *((minute, 0.0125) for minute, _ in self.totals), (90, 0.5))
        self.measure("ragstack", "InputTokens", (1, 1200), (2, 300))
        self.measure("ragstack", "FailedDatabase", (6, 1), (7, 2))
        self.measure("AWS/ApiGateway", "Latency", *self.latency)
        self.measure("AWS/ApiGateway", "IntegrationLatency", *((minute, value - 30) for minute, value in self.latency))
        self.measure("AWS/ApiGateway", "Count", (1, 44), (2, 6))
        self.measure("ask", "Errors", (1, 2), (30, 1))
        self.measure("ingest", "Errors", (70, 4))
        self.measure("database", "CPUUtilization", (1, 20), (2, 40))
        self.measure("database", "FreeStorageSpace", (1, 17 * 2**30), (2, 18 * 2**30))
        self.measure("database", "DatabaseConnections", (1, 3), (9, 11))
        self.measure("proxy", "DatabaseConnectionsCurrentlySessionPinned", (2, 4), (3, 2))


class FiguresTest(WatchCase):
    def figures(self, *arguments: str) -> dict:
        return self.json_of("watch", 0, "watch", "--json", *arguments)

    def test_they_are_what_was_measured(self):
        self.busy_day()
        found = self.figures()
        rows = found["metrics"]
        total = [value for _, value in self.totals]
        whole = [value for _, value in self.latency]
        self.assertEqual((found["stack"], found["environment"], found["target"]), ("demo", "", "aws"))
        self.assertEqual(rows["questions"]["value"], 40)
        self.assertEqual(rows["refusals"]["value"], 2)
        self.assertEqual(rows["requests"]["value"], 50)
        for name, values in (("ask", total), ("whole", whole), ("embed", [12.5, 7.25])):
            for percent in (50, 95, 99):
                self.assertAlmostEqual(rows[name][f"p{percent}"], percentile(values, percent), msg=f"{name} p{percent}")
        for percent in (50, 95, 99):
            self.assertAlmostEqual(rows["gateway"][f"p{percent}"], 30, msg="what the integration does not explain")
        self.assertEqual((rows["errors-ask"]["value"], rows["errors-ingest"]["value"]), (3, 0))
        self.assertEqual(rows["failed-database"]["value"], 3)
        self.assertEqual((rows["database-cpu"]["value"], rows["database-cpu"]["latest"]), (30, 20))
        self.assertEqual((rows["connections"]["value"], rows["connections"]["latest"]), (11, 3))
        self.assertEqual(rows["free-storage"]["value"], 17 * 2**30)
        self.assertEqual(rows["pinned"]["value"], 4)
        self.assertIsNone(rows["free-memory"]["value"])
        self.assertIsNone(rows["search"]["p95"])

    def test_series_are_by_the_minute(self):
        self.measure("ragstack", "Questions", (1, 1), (1, 2), (3, 4))
        found = self.figures("--since", "10m")
        start = datetime.datetime.fromisoformat(found["from"])
        expected = [None] * 10
        for minutes, value in ((1, 3), (3, 4)):
            expected[int((self.now - datetime.timedelta(minutes=minutes) - start).total_seconds()) // 60] = value
        self.assertEqual(found["bucket_s"], 60)
        self.assertEqual(found["metrics"]["questions"]["series"], expected)
        longer = self.figures("--since", "1d")
        self.assertEqual((longer["bucket_s"], len(longer["metrics"]["questions"]["series"])), (1440, 60))
        self.assertEqual(sum(filter(None, longer["metrics"]["questions"]["series"])), 7)

    def test_days_make_the_month(self):
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        first = midnight.replace(day=1)
        ago = [(self.now - when).total_seconds() / 60 for when in (
            first + datetime.timedelta(seconds=1), first - datetime.timedelta(seconds=1), self.now)]
        self.measure("ragstack", "CostUSD", (ago[0], 3.0), (ago[1], 100.0), (ago[2], 0.25))
        cost = self.figures()["metrics"]["cost"]
        today = 3.25 if midnight == first else 0.25
        self.assertEqual((cost["today"], cost["month"]), (today, 3.25))
        following = (first + datetime.timedelta(days=32)).replace(day=1)
        elapsed = max(3600, (self.now - first).total_seconds())
        expected = 3.25 + 3.25 / elapsed * (following - self.now).total_seconds()
        self.assertAlmostEqual(cost["projected"], expected, delta=expected * 0.001)

    def test_alarms_say_since_when(self):
        name = next(alarm["AlarmName"] for alarm in self.cloudwatch.describe_alarms()["MetricAlarms"]
                    if "-alarm-latency-" in alarm["AlarmName"])
        before = int(time.time())
        self.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="3 datapoints were over 3000")
        alarms = {alarm["id"]: alarm for alarm in self.figures()["alarms"]}
        self.assertEqual(set(alarms), {"errors-ask", "errors-ingest", "latency", "model-cost", "database-cpu",
                                       "database-storage"})
        self.assertEqual((alarms["latency"]["state"], alarms["latency"]["reason"]), ("alarm", "3 datapoints were over 3000"))
        since = datetime.datetime.fromisoformat(alarms["latency"]["since"]).timestamp()
        self.assertTrue(before <= since <= time.time(), alarms["latency"])
        self.assertNotEqual(alarms["model-cost"]["state"], "alarm")

    def test_few_calls_and_their_price(self):
        found = self.figures()["watching"]
        self.assertEqual((len(self.calls("GetMetricData")), len(self.calls("DescribeAlarms"))), (2, 2))
        self.assertEqual(found["calls"], 3)
        # By hand: 28 rows, one of them a difference of two; six phases (seven metrics) once more for the whole
        # time; four rows by the day.
        self.assertEqual(found["metrics"], 28 + 1 + 7 + 4)
        self.assertAlmostEqual(found["usd"], (28 + 1 + 7 + 4 + 1) * 0.00001)
        self.assertAlmostEqual(found["usd_per_day"], ((28 + 1 + 7 + 1) * 1440 + 4 * 288) * 0.00001)

    def test_the_rest_of_the_stack_is_priced_by_the_table(self):
        cost = self.status(0, "cost", "--offline", "--json").json["cost"]["after"]
        self.assertEqual(self.figures()["stack_usd_month"], cost["month_usd"])
        self.assertRegex(self.status(0, "watch", "--once").stdout, rf"(?m)^  the rest +\${cost['month_usd']:.2f}  by the price table$")

    def test_without_a_proxy_there_is_no_such_row(self):
        self.write("ragstack.yaml", cli.STACK)
        self.status(0, "up", "--yes", "--allow-data-loss=proxy")
        self.assertNotIn("pinned", self.figures()["metrics"])

    def test_wrong_times(self):
        for wrong in ("2d", "0s", "yesterday", "2100-01-01"):
            self.assertIn("--since", self.status(64, "watch", "--once", "--since", wrong).stderr)


class PageTest(WatchCase):
    def watch(self, columns: int, lines: int, *arguments: str, **environment: str):
        terminal = cli.Terminal(self.program, "watch", *arguments, columns=columns, lines=lines,
                                env={"TZ": "UTC", **environment})
        self.addCleanup(lambda: os.close(terminal.descriptor) if terminal.pid else None)
        return terminal

    def shown(self, terminal, columns: int, lines: int) -> screen.Screen:
        page = screen.Screen(columns, lines)
        page.feed(terminal.seen)
        return page

    def end(self, terminal, key: str) -> screen.Screen:
        terminal.type(key)
        self.assertEqual(terminal.end(), 0)
        terminal.pid = 0
        return self.shown(terminal, 300, 100)

    def test_it_fits_each_size(self):
        self.busy_day()
        for columns, lines in ((80, 24), (120, 40), (200, 60)):
            with self.subTest(columns=columns, lines=lines):
                terminal = self.watch(columns, lines)
                terminal.read_until("q ends")
                page = self.shown(terminal, columns, lines)
                self.check_page(page)
                after = self.end(terminal, "q")
                self.assertFalse(after.alternate)
                self.assertTrue(after.cursor_shown)

    def check_page(self, page: screen.Screen) -> None:
        self.assertTrue(page.alternate)
        self.assertFalse(page.cursor_shown)
        self.assertFalse(page.scrolled or page.overflowed, page.text)
        self.assertRegex(page.rows[0], r"^demo  aws, account 123456789012, us-east-1 +\d\d:\d\d:\d\d, the last 60 min$")
        self.assertEqual(len(page.rows[0]), page.columns)
        self.assertRegex(page.text, r"\nQuestions +0\.7 a minute, 40 in all")
        values = [value for _, value in self.latency]
        whole = [f"{percentile(values, percent):.0f}" for percent in (50, 95, 99)]
        self.assertRegex(page.text, rf"\n  whole request +{whole[0]} +{whole[1]} +{whole[2]}  .*[▁▂▃▄▅▆▇█]")
        self.assertRegex(page.text, r"\nFailures +! of 2 kinds\n")
        self.assertEqual(re.findall(r"(?m)^! (.*?) +(\d+)", page.text),
                         [("ask: failed invocations", "3"), ("questions: the database failed", "3")])
        self.assertRegex(page.text, r"\n  dollars +\$\d\.\d\d\d* +\$\d")
        self.assertRegex(page.text, r"\n  database: processor +20 %")
        self.assertRegex(page.text, r"\nAlarms +none of 6 in alarm")
        self.assertRegex(page.rows[-1] if page.lines == 24 else page.text,
                         r"Watching: 3 calls so far, \$0\.0004; \$0\.54 a day if it goes on\. +q ends")
        graph = max((re.sub(r"[^▁▂▃▄▅▆▇█ ]", "", row[40:]).strip() for row in page.rows if "whole" in row), key=len)
        self.assertGreaterEqual(len(graph), 20 if page.columns == 80 else 40)
        if page.lines >= 40:
            self.assertRegex(page.text, r"\n  API: answers with 5xx +0\n")
            self.assertRegex(page.text, r"\n  proxy: pinned sessions +4")

    def test_it_grows_with_the_window(self):
        self.busy_day()
        terminal = self.watch(80, 24)
        terminal.read_until("q ends")
        self.assertNotIn("API: answers with 5xx", terminal.seen)
        fcntl.ioctl(terminal.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 150, 0, 0))
        before = len(terminal.seen)
        end = time.monotonic() + 30
        while "q ends" not in terminal.seen[before:] and time.monotonic() < end:
            terminal.seen += os.read(terminal.descriptor, 65536).decode(errors="replace")
        page = screen.Screen(150, 50)
        page.alternate, page.cursor_shown = True, False
        page.feed(terminal.seen[before:])
        self.assertIn("API: answers with 5xx", page.text)
        self.assertEqual(len(page.rows[0]), 150)
        self.assertFalse(page.scrolled or page.overflowed)
        self.end(terminal, "\x03")

    def test_colour_is_never_alone(self):
        self.busy_day()
        coloured = self.watch(80, 24)
        coloured.read_until("q ends")
        plain = self.watch(80, 24, NO_COLOR="1")
        plain.read_until("q ends")
        first, second = self.shown(coloured, 80, 24), self.shown(plain, 80, 24)
        self.assertIn("1;31", first.painted)
        self.assertEqual(second.painted, set())
        strip = re.compile(r"\d\d:\d\d:\d\d")
        self.assertEqual(strip.sub("", first.text), strip.sub("", second.text))
        self.end(coloured, "q")
        self.end(plain, "q")

    def test_an_interrupt_from_outside_gives_the_terminal_back(self):
        terminal = self.watch(80, 24)
        terminal.read_until("q ends")
        mode = termios.tcgetattr(terminal.descriptor)
        self.assertFalse(mode[3] & termios.ICANON)
        os.kill(terminal.pid, signal.SIGTERM)
        terminal.read_until("\x1b[?1049l")
        self.assertEqual(terminal.end(), 0)
        terminal.pid = 0


class PlainTest(WatchCase):
    def test_once_prints_the_page_without_escapes(self):
        self.busy_day()
        text = self.plain(self.status(0, "watch", "--once")).stdout
        self.assertRegex(text, r"(?m)^Questions +0\.7 a minute, 40 in all")
        self.assertRegex(text, r"(?m)^  tokens in +[\d,]+ +[\d,]+ +[\d,]+ ")
        self.assertNotIn("q ends", text)

    def test_lines_when_nobody_looks(self):
        self.busy_day()
        process = self.program.start("watch")
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        line = process.stdout.readline()
        values = [value for _, value in self.latency]
        self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[\d:]+Z questions=40 refused=2 "
                         rf"p50_ms={percentile(values, 50):.0f} p95_ms={percentile(values, 95):.0f} "
                         rf"p99_ms={percentile(values, 99):.0f} answers_5xx=0 throttled=0 usd_today=\d+\.\d+ "
                         r"usd_month=\d+\.\d+ alarms=0\n$")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=30), 0)


class NothingTest(cli.CloudCase):
    def test_before_up(self):
        self.assertIn("`ragstack up` makes it", self.status(1, "watch", "--once").stderr)


if __name__ == "__main__":
    unittest.main()
