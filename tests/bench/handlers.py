#!/usr/bin/env python3
"""Measures the handlers beside an equivalent one in Python, and search in a large table, on a local stack of its own.

    handlers.py BUILD [--passages 50000] [--runs 20] [--questions 200]

Both handlers get the same events from the same Runtime API (here), and use the same database and models endpoint. The
Python one (python_handler/) has boto3 and psycopg2 beside it in BUILD/python, which pip fetches. The passages are
descriptions of Debian packages, which apt fetches. Prints the tables of tests/bench/README.md, and the raw rows below
them. The stack is taken down at the end, also after a failure.
"""

from __future__ import annotations

import argparse
import http.server
import importlib.util
import json
import os
import pathlib
import queue
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from typing import Any

import yaml

import retrieval
from retrieval import HANDBOOK, HERE, ROOT

PACKAGES = ["boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six", "psycopg2"]
DEBIAN = pathlib.Path("/usr/lib/python3/dist-packages")  # psycopg2 is there, of the package python3-psycopg2
MEMORY_LIMIT_MB = 256
TOP = 10


def median(numbers: list[float]) -> float:
    return statistics.median(numbers)


def percentile(numbers: list[float], share: float) -> float:
    return sorted(numbers)[min(len(numbers) - 1, int(share * len(numbers)))]


# -- the Runtime API ------------------------------------------------------------------------------


class RuntimeApi(http.server.ThreadingHTTPServer):
    """Gives one process its events, and keeps when it asked and answered."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), RuntimeRequest)
        self.asked: "queue.Queue[float]" = queue.Queue()
        self.events: "queue.Queue[bytes]" = queue.Queue()
        self.answers: "queue.Queue[tuple[float, str, bytes]]" = queue.Queue()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class RuntimeRequest(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.put(time.perf_counter())
        event = self.server.events.get()
        self.answer(200, event, {"Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                                 "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 29) * 1000))})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answers.put((time.perf_counter(), self.path, body))
        self.answer(202, b"{}", {})

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}", *(f"{k}: {v}" for k, v in headers.items())]
        self.wfile.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)  # one write: nothing waits for an ACK

    def log_message(self, *_arguments: Any) -> None:
        pass


def event_of(question: str) -> bytes:
    return json.dumps({
        "version": "2.0", "routeKey": "POST /ask", "rawPath": "/ask", "rawQueryString": "",
        "headers": {"content-type": "application/json"}, "isBase64Encoded": False,
        "requestContext": {"http": {"method": "POST", "path": "/ask"}, "stage": "$default", "requestId": "1"},
        "body": json.dumps({"question": question})}).encode()


class Handler:
    """One process of a handler."""

    def __init__(self, command: list[str], root: pathlib.Path, environment: dict[str, str]) -> None:
        self.api = RuntimeApi()
        settings = {**environment, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.api.server_port}",
                    "LAMBDA_TASK_ROOT": str(root)}
        self.started = time.perf_counter()
        self.process = subprocess.Popen(command, cwd=root, env=settings, stdout=subprocess.DEVNULL)
        self.first_next_ms = (self.api.asked.get(timeout=60) - self.started) * 1000

    def ask(self, question: str) -> tuple[float, dict[str, Any]]:
        """From the event to the answer, in milliseconds, and the answer."""
        begun = time.perf_counter()
        self.api.events.put(event_of(question))
        at, path, body = self.api.answers.get(timeout=60)
        self.api.asked.get(timeout=60)
        reply = json.loads(body)
        if not path.endswith("/response") or reply["statusCode"] != 200:
            raise RuntimeError(f"{path}: {body[:500]!r}")
        return (at - begun) * 1000, json.loads(reply["body"])

    def resident_mb(self) -> float:
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmHWM:")[1].split()[0]) / 1024

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.api.shutdown()
        self.api.server_close()


# -- the two handlers -----------------------------------------------------------------------------


def find_package(name: str) -> pathlib.Path:
    spec = importlib.util.find_spec(name)
    path = pathlib.Path(spec.origin) if spec else DEBIAN / name / "__init__.py"
    if not path.exists():
        sys.exit(f"handlers.py: there is no {name}: tests/setup bench installs it")
    return path.parent if path.name == "__init__.py" else path


def prepare_python(build: pathlib.Path) -> pathlib.Path:
    """As it would be bundled for Lambda: the handler with its packages beside it."""
    root = build / "python"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    for path in map(find_package, PACKAGES):
        if path.is_dir():
            shutil.copytree(path, root / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, root)
    for name in ("handler.py", "bootstrap"):
        shutil.copy(HERE / "python_handler" / name, root / name)
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(root)], check=True)
    return root


def zip_mb(folder: pathlib.Path) -> float:
    path = shutil.make_archive(str(folder.parent / "python-handler"), "zip", folder)
    return os.path.getsize(path) / 1e6


def measure_handler(command: list[str], root: pathlib.Path, environment: dict[str, str], questions: list[str],
                    runs: int) -> dict[str, Any]:
    starts, firsts, own, totals, resident = [], [], [], [], []
    for run in range(runs):
        handler = Handler(command, root, environment)
        try:
            starts.append(handler.first_next_ms)
            handler.ask(questions[0])
            firsts.append((time.perf_counter() - handler.started) * 1000)
            for question in questions[1:] if run == 0 else questions[1:4]:
                total_ms, reply = handler.ask(question)
                times = reply["timings_ms"]
                totals.append(total_ms)
                own.append(total_ms - times["embed"] - times["search"] - times["generate"])
            resident.append(handler.resident_mb())
        finally:
            handler.end()
    return {"first_next_ms": starts, "first_answer_ms": firsts, "own_ms": own, "question_ms": totals,
            "resident_mb": resident}


# -- the large table ------------------------------------------------------------------------------


def count(stack: retrieval.Stack, sql: str) -> str:
    url = (stack.folder / ".ragstack/local/bench/postgres.url").read_text().strip()
    return subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", url], input=sql, text=True, check=True,
                          stdout=subprocess.PIPE).stdout.strip()


def embed(models_url: str, text: str) -> str:
    request = urllib.request.Request(f"{models_url}/model/amazon.titan-embed-text-v2%3A0/invoke",
                                     json.dumps({"inputText": text, "dimensions": 512}).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.dumps(json.load(reply)["embedding"])


def recall(stack: retrieval.Stack, models_url: str, questions: list[str]) -> float:
    """Of the nearest ten units by the exact scan, how many the index finds; with the settings that the schema gives."""
    vectors = [embed(models_url, question) for question in questions]
    near = "SELECT string_agg(document || '/' || passage || '/' || place, ' ') FROM (SELECT document, passage, place FROM " \
           "rag.units ORDER BY embedding <=> '{}'::halfvec LIMIT {}) x;\n"
    found = count(stack, "".join(near.format(vector, TOP) for vector in vectors)).splitlines()
    exact = count(stack, "SET enable_indexscan = off; SET max_parallel_workers_per_gather = 2;\n" +
                  "".join(near.format(vector, TOP) for vector in vectors)).splitlines()
    return sum(len(set(a.split()) & set(b.split())) for a, b in zip(found, exact)) / (TOP * len(vectors))


def fill(stack: retrieval.Stack, build: pathlib.Path, passages: int) -> dict[str, Any]:
    """Documents until there are so many passages; then the index."""
    texts = retrieval.write_distractors(build, passages)  # one passage each, at least
    return json.loads(stack.run("ingest", "--local", "--json", "--prefix", "debian/", "--at-once", "8", str(texts)))["summary"]


class Control:
    """The supervisor of the stack, to run its schema function and to see its endpoint."""

    def __init__(self, stack: retrieval.Stack) -> None:
        self.where = json.loads((stack.folder / ".ragstack/local/bench/supervisor.json").read_text())

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self.where['port']}{path}",
                                         None if body is None else json.dumps(body).encode(),
                                         {"Authorization": self.where["token"]}, method=method)
        with urllib.request.urlopen(request, timeout=600) as reply:
            return json.load(reply)


def time_second_start(stack: retrieval.Stack, question: str) -> float:
    stack.run("down", "--local", "--yes")
    started = time.perf_counter()
    stack.run("up", "--local", "--yes")
    stack.run("ask", "--local", question)
    return time.perf_counter() - started


# -- printing -------------------------------------------------------------------------------------


def print_handlers(ours: dict[str, Any], python: dict[str, Any], zips: tuple[float, float], runs: int) -> None:
    rows = [(f"exec to the first `next`, ms (n={runs})", "first_next_ms"), ("exec to the first answer, ms", "first_answer_ms"),
            ("a question without models and database, ms", "own_ms"), ("a question in all, ms", "question_ms"),
            ("resident memory at most, MB", "resident_mb")]
    print("| median | C | Python | ratio |\n| --- | --- | --- | --- |")
    for name, key in rows:
        a, b = median(ours[key]), median(python[key])
        print(f"| {name} | {a:.2f} | {b:.2f} | {b / a:.1f} |")
    print(f"| zip, MB | {zips[0]:.2f} | {zips[1]:.2f} | {zips[1] / zips[0]:.1f} |")


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("handlers.py: ended"))  # so that the stack is taken down
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--passages", type=int, default=50000)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--questions", type=int, default=200)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    rows = yaml.safe_load((ROOT / "examples" / "questions.yaml").read_text())
    questions = [row["question"] for row in rows["answered"]]
    zips = (next(build.glob("handler-*.zip")).stat().st_size / 1e6, 0.0)
    python_root = prepare_python(build)
    zips = (zips[0], zip_mb(python_root))
    with retrieval.Stack(build) as stack:
        stack.run("ingest", "--local", str(HANDBOOK))
        second_s = [time_second_start(stack, questions[0]) for _ in range(3)]
        control = Control(stack)
        state = control.call("GET", "/state")
        models_url = f"http://127.0.0.1:{state['models']['port']}"
        config = state["functions"]["ask"]["config"]
        environment = {**{name: str(text) for name, text in config["environment"].items()}, "_HANDLER": "ask",
                       "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local",
                       "AWS_SECRET_ACCESS_KEY": "local", "AWS_EC2_METADATA_DISABLED": "true", "PATH": os.environ["PATH"]}
        own_root = next(stack.folder.glob(".ragstack/local/bench/code/*"))
        ours = measure_handler([str(own_root / "bootstrap")], own_root, environment, questions, arguments.runs)
        python = measure_handler([sys.executable, str(python_root / "bootstrap")], python_root,
                                 {**environment, "PYTHONPATH": str(python_root)}, questions, arguments.runs)
        print_handlers(ours, python, zips, arguments.runs)
        print(f"\n`up --local` and the first answer, with what is there already: {median(second_s):.2f} s", flush=True)
        summary = fill(stack, build, arguments.passages)
        started = time.perf_counter()
        report = control.call("POST", "/functions/schema/invoke", {
            "ragstack": "schema", "embedder": environment["RAG_EMBED_MODEL"], "dimensions": 512})
        index_s = time.perf_counter() - started
        asked = (questions * (arguments.questions // len(questions) + 1))[:arguments.questions]
        handler = Handler([str(own_root / "bootstrap")], own_root, environment)
        searches = [handler.ask(question)[1]["timings_ms"]["search"] for question in questions + asked][len(questions):]
        handler.end()
        share = recall(stack, models_url, questions)
        stored = count(stack, "SELECT count(*) FROM rag.passages")
    print(f"\n| {int(stored):,} passages, {report['units']:,} units | |\n| --- | --- |")
    print(f"| ingest, passages a second | {summary['passages'] * 1000 / summary['took_ms']:.0f} |")
    print(f"| the index, s | {index_s:.1f} ({'there' if report['hnsw'] else 'NOT there'}) |")
    print(f"| search, ms: p50, p99 (n={len(searches)}) | {median(searches):.1f}, {percentile(searches, 0.99):.1f} |")
    print(f"| recall@10 beside the exact scan (n={len(questions)}) | {share:.3f} |")
    print("\nRaw rows:\n")
    print(json.dumps({"c": ours, "python": python, "second_start_s": second_s, "search_ms": searches, "ingest": summary}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
