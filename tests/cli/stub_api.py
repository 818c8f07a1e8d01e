"""A stack's HTTP API as the commands see it: keeps documents, answers from a list, checks signatures.

    api = StubApi(access_key="AKID", secret_key="secret")    # or StubApi(token="t"), or StubApi()
    api.answers.append(reply)                                 # or (status, headers, body)
"""

from __future__ import annotations

import http.server
import json
import threading
import urllib.parse
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

LARGEST_BODY = 5 << 20


def answered(text: str = "Twenty-five days [1].", **more: Any) -> dict[str, Any]:
    return {
        "outcome": "answered", "answer": text, "no_answer": False,
        "citations": [{"number": 1, "document": "leave.md", "title": "Leave", "source": "handbook/leave.md",
                       "quote": "Everybody has twenty-five days.", "start": 10, "end": 41}],
        "timings_ms": {"embed": 10.5, "search": 3.25, "generate": 200.0, "total": 214.0},
        "usage": {"input_tokens": 812, "output_tokens": 45, "embed_tokens": 9, "usd": 0.0012,
                  "prices": "2026-11", "model": "a-model"},
        "prompt": "0123456789ab", **more,
    }


def no_answer(reason: str = "floor") -> dict[str, Any]:
    return {
        "outcome": "no_answer", "answer": "", "no_answer": True, "reason": reason, "citations": [],
        "nearest": [{"document": "travel.md", "title": "Travel", "heading": "Trains", "similarity": 0.31},
                    {"document": "leave.md", "title": "Leave", "heading": "", "similarity": 0.29}],
        "timings_ms": {"embed": 9.0, "search": 3.0, "generate": 0, "total": 12.0},
        "usage": {"input_tokens": 0, "output_tokens": 0, "embed_tokens": 9, "usd": 0, "prices": "2026-11"},
        "prompt": "",
    }


def passages_only() -> dict[str, Any]:
    return {**no_answer("late"), "outcome": "passages_only", "no_answer": False, "nearest": [],
            "passages": [{"document": "leave.md", "title": "Leave", "heading": "", "similarity": 0.7,
                          "text": "Everybody has twenty-five days.", "start": 0, "end": 31}]}


def explained(reply: dict[str, Any], documents: list[str], best: float | None = 0.6, **more: Any) -> dict[str, Any]:
    """As the ask function replies to "explain": what was found, best first."""
    return {**reply, "explain": {"top_k": 6, "floor": 0.38, "best": best, "embedder": "an-encoder", "hits": [
        {"document": one, "title": one, "heading": "", "similarity": 0.5, "lexical": 0.1, "score": 0.5, "start": 0,
         "end": 9} for one in documents], **more}}


def problem(status: int, title: str, detail: str, **headers: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    return (status, {"Content-Type": "application/problem+json", **headers},
            {"type": "about:blank", "title": title, "status": status, "detail": detail})


class StubApi(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, access_key: str = "", secret_key: str = "", region: str = "us-east-1", token: str = "",
                 base: str = "") -> None:
        super().__init__(("127.0.0.1", 0), StubRequest)
        self.keys, self.region, self.token, self.base = (access_key, secret_key), region, token, base
        self.url = f"http://127.0.0.1:{self.server_port}{base}"
        self.lock = threading.Lock()
        self.answers: list[Any] = []  # for /ask, in order
        self.known: dict[str, Any] = {}  # or by the question
        self.refusals: list[Any] = []  # given before anything else
        self.questions: list[dict[str, Any]] = []
        self.documents: dict[str, dict[str, Any]] = {}
        self.requests: list[str] = []
        self.under_way = self.most_under_way = 0
        self.delay_s = 0.0
        self.refused_ids: set[str] = set()  # a batch that holds one of these gets 400
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_arguments: Any) -> None:
        """A program that was interrupted does not read its reply."""


class StubRequest(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StubApi

    def log_message(self, *_arguments: Any) -> None:
        pass

    def reply(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    # -- who may --

    def signature_fits(self, body: bytes) -> bool:
        """The same request, signed by botocore, has the same signature."""
        given = self.headers.get("Authorization", "")
        names = given.split("SignedHeaders=")[-1].split(",")[0].split(";")
        request = AWSRequest(self.command, f"http://{self.headers['Host']}{self.path}", data=body,
                             headers={name: self.headers[name] for name in names if name != "host"})
        request.context["timestamp"] = self.headers.get("X-Amz-Date", "")
        signer = SigV4Auth(Credentials(*self.server.keys), "execute-api", self.server.region)
        canonical = signer.canonical_request(request)
        expected = signer.signature(signer.string_to_sign(request, canonical), request)
        return given.endswith(f"Signature={expected}")

    def allowed(self, body: bytes) -> bool:
        if self.server.keys[0]:
            return self.signature_fits(body)
        if self.server.token:
            return self.headers.get("Authorization") == f"Bearer {self.server.token}"
        return "Authorization" not in self.headers

    # -- what it does --

    def serve(self) -> None:
        server, path = self.server, urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with server.lock:
            server.requests.append(f"{self.command} {self.path}")
            server.under_way += 1
            server.most_under_way = max(server.most_under_way, server.under_way)
            refusal = server.refusals.pop(0) if server.refusals else None
        threading.Event().wait(server.delay_s)
        try:
            if not self.allowed(body):
                self.reply(403, {"message": "Forbidden"})
            elif refusal:
                self.reply(refusal[0], refusal[2], refusal[1])
            else:
                self.route(path.path.removeprefix(server.base), urllib.parse.parse_qs(path.query), body)
        finally:
            with server.lock:
                server.under_way -= 1

    do_GET = do_POST = do_DELETE = do_PUT = serve

    def route(self, path: str, query: dict[str, list[str]], body: bytes) -> None:
        if (self.command, path) == ("POST", "/ask"):
            self.ask(json.loads(body))
        elif (self.command, path) == ("POST", "/documents"):
            self.put(body)
        elif (self.command, path) == ("GET", "/documents"):
            self.list(query.get("after", [""])[0], int(query.get("limit", ["100"])[0]))
        elif self.command == "DELETE" and path.startswith("/documents/"):
            with self.server.lock:
                known = self.server.documents.pop(urllib.parse.unquote(path.split("/", 2)[2]), None)
            self.reply(204 if known else 404)
        else:
            self.reply(404, {"message": "Not Found"})

    def ask(self, question: dict[str, Any]) -> None:
        with self.server.lock:
            self.server.questions.append(question)
            if question["question"] in self.server.known:
                answer = self.server.known[question["question"]]
            else:
                answer = self.server.answers.pop(0) if self.server.answers else no_answer()
        if isinstance(answer, tuple):
            self.reply(answer[0], answer[2], answer[1])
        else:
            self.reply(200, answer)

    def put(self, body: bytes) -> None:
        if self.headers["Content-Type"] != "application/json":
            return self.reply(415, {"title": "Unsupported Media Type"})
        if len(body) > LARGEST_BODY:
            return self.reply(413, {"title": "Content Too Large"})
        documents, rows = json.loads(body)["documents"], []
        bad = [document["id"] for document in documents if document["id"] in self.server.refused_ids]
        if bad:
            status, headers, body = problem(400, "Bad Request", f"{bad[0]} is refused")
            return self.reply(status, body, headers)
        with self.server.lock:
            for document in documents:
                same = self.server.documents.get(document["id"]) == document
                self.server.documents[document["id"]] = document
                rows.append({"id": document["id"], "status": "unchanged" if same else "stored", "passages": 1,
                             "units": 2, "embedded": 0 if same else 2})
        self.reply(200, {"documents": rows, "usage": {"input_tokens": 1, "usd": 0}})

    def list(self, after: str, limit: int) -> None:
        with self.server.lock:
            ids = sorted(one for one in self.server.documents if one > after)
            rows = [{"id": one, "title": self.server.documents[one]["title"],
                     "source": self.server.documents[one].get("source")} for one in ids[:limit]]
        self.reply(200, {"documents": rows, "next": ids[limit - 1] if len(ids) > limit else None})
