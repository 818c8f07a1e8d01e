#!/usr/bin/env python3
"""AWS on loopback for the tests: moto, made honest.

Every request's signature is recomputed, every parameter is checked against AWS's own models, and
where moto is known to differ from AWS the answer is corrected (corrections/). What a request does
wrong is answered as AWS would, and kept: a test that caused it must fail.

  GET  /_gateway/violations        what was wrong since the last reset
  GET  /_gateway/requests          counts by service and operation, and the log in order
  POST /_gateway/reset             forget both; with ?state=1 also every resource
  GET /_gateway/inventory          what stands in a region (?region=), to compare (inventory.py)
  GET, POST, DELETE /_gateway/faults   faults on purpose: see, add, forget (faults.py)
  POST /_gateway/advance           lets so many of AWS's seconds pass
  POST /_gateway/pid               which process a fault may kill
  POST /_gateway/fork              another gateway that begins with the state of this one
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from collections import Counter
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from moto.core.exceptions import ServiceException

import corrections
import pages
from asynchronous import answer
from call import Call
from crowd import invite
from delays import SECONDS, Delays
from emulator import Emulator
from faults import Disconnect, Faults, Rule, changes
from inventory import inventory
from judge import Key, Keys, SignatureJudge, judge_parameters, model_error
from limits import Limits
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
    changing: bool


class Journal:
    """What happened, for tests to ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._order = 0
        self.violations: list[Violation] = []
        self.entries: list[Entry] = []

    def next_order(self) -> int:
        with self._lock:
            self._order += 1
            return self._order

    def violate(self, kind: str, target: Target | None, code: str, message: str, order: int) -> None:
        service, operation = (target.service, target.operation.name) if target else ("", "")
        with self._lock:
            self.violations.append(Violation(kind, service, operation, code, message, order))

    def record(self, order: int, target: Target | None, scope: Scope | None, status: int, began: float) -> None:
        service, operation = (target.service, target.operation.name) if target else ("", "")
        now = time.monotonic()
        entry = Entry(order, service, operation, scope.region if scope else "", status,
                      round((began - self._started) * 1e3, 3), round((now - began) * 1e3, 3), changes(operation))
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
    def __init__(self, keys: Keys, plain: bool = False, clock_offset_s: float = 0, faults: Faults | None = None,
                 delays: Delays | None = None, limits: Limits | None = None, others: tuple[int, int] = (0, 0)) -> None:
        self.keys = keys
        self.plain = plain
        self.delays = delays or Delays()
        self.limits = limits or Limits()
        self.emulator = Emulator(quick=not plain)
        self.faults = faults or Faults()
        self.journal = Journal()
        self.signatures = SignatureJudge(keys, lambda: time.time() + clock_offset_s)
        self._lock = threading.RLock()  # moto, and the checks before it, run one at a time
        self.others = others
        corrections.load()
        self.invite_others()

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
        except Disconnect:
            self.journal.record(order, target, scope, 0, began)
            raise
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
        call = Call(request, target, scope.region if scope else "us-east-1",
                    scope.access_key if scope else "", self.emulator, self.keys, params, delays=self.delays)
        with self._lock:
            self.limits.check(target, call.region)
            rule = self.faults.choose(target)
            reply = self.faulty(call, rule, order) if rule else self.emulated(call, order)
        if reply.delay_s:
            time.sleep(reply.delay_s)
        return reply

    def faulty(self, call: Call, rule: Rule, order: int) -> Reply:
        """The call with what a fault does to it: before it has an effect, or after."""
        self.faults.before(rule, call.target)
        try:
            reply = self.emulated(call, order)
        except AwsError as error:
            reply = error_reply(error, call.target.protocol, call.service, call.request.method)
        return self.faults.after(rule, call.target, reply)

    def emulated(self, call: Call, order: int) -> Reply:
        """moto failing is the emulator's lack, not AWS's answer: it is said loudly."""
        try:
            reply = answer(call)
            if reply.status < 500:
                return reply
            message = reply.body[:2000].decode("utf-8", "replace")
        except AwsError:
            raise
        except ServiceException as error:  # a correction asked moto for what is not there
            raise AwsError(error.code, error.message) from None
        except Exception as error:  # whatever else moto raises
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
                    self.delays.clear()
                    self.limits.clear()
                    self.invite_others()
            return _json({})
        if name == "inventory" and request.method == "GET":
            return _json(self.inventory(parse_qs(request.query).get("region", ["us-east-1"])[0]))
        if name == "faults":
            return self.control_faults(request)
        if name == "pid" and request.method == "POST":
            self.faults.tell_pid(json.loads(request.body)["pid"])
            return _json({})
        if name == "advance" and request.method == "POST":
            with self._lock:
                self.delays.advance(json.loads(request.body)["seconds"])
                return _json({})
        if name == "fork" and request.method == "POST":
            return _json(self.fork())
        return _json({"error": "no such thing"}, 404)

    def control_faults(self, request: Request) -> Reply:
        with self._lock:
            if request.method == "POST":
                self.faults.add(json.loads(request.body))
            elif request.method == "DELETE":
                self.faults.clear()
            return _json({"faults": self.faults.view()})

    def a_call(self, region: str) -> Call:
        """One that nobody made, for what wants a view of a region."""
        return Call(None, None, region, "", self.emulator, self.keys, delays=self.delays)  # type: ignore[arg-type]

    def invite_others(self) -> None:
        if any(self.others):
            invite(self.a_call("us-east-1"), *self.others)

    def inventory(self, region: str) -> dict[str, int]:
        with self._lock:
            self.delays.run_due()
            return inventory(self.a_call(region))

    # -- a copy of the world ----------------------------------------------------------------------

    def fork(self) -> dict[str, Any]:
        """The child has this thread alone, under the lock: the world does not move meanwhile."""
        gc.freeze()  # what is there already is shared, and not written to
        reader, writer = os.pipe()
        with self._lock:
            child = os.fork()
            if child == 0:
                os.close(reader)
                self.begin_again(writer)
        os.close(writer)
        with os.fdopen(reader) as lines:
            return {"pid": child, "url": lines.readline().strip()}

    def begin_again(self, writer: int) -> None:
        """In the child: its own locks, its own journal, its own port; never returns."""
        _let_sockets_go()
        self._lock = threading.RLock()
        self.journal = Journal()
        self.faults.clear()
        end_with_parent()
        server = Server(("127.0.0.1", 0), Handler)
        os.write(writer, f"{url_of(server)}\n".encode())
        os.close(writer)
        server.serve_forever()
        os._exit(0)


def _let_sockets_go() -> None:
    """Those of the process that this one was forked from. Their numbers stay taken, since objects that
    are left over may still close them."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                os.dup2(nothing, int(name))
        except OSError:
            pass


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
        except Disconnect:
            self.reset()
            return
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
        if reply.sent_bytes >= 0:
            self.wfile.write(reply.body[:reply.sent_bytes])
            self.wfile.flush()
            self.reset()
            return
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()

    def reset(self) -> None:
        """Ends the connection as a broken network does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

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


def url_of(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


def read_delay(text: str) -> tuple[str, tuple[float, float]]:
    name, _, seconds = text.partition("=")
    if name not in SECONDS:
        raise argparse.ArgumentTypeError(f"no such wait: {name}; there are: {', '.join(sorted(SECONDS))}")
    first, last = map(float, seconds.split(","))
    return name, (first, last)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="AWS on loopback for the tests: moto, made honest.")
    parser.add_argument("--port", type=int, default=0, help="0, the default, lets the kernel pick one")
    parser.add_argument("--plain", action="store_true", help="moto as it is: nothing judged, nothing corrected")
    parser.add_argument("--key", action="append", metavar="ID:SECRET[:TOKEN]", help="a key to accept; repeatable")
    parser.add_argument("--clock-offset", type=float, default=0, metavar="S", help="the gateway's clock is off by this")
    parser.add_argument("--seed", type=int, default=0, help="of what happens by chance")
    parser.add_argument("--time-scale", type=float, default=0, metavar="F",
                        help="AWS's waits, times this; 0, the default: everything is ready at once")
    parser.add_argument("--time-by-hand", action="store_true", help="AWS's waits pass when a test says so")
    parser.add_argument("--delay", action="append", default=[], metavar="NAME=FROM,TO", type=read_delay,
                        help="AWS's seconds of one wait of delays.py, in place of its own; repeatable")
    parser.add_argument("--limits", action="store_true", help="calls a second as AWS limits them")
    parser.add_argument("--page-size", type=int, default=0, metavar="N", help="no page is longer")
    parser.add_argument("--others", default="0,0", metavar="FUNCTIONS,DATABASES", help="inhabitants of us-east-1")
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
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # copies that have ended leave nothing behind
    pages.LARGEST[0] = arguments.page_size or pages.LARGEST[0]
    functions, databases = map(int, arguments.others.split(","))
    delays = Delays(arguments.time_scale, arguments.seed, arguments.time_by_hand, dict(arguments.delay))
    Handler.gateway = Gateway(keys, arguments.plain, arguments.clock_offset, Faults(arguments.seed), delays,
                              Limits(arguments.limits), (functions, databases))
    server = Server(("127.0.0.1", arguments.port), Handler)
    print(f"listening {url_of(server)}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
