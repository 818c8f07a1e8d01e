"""A fifth of all calls fails, in every way: the work is done all the same, and without a storm of our own."""

import re
import unittest

import sweep

# The kinds of failure and their rates: 0.2 in all.
STORM = {"throttle": 0.08, "internal": 0.03, "unavailable": 0.03, "reset-before": 0.02, "reset-after": 0.01,
         "internal-after": 0.01, "cut": 0.01, "garbage": 0.01}
MOST_TIMES = 3  # as many calls as a quiet run makes


class StormTest(unittest.TestCase):
    def weather(self, seed):
        gateway = sweep.harness.Gateway("--seed", str(seed))
        self.addCleanup(gateway.stop)
        found = sweep.Sweep(gateway, sweep.STACKS[0])
        self.addCleanup(found.close)
        return found

    def quiet_calls(self, weather):
        calls = {}
        with weather.world() as world:
            for command in ("up", "diff", "down"):
                world.reset()
                weather.must(world, command)
                calls[command] = world.requests()["total"]
        return calls

    def in_the_storm(self, weather, world, command, quiet):
        world.reset()
        for kind, rate in STORM.items():
            world.fault(kind, rate=rate)
        result = weather.program(world).run(*weather.arguments(command), "-v")
        calls = world.requests()["total"]
        world.forget_faults()
        self.assertEqual(result.status, 0, result)
        self.assertLessEqual(calls, MOST_TIMES * quiet, result)
        told = re.search(r"(\d+) repeated, (\d+) throttled, (\d+) ms paced", result.stderr)
        self.assertIsNotNone(told, result)
        print(f"{command}: {calls} calls in the storm, {quiet} without; {told[0]}", flush=True)
        return int(told[2]), int(told[3])

    def test_the_work_is_done(self):
        for seed in (1, 2, 3):
            with self.subTest(seed=seed):
                weather = self.weather(seed)
                quiet, paced = self.quiet_calls(weather), []
                with weather.world() as world:
                    for command in ("up", "diff", "down"):
                        paced.append(self.in_the_storm(weather, world, command, quiet[command]))
                        if command != "down":
                            weather.expect_whole(world)
                    weather.expect_gone(world.inventory(), "in the storm")
                self.assertGreater(sum(throttles for throttles, _ in paced), 0)
                self.assertGreater(sum(ms for _, ms in paced), 0)


if __name__ == "__main__":
    unittest.main()
