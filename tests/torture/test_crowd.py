"""A full account and small pages: a run costs what its stack costs, and sees all of it."""

import unittest

import sweep


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

    def test_small_pages_are_all_read(self):
        self.assertGreater(self.diff_calls("--page-size", "2"), self.diff_calls())


if __name__ == "__main__":
    unittest.main()
