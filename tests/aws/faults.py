"""Faults on purpose: what AWS or the network does wrong, at the Nth call or with a probability.

A rule is what a test posts to /_gateway/faults:

  kind                one of REFUSALS, EFFECTS or KILLS, below
  service, operation  which calls it is about; left out: all
  changing            true: only calls that change something; false: only those that read
  at                  it strikes the Nth of these (from 1), or
  rate                each of them with this probability, by the gateway's seed
  times               how often it strikes; 0: without end. 1 unless said, and 0 with a rate
  seconds             how long a slow reply takes

Whatever strikes does so under the lock that the emulator runs under, so that "before the Nth call"
and "after it took effect" are states of the world, and not a race.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from judge import REFUSALS as JUDGED
from messages import AwsError, Reply
from operations import Target

READING_VERBS = ("Describe", "Get", "List", "Head", "Filter", "Simulate")

Words = dict[str, tuple[str, int]]  # how each protocol says it: code and status

# In place of the emulator's answer: the call has no effect.
REFUSALS: dict[str, Words] = {
    "throttle": {"ec2": ("RequestLimitExceeded", 503), "query": ("Throttling", 400), "s3": ("SlowDown", 503),
                 "json": ("ThrottlingException", 400), "rest-json": ("TooManyRequestsException", 429)},
    "internal": {"ec2": ("InternalError", 500), "query": ("InternalFailure", 500), "s3": ("InternalError", 500),
                 "json": ("InternalFailure", 500), "rest-json": ("ServiceException", 500)},
    "unavailable": {"ec2": ("Unavailable", 503), "query": ("ServiceUnavailable", 503), "s3": ("ServiceUnavailable", 503),
                    "json": ("ServiceUnavailableException", 503), "rest-json": ("ServiceUnavailableException", 503)},
    "denied": {"ec2": ("UnauthorizedOperation", 403), "query": ("AccessDenied", 403), "s3": ("AccessDenied", 403),
               "json": ("AccessDeniedException", 400), "rest-json": ("AccessDeniedException", 403)},
    "expired": JUDGED["expired-token"],
}
# After the call took effect, but for the first.
EFFECTS = ("reset-before", "reset-after", "internal-after", "slow", "cut", "garbage")
# The client, whose pid the test tells, is killed; what it still had under way is dropped.
KILLS = ("kill-before", "kill-after")


def changes(operation: str) -> bool:
    return not operation.startswith(READING_VERBS)


class Disconnect(Exception):
    """The connection ends without a reply."""


@dataclass
class Rule:
    kind: str
    service: str = ""
    operation: str = ""
    changing: bool | None = None
    at: int = 0
    rate: float = 0.0
    times: int = -1
    seconds: float = 0.0
    seen: int = 0
    hits: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.kind not in (*REFUSALS, *EFFECTS, *KILLS):
            raise ValueError(f"no such fault: {self.kind}")
        if self.times < 0:
            self.times = 0 if self.rate else 1

    def strikes(self, service: str, operation: str, random_fraction: float) -> bool:
        if self.service not in ("", service) or self.operation not in ("", operation):
            return False
        if self.changing is not None and self.changing != changes(operation):
            return False
        self.seen += 1
        if self.times and len(self.hits) >= self.times:
            return False
        if self.rate:
            return random_fraction < self.rate
        return self.seen >= max(self.at, 1)


class Faults:
    def __init__(self, seed: int = 0) -> None:
        self.rules: list[Rule] = []
        self._random = random.Random(seed)
        self._deaf = False  # the client is dead: nothing of it counts any more
        self._pid = 0
        self._pid_told = threading.Event()

    # -- what tests say ---------------------------------------------------------------------------

    def add(self, rule: dict[str, Any]) -> None:
        known = {item.name for item in fields(Rule)}
        unknown = set(rule) - known
        if unknown:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
        self.rules.append(Rule(**rule))

    def tell_pid(self, pid: int) -> None:
        self._pid = pid
        self._pid_told.set()

    def clear(self) -> None:
        self.rules.clear()
        self._deaf = False
        self._pid_told.clear()

    def view(self) -> list[dict[str, Any]]:
        return [asdict(rule) for rule in self.rules]

    # -- what a call meets, under the lock --------------------------------------------------------

    def choose(self, target: Target) -> Rule | None:
        if self._deaf:
            raise Disconnect
        for rule in self.rules:
            if rule.strikes(target.service, target.operation.name, self._random.random()):
                rule.hits.append(f"{target.service}.{target.operation.name}")
                return rule
        return None

    def before(self, rule: Rule, target: Target) -> None:
        if rule.kind in REFUSALS:
            raise refusal(rule.kind, target)
        if rule.kind == "kill-before":
            self._kill()
        if rule.kind in ("reset-before", "kill-before"):
            raise Disconnect

    def after(self, rule: Rule, target: Target, reply: Reply) -> Reply:
        if rule.kind == "kill-after":
            self._kill()
        if rule.kind in ("reset-after", "kill-after"):
            raise Disconnect
        if rule.kind == "internal-after":
            raise refusal("internal", target)
        if rule.kind == "garbage":
            return Reply(200, reply.headers, b"\x00<{garbage" + bytes(range(128, 160)))
        if rule.kind == "cut":
            return Reply(reply.status, reply.headers, reply.body, sent_bytes=len(reply.body) // 2)
        return Reply(reply.status, reply.headers, reply.body, delay_s=rule.seconds)

    def _kill(self) -> None:
        if not self._pid_told.wait(5):
            raise RuntimeError("a kill is due, and nobody told the client's pid")
        os.kill(self._pid, signal.SIGKILL)
        while _lives(self._pid):
            time.sleep(0.0005)
        self._deaf = True


def refusal(kind: str, target: Target) -> AwsError:
    words = REFUSALS[kind]
    code, status = words["s3" if target.service == "s3" else target.protocol]
    return AwsError(code, f"{kind}, on purpose", status)


def _lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False
