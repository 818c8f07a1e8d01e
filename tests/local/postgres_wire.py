"""A pass-through between a client and PostgreSQL that keeps every message of both (protocol 3.0, no TLS), and the
rules by which RDS Proxy pins a connection ("Avoiding pinning an RDS Proxy", Amazon RDS User Guide)."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from dataclasses import dataclass, field

SSL_REQUEST, GSS_REQUEST, PROTOCOL_3 = 80877103, 80877104, 196608
STATEMENT_MAXIMUM = 16 << 10
# What changes the session, at the beginning of a statement; and functions that do.
PINNING_COMMANDS = re.compile(
    r"\s*(SET(?!\s+LOCAL\b)|RESET|PREPARE|EXECUTE|DEALLOCATE|DISCARD|DECLARE|LISTEN|UNLISTEN|LOAD|LOCK|COPY|"
    r"CREATE\s+(LOCAL\s+|GLOBAL\s+)?TEMP\w*)\b", re.I)
PINNING_FUNCTIONS = re.compile(r"\b(set_config|nextval|setval|currval|lastval|pg_(try_)?advisory\w*)\s*\(|\bINTO\s+TEMP",
                               re.I)
STARTUP_PARAMETERS = {"user", "database", "application_name", "client_encoding"}


@dataclass
class Message:
    kind: str  # the letter; "" for the start
    body: bytes


@dataclass
class Conversation:
    sent: list[Message] = field(default_factory=list)
    received: list[Message] = field(default_factory=list)


class Recorder:
    """Listens on loopback, and passes on to the server."""

    def __init__(self, host: str, port: int) -> None:
        self.server, self.conversations = (host, port), []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self) -> None:
        self.listener.close()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.server)
            conversation = Conversation()
            self.conversations.append(conversation)
            for source, target, kept, starts in ((client, server, conversation.sent, True),
                                                 (server, client, conversation.received, False)):
                threading.Thread(target=self.pass_on, args=(source, target, kept, starts), daemon=True).start()

    @staticmethod
    def pass_on(source: socket.socket, target: socket.socket, kept: list[Message], starts: bool) -> None:
        with contextlib.suppress(OSError):  # one of them has gone
            Recorder.pass_messages(source, target, kept, starts)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    @staticmethod
    def pass_messages(source: socket.socket, target: socket.socket, kept: list[Message], starts: bool) -> None:
        stream = source.makefile("rb")
        while True:
            kind = b"" if starts else stream.read(1)
            if not starts and not kind:
                break
            head = stream.read(4)
            if len(head) < 4:
                break
            body = stream.read(struct.unpack("!I", head)[0] - 4)
            if starts and struct.unpack("!I", body[:4])[0] in (SSL_REQUEST, GSS_REQUEST):
                source.sendall(b"N")  # as a server without TLS answers
                continue
            starts = False
            kept.append(Message(kind.decode(), body))
            target.sendall(kind + head + body)


# -- reading messages -----------------------------------------------------------------------------


def cstring(body: bytes, at: int) -> tuple[str, int]:
    end = body.index(b"\0", at)
    return body[at:end].decode(), end + 1


def startup_parameters(body: bytes) -> dict[str, str]:
    words = body[4:].split(b"\0")
    return {words[i].decode(): words[i + 1].decode() for i in range(0, len(words) - 2, 2) if words[i]}


def read_parse(body: bytes) -> tuple[str, str]:
    name, at = cstring(body, 0)
    return name, cstring(body, at)[0]


@dataclass
class Bind:
    portal: str
    statement: str
    formats: list[int]
    values: list[bytes | None]

    def format(self, index: int) -> int:
        return 0 if not self.formats else self.formats[0] if len(self.formats) == 1 else self.formats[index]


def read_bind(body: bytes) -> Bind:
    portal, at = cstring(body, 0)
    statement, at = cstring(body, at)
    (count,) = struct.unpack_from("!H", body, at)
    formats = list(struct.unpack_from(f"!{count}H", body, at + 2))
    at += 2 + 2 * count
    (count,) = struct.unpack_from("!H", body, at)
    at += 2
    values: list[bytes | None] = []
    for _ in range(count):
        (length,) = struct.unpack_from("!i", body, at)
        at += 4
        values.append(None if length < 0 else body[at:at + length])
        at += max(length, 0)
    return Bind(portal, statement, formats, values)


# -- the rules ------------------------------------------------------------------------------------


def check_text(text: str) -> list[str]:
    found = []
    if len(text.encode()) >= STATEMENT_MAXIMUM:
        found.append(f"a statement of {len(text.encode())} bytes: {text[:60]}...")
    for piece in text.split(";"):
        if PINNING_COMMANDS.match(piece) or PINNING_FUNCTIONS.search(piece):
            found.append(f"a statement that changes the session: {piece.strip()[:80]}")
    return found


def check_vectors(sql: str, bind: Bind, dimensions: int) -> list[str]:
    """Vectors go in binary: two bytes for the number of dimensions, two of nothing, two for each."""
    found = []
    for number in {int(one) for one in re.findall(r"\$(\d+)::halfvec", sql)}:
        value = bind.values[number - 1]
        if value is None:
            continue
        whole = len(value) == 4 + 2 * dimensions and struct.unpack("!H", value[:2])[0] == dimensions
        if bind.format(number - 1) != 1 or not whole:
            found.append(f"a vector that is not bound in binary: ${number} of {sql[:60]}...")
    return found


def faults(conversation: Conversation, dimensions: int) -> list[str]:
    """What would pin the connection, or is no unnamed statement that runs once; message by message."""
    found, sql, expected = [], "", {"p", "Q", "P", "X"}
    for message in conversation.sent:
        kind, body = message.kind, message.body
        if kind == "":
            (version,) = struct.unpack("!I", body[:4])
            strange = set(startup_parameters(body)) - STARTUP_PARAMETERS
            found += [f"protocol {version}"] if version != PROTOCOL_3 else []
            found += [f"start with {sorted(strange)}"] if strange else []
            continue
        if kind not in expected:
            found.append(f"message {kind!r} where one of {sorted(expected)} is due")
        expected = {"P": {"B"}, "B": {"D"}, "D": {"E"}, "E": {"S"}}.get(kind, {"p", "Q", "P", "X"})
        if kind == "Q":
            text = cstring(body, 0)[0]
            found += check_text(text)
            if text not in ("BEGIN", "COMMIT", "ROLLBACK"):
                found.append(f"a simple query: {text[:80]}")
        elif kind == "P":
            name, sql = read_parse(body)
            found += check_text(sql) + ([f"a named statement: {name}"] if name else [])
        elif kind == "B":
            bind = read_bind(body)
            found += [f"named: {bind.portal} {bind.statement}"] if bind.portal or bind.statement else []
            found += check_vectors(sql, bind, dimensions)
        elif kind in ("D", "E"):
            found += [f"message {kind!r} of a name"] if cstring(body, 1 if kind == "D" else 0)[0] else []
    states = [message.body for message in conversation.received if message.kind == "Z"]
    if states and states[-1] != b"I":
        found.append("a transaction that was left open")
    return found


def statements(conversation: Conversation) -> list[str]:
    return [read_parse(message.body)[1] if message.kind == "P" else cstring(message.body, 0)[0]
            for message in conversation.sent if message.kind in "PQ" and message.kind]
