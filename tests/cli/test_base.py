"""Three sides: the file, the file as a commit has it, and what runs."""

import os
import subprocess
import unittest

import cli

PROMPT = "Answer from the passages.\n---\n{{passages}}\n{{question}}\n"


class BaseCase(cli.CloudCase):
    stack = cli.STACK + "prompt: prompt.md\n"

    def git(self, *words: str) -> str:
        names = {"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_COMMITTER_NAME": "Ann",
                 "GIT_COMMITTER_EMAIL": "ann@example.com", "HOME": str(self.folder), "PATH": os.environ["PATH"]}
        return subprocess.run(["git", "-C", str(self.folder), *words], check=True, env=names, text=True,
                              capture_output=True).stdout.strip()

    def setUp(self) -> None:
        super().setUp()
        self.write("prompt.md", PROMPT)
        self.git("init", "-q", "-b", "main")
        self.git("add", "ragstack.yaml", "prompt.md")
        self.git("commit", "-q", "-m", "first")

    def steps(self, document):
        return {step["id"]: step for step in document["steps"]}

    def diff(self, expected: int, *words: str):
        return self.json_of("plan", expected, "diff", "--json", "--base", "main", *words)


class DiffTest(BaseCase):
    def test_what_is_not_deployed_is_of_the_commit(self):
        document = self.diff(2)
        self.assertEqual({step["origin"] for step in document["steps"]}, {"before"})
        self.assertEqual(document["base"]["commit"], self.git("rev-parse", "main"))
        self.assertEqual(document["base"]["before"], len(document["steps"]))
        text = self.plain(self.status(2, "diff", "--base", "main")).stdout
        self.assertIn("it does not exist yet, in main already", text)
        self.assertIn("of what it says already, and is not deployed", text)

    def test_each_change_has_its_side(self):
        self.status(0, "up", "--yes")
        # the commit changes one thing, the working file another; a hand changes a third
        self.write("ragstack.yaml", self.stack + "watch: {retention_days: 30}\n")
        self.git("commit", "-q", "-am", "keep logs for longer")
        self.write("ragstack.yaml", self.stack + "watch: {retention_days: 30}\n"
                   "functions: {ingest: {memory_mb: 1024}}\nresources: {news: {kind: sns.topic}}\n")
        name = next(row["FunctionName"] for row in self.client("lambda").list_functions()["Functions"]
                    if "-schema-" in row["FunctionName"])
        self.client("lambda").update_function_configuration(FunctionName=name, MemorySize=1024)
        document = self.diff(2)
        steps = self.steps(document)
        self.assertEqual({name: steps[name]["origin"] for name in steps},
                         {"ask-logs": "before", "ingest-logs": "before", "schema-logs": "before", "api-logs": "before",
                          "ingest": "since", "news": "since", "schema": "drift"})
        self.assertEqual(steps["ingest"]["differences"][0]["origin"], "since")
        base = document["base"]
        self.assertEqual((base["since"], base["before"], base["both"], base["drift"], base["running"]), (2, 4, 0, 1, []))
        text = self.status(2, "diff", "--base", "main").stdout
        self.assertIn("memory_mb: 512 -> 1024   (you changed it, since main)", text)
        self.assertIn("retention_days: 14 -> 30   (you changed it, in main already)", text)
        self.assertIn("2 steps of what was written since\n  4 steps of what it says already", text)
        self.assertIn("Beside `main`", self.status(2, "diff", "--base", "main", "--markdown").stdout)

    def test_what_runs_already_is_told(self):
        self.write("ragstack.yaml", self.stack + "functions: {ask: {memory_mb: 512}}\nresources: {news: {kind: sns.topic}}\n")
        self.status(0, "up", "--yes")
        document = self.diff(0)
        running = {(row["id"], row.get("path"), row.get("runs"), row.get("base")) for row in document["base"]["running"]}
        self.assertEqual(running, {("ask", "memory_mb", "512", "256"), ("news", None, None, None)})
        self.assertIn("runs already: lambda.function ask: memory_mb is 512 (the commit says 256)",
                      self.status(0, "diff", "--base", "main").stdout)

    def test_the_prompt_is_read_from_the_commit(self):
        self.status(0, "up", "--yes")
        self.write("prompt.md", PROMPT.replace("Answer", "Answer briefly"))
        document = self.diff(2)
        self.assertEqual(self.steps(document)["ask"]["origin"], "since")
        self.assertEqual(self.diff(2, "--file", "./ragstack.yaml")["base"]["since"], 1)

    def test_files_in_folders_are_found_in_the_commit(self):
        self.write("deploy/dev/stack.yaml", self.stack.replace("prompt.md", "../prompt.md"))
        self.write("deploy/prompt.md", PROMPT)
        self.git("add", "deploy")
        self.git("commit", "-q", "-m", "deploy")
        self.write("deploy/prompt.md", PROMPT + "Briefly.\n")
        self.program.folder = self.folder / "deploy/dev"
        document = self.json_of("plan", 2, "diff", "--json", "--base", "main", "--file", "stack.yaml")
        self.assertEqual(document["base"]["before"], len(document["steps"]))

    def test_both_sides_of_one_field(self):
        self.status(0, "up", "--yes")
        for days, commit in ((30, True), (60, False)):
            self.write("ragstack.yaml", self.stack + f"watch: {{retention_days: {days}}}\n")
            if commit:
                self.git("commit", "-q", "-am", "longer")
        self.assertEqual(self.steps(self.diff(2))["ask-logs"]["origin"], "both")

    def test_a_commit_without_the_file_says_nothing(self):
        self.write("other.yaml", self.stack)
        document = self.json_of("plan", 2, "diff", "--json", "--base", "main", "--file", "other.yaml")
        self.assertEqual({step["origin"] for step in document["steps"]}, {"since"})

    def test_wrong_ones_are_told(self):
        self.assertIn('git knows no commit "nowhere"', self.status(64, "diff", "--base", "nowhere").stderr)
        self.assertIn("--target", self.status(64, "diff", "--base", "main", "--target", "ask").stderr)
        self.write("ragstack.yaml", "stack: demo\nregion: us-east-1\nbad: 1\n")
        self.git("commit", "-q", "-am", "bad")
        self.write("ragstack.yaml", self.stack)
        self.assertIn("main:ragstack.yaml was not valid: line 3", self.status(65, "diff", "--base", "main").stderr)


class CiTest(BaseCase):
    def test_a_pull_request_is_compared_with_its_base(self):
        self.status(0, "up", "--yes")
        self.git("update-ref", "refs/remotes/origin/main", "main")
        self.write("ragstack.yaml", self.stack + "  \nwatch: {retention_days: 30, dashboard: false}\n")
        text = self.status(0, "ci", env={"GITHUB_BASE_REF": "main"}).stdout
        self.assertIn("Beside `origin/main`", text)
        self.assertIn("5 steps of what was written since", text)
        self.assertIn("| dashboards | 3.00 | - |", text)
        self.assertIn("**-3.00**", text)
        text = self.status(0, "ci", env={"CI_MERGE_REQUEST_DIFF_BASE_SHA": self.git("rev-parse", "main")}).stdout
        self.assertIn("5 steps of what was written since", text)

    def test_a_shallow_clone_is_told_and_goes_on(self):
        result = self.status(0, "ci", env={"GITHUB_BASE_REF": "gone"})
        self.assertIn("warning: not compared with origin/gone", result.stderr)
        self.assertIn("### ragstack: demo", result.stdout)
        self.status(64, "ci", "--base", "gone")


if __name__ == "__main__":
    unittest.main()
