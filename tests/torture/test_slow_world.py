"""The sweep where AWS takes its time, and how long a run takes beside the longest chain of its waits."""

import re
import unittest

import sweep

MOST_OVER_THE_CHAIN = 1.05
EACH = 12  # of the changing calls: a case takes half a minute here


class SlowSweepTest(sweep.SweepCase):
    """New things are known late, databases and proxies come slowly, functions leave their interfaces behind."""

    gateway_options = ("--time-scale", "0.004", "--seed", "5", "--delay", "id spreads=125,750",
                       "--delay", "interface lingers=100,200")

    def test_killed_at_some_calls(self):
        cases = self.sweep.cases(("kill-after",))[::EACH]
        wrong = self.sweep.check_all(cases, jobs=8)
        self.assertEqual(wrong, [], "\n\n".join(wrong))


class CriticalPathTest(unittest.TestCase):
    def test_up_takes_its_longest_chain(self):
        gateway = sweep.harness.Gateway("--time-scale", "0.1", "--seed", "3", "--delay", "interface lingers=100,200")
        self.addCleanup(gateway.stop)
        one = sweep.Sweep.without_a_world(gateway, sweep.STACKS[0])
        self.addCleanup(one.close)
        for command in ("up", "down"):
            result = one.program(gateway).run(*one.arguments(command), "-v", timeout_s=600)
            self.assertEqual(result.status, 0, result)
            told = re.search(r"the steps took ([\d.]+) s, and could not take less than ([\d.]+) s", result.stderr)
            took, bound = float(told[1]), float(told[2])
            print(f"{command}: {took} s, the longest chain {bound} s: {took / bound:.4f}", flush=True)
            self.assertLessEqual(took, MOST_OVER_THE_CHAIN * bound, result)


if __name__ == "__main__":
    unittest.main()
