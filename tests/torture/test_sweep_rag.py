"""Each changing call of stacks/rag.yaml: killed before and after it, and its reply lost."""

import unittest

import sweep


@sweep.add_sweep
class RagTest(sweep.SweepCase):
    stack = sweep.STACKS[0]


if __name__ == "__main__":
    unittest.main()
