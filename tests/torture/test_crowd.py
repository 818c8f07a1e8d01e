"""A full account, small pages, and limits on calls: a run costs what its stack costs, and sees all of it."""

import re
import unittest

import sweep

MOST_THROTTLED = 0.1  # of all calls: who is told to wait does so


class CrowdTest(unittest.TestCase):
    def diff_calls(self, *options):
        gateway = sweep.harness.Gateway(*options)
        self.addCleanup(gateway.stop)
        one = sweep.Sweep.without_a_world(gateway, sweep.STACKS[0])
        self.addCleanup(one.close)
        before = gateway.inventory()
        one.must(gateway, "up")
        gateway.reset()
        one.must(gateway, "diff")
        calls = gateway.requests()["total"]
        one.must(gateway, "down")
        after = gateway.inventory()
        self.assertEqual(sweep.difference(sweep.without(after, "snapshot"), sweep.without(before, "snapshot")), [])
        return calls

    def test_five_thousand_functions_of_others_cost_nothing(self):
        self.assertEqual(self.diff_calls("--others", "5000,1000"), self.diff_calls())

    def test_calls_a_second_as_aws_limits_them(self):
        gateway = sweep.harness.Gateway("--limits")
        self.addCleanup(gateway.stop)
        one = sweep.Sweep.without_a_world(gateway, sweep.STACKS[0])
        self.addCleanup(one.close)
        paced_ms = 0
        for command in ("up", "diff", "down"):
            result = one.program(gateway).run(*one.arguments(command), "-v")
            self.assertEqual(result.status, 0, result)
            told = re.search(r"(\d+) requests .*, (\d+) throttled, (\d+) ms paced", result.stderr)
            calls, throttled, ms = map(int, told.groups())
            print(f"{command}: {told[0]}", flush=True)
            self.assertLess(throttled, MOST_THROTTLED * calls, result)
            paced_ms += ms
        self.assertGreater(paced_ms, 0)

    def test_small_pages_are_all_read(self):
        self.assertGreater(self.diff_calls("--page-size", "2"), self.diff_calls())


if __name__ == "__main__":
    unittest.main()
