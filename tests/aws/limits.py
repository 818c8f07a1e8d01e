"""AWS's limits on calls a second: a token bucket an account, region and row of the table.

What is published (EC2, API Gateway, Lambda) is as published; the others are what is met in practice.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from faults import changes, refusal
from operations import Target


@dataclass
class Bucket:
    burst: float
    calls_per_s: float
    tokens: float = -1.0
    at_s: float = field(default_factory=time.monotonic)

    def take(self) -> bool:
        now = time.monotonic()
        held = self.burst if self.tokens < 0 else self.tokens
        self.tokens = min(self.burst, held + (now - self.at_s) * self.calls_per_s)
        self.at_s = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


# service -> whether reads share the bucket of the changes, then burst and calls a second of each.
BUCKETS: dict[str, tuple[bool, tuple[float, float], tuple[float, float]]] = {
    "ec2": (False, (50, 5), (100, 20)),
    "apigatewayv2": (True, (40, 10), (40, 10)),
    "lambda": (False, (15, 15), (100, 100)),
    "iam": (False, (20, 10), (40, 20)),
    "logs": (False, (10, 5), (10, 5)),
    "cloudwatch": (False, (3, 3), (10, 9)),
    "rds": (False, (20, 5), (100, 20)),
    "sns": (False, (30, 30), (30, 30)),
    "resourcegroupstaggingapi": (True, (15, 15), (15, 15)),
    "sts": (True, (600, 600), (600, 600)),
}


class Limits:
    def __init__(self, on: bool = False) -> None:
        self.on = on
        self.clear()

    def clear(self) -> None:
        self._buckets: dict[tuple[str, str, bool], Bucket] = {}

    def check(self, target: Target, region: str) -> None:
        """Raises the throttle that the call meets."""
        if not self.on or target.service not in BUCKETS:
            return
        one, writing, reading = BUCKETS[target.service]
        writes = changes(target.operation.name)
        shape = writing if one or writes else reading
        key = (target.service, region, one or writes)
        if not self._buckets.setdefault(key, Bucket(*shape)).take():
            raise refusal("throttle", target)
