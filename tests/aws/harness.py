"""What the suites against the emulator share: the gateway, the program, boto3 clients.

    class UpTest(harness.TestCase):
        def test_up(self):
            self.write("ragstack.yaml", "stack: demo\\nregion: us-east-1\\n")
            result = self.ragstack("up", "--yes")
            self.assertEqual(result.status, 0, result)

A suite has one gateway, each test finds it emptied and has a working folder of its own. A test
that caused a violation (a bad signature, a parameter that AWS does not have, something that the
emulator cannot do) fails, unless it took them with `take_violations`.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ACCOUNT = "123456789012"
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
REGION = "us-east-1"


def build() -> pathlib.Path:
    """The folder of the binaries under test: RAGSTACK_BUILD or BUILD, else build/debug."""
    return ROOT / (os.environ.get("RAGSTACK_BUILD") or os.environ.get("BUILD") or "build/debug")


class Gateway:
    """A gateway process; it ends with this one, whatever happens."""

    def __init__(self, *options: str) -> None:
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "gateway.py"), "--port", "0", "--with-parent", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors, text=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        line = self._process.stdout.readline()
        if not line.startswith("listening "):
            self.stop()
            raise RuntimeError(f"the gateway did not start: {line!r}\n{self.errors()}")
        self.url = line.split()[1]

    def errors(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_gateway/{path}", method=method, data=data)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def copy(self) -> Copy:
        """Another gateway, which begins with the state of this one and goes its own way."""
        made = self.ask("fork", "POST")
        return Copy(made["url"], made["pid"])

    def fault(self, kind: str, **rule: Any) -> None:
        """What it takes: faults.py."""
        self.ask("faults", "POST", {"kind": kind, **rule})

    def faults(self) -> list[dict[str, Any]]:
        return self.ask("faults")["faults"]

    def forget_faults(self) -> None:
        self.ask("faults", "DELETE")

    def advance(self, seconds: float) -> None:
        """Lets so many of AWS's seconds pass."""
        self.ask("advance", "POST", {"seconds": seconds})

    def tell_pid(self, pid: int) -> None:
        """The process that a fault may kill."""
        self.ask("pid", "POST", {"pid": pid})

    def inventory(self, region: str = REGION) -> dict[str, int]:
        return self.ask(f"inventory?region={region}")

    def violations(self) -> list[dict[str, Any]]:
        return self.ask("violations")["violations"]

    def requests(self) -> dict[str, Any]:
        return self.ask("requests")

    def changing_calls(self) -> list[dict[str, Any]]:
        """Those of the requests that change something, in order."""
        return [entry for entry in self.requests()["log"] if entry["changing"]]

    def changing_operations(self) -> list[str]:
        """Their operations, without those on objects, which are the ledger's own."""
        return [entry["operation"] for entry in self.changing_calls()
                if entry["operation"] not in ("PutObject", "DeleteObject", "DeleteObjects")]

    def reset(self, state: bool = False) -> None:
        self.ask("reset?state=1" if state else "reset", "POST")

    def client(self, service: str, region: str = REGION, access_key: str = ACCESS_KEY,
               secret_key: str = SECRET_KEY, token: str | None = None, **config: Any) -> Any:
        settings = {"retries": {"max_attempts": 0}, "s3": {"addressing_style": "path"}, **config}
        return boto3.client(
            service, region_name=region, endpoint_url=self.url, aws_access_key_id=access_key,
            aws_secret_access_key=secret_key, aws_session_token=token, config=Config(**settings),
        )

    def pause(self) -> None:
        """Answers nothing until go_on."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()


class Copy(Gateway):
    """A gateway that another one forked."""

    def __init__(self, url: str, pid: int) -> None:
        self.url, self._pid = url, pid

    def errors(self) -> str:
        return ""  # what it says goes where its parent's words go

    def pause(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self._pid, signal.SIGCONT)

    def stop(self) -> None:
        try:
            os.kill(self._pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


@functools.cache
def shared_gateway(*options: str) -> Gateway:
    """One for all classes of a suite: loading AWS's models takes longer than most tests."""
    gateway = Gateway(*options)
    atexit.register(gateway.stop)
    return gateway


@dataclass
class Result:
    """What a run of the program left."""

    arguments: list[str]
    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    def __str__(self) -> str:
        return (f"$ ragstack {' '.join(self.arguments)}\n[status {self.status}]\n"
                f"-- stdout\n{self.stdout}\n-- stderr\n{self.stderr}")


class Program:
    """Runs ragstack in a folder, with a home, keys and an endpoint of its own."""

    def __init__(self, folder: pathlib.Path, url: str, timeout_s: float = 60) -> None:
        self.folder = folder
        self.timeout_s = timeout_s
        home = folder / ".home"
        home.mkdir(parents=True, exist_ok=True)
        keep = ("PATH", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS",
                "GCOV_PREFIX", "GCOV_PREFIX_STRIP")
        self.environment = {
            **{name: os.environ[name] for name in keep if name in os.environ},
            "HOME": str(home), "TMPDIR": str(home), "LC_ALL": "C.UTF-8", "TERM": "dumb",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_ENDPOINT_URL": url, "AWS_EC2_METADATA_DISABLED": "true",
        }

    def run(self, *arguments: str, env: dict[str, str | None] | None = None, stdin: str | None = None,
            timeout_s: float | None = None) -> Result:
        """A run to its end; one that takes too long is killed, and its status is that of the signal."""
        process = self.start(*arguments, env=env, stdin=stdin)
        timer = threading.Timer(timeout_s or self.timeout_s, lambda: os.killpg(process.pid, signal.SIGKILL))
        timer.start()
        try:
            stdout, stderr = process.communicate(stdin)
        finally:
            timer.cancel()
        return Result(list(arguments), process.returncode, stdout, stderr)

    def start(self, *arguments: str, env: dict[str, str | None] | None = None,
              stdin: str | None = None) -> subprocess.Popen[str]:
        merged = {**self.environment, **(env or {})}
        return subprocess.Popen(
            [str(build() / "ragstack"), *arguments], cwd=self.folder,
            env={name: value for name, value in merged.items() if value is not None},
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )


class TestCase(unittest.TestCase):
    """A test with a gateway behind it and a folder of its own."""

    gateway_options: tuple[str, ...] = ()
    gateway: Gateway

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.gateway = shared_gateway(*cls.gateway_options)

    def setUp(self) -> None:
        super().setUp()
        self.gateway.reset(state=True)
        folder = tempfile.TemporaryDirectory(prefix="ragstack-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program = Program(self.folder, self.gateway.url)
        self.addCleanup(self._check_violations)

    def _check_violations(self) -> None:
        violations = self.gateway.violations()
        if violations:
            lines = [f"{v['kind']}: {v['service']} {v['operation']}: {v['code']}: {v['message']}" for v in violations]
            self.fail("violations:\n  " + "\n  ".join(lines))

    def take_violations(self) -> list[dict[str, Any]]:
        """The violations so far, which the test expects: they no longer fail it."""
        violations = self.gateway.violations()
        self.gateway.reset()
        return violations

    def client(self, service: str, region: str = REGION, **options: Any) -> Any:
        return self.gateway.client(service, region, **options)

    def write(self, name: str, text: str) -> pathlib.Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def ragstack(self, *arguments: str, **options: Any) -> Result:
        return self.program.run(*arguments, **options)

    def must(self, *arguments: str, **options: Any) -> Result:
        """A run that has to succeed."""
        result = self.ragstack(*arguments, **options)
        self.assertEqual(result.status, 0, result)
        return result
