"""A sample of the torture suites' sweep: killed and cut off at some changing calls, and going on."""

import os
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "torture"))

import sweep  # noqa: E402

SEED = int(os.environ.get("RAGSTACK_SEED") or 1)
SAMPLE = {("up", "kill-before"): 1, ("up", "kill-after"): 2, ("down", "kill-after"): 1, ("up", "reset-after"): 2,
          ("down", "reset-after"): 1}


class SampleTest(sweep.SweepCase):
    def test_some_of_all(self):
        chosen, chance = [], random.Random(SEED)
        for (command, kind), count in SAMPLE.items():
            chosen += chance.sample(self.sweep.cases((kind,), (command,)), count)
        wrong = self.sweep.check_all(chosen)
        self.assertEqual(wrong, [], f"seed {SEED}:\n" + "\n\n".join(wrong))


if __name__ == "__main__":
    unittest.main()
