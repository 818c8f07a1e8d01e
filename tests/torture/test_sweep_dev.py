"""Each changing call of stacks/production.yaml as dev: killed before and after it, and its reply lost."""

import unittest

import sweep


@sweep.add_sweep
class DevTest(sweep.SweepCase):
    stack = sweep.STACKS[1]


if __name__ == "__main__":
    unittest.main()
