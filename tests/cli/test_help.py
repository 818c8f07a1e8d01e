"""Help, wrong command lines, and what stands on which stream."""

import re
import resource
import subprocess
import unittest

import cli
import harness


def commands(help_text: str) -> list[str]:
    part = help_text.split("Commands:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in part.splitlines()]


class HelpTest(cli.OfflineCase):
    def test_alone_it_prints_help_and_fails(self):
        result = self.plain(self.status(64))
        self.assertEqual(result.stdout, "")
        self.assertIn("Commands:", result.stderr)

    def test_asked_for_it_is_the_result(self):
        for words in (["--help"], ["-h"], ["help"]):
            result = self.plain(self.status(0, *words))
            self.assertIn("Commands:", result.stdout)
            self.assertEqual(result.stderr, "")

    def test_every_command_has_help(self):
        names = commands(self.status(0, "--help").stdout)
        self.assertGreaterEqual(len(names), 13)
        for name in names:
            with self.subTest(name):
                result = self.plain(self.status(0, name, "--help"))
                self.assertEqual(result.stderr, "")
                self.assertIn(f"Usage: ragstack {name}", result.stdout)
                for option in ("--file", "--env", "--local", "--json", "--verbose", "--yes", "--no-color"):
                    self.assertIn(option, result.stdout)
                self.assertEqual(self.status(0, "help", name).stdout, result.stdout)
                self.assertEqual(self.status(0, "--help", name).stdout, result.stdout)

    def test_no_letter_means_two_things(self):
        for name in commands(self.status(0, "--help").stdout):
            letters = re.findall(r"^  -(\w), ", self.status(0, name, "--help").stdout, re.M)
            self.assertEqual(len(letters), len(set(letters)), name)

    def test_examples_name_commands_that_are_there(self):
        names = commands(self.status(0, "--help").stdout)
        for name in names:
            examples = re.findall(r"ragstack (\w+)", self.status(0, name, "--help").stdout.split("Usage:")[0])
            self.assertTrue(examples, name)
            self.assertLessEqual(set(examples), set(names))

    def test_lines_fit_a_terminal(self):
        for name in commands(self.status(0, "--help").stdout):
            for line in self.status(0, name, "--help").stdout.splitlines():
                self.assertLessEqual(len(line), 110, line)

    def test_version(self):
        result = self.status(0, "--version")
        self.assertRegex(result.stdout, r"^ragstack \d+\.\d+\.\d+\n$")

    def test_it_starts_with_little_work(self):
        """Processor time, which other work on the machine changes little; `make bench` has the clock's."""
        program, times = str(harness.build() / "ragstack"), []
        for _ in range(20):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([program, "--version"], check=True, stdout=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        self.assertLess(min(times) * 1000, 15 if "asan" not in program else 150)


class WrongTest(cli.OfflineCase):
    def refused(self, *arguments: str) -> str:
        result = self.plain(self.status(64, *arguments))
        self.assertEqual(result.stdout, "")
        self.assertEqual(len(result.stderr.splitlines()), 1, result)
        self.assertTrue(result.stderr.startswith("error: "), result)
        return result.stderr

    def test_a_misspelt_command_is_told(self):
        self.assertIn('did you mean "status"?', self.refused("statsu"))
        self.assertIn('did you mean "validate"?', self.refused("vaildate"))
        self.assertIn("`ragstack --help`", self.refused("frobnicate"))

    def test_a_misspelt_option_is_told(self):
        self.assertIn("did you mean --target?", self.refused("up", "--tagret", "x"))
        self.assertIn("did you mean --markdown?", self.refused("diff", "--markdwon"))
        self.assertIn("`ragstack diff --help`", self.refused("diff", "--frobnicate"))
        self.assertIn("-Z", self.refused("diff", "-Z"))

    def test_arguments_are_counted(self):
        self.assertIn("one word too many", self.refused("status", "now"))
        self.assertIn("usage: ragstack completion", self.refused("completion"))

    def test_values_are_checked(self):
        self.assertIn("wants FILE", self.refused("diff", "--file"))
        self.assertIn("takes no value", self.refused("diff", "--markdown=yes"))
        self.assertIn("auto|always|never", self.refused("diff", "--color=pink"))
        self.assertIn('"x"', self.refused("ci", "--fail-on=drift,x"))

    def test_options_may_come_first(self):
        self.write("other.yaml", cli.STACK)
        for words in (["-f", "other.yaml", "validate"], ["--file=other.yaml", "-v", "validate"],
                      ["validate", "-fother.yaml"]):
            self.assertIn("other.yaml is valid", self.status(0, *words).stdout)

    def test_stdout_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "w") as full:
            run = subprocess.run([str(harness.build() / "ragstack"), "explain"], stdout=full, stderr=subprocess.PIPE,
                                 text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn("cannot write", run.stderr)

    def test_a_reader_that_had_enough_is_none(self):
        run = subprocess.run(["bash", "-c", "set -o pipefail; \"$0\" explain --json | head -1 >/dev/null",
                              str(harness.build() / "ragstack")], stderr=subprocess.PIPE, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
