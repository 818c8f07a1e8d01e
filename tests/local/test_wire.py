"""What the handlers say to PostgreSQL never pins a connection of RDS Proxy: read from the wire, message by message."""

import os
import re
import signal
import struct
import unittest
import urllib.parse

import postgres_wire as wire
import stack
from postgres_wire import Conversation, Message

DIMENSIONS = 512
LONG = "# A long document\n\n" + "\n\n".join(
    f"## Part {n}\n\n" + f"Paragraph {n} says that pump {n} stands in hall {n + 7}, and why it does. " * 12 for n in range(30))


class HandlerTest(stack.LocalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (path,) = cls.folder.glob(".ragstack/local/*/postgres.url")
        url = path.read_text()
        address = urllib.parse.urlsplit(url.strip())
        cls.recorder = wire.Recorder(address.hostname, address.port)
        cls.addClassCleanup(cls.recorder.close)
        cls.addClassCleanup(path.write_text, url)  # `down` asks the server itself
        path.write_text(url.replace(f":{address.port}/", f":{cls.recorder.port}/"))
        for pid in cls.processes():  # the next ones connect through the recorder
            os.kill(pid, signal.SIGKILL)

    def said(self, before: int) -> str:
        """All statements since, and that none of them breaks a rule."""
        texts = []
        for conversation in self.recorder.conversations:
            self.assertEqual(wire.faults(conversation, DIMENSIONS), [])
            texts += wire.statements(conversation)
        self.assertGreater(len(texts), before)
        return "\n".join(texts)

    def count(self) -> int:
        return sum(len(wire.statements(conversation)) for conversation in self.recorder.conversations)

    def request(self, method, path, body=None, status=200):
        """Once more where a process had just been ended."""
        for _ in range(3):
            found = self.call(method, path, body)
            if found[0] != 500:
                break
        self.assertEqual(found[0], status, found)
        return found[1]

    def test_ask(self):
        for question in ("How many days of paid vacation does everybody have a year?", "What is the capital of Australia?",
                         "'; SET work_mem = 1; --", "x" * 3999, "Größe \\ ' \" $1 ; %s"):
            with self.subTest(question[:30]):
                before = self.count()
                self.request("POST", "/ask", {"question": question})
                self.assertIn("$2::halfvec", self.said(before))
        before = self.count()
        self.request("POST", "/ask", {"question": "How many days?", "filter": {"team": "x" * 20000}, "top_k": 50})
        self.said(before)

    def test_ingest_list_and_delete(self):
        document = {"id": "long.md", "title": "Long", "text": LONG, "metadata": {"note": "y" * 20000}}
        for changed in (document, document, {**document, "text": LONG + "\n\nOne more paragraph, about pump 99.\n"}):
            before = self.count()
            (row,) = self.request("POST", "/documents", {"documents": [changed]})["documents"]
            self.said(before)
        self.assertGreater(row["units"], 60)
        text = self.said(0)
        for part in ("INSERT INTO rag.documents", "INSERT INTO rag.passages", "INSERT INTO rag.units", "BEGIN", "COMMIT"):
            self.assertIn(part, text)
        before = self.count()
        self.request("GET", "/documents?limit=5")
        self.request("GET", "/documents?limit=5&after=long.md")
        self.assertIn("FROM rag.documents WHERE id >", self.said(before))
        before = self.count()
        self.request("DELETE", "/documents/long.md", status=204)
        self.request("DELETE", "/documents/long.md", status=404)
        self.assertIn("DELETE FROM rag.documents", self.said(before))
        self.assertTrue(all(re.match(r"(SELECT|INSERT|DELETE|WITH|BEGIN|COMMIT|ROLLBACK|UPDATE)\b", line.strip())
                            for line in self.said(0).splitlines() if line.strip()))


class RuleTest(unittest.TestCase):
    """The rules themselves: each breach is seen."""

    def faults(self, *messages: Message, state: bytes = b"I"):
        start = Message("", struct.pack("!I", wire.PROTOCOL_3) + b"user\0u\0database\0d\0\0")
        return wire.faults(Conversation([start, *messages], [Message("Z", state)]), 2)

    @staticmethod
    def run_once(sql, name=b"", value=b"\0\2\0\0\0\0\0\0", form=1):
        return [Message("P", name + b"\0" + sql.encode() + b"\0\0\0"),
                Message("B", b"\0" + name + b"\0" + struct.pack("!HHHI", 1, form, 1, len(value)) + value + b"\0\0"),
                Message("D", b"P\0"), Message("E", b"\0\0\0\0\0"), Message("S", b"")]

    def test_what_is_right_passes(self):
        self.assertEqual(self.faults(Message("Q", b"BEGIN\0"), *self.run_once("SELECT $1::halfvec"),
                                     Message("Q", b"COMMIT\0"), Message("X", b"")), [])

    def test_what_pins_is_seen(self):
        for sql in ("SET search_path = rag", "set work_mem to 1", "SELECT set_config('a', 'b', false)", "SELECT nextval('s')",
                    "CREATE TEMP TABLE t (a int)", "PREPARE p AS SELECT 1", "DISCARD ALL", "SELECT 1; LISTEN x",
                    "SELECT pg_advisory_lock(1)", "DECLARE c CURSOR FOR SELECT 1", "SELECT '" + "x" * (16 << 10) + "'"):
            with self.subTest(sql[:40]):
                self.assertEqual(len(self.faults(*self.run_once(sql))), 1)
        self.assertEqual(len(self.faults(Message("Q", b"SELECT 1\0"))), 1)
        self.assertEqual(len(self.faults(*self.run_once("SELECT 1", name=b"s1"))), 2)
        self.assertEqual(len(self.faults(*self.run_once("SELECT $1::halfvec", value=b"[0,0]", form=0))), 1)
        self.assertEqual(len(self.faults(Message("Q", b"BEGIN\0"), state=b"T")), 1)
        self.assertEqual(len(self.faults(Message("P", b"\0SELECT 1\0\0\0"), Message("S", b""))), 1)
        start = Message("", struct.pack("!I", wire.PROTOCOL_3) + b"user\0u\0options\0-c work_mem=1\0\0")
        self.assertEqual(len(wire.faults(Conversation([start]), 2)), 1)


if __name__ == "__main__":
    unittest.main()
