"""eval on a stack that runs: figures of the handbook, a floor that comes into force, two settings side by side."""

import json
import unittest

import stack

QUESTIONS = stack.TESTS.parent / "examples" / "questions.yaml"


class EvalTest(stack.LocalCase):
    def eval(self, *arguments, status=0):
        return self.must("eval", "--local", "--rate", "500", str(QUESTIONS), *arguments, status=status)

    def test_the_handbook(self):
        document = self.eval("--json").json
        figures = {name: row["value"] for name, row in document["metrics"].items()}
        self.assertEqual(document["asked"], 100)
        self.assertEqual(figures["failed"], 0)
        self.assertGreater(document["kinds"]["keyword"]["recall@1"]["value"], 0.8)
        self.assertGreater(figures["recall@5"], 0.8)
        self.assertGreater(figures["citation_correct"], 0.65)
        self.assertGreater(figures["refusal_precision"], 0.7)
        self.assertEqual(figures["usd_per_1000"], 0)
        # the figures of search are the same when no model is asked
        search = self.eval("--json", "--retrieval-only", "--out", str(self.folder / "run.json")).json
        for name in ("recall@1", "recall@5", "mrr"):
            self.assertEqual(search["metrics"][name]["value"], figures[name])
        self.assertTrue(all(row["generate_ms"] == 0 for row in search["rows"]))

    def test_two_settings_side_by_side(self):
        self.eval("--retrieval-only", "--out", str(self.folder / "before.json"))
        run = self.eval("--retrieval-only", "--floor", "0.5", "--json", "--against", str(self.folder / "before.json"))
        comparison = run.json["comparison"]
        self.assertEqual(comparison["settings"], "floor 0.38 -> 0.5")
        self.assertEqual(comparison["metrics"]["answered"]["verdict"], "worse")
        self.assertEqual(comparison["metrics"]["refusal_recall"]["verdict"], "better")
        self.assertEqual(comparison["metrics"]["mrr"]["verdict"], "no difference seen")

    def test_zz_the_floor_comes_into_force(self):
        path = self.folder / "ragstack.yaml"
        path.write_text(stack.STACK + "retrieval: {floor: auto}\n")
        self.eval("--retrieval-only", "--calibrate", "--yes", "--most-lost", "20")
        self.assertRegex(path.read_text(), r'floor: "0\.\d\d@ragstack\.use-lite"')
        floor = float(path.read_text().split('floor: "')[1][:4])
        self.assertGreater(floor, 0.38)
        self.must("up", "--local", "--yes")
        question = json.dumps({"question": "Who?", "explain": True, "generate": False}).encode()
        self.assertEqual(self.call("POST", "/ask", question)[1]["explain"]["floor"], floor)


if __name__ == "__main__":
    unittest.main()
