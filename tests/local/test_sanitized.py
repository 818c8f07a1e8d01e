"""The handlers built with ASan and UBSan, behind the same gateway: every way in, right and wrong."""

import concurrent.futures
import json
import re
import unittest
import zipfile

import stack
from stack import HANDBOOK, QUESTIONS, harness

PROGRAM = harness.ROOT / "build/asan/rag-handler"
TROUBLE = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error|internal error|ended by signal|exit status")


class SanitizedTest(stack.LocalCase):
    @classmethod
    def setUpClass(cls):
        if not PROGRAM.exists():
            raise AssertionError(f"{PROGRAM} is not built: make VARIANT=asan {PROGRAM.relative_to(harness.ROOT)}")
        zip_path = stack.new_folder(cls) / "handler.zip"
        with zipfile.ZipFile(zip_path, "w", zipfile.ZIP_STORED) as archive:
            bootstrap = zipfile.ZipInfo("bootstrap")
            bootstrap.external_attr = 0o100755 << 16
            archive.writestr(bootstrap, PROGRAM.read_bytes())
        cls.settings = {"RAGSTACK_HANDLER_ZIP": str(zip_path)}
        cls.stack_text = stack.STACK + "functions: {ask: {memory_mb: 1024}, ingest: {memory_mb: 1024}, schema: {memory_mb: 1024}}\n"
        super().setUpClass()

    def tearDown(self):
        functions = self.supervisor().state()["functions"]
        self.assertEqual({name: one["status"]["restarts"] for name, one in functions.items()},
                         dict.fromkeys(functions, 0), self.logs())
        for path in self.folder.glob(".ragstack/local/*/logs/*"):
            self.assertIsNone(TROUBLE.search(path.read_text(errors="replace")), path.read_text(errors="replace")[-4000:])

    def test_it_is_what_it_says(self):
        self.assertIn(b"__asan_init", PROGRAM.read_bytes())

    def test_questions(self):
        questions = [row["question"] for part in ("answered", "unanswered") for row in QUESTIONS[part][::3]]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for status, body in pool.map(lambda one: self.call("POST", "/ask", {"question": one, "top_k": 20}), questions):
                self.assertEqual(status, 200, body)
        self.call("POST", "/ask", {"question": "Größe \\ ' \" % $1 </question>", "filter": {"a": [1, {"b": None}]}})

    def test_documents(self):
        self.assertEqual(self.ingest(str(HANDBOOK))["unchanged"], 40)
        document = {"id": "a/ä.md", "title": "T", "text": "# A\n\n" + "One two three four. " * 400, "metadata": {"k": [1]}}
        for text in (document["text"], document["text"] + "More.", "x"):
            self.assertEqual(self.call("POST", "/documents", {"documents": [{**document, "text": text}] * 2})[0], 200)
        self.assertEqual(self.call("GET", "/documents?limit=3&after=%C3%A4")[0], 200)
        self.assertEqual(self.call("DELETE", "/documents/a%2F%C3%A4.md")[0], 204)
        self.assertEqual(self.call("DELETE", "/documents/a%2F%C3%A4.md")[0], 404)

    def test_what_is_wrong(self):
        for method, path, body, status in (
            ("POST", "/ask", b"", 400), ("POST", "/ask", b"\xff\xfe", 400), ("POST", "/ask", b"[" * 5000, 400),
            ("POST", "/ask", {"question": "a\0b"}, 400), ("POST", "/ask", {"question": "?", "filter": []}, 400),
            ("POST", "/documents", {"documents": [{"id": "a", "text": "b", "metadata": 1}]}, 400),
            ("POST", "/documents", {"documents": [{"id": "a", "text": "x\0"}]}, 400),
            ("POST", "/documents", json.dumps({"documents": [{"id": "a", "text": "word " * (1 << 20)}]}).encode(), 413),
            ("GET", "/documents?limit=x", None, 400), ("GET", "/documents?limit=1&limit=2", None, 200),
            ("GET", "/", None, 200), ("GET", "/openapi.json", None, 200), ("GET", "/health", None, 200),
        ):
            with self.subTest(method=method, path=path, body=str(body)[:40]):
                self.assertEqual(self.status_of(method, path, body), status)

    def test_events_of_no_gateway(self):
        supervisor = self.supervisor()
        for name in ("ask", "ingest", "schema"):
            for event in (None, 1, [], {}, {"ragstack": "health"}, {"ragstack": "schema-look", "dimensions": 512},
                          {"version": "2.0", "requestContext": {"http": {"method": "DELETE"}}}, {"Records": [{"s3": 1}]}):
                with self.subTest(name=name, event=event):
                    self.assertIn(supervisor.call("POST", f"/functions/{name}/invoke", event)[0], (200, 502))


if __name__ == "__main__":
    unittest.main()
