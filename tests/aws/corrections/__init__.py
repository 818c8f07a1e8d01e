"""What AWS does and moto does not: one file a service.

An operation's correction is a function that takes the Call and returns the result as an SDK would
read it, returns a whole Reply, or raises an AwsError. A service's check sees every call before.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from messages import Reply

if TYPE_CHECKING:
    from call import Call

Correction = Callable[["Call"], "dict[str, Any] | Reply"]
Check = Callable[["Call"], "dict[str, Any] | Reply | None"]

_corrections: dict[tuple[str, str], Correction] = {}
_checks: dict[str, list[Check]] = {}


def corrects(service: str, *operations: str) -> Callable[[Correction], Correction]:
    """Registers the answer to these operations."""

    def register(function: Correction) -> Correction:
        for operation in operations:
            assert (service, operation) not in _corrections, f"{service} {operation} has two corrections"
            _corrections[service, operation] = function
        return function

    return register


def checks(service: str) -> Callable[[Check], Check]:
    """Registers a look at every call of a service; what it returns is the answer, None goes on."""

    def register(function: Check) -> Check:
        _checks.setdefault(service, []).append(function)
        return function

    return register


def answer(call: Call) -> Reply:
    """The corrected answer, or moto's own."""
    result: dict[str, Any] | Reply | None = None
    for check in _checks.get(call.service, ()):
        result = check(call)
        if result is not None:
            break
    if result is None:
        correction = _corrections.get((call.service, call.operation))
        result = correction(call) if correction else paged_or_plain(call)
    return result if isinstance(result, Reply) else call.reply(result)


def paged_or_plain(call: Call) -> dict[str, Any] | Reply:
    from pages import is_paged, paged_reply

    return paged_reply(call) if is_paged(call) else call.pass_through()


def load() -> None:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
