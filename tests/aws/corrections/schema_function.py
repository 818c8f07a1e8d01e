"""The schema function, played: what it makes is remembered with the database that it is sent to.

It reaches the database as AWS would let it: the instance serves, the function's role may sign in
as the user that its environment names. For tests, {"ragstack": "store", ...} takes numbers of what
is stored, and {"ragstack": "fail", "times": N, "error": {...}} makes it fail.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from corrections.policies import allows

if TYPE_CHECKING:
    from call import Call

NEWEST = 3
EMPTY = {"migrations": 0, "embedder": "", "dimensions": 0, "documents": 0, "passages": 0, "units": 0, "characters": 0}


class Failure(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def _database(call: Call, host: str) -> Any:
    for database in call.backend("rds").databases.values():
        if database.address == host:
            if database.status != "available":
                raise Failure("Ragstack.Failed", "PostgreSQL: connection to server failed: timeout expired")
            return database
    raise Failure("Ragstack.Failed", f"cannot resolve {host}: Domain name not found")


def _check_sign_in(call: Call, config: dict[str, Any]) -> None:
    role = call.backend("iam").get_role_by_arn(config["Role"])
    if not allows(call, role, "rds-db:connect"):
        user = config["Environment"]["Variables"]["RAG_DB_USER"]
        raise Failure("Ragstack.Denied", f'PostgreSQL: FATAL:  PAM authentication failed for user "{user}"')


def _migrate(state: dict[str, Any], event: dict[str, Any]) -> None:
    other = (state["embedder"], state["dimensions"]) != (event["embedder"], event["dimensions"])
    if other and state["units"] and event["ragstack"] != "schema-reembed":
        raise Failure("Ragstack.DataLoss", f"{state['units']} vectors are of {state['embedder']}")
    if other:
        state.update(units=0, characters=0)
    state.update(migrations=NEWEST, embedder=event["embedder"], dimensions=event["dimensions"], app_user=event["app_user"])


def _run(call: Call, config: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    state = _database(call, event["host"]).__dict__.setdefault("gateway_schema", dict(EMPTY))
    _check_sign_in(call, config)
    if event["ragstack"] == "store":
        state.update({key: event[key] for key in ("documents", "passages", "units", "characters")})
    elif event["ragstack"] == "fail":
        state["failures"] = [event["error"]] * event["times"]
    elif state.get("failures"):
        error = state["failures"].pop()
        raise Failure(error["errorType"], error["errorMessage"])
    elif event["ragstack"] in ("schema", "schema-reembed"):
        _migrate(state, event)
    return {**state, "hnsw": False, "warning": "", "pending_units": 0}


def play(call: Call, config: dict[str, Any], payload: bytes) -> tuple[bytes, str | None]:
    """The answer, and what the header X-Amz-Function-Error says."""
    try:
        return json.dumps(_run(call, config, json.loads(payload))).encode(), None
    except Failure as failure:
        body = {"errorType": failure.kind, "errorMessage": str(failure), "stackTrace": []}
        return json.dumps(body).encode(), "Unhandled"
