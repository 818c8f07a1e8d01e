"""The handlers' zip: runs as Lambda runs it, in an otherwise empty root, against a Runtime API."""

import http.server
import json
import os
import pathlib
import platform
import queue
import shutil
import subprocess
import tempfile
import threading
import unittest
import zipfile

BUILD = pathlib.Path(os.environ.get("RAGSTACK_BUILD", "build/debug"))
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
ZIP = BUILD / f"handler-{ARCHITECTURE}.zip"
TIMEOUT_S = 20


class RuntimeApi(http.server.ThreadingHTTPServer):
    """Gives the events that it is handed, one at a time, and keeps what is posted."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), RuntimeRequest)
        self.events = queue.Queue()
        self.posts = queue.Queue()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def handle_error(self, *_arguments):
        """A process that ends does not read its last reply."""

    def ask(self, event):
        self.events.put(event)
        return self.posts.get(timeout=TIMEOUT_S)


class RuntimeRequest(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments):
        pass

    def send(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        event = self.server.events.get()
        self.send(200, json.dumps(event).encode(), Lambda_Runtime_Aws_Request_Id="id-1",
                  Lambda_Runtime_Deadline_Ms="9999999999999")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posts.put((self.path.rsplit("/", 1)[1], body))
        self.send(202, b'{"status":"OK"}')


def gateway_event(method, path, stage="$default"):
    return {
        "version": "2.0", "rawPath": path, "headers": {},
        "requestContext": {"http": {"method": method, "path": path}, "stage": stage},
    }


def why_no_empty_root(root):
    """Why this user cannot change the root folder; nothing if it can."""
    tried = subprocess.run([*enter_root(root), "/bootstrap"], env={}, capture_output=True, text=True)
    return "" if tried.returncode == 64 else tried.stderr.strip()


def enter_root(root):
    prefix = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user"]
    return [*prefix, shutil.which("chroot") or "/usr/sbin/chroot", root]


class HandlerTest(unittest.TestCase):
    def setUp(self):
        if not ZIP.exists():
            self.fail(f"{ZIP} is not built: make handler")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        with zipfile.ZipFile(ZIP) as archive:
            archive.extractall(self.root)
        (self.root / "bootstrap").chmod(0o755)
        self.api = RuntimeApi()
        self.addCleanup(self.api.server_close)
        self.addCleanup(self.api.shutdown)

    def start(self, handler, command=None, **environment):
        environment.update(AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{self.api.server_port}",
                           _HANDLER=handler)
        process = subprocess.Popen(command or [self.root / "bootstrap"], env=environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.kill()
        process.communicate()

    def test_the_zip_holds_one_small_program_and_its_certificates(self):
        with zipfile.ZipFile(ZIP) as archive:
            entries = archive.infolist()
        names = [entry.filename for entry in entries]
        self.assertEqual(names, sorted(names))
        self.assertIn("bootstrap", names)
        self.assertEqual([name for name in names if not name.endswith(".pem")], ["bootstrap"])
        self.assertEqual({entry.external_attr >> 16 for entry in entries}, {0o100755})
        self.assertEqual({entry.date_time for entry in entries}, {(1980, 1, 1, 0, 0, 0)})
        self.assertLess(ZIP.stat().st_size, 4 << 20)

    def test_packing_it_again_gives_the_same_bytes(self):
        files = sorted(self.root.iterdir(), reverse=True)
        again = self.root / "again.zip"
        subprocess.run([BUILD / "ragstack", "bundle", again, *files], check=True)
        self.assertEqual(again.read_bytes(), ZIP.read_bytes())

    def test_it_runs_in_an_empty_root(self):
        reason = why_no_empty_root(self.root)
        if reason:
            self.skipTest(f"cannot change the root folder here: {reason}")
        self.assertTrue(all(path.is_file() for path in self.root.iterdir()))
        self.start("ask", [*enter_root(self.root), "/bootstrap"])
        kind, body = self.api.ask({"ragstack": "health"})
        self.assertEqual((kind, body["handler"]), ("response", "ask"))

    def test_each_handler_answers_health_events_with_names_alone(self):
        for handler in ("ask", "ingest", "schema"):
            with self.subTest(handler):
                process = self.start(handler, RAG_STACK="acme", RAG_DB_NAME="secret-name",
                                     RAG_DB_USER="", UNRELATED="1")
                kind, body = self.api.ask({"ragstack": "health"})
                self.assertEqual(kind, "response")
                self.assertEqual(body["handler"], handler)
                self.assertEqual(body["architecture"], ARCHITECTURE)
                self.assertRegex(body["ragstack"], r"^\d+\.\d+\.\d+$")
                self.assertEqual(body["configured"], ["RAG_STACK", "RAG_DB_NAME"])
                self.assertIn("RAG_EMBED_DIMENSIONS", body["missing"])
                self.assertNotIn("secret-name", json.dumps(body))
                self.end(process)

    def test_an_http_api_can_ask_for_its_health(self):
        self.start("ask")
        for event in (gateway_event("GET", "/health"), gateway_event("GET", "/prod/health", "prod")):
            kind, answer = self.api.ask(event)
            self.assertEqual((kind, answer["statusCode"]), ("response", 200))
            self.assertEqual(answer["headers"]["content-type"], "application/json")
            self.assertEqual(json.loads(answer["body"])["handler"], "ask")

    def test_what_it_cannot_answer_is_a_problem_in_its_standard_form(self):
        cases = {
            "ask": [(gateway_event("POST", "/health"), 404), (gateway_event("GET", "/x"), 404),
                    ({}, 400), ([], 400), ("health", 400), (None, 400)],
            "ingest": [(gateway_event("POST", "/health"), 404), ({}, 400), (None, 400)],
        }
        for handler, events in cases.items():
            process = self.start(handler)
            for event, status in events:
                with self.subTest(handler=handler, event=event):
                    kind, answer = self.api.ask(event)
                    self.assertEqual((kind, answer["statusCode"]), ("response", status))
                    self.assertEqual(answer["headers"]["content-type"], "application/problem+json")
                    problem = json.loads(answer["body"])
                    self.assertEqual((problem["status"], problem["instance"]), (status, "id-1"))
            self.end(process)

    def test_a_handler_that_does_not_exist_fails_at_its_start(self):
        process = self.start("answer")
        kind, body = self.api.posts.get(timeout=TIMEOUT_S)
        self.assertEqual(kind, "error")
        self.assertIn('"answer"', body["errorMessage"])
        self.assertEqual(process.wait(TIMEOUT_S), 1)

    def test_outside_lambda_it_says_what_it_is(self):
        ran = subprocess.run([self.root / "bootstrap"], env={}, capture_output=True, text=True)
        self.assertEqual(ran.returncode, 64)
        self.assertIn("AWS_LAMBDA_RUNTIME_API", ran.stderr)

    def test_the_program_for_the_other_processor_answers_health_events(self):
        other = {"arm64": "x86_64", "x86_64": "arm64"}[ARCHITECTURE]
        program = BUILD.parent / f"handler-{other}" / "bootstrap"
        emulator = shutil.which("qemu-aarch64-static" if other == "arm64" else "qemu-x86_64-static")
        if not program.exists() or not emulator:
            self.skipTest(f"no {program} and emulator: make handler HANDLER_ARCHITECTURE={other}")
        self.start("schema", [emulator, program], RAG_STACK="acme")
        kind, body = self.api.ask({"ragstack": "health"})
        self.assertEqual((kind, body["handler"]), ("response", "schema"))
        self.assertEqual(body["architecture"], other)


if __name__ == "__main__":
    unittest.main()
