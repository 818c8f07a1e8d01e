"""The schema of the stack's database: brought up to date by its function, written down at the database."""

import json
import unittest

import harness

STACK = """\
stack: acme
region: us-east-1
database: {{deletion_protection: false, proxy: {proxy}}}
models:
  embed: {{id: {model}, dimensions: {dimensions}}}
"""
TITAN = "amazon.titan-embed-text-v2:0"


class SchemaTest(harness.TestCase):
    def say(self, dimensions=512, model=TITAN, proxy="true", **replaced):
        text = STACK.format(dimensions=dimensions, model=model, proxy=proxy)
        for old, new in replaced.items():
            text = text.replace(old, new)
        self.write("ragstack.yaml", text)

    def steps(self):
        return self.ragstack("diff", "--json").json["steps"]

    def database(self):
        return self.client("rds").describe_db_instances()["DBInstances"][0]

    def invoke(self, event):
        event = {"host": self.database()["Endpoint"]["Address"], **event}
        name = next(f["FunctionName"] for f in self.client("lambda").list_functions()["Functions"] if "-schema-" in f["FunctionName"])
        reply = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
        return json.load(reply["Payload"])

    def store(self, units=1200):
        self.invoke({"ragstack": "store", "documents": 40, "passages": 400, "units": units, "characters": 4_000_000})

    def note(self):
        return {tag["Key"]: tag["Value"] for tag in self.database()["TagList"]}.get("ragstack:schema")

    def test_a_new_database_gets_its_tables_before_the_proxy_signs_in(self):
        self.say()
        told = self.must("up", "--yes").stderr.splitlines()
        order = [line.split()[1:4] for line in told if line.lstrip().startswith("✓")]  # and how long it took
        self.assertLess(order.index(["rag.schema", "tables", "create"]), order.index(["rds.proxy", "proxy", "connect"]))
        self.assertEqual(self.note(), f"tables 3 rag_app 512 {TITAN}")
        state = self.invoke({"ragstack": "schema-look"})
        self.assertEqual((state["migrations"], state["dimensions"], state["app_user"]), (3, 512, "rag_app"))
        self.must("diff")

    def test_another_length_of_vectors_says_what_is_lost_and_wants_consent(self):
        self.say()
        self.must("up", "--yes")
        self.store()
        self.say(dimensions=1024)
        step = next(step for step in self.steps() if step["kind"] == "rag.schema")
        self.assertTrue(step["loses_data"])
        self.assertEqual(step["would_lose"], "1200 vectors of 400 passages in 40 documents: "
                                             "ingest these again afterwards, for about $0.02")
        shown = self.ragstack("diff")
        self.assertEqual(shown.status, 4, shown)
        self.assertIn("1200 vectors of 400 passages", shown.stdout)
        refused = self.ragstack("up", "--yes")
        self.assertEqual(refused.status, 4, refused)
        self.assertIn("--allow-data-loss=tables", refused.stderr)
        self.assertEqual(self.invoke({"ragstack": "schema-look"})["units"], 1200)
        self.must("up", "--yes", "--allow-data-loss=tables")
        state = self.invoke({"ragstack": "schema-look"})
        self.assertEqual((state["units"], state["dimensions"]), (0, 1024))
        self.must("diff")

    def test_nothing_stored_is_nothing_lost(self):
        self.say()
        self.must("up", "--yes")
        self.say(dimensions=1024)
        step = next(step for step in self.steps() if step["kind"] == "rag.schema")
        self.assertFalse(step["loses_data"])
        self.must("up", "--yes")
        self.must("diff")

    def test_what_cannot_be_told_wants_consent(self):
        self.say()
        self.must("up", "--yes")
        self.invoke({"ragstack": "fail", "times": 9, "error": {"errorType": "Ragstack.Failed", "errorMessage": "broken"}})
        self.say(dimensions=1024)
        step = next(step for step in self.steps() if step["kind"] == "rag.schema")
        self.assertTrue(step["loses_data"])
        self.assertNotIn("would_lose", step)

    def test_a_function_that_fails_says_why(self):
        self.say()
        self.must("up", "--yes")
        self.client("rds").remove_tags_from_resource(ResourceName=self.database()["DBInstanceArn"], TagKeys=["ragstack:schema"])
        message = "PostgreSQL: pgvector is 0.5.1 here; 0.8 is the least"
        self.invoke({"ragstack": "fail", "times": 1, "error": {"errorType": "Ragstack.Failed", "errorMessage": message}})
        result = self.ragstack("up", "--yes")
        self.assertEqual(result.status, 6, result)
        self.assertIn(message, result.stderr)
        self.must("up", "--yes")
        self.must("diff")

    def test_a_sign_in_that_is_not_known_yet_is_waited_for(self):
        self.say()
        self.must("up", "--yes")
        self.client("rds").remove_tags_from_resource(ResourceName=self.database()["DBInstanceArn"], TagKeys=["ragstack:schema"])
        self.invoke({"ragstack": "fail", "times": 2, "error": {
            "errorType": "Ragstack.Denied", "errorMessage": 'PostgreSQL: FATAL:  PAM authentication failed for user "ragadmin"'}})
        self.must("up", "--yes")
        self.must("diff")

    def test_a_database_that_is_replaced_gets_them_again(self):
        self.say(proxy="false")
        self.must("up", "--yes")
        before = self.database()["DBInstanceIdentifier"]
        text = (self.folder / "ragstack.yaml").read_text().replace("{deletion", "{name: other, deletion")
        self.write("ragstack.yaml", text)
        self.assertEqual([s["action"] for s in self.steps() if s["kind"] == "rag.schema"], ["change"])
        self.must("up", "--yes", "--allow-data-loss=database")
        self.assertNotEqual(self.database()["DBInstanceIdentifier"], before)
        self.assertEqual(self.note(), f"tables 3 rag_app 512 {TITAN}")
        self.assertEqual(self.invoke({"ragstack": "schema-look"})["migrations"], 3)
        self.must("diff")

    def test_the_note_is_no_tag_of_the_database(self):
        self.say()
        self.must("up", "--yes")
        self.write("ragstack.yaml", (self.folder / "ragstack.yaml").read_text() + "tags: {team: search}\n")
        self.must("up", "--yes")
        self.assertEqual(self.note(), f"tables 3 rag_app 512 {TITAN}")
        self.must("diff")


if __name__ == "__main__":
    unittest.main()
