"""The stack as a picture: a tree, Graphviz's text, an SVG, JSON."""

import shutil
import subprocess
import unittest
import xml.etree.ElementTree

import cli


class OfflineTest(cli.OfflineCase):
    def setUp(self) -> None:
        super().setUp()
        self.write("ragstack.yaml", cli.STACK)

    def test_the_tree_leads_from_those_who_ask_to_the_model(self):
        lines = self.plain(self.status(0, "graph", "--offline")).stdout.splitlines()
        self.assertEqual(lines[:4], ["demo", "", "who asks", "└─ api  apigateway.api  (HTTPS)"])
        self.assertIn("   ├─ ask  lambda.function  (POST /ask, GET /health, GET /, GET /openapi.json)", lines)
        self.assertIn("   │     ├─ model amazon.titan-embed-text-v2:0", lines)
        self.assertIn("    documents  s3:GetObject  443 to endpoint-s3", lines)

    def test_everything_is_in_it(self):
        document = self.json_of("graph", 0, "graph", "--offline", "--json")
        wanted = self.json_of("expand", 0, "diff", "--expand", "--json")["resources"]
        self.assertEqual({node["id"] for node in document["nodes"] if "kind" in node}, set(wanted))
        ids = {node["id"] for node in document["nodes"]}
        for edge in document["edges"]:
            self.assertLessEqual({edge["from"], edge["to"]}, ids)
        tree = self.status(0, "graph", "--offline").stdout
        dot = self.status(0, "graph", "--offline", "--dot").stdout
        for name in wanted:
            self.assertRegex(tree, rf"(?m)(^|[ ─]){name}( |$)")
            self.assertIn(name, dot)

    @unittest.skipUnless(shutil.which("dot"), "no Graphviz here")
    def test_graphviz_draws_it(self):
        result = self.status(0, "graph", "--offline", "--out", "stack.svg")
        self.assertEqual((result.stdout, result.stderr), ("", "Wrote stack.svg.\n"))
        root = xml.etree.ElementTree.parse(self.folder / "stack.svg").getroot()
        texts = {"".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")}
        self.assertLessEqual({"who asks", "ask", "apigateway.api", "ask may reach"}, texts)
        self.assertIn("<svg", self.status(0, "graph", "--offline", "--svg").stdout)
        dot = self.status(0, "graph", "--offline", "--dot").stdout
        self.assertEqual(subprocess.run(["dot", "-Tplain"], input=dot, text=True, capture_output=True).stderr, "")

    def test_without_graphviz_there_is_a_tree(self):
        empty = self.folder / "bin"
        empty.mkdir()
        result = self.status(0, "graph", "--offline", "--out", "stack.txt", env={"PATH": str(empty)})
        self.assertIn("there is no `dot` here", result.stderr)
        self.assertIn("who asks", (self.folder / "stack.txt").read_text())
        self.assertIn("graphviz", self.status(1, "graph", "--offline", "--svg", env={"PATH": str(empty)}).stderr)

    def test_one_form_alone(self):
        for words in (("--svg", "--dot"), ("--text", "--json")):
            self.assertIn("one of them", self.status(64, "graph", "--offline", *words).stderr)
        self.assertIn("leave --out out", self.status(64, "graph", "--offline", "--json", "--out", "x").stderr)
        self.assertFalse((self.folder / "x").exists())

    def test_on_this_machine(self):
        text = self.status(0, "graph", "--offline", "--local").stdout
        self.assertIn("└─ api  local.gateway  (HTTP)", text)
        self.assertIn("models  local.models", text)


class PlanTest(cli.CloudCase):
    def test_it_tells_what_would_become_of_each(self):
        text = self.status(0, "graph").stdout
        self.assertIn("└─ + api  apigateway.api", text)
        self.status(0, "up", "--yes")
        self.write("ragstack.yaml", self.stack + "functions: {ask: {memory_mb: 512}}\n")
        text = self.status(0, "graph").stdout
        self.assertIn("├─ ~ ask  lambda.function", text)
        self.assertIn("└─ = api  apigateway.api", text)
        self.assertIn("= unchanged  + create  ~ change  ± replace  - delete", text)
        actions = {node["id"]: node.get("action") for node in self.json_of("graph", 0, "graph", "--json")["nodes"]}
        self.assertEqual((actions["ask"], actions["api"], actions["who asks"]), ("change", "unchanged", None))


if __name__ == "__main__":
    unittest.main()
