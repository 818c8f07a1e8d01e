"""Each changing call of stacks/production.yaml as prod: killed before and after it, and its reply lost."""

import unittest

import sweep


@sweep.add_sweep
class ProdTest(sweep.SweepCase):
    stack = sweep.STACKS[2]


if __name__ == "__main__":
    unittest.main()
