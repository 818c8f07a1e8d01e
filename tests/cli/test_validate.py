"""init and validate: what a person does first, without AWS."""

import json
import os
import unittest

import cli


class InitTest(cli.OfflineCase):
    def test_what_it_writes_is_valid(self):
        result = self.plain(self.status(0, "init", "acme-docs"))
        self.assertIn("ragstack up", result.stdout)
        self.assertEqual(result.stderr, "")
        self.assertIn("stack: acme-docs", (self.folder / "ragstack.yaml").read_text())
        self.assertTrue((self.folder / "prompt.md").is_file())
        self.assertRegex(self.status(0, "validate").stdout, r"^ragstack\.yaml is valid: \d+ resources\n$")

    def test_what_is_commented_out_is_valid_too(self):
        self.status(0, "init", "acme-docs")
        text = (self.folder / "ragstack.yaml").read_text()
        self.assertEqual(text.count("@"), 1, "a placeholder is left")  # the mail address
        lines = []
        for line in text.splitlines():
            body = line.lstrip()
            # "# key: value" is a key; "# A sentence" is none
            if body.startswith("# ") and body[2:].split(":")[0].strip().replace("_", "").isalpha() and ":" in body:
                line = line.replace("# ", "", 1)
            lines.append(line)
        (self.folder / "all.yaml").write_text("\n".join(lines) + "\n")
        self.status(0, "validate", "--file", "all.yaml", "--env", "prod")
        self.status(0, "validate", "--file", "all.yaml")

    def test_the_folder_gives_the_name(self):
        for folder, name in (("Acme Docs!", "acme-docs"), ("9-lives", "lives"), ("x", "rag"),
                             ("a-very-long-name-of-a-folder", "a-very-long-name-of-a")):
            place = self.folder / folder
            place.mkdir()
            self.program.folder = place
            self.status(0, "init")
            self.assertIn(f"stack: {name}\n", (place / "ragstack.yaml").read_text())

    def test_the_region_is_the_environments(self):
        self.status(0, "init", env={"AWS_REGION": "eu-central-1"})
        self.assertIn("region: eu-central-1\n", (self.folder / "ragstack.yaml").read_text())

    def test_nothing_is_overwritten(self):
        self.write("ragstack.yaml", "mine")
        result = self.status(1, "init")
        self.assertIn("exists already", result.stderr)
        self.assertEqual(os.listdir(self.folder).count("prompt.md"), 0)
        self.assertEqual((self.folder / "ragstack.yaml").read_text(), "mine")
        self.write("prompt.md", "my prompt")
        result = self.status(0, "init", "--file", "other.yaml")
        self.assertIn("left as it is", result.stdout)
        self.assertEqual((self.folder / "prompt.md").read_text(), "my prompt")

    def test_a_name_that_cannot_be_is_refused(self):
        for name in ("Acme", "9x", "x", "a" * 22, "a_b", "a: b"):
            self.assertIn("cannot name a stack", self.status(64, "init", name).stderr)
        self.assertFalse((self.folder / "ragstack.yaml").exists())


class ValidateTest(cli.OfflineCase):
    def faults(self, text: str, *arguments: str) -> list[str]:
        """The messages of a bad file, checked to be the same as people see and as JSON."""
        self.write("ragstack.yaml", text)
        people = self.plain(self.status(65, "validate", *arguments))
        self.assertEqual(people.stdout, "")
        document = self.json_of("validate", 65, "validate", "--json", *arguments)
        self.assertFalse(document["valid"])
        lines = people.stderr.splitlines()
        self.assertEqual(lines[-1], f"error: ragstack.yaml has {len(lines) - 1} error{'s' * (len(lines) > 2)}")
        for line, error in zip(lines, document["errors"]):
            place = f"{error['line']}:{error['column']}:" if error["line"] else ""
            self.assertEqual(line, f"ragstack.yaml:{place} error: {error['message']}")
        self.assertEqual(len(document["errors"]), len(lines) - 1)
        return [f"{error['line']}:{error['column']}: {error['message']}" for error in document["errors"]]

    def test_a_good_file(self):
        self.write("ragstack.yaml", cli.STACK)
        document = self.json_of("validate", 0, "validate", "--json")
        self.assertEqual((document["valid"], document["errors"]), (True, []))

    def test_all_errors_at_once_in_their_order(self):
        faults = self.faults("stack: demo\nregion: us-east-1\nnetwrok: {}\ndatabase:\n  storage_gb: much\n"
                             "  class: t3.micro\napi: {auth: nobody}\n")
        self.assertEqual(len(faults), 4, faults)
        self.assertRegex(faults[0], r'^3:1: .*"netwrok"; did you mean "network"\?')
        self.assertRegex(faults[1], r"^5:15: .*storage_gb.*whole number")
        self.assertRegex(faults[2], r"^6:10: .*class.*t3\.micro")
        self.assertRegex(faults[3], r"^7:13: .*auth.*nobody.*iam\|jwt\|none")

    def test_references_are_followed(self):
        faults = self.faults("stack: demo\nregion: us-east-1\nresources:\n"
                             "  a: {kind: sns.topic, subscriptions: [{protocol: lambda, endpoint: '${aks.arn}'}]}\n"
                             "  b: {kind: sns.topic, subscriptions: [{protocol: lambda, endpoint: '${ask.arm}'}]}\n")
        self.assertEqual(len(faults), 2, faults)
        self.assertRegex(faults[0], r'^4:\d+: \$\{aks\.arn\}: there is no resource "aks"; did you mean "ask"\?')
        self.assertRegex(faults[1], r'^5:\d+: \$\{ask\.arm\}: lambda\.function has no attribute "arm"')

    def test_a_builtin_id_is_taken(self):
        faults = self.faults("stack: demo\nregion: us-east-1\nresources:\n  vpc: {kind: sns.topic}\n")
        self.assertRegex(faults[0], r"^4:3: .*vpc.*taken")

    def test_a_prompt_that_is_not_there(self):
        faults = self.faults("stack: demo\nregion: us-east-1\nprompt: tell.md\n")
        self.assertRegex(faults[0], r"^3:9: .*tell\.md")
        self.write("tell.md", "{{passages}} {{question}}")
        self.status(0, "validate")

    def test_every_environment_is_checked_and_told_once(self):
        text = ("stack: demo\nregion: us-east-1\ndatabase: {class: t3}\nenvironments:\n"
                "  dev: {network: {zones: 9}}\n  prod: {api: {auth: everyone}}\n")
        faults = self.faults(text)
        self.assertEqual(len(faults), 3, faults)
        self.assertEqual([fault.split(":")[0] for fault in faults], ["3", "5", "6"])
        self.assertEqual(len(self.faults(text, "--env", "dev")), 2)
        self.assertIn("dev, prod", self.status(64, "validate", "--env", "test").stderr)

    def test_yaml_errors_have_their_place(self):
        self.assertRegex(self.faults("stack: demo\nregion: [us-east-1\n")[0], r"^\d+:\d+: ")
        self.assertRegex(self.faults("stack: demo\nregion: us-east-1\nstack: again\n")[0], r"^3:1: ")

    def test_other_commands_say_the_same(self):
        self.write("ragstack.yaml", "stack: demo\nregion: us-east-1\nnetwrok: {}\n")
        for command in ("diff", "up", "down", "status", "outputs", "logs", "ci"):
            result = self.plain(self.status(65, command))
            self.assertEqual(result.stdout, "")
            self.assertIn('ragstack.yaml:3:1: error: stack: unknown key "netwrok"; did you mean "network"?',
                          result.stderr)

    def test_no_file_says_what_to_do(self):
        for command in ("validate", "diff", "up", "status"):
            self.assertIn("`ragstack init`", self.status(65, command).stderr)

    def test_a_huge_file_is_refused(self):
        with open(self.folder / "ragstack.yaml", "wb") as file:
            file.truncate(100 << 20)
        self.assertIn("error", self.status(65, "validate").stderr)


class SchemaOfFileTest(cli.OfflineCase):
    """The JSON Schema for editors says what the checker says."""

    GOOD = [
        "stack: demo\nregion: us-east-1\n",
        "stack: demo\nregion: us-east-1\nnetwork: {zones: 3, nat: per-zone, endpoints: []}\n",
        "stack: demo\nregion: us-east-1\nnetwork:\n",
        "stack: demo\nregion: us-east-1\napi: {auth: jwt, jwt: {issuer: 'https://x', audience: [a]}}\n",
        "stack: demo\nregion: us-east-1\nwatch: {alarms: {errors: null, bedrock_usd_per_day: 2.5}}\n",
        "stack: demo\nregion: us-east-1\nresources:\n  t: {kind: sns.topic}\n",
        "stack: demo\nregion: us-east-1\nenvironments:\n  dev:\n  prod: {network: {zones: 3}}\n",
    ]
    BAD = [
        "region: us-east-1\n",
        "stack: Demo\nregion: us-east-1\n",
        "stack: demo\nregion: us-east-1\nnetwrok: {}\n",
        "stack: demo\nregion: us-east-1\nnetwork: {zones: 1}\n",
        "stack: demo\nregion: us-east-1\nnetwork: {zones: two}\n",
        "stack: demo\nregion: us-east-1\nnetwork: {nat: maybe}\n",
        "stack: demo\nregion: us-east-1\nnetwork: {endpoints: s3}\n",
        "stack: demo\nregion: us-east-1\ndatabase: {version: 17}\n",
        "stack: demo\nregion: us-east-1\nmodels: {embed: {dimensions: 100}}\n",
        "stack: demo\nregion: us-east-1\napi: {auth: jwt, jwt: {issuer: 'https://x'}}\n",
        "stack: demo\nregion: us-east-1\nresources:\n  t: {kind: sns.topik}\n",
        "stack: demo\nregion: us-east-1\nresources:\n  t: {versioning: true}\n",
        "stack: demo\nregion: us-east-1\nresources:\n  T: {kind: sns.topic}\n",
        "stack: demo\nregion: us-east-1\nresources:\n  t: {kind: sns.topic, colour: red}\n",
        "stack: demo\nregion: us-east-1\nenvironments:\n  prod: {netwrok: {}}\n",
    ]

    def test_they_agree(self):
        import jsonschema
        import yaml
        document = json.loads(self.status(0, "explain", "--schema").stdout)
        jsonschema.Draft202012Validator.check_schema(document)
        validator = jsonschema.Draft202012Validator(document)
        for text, good in [(text, True) for text in self.GOOD] + [(text, False) for text in self.BAD]:
            with self.subTest(text):
                self.write("ragstack.yaml", text)
                self.status(0 if good else 65, "validate")
                self.assertEqual(validator.is_valid(yaml.safe_load(text)), good)


if __name__ == "__main__":
    unittest.main()
