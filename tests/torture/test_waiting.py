"""While AWS takes its time: two at once, a killed holder, Ctrl-C once and twice, down in its first second."""

import contextlib
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import unittest
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "aws"))

import harness  # noqa: E402

STACK = """\
stack: demo
region: us-east-1
database:
  proxy: false
  deletion_protection: false
"""


class WaitingCase(harness.TestCase):
    """AWS's time passes when a test says so: a run waits for its database as long as that is wanted."""

    gateway_options = ("--time-by-hand", "--delay", "id spreads=0,0", "--delay", "role spreads=0,0",
                       "--delay", "policy spreads=0,0")

    def setUp(self):
        super().setUp()
        with zipfile.ZipFile(self.folder / "handler.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0)), "#!/bin/sh\n")
        self.program.environment["RAGSTACK_HANDLER_ZIP"] = str(self.folder / "handler.zip")
        self.write("ragstack.yaml", STACK)

    def begin(self, *arguments, until):
        """A run that has come so far that it prints `until`; its lines from then on go into .lines."""
        process = self.program.start(*arguments)
        self.addCleanup(self.end, process)
        process.lines, seen = [], threading.Event()

        def read():
            for line in process.stderr:
                process.lines.append(line)
                if re.search(until, line):
                    seen.set()
            seen.set()

        process.reader = threading.Thread(target=read, daemon=True)
        process.reader.start()
        self.assertTrue(seen.wait(60), "".join(process.lines))
        self.assertTrue(any(re.search(until, line) for line in process.lines), "".join(process.lines))
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
            process.wait()
        process.reader.join()
        process.stdout.close()
        process.stderr.close()

    def ended(self, process, timeout_s):
        try:
            status = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.fail("still running:\n" + "".join(process.lines))
        process.reader.join()
        return status, "".join(process.lines)

    @contextlib.contextmanager
    def time_passing(self, a_second=60):
        """So many of AWS's seconds in each of ours."""
        over = threading.Event()

        def pass_it():
            while not over.wait(0.2):
                self.gateway.advance(a_second / 5)

        helper = threading.Thread(target=pass_it)
        helper.start()
        try:
            yield
        finally:
            over.set()
            helper.join()

    def goes_on(self):
        """The next `up` completes, and then there is nothing to do."""
        self.gateway.advance(3000)
        with self.time_passing():
            self.must("up", "--yes")
        self.must("diff")

    def waiting_up(self):
        return self.begin("up", "--yes", until=r"database +wait until ready: creating")

    def changing_calls(self):
        """Without S3's, where the ledger is."""
        return [entry for entry in self.gateway.changing_calls() if entry["service"] != "s3"]


class LockTest(WaitingCase):
    def test_two_at_once_and_a_holder_that_is_killed(self):
        first = self.waiting_up()
        second = self.ragstack("up", "--yes")
        self.assertEqual(second.status, 5, second)
        self.assertRegex(second.stderr, rf"is locked by \S+ \(process {first.pid}, `ragstack up`\), since \d{{4}}-")
        first.kill()
        self.assertEqual(self.ended(first, 10)[0], -signal.SIGKILL)
        third = self.must("up", "--yes", "--target", "ask-logs")
        self.assertRegex(third.stderr, rf"note: the lock was left behind by \S+ \(process {first.pid}, `ragstack up`\), "
                         r"since .*; it is taken over")
        self.goes_on()


class CtrlCTest(WaitingCase):
    def test_once_says_what_is_left_and_the_next_goes_on(self):
        process = self.waiting_up()
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        status, text = self.ended(process, 15)
        self.assertEqual(status, 6, text)
        self.assertLess(time.monotonic() - began, 5)
        self.assertRegex(text, r"stopping: ")
        self.assertRegex(text, r"error: interrupted: \d+ of \d+ steps are left")
        self.assertRegex(text, r"(?m)^  - rds\.instance database$")
        self.gateway.reset()
        self.goes_on()
        self.assertNotIn("CreateDBInstance", [entry["operation"] for entry in self.changing_calls()])

    def test_twice_stops_at_once(self):
        process = self.waiting_up()
        self.gateway.pause()
        self.addCleanup(self.gateway.go_on)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        status, text = self.ended(process, 10)
        self.assertEqual(status, 130, text)
        self.gateway.go_on()
        self.goes_on()


class DownTest(WaitingCase):
    def setUp(self):
        super().setUp()
        with self.time_passing():
            self.must("up", "--yes")

    def test_the_interfaces_are_freed_from_the_first_second(self):
        self.gateway.reset()
        process = self.begin("down", "--yes", until=r"database +wait until gone: still there")
        functions = self.wait_for_moves(3)
        first = self.changing_calls()[0]
        self.assertLess(max(entry["started_ms"] for entry in functions) - first["started_ms"], 1000)
        self.assertEqual(len(self.client("ec2").describe_network_interfaces(
            Filters=[{"Name": "interface-type", "Values": ["lambda"]}])["NetworkInterfaces"]), 4)
        self.gateway.advance(3000)  # all of it: the database, and the interfaces
        with self.time_passing():
            status, text = self.ended(process, 60)
        self.assertEqual(status, 0, text)
        self.assertIn("Nothing of the stack is left", text)

    def wait_for_moves(self, count):
        """UpdateFunctionConfiguration: how a function leaves its network."""
        for _ in range(200):
            found = [entry for entry in self.gateway.requests()["log"] if entry["operation"] == "UpdateFunctionConfiguration"]
            if len(found) >= count:
                return found
            time.sleep(0.05)
        self.fail(f"{len(found)} functions left their network")

    def test_detached_it_leaves_what_takes_long_to_the_next(self):
        with self.time_passing(10):
            result = self.must("down", "--yes", "--detach", timeout_s=100)
        self.assertNotIn("Nothing of the stack is left", result.stderr)
        self.assertRegex(result.stderr, r"(?m)^  - rds\.instance database$")
        self.assertNotRegex(result.stderr, r"(?m)^  - lambda\.function \w+$")
        self.gateway.advance(6000)
        self.assertIn("Nothing of the stack is left", self.must("down", "--yes").stderr)


if __name__ == "__main__":
    unittest.main()
