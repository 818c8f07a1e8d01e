"""How long AWS takes, in AWS's seconds, and a clock of them that can run faster than ours, or by hand.

With a scale of 0, which is how a gateway starts unless told, nothing takes any time.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

# What is seen in public logs and documents: from, to. The seed chooses between.
SECONDS: dict[str, tuple[float, float]] = {
    "database creating": (260, 400),
    "database configuring": (20, 40),
    "database backing up": (40, 80),
    "database change begins": (4, 10),  # until then it still reads "available"
    "database modifying": (40, 120),
    "database deleting": (180, 300),
    "proxy creating": (120, 240),
    "proxy modifying": (20, 60),
    "proxy deleting": (180, 300),
    "target registering": (10, 20),
    "target pending": (30, 90),
    "nat pending": (85, 125),
    "nat deleting": (40, 80),
    "endpoint pending": (30, 90),
    "endpoint deleting": (60, 120),
    "function pending": (3, 6),
    "function pending in a network": (20, 60),
    "function updating": (2, 6),
    "function moving": (20, 60),  # into a network, out of it, or to another
    "interface lingers": (900, 2100),
    "role spreads": (4, 12),
    "policy spreads": (4, 12),
    "id spreads": (0.5, 3),
    "tags spread": (15, 60),
}

Phase = tuple[str, str]  # a state, and the name of its time in SECONDS


class Delays:
    """Which states things go through, and what is due later. Belongs to the world: a copy has it too."""

    def __init__(self, scale: float = 0, seed: int = 0, by_hand: bool = False,
                 other_seconds: dict[str, tuple[float, float]] | None = None) -> None:
        """A second of AWS takes `scale` of ours; by hand: only `advance` lets time pass."""
        self.scale, self.seed, self.by_hand = scale, seed, by_hand
        self._seconds = {**SECONDS, **(other_seconds or {})}
        self.clear()

    def clear(self) -> None:
        self._random = random.Random(self.seed)
        self._began = time.monotonic()
        self._advanced_s = 0.0
        self._phases: dict[Any, list[tuple[float, str]]] = {}  # key -> (until, state), in order
        self._due: list[tuple[float, Callable[[], Any]]] = []
        self.memory: dict[Any, Any] = {}  # what hooks have to know again

    @property
    def on(self) -> bool:
        return self.scale > 0 or self.by_hand

    def now_s(self) -> float:
        passed_s = (time.monotonic() - self._began) / self.scale if self.scale else 0.0
        return passed_s + self._advanced_s

    def advance(self, seconds: float) -> None:
        self._advanced_s += seconds

    def seconds(self, name: str) -> float:
        return self._random.uniform(*self._seconds[name]) if self.on else 0.0

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    # -- states ------------------------------------------------------------------------------------

    def begin(self, key: Any, *phases: Phase) -> float:
        """A thing goes through these states from now on; how long, in all."""
        until, path = self.now_s(), []
        for state, name in phases:
            until += self.seconds(name)
            path.append((until, state))
        self._phases[key] = path
        return until - self.now_s()

    def state(self, key: Any) -> str | None:
        """The state that it is in; None when all of them are over."""
        now = self.now_s()
        return next((state for until, state in self._phases.get(key, ()) if now < until), None)

    def known(self, key: Any) -> bool:
        return key in self._phases

    def forget(self, key: Any) -> None:
        self._phases.pop(key, None)

    # -- what happens by itself --------------------------------------------------------------------

    def later(self, after_s: float, what: Callable[[], Any]) -> None:
        self._due.append((self.now_s() + after_s, what))

    def run_due(self) -> None:
        now = self.now_s()
        due = sorted((item for item in self._due if item[0] <= now), key=lambda item: item[0])
        self._due = [item for item in self._due if item[0] > now]
        for _, what in due:
            what()
