"""What the command line's suites share: runs with a handler of their own, a terminal, schemas."""

from __future__ import annotations

import atexit
import errno
import functools
import json
import os
import pathlib
import pty
import re
import select
import socket
import sys
import tempfile
import time
import unittest
import zipfile
from typing import Any

import jsonschema

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "aws"))

import harness  # noqa: E402

ESCAPE = re.compile(r"\x1b")

# The smallest stack whose database may be taken down.
STACK = """\
stack: demo
region: us-east-1
database:
  proxy: false
  deletion_protection: false
"""


def write_handler(folder: pathlib.Path, text: str = "#!/bin/sh\n") -> pathlib.Path:
    """A handlers' zip of our own: the same bytes for the same text."""
    path = folder / "handler.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0)), text)
    return path


@functools.cache
def schema(name: str) -> jsonschema.Draft202012Validator:
    document = json.loads((HERE / "schemas" / f"{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


class Assertions(unittest.TestCase):
    program: harness.Program

    def ragstack(self, *arguments: str, **options: Any) -> harness.Result:
        return self.program.run(*arguments, **options)

    def status(self, expected: int, *arguments: str, **options: Any) -> harness.Result:
        """A run with this exit status."""
        result = self.ragstack(*arguments, **options)
        self.assertEqual(result.status, expected, result)
        return result

    def fits(self, name: str, document: Any) -> None:
        for error in schema(name).iter_errors(document):
            path = "/".join(map(str, error.absolute_path))
            self.fail(f"{name}: {path}: {error.message}")

    def json_of(self, name: str, expected: int, *arguments: str, **options: Any) -> Any:
        """A run's stdout, which is one JSON document of this schema."""
        result = self.status(expected, *arguments, **options)
        document = json.loads(result.stdout)
        self.fits(name, document)
        return document

    def plain(self, result: harness.Result) -> harness.Result:
        self.assertNotRegex(result.stdout, ESCAPE)
        self.assertNotRegex(result.stderr, ESCAPE)
        return result


class OfflineCase(Assertions):
    """For what must work without AWS: nothing listens at the endpoint."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ragstack-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program = harness.Program(self.folder, "http://127.0.0.1:9")

    def write(self, name: str, text: str) -> pathlib.Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


class CloudCase(Assertions, harness.TestCase):
    """With the emulator behind it, and a stack file."""

    stack = STACK
    shared: harness.Gateway | None = None  # one for all classes of a suite: each test empties it

    @classmethod
    def setUpClass(cls) -> None:
        if CloudCase.shared is None:
            CloudCase.shared = harness.Gateway()
            atexit.register(CloudCase.shared.stop)
        cls.gateway = CloudCase.shared

    def setUp(self) -> None:
        super().setUp()
        self.program.environment["RAGSTACK_HANDLER_ZIP"] = str(write_handler(self.folder))
        self.write("ragstack.yaml", self.stack)

    def changing_calls(self) -> list[str]:
        return self.gateway.changing_operations()


class Silence:
    """An endpoint that takes connections and never answers."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def wait_for_call(self, timeout_s: float = 30) -> None:
        self._socket.settimeout(timeout_s)
        self._kept, _ = self._socket.accept()

    def close(self) -> None:
        self._socket.close()
        self._kept.close()


class Terminal:
    """The program on a terminal of its own; stdout goes elsewhere when a pipe is asked for."""

    def __init__(self, program: harness.Program, *arguments: str, env: dict[str, str | None] | None = None,
                 columns: int = 100, lines: int = 40) -> None:
        merged = {**program.environment, "TERM": "xterm-256color", **(env or {})}
        environment = {name: value for name, value in merged.items() if value is not None}
        self.seen = ""
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(program.folder)
            path = str(harness.build() / "ragstack")
            os.execve(path, [path, *arguments], environment)
        import fcntl
        import struct
        import termios
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read_until(self, text: str | None, timeout_s: float = 60) -> str:
        """All that was shown, once `text` is in it; None: up to the end."""
        end = time.monotonic() + timeout_s
        while text is None or text not in self.seen:
            ready, _, _ = select.select([self.descriptor], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"waited for {text!r}; seen:\n{self.seen}")
            try:
                piece = os.read(self.descriptor, 65536)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                piece = b""
            if not piece:
                break
            self.seen += piece.decode(errors="replace")
        return self.seen

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def end(self) -> int:
        """Its exit status."""
        self.read_until(None)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.descriptor)
        return os.waitstatus_to_exitcode(status)
