"""The place for delays and faults, between a judged request and its answer.

Nothing is injected yet: `before` is called once for each request of AWS that passed the judge,
outside the lock that the emulator runs under, so that it may sleep; what it returns is answered
in place of the emulator's reply.
"""

from __future__ import annotations

from typing import Any

from messages import Reply


class Faults:
    def __init__(self) -> None:
        self.rules: list[dict[str, Any]] = []

    def before(self, service: str, operation: str) -> Reply | None:
        return None

    def clear(self) -> None:
        self.rules.clear()
