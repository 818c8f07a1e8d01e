"""README.md: each example run as written, each claim that can be checked from here."""

import re
import subprocess
import unittest

import cli
import harness

README = (harness.ROOT / "README.md").read_text()
CONTRIBUTING = (harness.ROOT / "CONTRIBUTING.md").read_text()

# What differs from run to run: ids, hashes, times, who and where.
VARYING = [
    (r"\b(vpc|igw|subnet|rtb|sg|vpce|nat|eipalloc)-[0-9a-f]{17}\b", r"\1-ID"),
    (r"https://[a-z0-9]{8,10}\.execute-api", "https://ID.execute-api"),
    (r"\b[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}\b", "TIME"),
    (r"^(  ✓ .*?) +[0-9.]+s$", r"\1"),  # told where it took long
    (r"\b[0-9.]+ ?s\b", "SECONDS"),
    (r"\b[\w.-]+@[\w.-]+\s+", "WHO "),
    (r" +$", ""),
]


def plain(line: str) -> str:
    for pattern, replacement in VARYING:
        line = re.sub(pattern, replacement, line)
    return line


def examples(text: str) -> list[tuple[str, list[str]]]:
    """Commands of the console blocks, with the lines under each."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def matches(expected: list[str], lines: list[str]) -> bool:
    """True when the lines are those, where "..." stands for any number of them."""
    if not expected:
        return not lines
    if expected[0] == "...":
        return any(matches(expected[1:], lines[skipped:]) for skipped in range(len(lines) + 1))
    return bool(lines) and plain(expected[0]) == plain(lines[0]) and matches(expected[1:], lines[1:])


class SessionTest(cli.CloudCase):
    def test_it_goes_as_written(self):
        (self.folder / "ragstack.yaml").unlink()  # init writes it
        environment = {**self.program.environment, "PATH": f"{harness.build()}:/usr/bin:/bin"}
        session = examples(README)
        self.assertGreater(len(session), 10)
        for command, expected in session:
            run = subprocess.run(["bash", "-c", command], cwd=self.folder, env=environment, text=True, timeout=120,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if not matches(expected, run.stdout.splitlines()):
                self.fail(f"$ {command}\n-- README has\n" + "\n".join(expected) + f"\n-- it is\n{run.stdout}")


class ClaimTest(cli.OfflineCase):
    def test_the_list_of_what_was_not_seen_is_the_scripts(self):
        run = subprocess.run([str(harness.ROOT / "examples/aws-smoke.sh"), "--list"], text=True, capture_output=True)
        part = README.split("## Not yet seen on real AWS")[1].split("\n## ")[0]
        self.assertEqual(re.findall(r"^- (.*)$", part, re.M), run.stdout.splitlines())
        self.assertEqual(run.returncode, 0)

    def test_exit_codes_are_those_of_the_program(self):
        text = self.status(0, "--help").stdout.split("Exit codes:")[1]
        codes = re.findall(r"^ +(\d+)  ", text, re.M)
        self.assertEqual(re.findall(r"^\| (\d+) \|", README, re.M), codes)

    def test_commands_and_options_are_there(self):
        table = README.split("## Every day")[1].split("\n## ")[0]
        for words in re.findall(r"`ragstack ([a-z]+)[^`]*`", table):
            self.status(0, words, "--help")
        for row in re.findall(r"^\| `ragstack ([a-z]+).*$", table, re.M):
            line = next(line for line in table.splitlines() if line.startswith(f"| `ragstack {row}"))
            text = "".join(self.status(0, name, "--help").stdout
                           for name in re.findall(r"[` ]([a-z]+)\b", line.split("|")[1]) if name != "ragstack")
            for option in re.findall(r"`(--[a-z-]+)", line):
                self.assertIn(option, text, line)

    def test_targets_and_files_are_there(self):
        makefile = (harness.ROOT / "Makefile").read_text()
        for document in (README, CONTRIBUTING):
            for target in re.findall(r"(?:^    |`|&& |sudo )make ([a-z-]+)", document, re.M):
                self.assertRegex(makefile, rf"(?m)^[a-z\- ]*\b{target}\b[a-z\- ]*:")
            for path in re.findall(r"\]\(([^)#:]+)\)", document):
                self.assertTrue((harness.ROOT / path).exists(), path)

    def test_the_smallest_file_is_valid(self):
        block = re.search(r"^```yaml\n(.*?)^```$", README, re.M | re.S).group(1)
        self.write("ragstack.yaml", block)
        self.assertEqual(block.count("\n"), 2)
        self.status(0, "validate")


if __name__ == "__main__":
    unittest.main()
