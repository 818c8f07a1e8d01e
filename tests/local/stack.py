"""A stack on this machine for a suite: `up --local` in a folder of its own, taken down whatever happens."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from typing import Any

import yaml

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / folder) for folder in ("cli", "aws")]

import harness  # noqa: E402

HANDBOOK = TESTS.parent / "examples" / "handbook"
QUESTIONS = yaml.safe_load((TESTS.parent / "examples" / "questions.yaml").read_text())
STACK = "stack: handbook\nregion: us-east-1\napi: {throttle: {rate: 1000, burst: 1000}}\n"
FETCH_S = 300  # the first time on a machine: PostgreSQL and the encoder


def new_folder(case: type[unittest.TestCase]) -> pathlib.Path:
    holder = tempfile.TemporaryDirectory(prefix="ragstack-local-")
    case.addClassCleanup(holder.cleanup)
    folder = pathlib.Path(holder.name)
    folder.chmod(0o755)  # PostgreSQL runs as another user when we are root
    return folder


class Supervisor:
    """The control of a supervisor, by the file that it leaves in its folder."""

    def __init__(self, path: pathlib.Path) -> None:
        where = json.loads(path.read_text())
        self.pid, self.url, self.token = where["pid"], f"http://127.0.0.1:{where['port']}", where["token"]

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Authorization": self.token}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, json.loads(reply.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def state(self) -> dict[str, Any]:
        return self.call("GET", "/state")[1]


class LocalCase(unittest.TestCase):
    """One stack for all tests of a class, with the handbook in it."""

    folder: pathlib.Path
    program: harness.Program
    settings: dict[str, str] = {}  # of the environment
    stack_text = STACK

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = new_folder(cls)
        cls.program = harness.Program(cls.folder, "http://127.0.0.1:9", timeout_s=FETCH_S)
        cls.program.environment.update(cls.settings)
        if os.geteuid() != 0:  # what was fetched once stays fetched
            cache = os.environ.get("XDG_CACHE_HOME") or str(pathlib.Path.home() / ".cache")
            cls.program.environment["XDG_CACHE_HOME"] = cache
        (cls.folder / "ragstack.yaml").write_text(cls.stack_text)
        cls.addClassCleanup(cls.program.run, "down", "--local", "--yes", "--allow-data-loss=database")
        cls.must("up", "--local", "--yes")
        cls.must("ingest", "--local", str(HANDBOOK))

    @classmethod
    def must(cls, *arguments: str, status: int = 0, **options: Any) -> harness.Result:
        result = cls.program.run(*arguments, **options)
        if result.status != status:
            raise AssertionError(f"{result}\n{cls.logs()}")
        return result

    @classmethod
    def logs(cls) -> str:
        texts = []
        for path in sorted(cls.folder.glob(".ragstack/local/*/logs/*")):
            texts.append(f"-- {path.name}\n" + "".join(path.read_text(errors="replace").splitlines(True)[-20:]))
        return "\n".join(texts)

    def ask(self, question: str, *options: str) -> dict[str, Any]:
        return self.must("ask", "--local", "--json", *options, question).json

    def ingest(self, *arguments: str, **options: Any) -> dict[str, Any]:
        return self.must("ingest", "--local", "--json", *arguments, **options).json["summary"]

    def url(self) -> str:
        return self.must("outputs", "--local", "api_url").stdout.strip()

    def status_of(self, method: str, path: str, body: Any = None) -> int:
        """For replies that are no JSON, too."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url() + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
        request = urllib.request.Request(self.url() + path, data, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                text = reply.read()
                return reply.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    @classmethod
    def supervisor(cls) -> Supervisor:
        (path,) = cls.folder.glob(".ragstack/local/*/supervisor.json")
        return Supervisor(path)

    @classmethod
    def processes(cls) -> list[int]:
        """The functions' processes: what the supervisor's threads have started."""
        found = []
        for task in pathlib.Path(f"/proc/{cls.supervisor().pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError):  # a thread that has ended meanwhile
                found += [int(word) for word in (task / "children").read_text().split()]
        return found

    def sql(self, text: str) -> str:
        run = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", self.database_url()], input=text, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout.strip()

    def database_url(self) -> str:
        (path,) = self.folder.glob(".ragstack/local/*/postgres.url")
        return path.read_text().strip()
