"""eval: questions asked and judged, runs kept and compared, the floor written, gates."""

import html.parser
import json
import signal
import stat
import unittest

import cli
import harness
import stub_api

STACK = """\
stack: demo   # ours
region: us-east-1
api: {auth: iam, throttle: {rate: 1000, burst: 1000}}
retrieval: {top_k: 6, floor: auto}   # straße
prompt: p.md
"""
ANSWERED, UNANSWERED = 24, 12


def questions(answered=ANSWERED, unanswered=UNANSWERED):
    rows = [{"question": f"Known {n}?", "document": f"d{n}.md", "words": ["Twenty-five"], "kind": "even" if n % 2 == 0 else "odd"}
            for n in range(answered)]
    return {"answered": rows, "unanswered": [{"question": f"Unknown {n}?"} for n in range(unanswered)]}


class EvalCase(cli.OfflineCase):
    """The first 20 known ones are answered and right; the last unknown one is answered, too."""

    def setUp(self):
        super().setUp()
        self.write("ragstack.yaml", STACK)
        self.write("p.md", "{{passages}} {{question}}")
        self.stub()

    def stub(self):
        self.api = stub_api.StubApi(harness.ACCESS_KEY, harness.SECRET_KEY)
        self.addCleanup(self.api.close)
        self.write("q.yaml", json.dumps(questions()))
        for n in range(ANSWERED):
            reply = stub_api.answered()
            reply["citations"][0]["document"] = f"d{n}.md" if n < 20 else "x.md"
            self.api.known[f"Known {n}?"] = stub_api.explained(reply, ["x.md", f"d{n}.md"] if n >= 12 else [f"d{n}.md"],
                                                               best=0.5 + n / 100)
        for n in range(UNANSWERED):
            reply = stub_api.answered() if n == UNANSWERED - 1 else stub_api.no_answer()
            self.api.known[f"Unknown {n}?"] = stub_api.explained(reply, ["x.md"], best=0.4 if n == UNANSWERED - 1 else n / 100)

    def eval(self, *arguments, status=0, **options):
        return self.status(status, "eval", "--api", self.api.url, "q.yaml", "--rate", "1000", *arguments, **options)

    def document(self, *arguments, status=0):
        document = json.loads(self.eval("--json", *arguments, status=status).stdout)
        self.fits("eval", document)
        return document


class FiguresTest(EvalCase):
    def test_as_json(self):
        document = self.document()
        figures = {name: (round(row["value"], 4), row["n"]) for name, row in document["metrics"].items()}
        expected = {"recall@1": (0.5, 24), "recall@3": (1, 24), "mrr": (0.75, 24), "answered": (1, 24),
                    "citation_correct": (0.8333, 24), "answer_correct": (1, 24), "refusal_precision": (1, 11),
                    "refusal_recall": (0.9167, 12), "failed": (0, 36), "usd_per_1000": (round(1000 * 0.0012 * 25 / 36, 4), 36)}
        self.assertEqual({name: figures[name] for name in expected}, expected)
        self.assertNotIn("recall@10", figures)
        self.assertEqual(set(document["kinds"]), {"even", "odd"})
        self.assertEqual(document["settings"], {"top_k": 6, "floor": 0.38, "search_only": False, "embedder": "an-encoder",
                                                "model": "a-model", "prompt": "0123456789ab"})
        self.assertEqual(document["calibration"]["proposed"], {"floor": 0.45, "lost": 0, "refused": 12})
        # without the one at 0.40 the others choose 0.30, the middle of 0.11 to 0.50
        self.assertEqual(document["calibration"]["leave_one_out"]["refused"], 11)
        self.assertTrue(all(question["explain"] is True for question in self.api.questions))

    def test_as_text(self):
        result = self.plain(self.eval())
        self.assertIn("demo  aws, 36 questions: the documents answer 24 of them\n", result.stdout)
        self.assertRegex(result.stdout, r"\n  recall@1 +0\.500  0\.314 to 0\.686 +24  ")
        self.assertIn("Floor 0.45 is proposed for an-encoder", result.stdout)
        self.assertIn("\n  Unknown 11?\n      answered, though the documents do not say it\n", result.stdout)
        self.assertIn("\n  Known 23?\n      cites something else; d23.md was found at place 2\n", result.stdout)

    def test_options_go_along(self):
        self.document("--retrieval-only", "--top-k", "9", "--floor", "0.25")
        for question in self.api.questions:
            self.assertEqual((question["generate"], question["top_k"], question["floor"]), (False, 9, 0.25))

    def test_several_at_once_and_no_more(self):
        self.api.delay_s = 0.02
        self.document("--at-once", "3")
        self.assertEqual(self.api.most_under_way, 3)

    def test_a_busy_api_is_waited_for(self):
        busy = stub_api.problem(429, "Too Many Requests", "all models are throttled", **{"Retry-After": "1"})
        self.api.refusals = [busy, busy]
        self.assertEqual(self.document()["metrics"]["failed"]["value"], 0)
        self.assertEqual(len(self.api.requests), ANSWERED + UNANSWERED + 2)

    def test_one_that_is_refused_is_told(self):
        self.api.known["Known 3?"] = stub_api.problem(400, "Bad Request", "the question is too\x1b[31m long")
        document = self.document()
        (row,) = [row for row in document["rows"] if row["outcome"] == "failed"]
        self.assertIn("too", row["reason"])
        self.assertEqual(document["metrics"]["failed"]["n"], 36)
        self.plain(self.eval())


class PipelineTest(cli.CloudCase):
    stack = STACK.replace("prompt: p.md\n", "")

    def test_figures_stand_below_the_plan(self):
        EvalCase.stub(self)
        arguments = ("ci", "--api", self.api.url, "--eval", "q.yaml", "--fail-under")
        result = self.status(1, *arguments, "recall@1=0.6")
        self.assertIn("missed: recall@1", result.stderr)
        self.assertTrue(result.stdout.startswith("### ragstack: demo\n"))
        self.assertIn("### Answers of demo\n", result.stdout)
        self.assertIn("| recall@1 | 0.500 | 0.314 to 0.686 | 24 |", result.stdout)
        document = json.loads(self.status(0, *arguments, "recall@1=0.4", "--json").stdout)
        self.fits("plan", document)
        self.fits("eval", document["eval"])
        self.write("q.yaml", "answered: 1")
        self.assertIn("could not be judged", self.status(65, *arguments, "recall@1=0.4").stdout)


class GateTest(EvalCase):
    def test_what_is_missed_is_named(self):
        result = self.eval("--fail-under", "recall@3=0.9", "--fail-under", "recall@1=0.51", "--fail-over",
                           "latency_p95_ms=60000", "--fail-under", "recall@20=0", status=1)
        self.assertIn("error: missed: recall@1 is 0.500, not at least 0.510, recall@20 is -,", result.stderr)
        self.assertIn("met  recall@3 is 1.000", result.stdout)
        gates = self.document("--fail-under", "recall@1=0.5")["gates"]
        self.assertEqual([gate["missed"] for gate in gates], [False])

    def test_bad_options(self):
        for words, part in ((["--fail-under", "recall"], "METRIC=VALUE"), (["--fail-under", "recal@1=1"], "METRIC=VALUE"),
                            (["--fail-under", "latency_p95_ms=1"], "say --fail-over"), (["--fail-over", "mrr=1"], "--fail-under"),
                            (["--floor", "2"], "from 0 to 1"), (["--resume"], "--out"), (["--rate", "0"], "--rate"),
                            (["--at-once", "0"], "0"), (["--top-k", "51"], "51"), (["--most-lost", "x"], "--most-lost")):
            with self.subTest(words):
                self.assertIn(part, self.eval(*words, status=64).stderr)
        self.assertEqual(self.api.requests, [])


class RunTest(EvalCase):
    def test_a_run_against_another(self):
        self.document("--out", "before.json")
        for n in range(12, ANSWERED):
            self.api.known[f"Known {n}?"]["explain"]["hits"].reverse()
        comparison = self.document("--against", "before.json")["comparison"]
        self.assertEqual((comparison["pairs"], comparison["unpaired"], comparison["settings"]), (36, 0, ""))
        first = comparison["metrics"]["recall@1"]
        self.assertEqual((first["before"], first["after"], first["gained"], first["lost"]), (0.5, 1, 12, 0))
        self.assertAlmostEqual(first["p"], 2 / 2**12)
        self.assertEqual(first["verdict"], "better")
        self.assertGreater(first["low"], 0)
        self.assertEqual(comparison["metrics"]["refusal_recall"]["verdict"], "no difference seen")
        self.assertIn("0.500      1.000  ", self.eval("--against", "before.json").stdout)

    def test_an_interrupted_run_is_gone_on_with(self):
        self.api.delay_s = 0.05
        process = self.program.start("eval", "--api", self.api.url, "q.yaml", "--out", "run.json", "--at-once", "1")
        while len(self.api.questions) < 5:
            pass
        process.send_signal(signal.SIGINT)
        with process:
            out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("of 36 questions were asked; --resume --out run.json goes on", err)
        self.assertIn("of them were asked; all figures are of these", out)
        saved = json.loads((self.folder / "run.json").read_text())
        self.fits("eval", saved)
        self.assertGreaterEqual(saved["asked"], 4)
        self.assertLess(saved["asked"], 36)
        self.api.delay_s, before = 0, len(self.api.questions)
        document = self.document("--out", "run.json", "--resume")
        self.assertEqual(len(self.api.questions) - before, 36 - saved["asked"])
        self.assertEqual((document["asked"], document["metrics"]["recall@3"]["n"]), (36, 24))
        self.assertIn("other options", self.eval("--out", "run.json", "--resume", "--top-k", "3", status=64).stderr)

    def test_what_is_no_run_costs_nothing(self):
        for text in ("{}", "[]", "{", '{"schema": 2, "rows": [1]}'):
            self.write("bad.json", text)
            self.eval("--against", "bad.json", status=65)
        self.assertEqual(self.api.requests, [])

    def test_what_ends_it_all(self):
        self.assertIn("execute-api:Invoke", self.eval(status=1, env={"AWS_SECRET_ACCESS_KEY": "another"}).stderr)
        self.api.known = {}
        self.assertIn("older than this program", self.eval(status=65).stderr)
        self.api.close()
        self.assertEqual(self.eval(status=1).stdout, "")

    def test_the_questions_file_is_checked(self):
        self.write("q.yaml", "answered:\n  - {question: Who?}\n")
        self.assertIn("q.yaml:2:5: document: say in which", self.eval(status=65).stderr)
        self.status(1, "eval", "missing.yaml")


class FloorTest(EvalCase):
    def calibrate(self, *arguments, **options):
        return self.eval("--retrieval-only", "--calibrate", "--yes", *arguments, **options)

    def text(self):
        return (self.folder / "ragstack.yaml").read_text()

    def test_the_one_scalar_is_changed(self):
        path = self.folder / "ragstack.yaml"
        path.chmod(0o640)
        self.assertIn('ragstack.yaml:4: floor is "0.45@an-encoder" now', self.calibrate().stderr)
        self.assertEqual(self.text(), STACK.replace("floor: auto", 'floor: "0.45@an-encoder"'))
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)
        self.status(0, "validate")
        self.assertIn("says this floor already", self.calibrate().stderr)

    def test_other_models_and_quotes_are_kept(self):
        self.write("ragstack.yaml", STACK.replace("floor: auto", "floor: '0.3@an-encoder 0.2@other'"))
        self.calibrate()
        self.assertEqual(self.text(), STACK.replace("floor: auto", 'floor: "0.45@an-encoder 0.2@other"'))

    def test_an_environments_own(self):
        stack = STACK + "environments:\n  ä: {tags: {t: é}}\n  prod: {tags: {t: ü}, retrieval: {floor: \"0.1\"}}\n"
        stack = stack.replace("  ä:", "  dev:")
        self.write("ragstack.yaml", stack)
        self.calibrate("--env", "prod")
        self.assertEqual(self.text(), stack.replace('floor: "0.1"', 'floor: "0.45@an-encoder"'))

    def test_where_it_is_not_said_nothing_is_written(self):
        for floor in ("", ', floor: "${env:FLOOR}"', ", floor: &f auto", ", floor: !!str auto"):
            with self.subTest(floor):
                stack = STACK.replace(", floor: auto", floor)
                self.write("ragstack.yaml", stack)
                self.assertIn('retrieval: {floor: "0.45@an-encoder"}', self.calibrate(status=7, env={"FLOOR": "0.1"}).stderr)
                self.assertEqual(self.text(), stack)

    def test_nobody_agreed(self):
        self.assertIn("say --yes", self.eval("--retrieval-only", "--calibrate", status=64).stderr)
        self.assertEqual(self.text(), STACK)

    def test_too_few_questions_calibrate_nothing(self):
        self.write("q.yaml", json.dumps(questions(12, 5)))
        result = self.calibrate(status=7)
        self.assertIn("12 questions that the documents answer and 5 that they do not are too few: 20 and 10", result.stderr)
        self.assertIn("Do not rely on it", result.stdout)
        self.assertEqual(self.text(), STACK)


class Outline(html.parser.HTMLParser):
    """Fails on markup that is not closed, and keeps what it refers to."""

    def __init__(self):
        super().__init__()
        self.open, self.outside, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "line", "circle", "polyline"):
            self.open.append(tag)
        self.outside += [value for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.open)

    def handle_data(self, data):
        self.words.append(data)


class PageTest(EvalCase):
    def test_one_page_that_needs_nothing_else(self):
        rows = questions()
        rows["unanswered"][UNANSWERED - 1]["question"] = "</table><script>alert(1)</script>"
        self.api.known["</table><script>alert(1)</script>"] = self.api.known[f"Unknown {UNANSWERED - 1}?"]
        self.write("q.yaml", json.dumps(rows))
        self.eval("--out", "before.json")
        self.eval("--against", "before.json", "--html", "report.html")
        text = (self.folder / "report.html").read_text()
        outline = Outline()
        outline.feed(text)
        self.assertEqual((outline.open, outline.outside), ([], []))
        self.assertEqual(text.count("<svg"), 5)
        self.assertNotIn("<script", text)
        self.assertIn("</table><script>alert(1)</script>", outline.words)
        self.assertNotRegex(text, r"@[A-Z]+@|nan")


if __name__ == "__main__":
    unittest.main()
