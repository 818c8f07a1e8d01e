"""The stack files that come with the program: made, unchanged, changed, and taken away without a trace."""

import shutil
import unittest

import harness

STACKS = harness.ROOT / "stacks"


class StacksTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        shutil.copytree(STACKS, self.folder / "stacks")
        shutil.copytree(harness.ROOT / "templates", self.folder / "templates")

    def life(self, name, *options):
        where = ("-f", f"stacks/{name}.yaml", *options)
        self.must("up", "--yes", *where)
        self.must("diff", *where)
        return where

    def assert_gone(self, region, *where):
        self.assertIn("Nothing of the stack is left", self.must("down", "--yes", *where).stderr)
        left = self.client("resourcegroupstaggingapi", region=region).get_resources(
            TagFilters=[{"Key": "ragstack:env", "Values": [where[3] if "--env" in where else "-"]}])
        left = [row["ResourceARN"] for row in left["ResourceTagMappingList"]]
        self.assertEqual([arn for arn in left if ":snapshot:" not in arn], [])  # the last one is kept

    def replace(self, name, *pairs):
        path = self.folder / "stacks" / f"{name}.yaml"
        text = path.read_text()
        for old, new in pairs:
            self.assertIn(old, text)
            text = text.replace(old, new)
        path.write_text(text)

    def test_the_small_one(self):
        where = self.life("rag")
        self.replace("rag", ("auth: iam ", "auth: none "), ("zones: 2 ", "zones: 3 "), ("errors: 1", "errors: null"))
        result = self.ragstack("diff", "--json", *where)
        self.assertEqual([note["id"] for note in result.json["notes"]], ["proxy", "api"])
        self.life("rag")
        self.assert_gone("us-east-1", *where)

    def test_two_environments_side_by_side(self):
        prod = self.life("production", "--env", "prod")
        dev = self.life("production", "--env", "dev")
        self.must("diff", *prod)
        self.assert_gone("eu-central-1", *dev)
        self.must("diff", *prod)
        self.assertIn("Nothing of the stack is left",
                      self.must("down", "--yes", *prod, "--allow-data-loss=database").stderr)


if __name__ == "__main__":
    unittest.main()
