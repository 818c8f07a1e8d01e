"""The completion scripts, in the shells themselves."""

import shutil
import subprocess
import unittest

import cli
import harness
from test_help import commands


def words_of(output: str) -> set[str]:
    return {line.split("\t")[0].rstrip() for line in output.splitlines() if line.strip()}


class ShellCase(cli.OfflineCase):
    shell = ""

    def setUp(self):
        super().setUp()
        if not shutil.which(self.shell):
            self.skipTest(f"no {self.shell}")
        self.script = self.write(f"complete.{self.shell}", self.status(0, "completion", self.shell).stdout)

    def run_shell(self, *arguments: str) -> str:
        run = subprocess.run([self.shell, *arguments], cwd=self.folder, text=True, capture_output=True, timeout=60,
                             env={"PATH": f"{harness.build()}:/usr/bin:/bin", "HOME": str(self.folder),
                                  "LC_ALL": "C.UTF-8", "TERM": "dumb"})
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return run.stdout

    def complete(self, *words: str) -> set[str]:
        raise NotImplementedError

    def check_all(self):
        names = set(commands(self.status(0, "--help").stdout))
        self.assertLessEqual(names, self.complete(""))
        self.assertEqual(self.complete("expl"), {"explain"})
        self.assertLessEqual({"--target", "--allow-data-loss", "--file", "--json"}, self.complete("up", "--"))
        self.assertNotIn("--target", self.complete("status", "--"))
        self.assertEqual(self.complete("diff", "--color", ""), {"auto", "always", "never"})
        self.assertEqual(self.complete("completion", "z"), {"zsh"})
        self.assertLessEqual({"ec2.vpc", "ec2.subnet"}, self.complete("explain", "ec2."))
        self.write("plan-of-today.json", "{}")
        self.assertEqual(self.complete("up", "plan-"), {"plan-of-today.json"})


class BashTest(ShellCase):
    shell = "bash"

    def complete(self, *words):
        line = " ".join(f"'{word}'" for word in ("ragstack", *words))
        return words_of(self.run_shell(
            "--norc", "-c",
            f"source {self.script}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _ragstack; "
            "printf '%s\\n' \"${COMPREPLY[@]}\""))

    def test_bash_completes(self):
        self.check_all()

    def test_bash_registers_it(self):
        self.assertIn("_ragstack ragstack", self.run_shell("--norc", "-c", f"source {self.script}; complete -p ragstack"))

    def test_a_value_after_an_equals_sign(self):
        self.assertEqual(self.complete("diff", "--color", "=", "al"), {"always"})


class FishTest(ShellCase):
    shell = "fish"

    def complete(self, *words):
        line = " ".join(["ragstack", *words])
        return words_of(self.run_shell("--no-config", "-c", f"source {self.script}; complete -C '{line}'"))

    def test_fish_completes(self):
        self.check_all()


class ZshTest(ShellCase):
    shell = "zsh"

    # A terminal of its own, as zsh completes nowhere else; what it lists is caught by compadd.
    DRIVER = """
    zmodload zsh/zpty
    zpty z zsh -f -i
    zpty -w z 'PS1= PS2= RPS1='
    zpty -w z 'autoload -Uz compinit && compinit -u -d {folder}/.zcompdump'
    zpty -w z 'source {script}'
    zpty -w z 'compadd () {{ local -a found; builtin compadd -O found "$@"; \
        (( $#found )) && print -rl -- $found >>{folder}/found; builtin compadd "$@"; }}'
    zpty -w z 'bindkey "^I" complete-word'
    zpty -w -n z {line}$'\\t'
    for n in {{1..50}}; do sleep 0.1; [[ -s {folder}/found ]] && break; done
    sleep 0.2
    zpty -d z
    """

    def complete(self, *words):
        found = self.folder / "found"
        found.unlink(missing_ok=True)
        line = "'" + " ".join(["ragstack", *words]) + "'"
        self.run_shell("-f", "-c", self.DRIVER.format(folder=self.folder, script=self.script, line=line))
        return words_of(found.read_text()) if found.exists() else set()

    def test_zsh_takes_it(self):
        self.run_shell("-n", str(self.script))
        output = self.run_shell("-f", "-c", f"autoload -Uz compinit; compinit -u -d {self.folder}/.zcompdump; "
                                f"source {self.script}; print $_comps[ragstack]")
        self.assertEqual(output.strip(), "_ragstack")

    def test_zsh_completes(self):
        self.check_all()


del ShellCase  # has no tests of its own

if __name__ == "__main__":
    unittest.main()
