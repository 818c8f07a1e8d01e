#!/usr/bin/env python3
"""AWS on loopback for the tests: moto, made honest.

Every request's signature is recomputed, every parameter is checked against AWS's own models, and
where moto is known to differ from AWS the answer is corrected (corrections/). What a request does
wrong is answered as AWS would, and kept: a test that caused it must fail.

  GET  /_gateway/violations        what was wrong since the last reset
  GET  /_gateway/requests          counts by service and operation, and the log in order
  POST /_gateway/reset             forget both; with ?state=1 also every resource
  GET, POST, DELETE /_gateway/faults   delays and faults (faults.py)
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
import traceback
from collections import Counter
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import corrections
from call import Call
from emulator import Emulator
from faults import Faults
from judge import Key, Keys, SignatureJudge, judge_parameters, model_error
from messages import AwsError, Reply, Request, error_reply
from operations import Scope, Target, find_operation, read_scope

DEFAULT_KEY = "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
MAX_BODY_BYTES = 64 << 20


@dataclass
class Violation:
    kind: str  # signature | model | emulator
    service: str
    operation: str
    code: str
    message: str
    order: int


@dataclass
class Entry:
    order: int
    service: str
    operation: str
    region: str
    status: int
    started_ms: float
    ms: float


class Journal:
    """What happened, for tests to ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self.violations: list[Violation] = []
        self.entries: list[Entry] = []

    def next_order(self) -> int:
        with self._lock:
            self._order = getattr(self, "_order", 0) + 1
            return self._order

    def violate(self, kind: str, target: Target | None, code: str, message: str, order: int) -> None:
        service, operation = (target.service, target.operation.name) if target else ("", "")
        with self._lock:
            self.violations.append(Violation(kind, service, operation, code, message, order))

    def record(self, order: int, target: Target | None, scope: Scope | None, status: int, began: float) -> None:
        service, operation = (target.service, target.operation.name) if target else ("", "")
        now = time.monotonic()
        entry = Entry(order, service, operation, scope.region if scope else "", status,
                      round((began - self._started) * 1e3, 3), round((now - began) * 1e3, 3))
        with self._lock:
            self.entries.append(entry)

    def clear(self) -> None:
        with self._lock:
            self.violations.clear()
            self.entries.clear()

    def requests(self) -> dict[str, Any]:
        with self._lock:
            entries = sorted(self.entries, key=lambda entry: entry.order)
        counts = Counter(f"{entry.service}.{entry.operation}" for entry in entries)
        return {"total": len(entries), "counts": dict(sorted(counts.items())), "log": list(map(asdict, entries))}


class Gateway:
    def __init__(self, keys: Keys, plain: bool = False, clock_offset_s: float = 0) -> None:
        self.keys = keys
        self.plain = plain
        self.emulator = Emulator(quick=not plain)
        self.faults = Faults()
        self.journal = Journal()
        self.signatures = SignatureJudge(keys, lambda: time.time() + clock_offset_s)
        self._lock = threading.RLock()  # moto, and the checks before it, run one at a time
        corrections.load()

    def handle(self, request: Request) -> Reply:
        if request.path.startswith("/_gateway/"):
            return self.control(request)
        if self.plain:
            return self.emulator.call(request)
        began, order, scope = time.monotonic(), self.journal.next_order(), read_scope(request)
        target: Target | None = None
        try:
            target = find_operation(request, scope)
            reply = self.judged(request, target, scope, order)
        except AwsError as error:
            protocol, service = (target.protocol, target.service) if target else _guess_family(request, scope)
            if target is None:
                self.journal.violate("model", None, error.code, error.message, order)
            reply = error_reply(error, protocol, service, request.method)
        self.journal.record(order, target, scope, reply.status, began)
        return reply

    def judged(self, request: Request, target: Target, scope: Scope | None, order: int) -> Reply:
        try:
            self.signatures.judge(request, target, scope)
        except AwsError as error:
            self.journal.violate("signature", target, error.code, error.message, order)
            raise
        params, problems = judge_parameters(request, target)
        if problems:
            error = model_error(problems, target)
            self.journal.violate("model", target, error.code, error.message, order)
            raise error
        fault = self.faults.before(target.service, target.operation.name)
        if fault:
            return fault
        call = Call(request, target, scope.region if scope else "us-east-1",
                    scope.access_key if scope else "", self.emulator, self.keys, params)
        return self.emulated(call, order)

    def emulated(self, call: Call, order: int) -> Reply:
        """moto failing is the emulator's lack, not AWS's answer: it is said loudly."""
        try:
            with self._lock:
                reply = corrections.answer(call)
            if reply.status < 500:
                return reply
            message = reply.body[:2000].decode("utf-8", "replace")
        except AwsError:
            raise
        except Exception as error:  # whatever moto raises
            traceback.print_exc()
            message = f"{type(error).__name__}: {error}"
        self.journal.violate("emulator", call.target, "InternalFailure", message, order)
        raise AwsError("InternalFailure", f"the emulator failed: {message}", 500)

    # -- what tests ask of the gateway itself -----------------------------------------------------

    def control(self, request: Request) -> Reply:
        name = request.path.removeprefix("/_gateway/")
        if name == "violations" and request.method == "GET":
            return _json({"violations": [asdict(violation) for violation in self.journal.violations]})
        if name == "requests" and request.method == "GET":
            return _json(self.journal.requests())
        if name == "reset" and request.method == "POST":
            self.journal.clear()
            self.faults.clear()
            if parse_qs(request.query).get("state") == ["1"]:
                with self._lock:
                    self.emulator.reset()
            return _json({})
        if name == "faults":
            return _json({"faults": self.faults.rules})
        return _json({"error": "no such thing"}, 404)


def _json(value: Any, status: int = 200) -> Reply:
    return Reply(status, [("Content-Type", "application/json")], json.dumps(value).encode())


def _guess_family(request: Request, scope: Scope | None) -> tuple[str, str]:
    """Protocol and service to word an error in, where no operation was found."""
    if request.header("X-Amz-Target"):
        return "json", ""
    if scope and scope.signing_name == "s3":
        return "rest-xml", "s3"
    if request.header("Content-Type").startswith("application/x-www-form-urlencoded"):
        return ("ec2" if scope and scope.signing_name == "ec2" else "query"), ""
    return "rest-json", ""


# -- HTTP ------------------------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120
    gateway: Gateway

    def do(self) -> None:
        try:
            body = self.read_body()
        except ValueError as error:
            self.send_error(400, str(error))
            self.close_connection = True
            return
        request = Request(self.command, self.path, list(self.headers.items()), body)
        try:
            reply = self.gateway.handle(request)
        except Exception as error:
            traceback.print_exc()
            reply = Reply(500, [("Content-Type", "text/html")], f"<html><title>500</title>{error}</html>".encode())
        self.send_reply(reply)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = do

    def handle_expect_100(self) -> bool:
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self.read_chunks()
        size = int(self.headers.get("Content-Length") or 0)
        if size > MAX_BODY_BYTES:
            raise ValueError("body too large")
        return self.rfile.read(size) if size else b""

    def read_chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def send_reply(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for key, value in reply.headers:
            self.send_header(key, value)
        if not reply.header("Content-Length"):
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(self.gateway.signatures.now())

    def version_string(self) -> str:
        return "AmazonEC2"

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            traceback.print_exc()


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="AWS on loopback for the tests: moto, made honest.")
    parser.add_argument("--port", type=int, default=0, help="0, the default, lets the kernel pick one")
    parser.add_argument("--plain", action="store_true", help="moto as it is: nothing judged, nothing corrected")
    parser.add_argument("--key", action="append", metavar="ID:SECRET[:TOKEN]", help="a key to accept; repeatable")
    parser.add_argument("--clock-offset", type=float, default=0, metavar="S", help="the gateway's clock is off by this")
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started this one ends")
    return parser.parse_args()


def end_with_parent() -> None:
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    arguments = read_arguments()
    keys = Keys()
    for text in arguments.key or [DEFAULT_KEY]:
        access_key, secret, *token = text.split(":", 2)
        keys.add(access_key, Key(secret, token[0] if token else ""))
    if arguments.with_parent:
        end_with_parent()
    Handler.gateway = Gateway(keys, arguments.plain, arguments.clock_offset)
    server = Server(("127.0.0.1", arguments.port), Handler)
    print(f"listening http://127.0.0.1:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
