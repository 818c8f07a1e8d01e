"""A holder of the lock that was stopped past its lease, and wakes, changes nothing any more."""

import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "aws"))

import test_waiting  # noqa: E402

LEASE_AND_GRACE_S = 120 + 10


class StoppedHolderTest(test_waiting.WaitingCase):
    def test_it_wakes_after_its_lease(self):
        holder = self.waiting_up()
        holder.send_signal(signal.SIGSTOP)
        time.sleep(LEASE_AND_GRACE_S + 3)
        with self.time_passing():
            other = self.must("up", "--yes")
        self.assertRegex(other.stderr, rf"the lock was left behind by \S+ \(process {holder.pid}, .*it is taken over")
        self.gateway.reset()
        holder.send_signal(signal.SIGCONT)
        status, text = self.ended(holder, 60)
        self.assertIn(status, (5, 6), text)
        self.assertRegex(text, r"taken over by|lease")
        self.assertEqual(self.changing_calls(), [], text)
        self.must("diff")


if __name__ == "__main__":
    unittest.main()
