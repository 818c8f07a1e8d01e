"""The pipeline's step: where the Markdown goes, annotations, exit codes, and the files it writes."""

import json
import re
import unittest

import yaml

import cli


class CiCase(cli.CloudCase):
    def github(self, **more: str) -> dict[str, str]:
        return {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
                "GITHUB_WORKSPACE": str(self.folder), **more}


class MarkdownTest(CiCase):
    def test_without_a_platform_it_is_the_result(self):
        result = self.plain(self.status(0, "ci"))
        self.assertEqual(result.stdout, self.status(2, "diff", "--markdown").stdout)
        self.assertTrue(result.stdout.startswith("### ragstack: demo\n"))
        self.assertEqual(result.stderr, "")

    def test_as_json(self):
        document = self.json_of("plan", 0, "ci", "--json")
        self.assertEqual(document["summary"]["unchanged"], 0)

    def test_github_has_it_in_the_summary_and_notes_at_the_lines(self):
        self.write("summary.md", "before\n")
        result = self.status(0, "ci", env=self.github())
        text = (self.folder / "summary.md").read_text()
        self.assertTrue(text.startswith("before\n### ragstack: demo\n"))
        notes = result.stdout.splitlines()
        at_database = [note for note in notes if note.startswith("::notice file=ragstack.yaml,line=4,col=3,title=")]
        self.assertEqual(len(at_database), 1, notes)
        self.assertIn("create rds.instance.database: it does not exist yet", at_database[0].split("::", 2)[2].split("%0A"))
        for note in notes:
            self.assertRegex(note, r"^::(notice|warning|error) file=ragstack\.yaml,line=\d+(,col=\d+)?,title=[^:,]+::")
        self.assertLessEqual(len(notes), 10)

    def test_the_file_is_named_from_the_repositorys_root(self):
        self.write("deploy/stack.yaml", self.stack)
        result = self.status(0, "ci", "--file", "deploy/stack.yaml", env=self.github())
        self.assertIn("::notice file=deploy/stack.yaml,line=4,", result.stdout)
        self.program.folder = self.folder / "deploy"
        result = self.status(0, "ci", "--file", "stack.yaml", env=self.github())
        self.assertIn("::notice file=deploy/stack.yaml,line=4,", result.stdout)

    def test_a_summary_that_is_full_is_not_broken(self):
        for used, told in ((1 << 20, False), ((1 << 20) - 1500, True)):
            self.write("summary.md", "x" * used)
            result = self.status(0, "ci", env=self.github())
            text = (self.folder / "summary.md").read_text()
            self.assertLessEqual(len(text.encode()), 1 << 20)
            self.assertEqual("### ragstack" in text, told)
            self.assertEqual(text.count("```"), 2 if told else 0)
            self.assertEqual("more steps" in text, told)
            self.assertEqual("is full" in result.stderr, not told)

    def test_a_comment_has_its_size(self):
        addresses = "".join(f"  an-address-with-a-long-name-{number:04}: {{kind: ec2.elastic_ip}}\n" for number in range(900))
        self.write("ragstack.yaml", self.stack + "resources:\n" + addresses)
        result = self.status(0, "ci")
        self.assertLessEqual(len(result.stdout.encode()), 65536)
        self.assertGreater(len(result.stdout), 60000)
        self.assertRegex(result.stdout, r"```\n\n\d+ more steps: run `ragstack diff` to see them\.\n$")

    def test_it_goes_where_it_is_told(self):
        result = self.status(0, "ci", "--out", "plan.md")
        self.assertEqual(result.stdout, "")
        self.assertTrue((self.folder / "plan.md").read_text().startswith("### ragstack: demo\n"))

    def test_gitlab_has_a_report(self):
        env = {"GITLAB_CI": "true", "CI_PROJECT_DIR": str(self.folder)}
        result = self.status(0, "ci", env=env)
        self.assertTrue(result.stdout.startswith("### ragstack: demo\n"))
        report = json.loads((self.folder / "gl-code-quality-report.json").read_text())
        self.fits("code_quality", report)
        self.assertEqual(len(report), len({row["fingerprint"] for row in report}))
        database = next(row for row in report if "rds.instance.database" in row["description"])
        self.assertEqual(database["location"], {"path": "ragstack.yaml", "lines": {"begin": 4}})
        self.write("ragstack.yaml", "# moved\n" + self.stack)
        self.status(0, "ci", "--report", "other.json", env=env)
        again = json.loads((self.folder / "other.json").read_text())
        self.assertEqual([row["fingerprint"] for row in again], [row["fingerprint"] for row in report])

    def test_a_bad_file_is_annotated_too(self):
        self.write("ragstack.yaml", "stack: demo\nregion: us-east-1\nnetwrok: {a: 1}\n")
        result = self.status(65, "ci", env=self.github())
        self.assertEqual(result.stdout, "::error file=ragstack.yaml,line=3,col=1,title=bad stack file::"
                                        'stack: unknown key "netwrok"; did you mean "network"?\n')
        self.assertEqual(self.status(65, "ci", "--annotate", "none", env=self.github()).stdout, "")

    def test_what_is_written_is_escaped(self):
        self.write("a,b:c%.yaml", "stack: demo\nregion: us-east-1\ntags: 5\n")
        result = self.status(65, "ci", "--file", "a,b:c%.yaml", env=self.github())
        self.assertTrue(result.stdout.startswith("::error file=a%2Cb%3Ac%25.yaml,line=3,"), result.stdout)


class FailOnTest(CiCase):
    def test_changes(self):
        self.status(0, "ci", "--fail-on=drift,data-loss")
        self.status(2, "ci", "--fail-on=changes")
        self.status(2, "ci", "--fail-on", "drift", "--fail-on", "data-loss,changes")
        self.assertEqual(self.changing_calls(), [])

    def test_data_loss_before_changes(self):
        self.status(0, "up", "--yes", "--target", "database")
        self.write("ragstack.yaml", self.stack + "  name: other\n")
        self.status(0, "ci")
        self.status(2, "ci", "--fail-on=changes")
        self.status(4, "ci", "--fail-on=changes,data-loss")
        result = self.status(0, "ci", env=self.github())
        self.assertRegex(result.stdout.splitlines()[0], r"^::error file=ragstack\.yaml,line=6,.*DATA LOSS")


class WriteTest(cli.OfflineCase):
    def test_what_it_writes_is_yaml_without_a_key(self):
        self.write("ragstack.yaml", cli.STACK)
        for platform, path in (("github", ".github/workflows/ragstack.yml"), ("gitlab", ".gitlab/ragstack.yml")):
            with self.subTest(platform):
                result = self.plain(self.status(0, "ci", "--write", platform, "--env", "prod"))
                self.assertIn(path, result.stdout)
                text = (self.folder / path).read_text()
                document = yaml.safe_load(text)
                self.assertNotRegex(text, r"@[A-Z]+@")
                self.assertNotRegex(text, r"(?i)secret|access_key")
                self.assertIn("ragstack ci --file ragstack.yaml --env prod --fail-on=data-loss", text)
                self.assertIn("ragstack up --yes --file ragstack.yaml --env prod", text)
                self.check(platform, document)
                self.assertIn("exists already", self.status(1, "ci", "--write", platform).stderr)

    def check(self, platform, document):
        if platform == "gitlab":
            self.assertEqual(document[".ragstack"]["id_tokens"]["AWS_TOKEN"]["aud"], "sts.amazonaws.com")
            self.assertEqual(document["ragstack-diff"]["artifacts"]["reports"]["codequality"],
                             "gl-code-quality-report.json")
            return
        self.assertEqual(document["permissions"],
                         {"contents": "read", "id-token": "write", "pull-requests": "write"})
        steps = document["jobs"]["ragstack"]["steps"]
        self.assertEqual(steps[0]["with"], {"fetch-depth": 0})
        roles = [step["env"]["AWS_ROLE_ARN"] for step in steps if "AWS_ROLE_ARN" in step.get("env", {})]
        self.assertEqual(roles, ["${{ vars.RAGSTACK_ROLE_DIFF }}", "${{ vars.RAGSTACK_ROLE_UP }}"])

    def test_the_commands_in_them_are_right(self):
        self.write("ragstack.yaml", cli.STACK)
        for platform in ("github", "gitlab"):
            self.status(0, "ci", "--write", platform)
            for path in self.folder.rglob("ragstack.yml"):
                for words in re.findall(r"ragstack ((?:ci|up) --.*)", path.read_text()):
                    self.status(0, *words.split(), "--help")


if __name__ == "__main__":
    unittest.main()
