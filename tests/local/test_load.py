"""Many questions at once while the processes that answer them are killed: each gets an answer, or an error that says so.

LOAD_QUESTIONS=N asks so many (default: 2,000).
"""

import collections
import http.client
import http.server
import json
import os
import queue
import random
import signal
import threading
import time
import unittest
import urllib.parse

import stack
from stack import QUESTIONS

COUNT = int(os.environ.get("LOAD_QUESTIONS", "2000"))
CLIENTS = 8
KILL_EVERY_S = 0.25
OUTCOMES = {"answered", "no_answer", "passages_only"}


class Chat(http.server.BaseHTTPRequestHandler):
    """A language model that has its answer ready, so that the load is on everything else."""

    protocol_version = "HTTP/1.1"
    body = json.dumps({"choices": [{"message": {"content": "So it is [1]."}, "finish_reason": "stop"}],
                       "usage": {"prompt_tokens": 400, "completion_tokens": 5}}).encode()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_arguments):
        pass


class Killer(threading.Thread):
    """Ends one process of the functions after the other, as -9 does."""

    def __init__(self, processes) -> None:
        super().__init__(daemon=True)
        self.processes, self.killed, self.over = processes, 0, threading.Event()

    def run(self) -> None:
        chance = random.Random(1)
        while not self.over.wait(KILL_EVERY_S):
            try:
                os.kill(chance.choice(self.processes()), signal.SIGKILL)
                self.killed += 1
            except (IndexError, ProcessLookupError):
                pass  # it was being started anew

    def end(self) -> None:
        self.over.set()
        self.join()


class LoadTest(stack.LocalCase):
    @classmethod
    def setUpClass(cls):
        chat = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Chat)
        cls.addClassCleanup(chat.server_close)
        cls.addClassCleanup(chat.shutdown)
        threading.Thread(target=chat.serve_forever, daemon=True).start()
        cls.settings = {"RAGSTACK_CHAT_URL": f"http://127.0.0.1:{chat.server_port}/v1", "RAGSTACK_CHAT_MODEL": "ready"}
        super().setUpClass()

    def ask_all(self, questions: "queue.Queue[str]", replies: list) -> None:
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.address).netloc, timeout=60)
        while True:
            try:
                question = questions.get_nowait()
            except queue.Empty:
                connection.close()
                return
            connection.request("POST", "/ask", json.dumps({"question": question}), {"Content-Type": "application/json"})
            reply = connection.getresponse()
            replies.append((reply.status, json.loads(reply.read())))

    def ask_while_killing(self) -> tuple[list, int]:
        killer = Killer(self.processes)
        asked = [row["question"] for part in ("answered", "unanswered") for row in QUESTIONS[part]]
        questions: "queue.Queue[str]" = queue.Queue()
        for number in range(COUNT):
            questions.put(asked[number % len(asked)])
        replies: list = []
        clients = [threading.Thread(target=self.ask_all, args=(questions, replies)) for _ in range(CLIENTS)]
        killer.start()
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        killer.end()
        return replies, killer.killed

    def test_none_is_lost(self):
        self.address = self.url()
        started = time.monotonic()
        replies, killed = self.ask_while_killing()
        seconds = time.monotonic() - started
        counts = collections.Counter(status for status, _ in replies)
        errors = collections.Counter(json.dumps(body) for status, body in replies if status != 200)
        print(f"{COUNT} questions in {seconds:.1f} s ({COUNT / seconds:.0f}/s), {killed} kills, replies {dict(counts)}", dict(errors))
        self.assertEqual(len(replies), COUNT, "a client came to no end")
        self.assertGreaterEqual(killed, 10)
        for status, body in replies:
            if status == 200:
                self.assertIn(body["outcome"], OUTCOMES)
                self.assertIn(bool(body["citations"]), (body["outcome"] == "answered",))
            else:
                self.assertEqual((status, body), (500, {"message": "Internal Server Error"}))
        self.assertGreaterEqual(counts[200], COUNT - killed)  # a kill costs one question at most
        self.check_logs(counts[500], killed)
        self.assertEqual(self.call("POST", "/ask", {"question": "On which day are salaries paid?"})[0], 200)

    def check_logs(self, failed: int, killed: int) -> None:
        """Each error stands in the function's log, and why."""
        lines: list[str] = []
        (path,) = self.folder.glob(".ragstack/local/*/logs/ask*")
        for _ in range(50):  # the line about the last one comes after its reply
            lines = [line.split("\t", 1)[1] for line in path.read_text().splitlines()]
            if sum("ended by signal 9" in line for line in lines) >= failed:
                break
            time.sleep(0.1)
        reports = [json.loads(line) for line in lines if line.startswith('{"type":"platform.report"')]
        self.assertEqual(sum(report["status"] == "error" for report in reports), failed)
        self.assertGreaterEqual(len(reports), COUNT)
        ended = [line for line in lines if "ended by signal 9" in line]
        self.assertLessEqual(failed, len(ended))
        self.assertLessEqual(len(ended), killed)


if __name__ == "__main__":
    unittest.main()
