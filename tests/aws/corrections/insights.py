"""CloudWatch Logs Insights: queries are evaluated (moto gives the newest lines, whatever was asked).

The part of the language that is known here: fields, filter (and, or, parentheses, comparisons, like), sort, limit,
stats with count, sum, avg, min, max by fields. Anything else is a MalformedQueryException.
"""

from __future__ import annotations

import datetime
import json
import operator
import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from corrections import corrects
from messages import AwsError

if TYPE_CHECKING:
    from call import Call

Result = dict[str, Any]
Row = dict[str, Any]

MOST_ROWS = 10000
MOST_GROUPS = 50
POLLS = 1  # so often a query is still running when it is asked for

_queries: dict[str, Result] = {}


def _malformed(why: str) -> AwsError:
    return AwsError("MalformedQueryException", f"unexpected symbol found: {why}")


@corrects("logs", "StartQuery")
def start_query(call: Call) -> Result:
    params = call.params
    names = params.get("logGroupNames") or ([params["logGroupName"]] if params.get("logGroupName") else [])
    names += [name.split(":log-group:")[-1] for name in params.get("logGroupIdentifiers", [])]
    if not names or len(names) > MOST_GROUPS:
        raise AwsError("InvalidParameterException", "Specify from 1 to 50 log groups.")
    if params["startTime"] > params["endTime"]:
        raise AwsError("InvalidParameterException", "Query time range is invalid.")
    groups = call.backend().groups
    missing = [name for name in names if name not in groups]
    if missing:
        raise AwsError("ResourceNotFoundException", f"Log group '{missing[0]}' does not exist for account ID '{call.account}'")
    rows = [row for name in names for row in _events(call, name, params["startTime"] * 1000, params["endTime"] * 1000 + 999)]
    steps = [_step(text) for text in _split(params["queryString"], "|")]
    found = rows
    for step in steps:
        found = step(found)
    query_id = str(uuid.uuid4())
    _queries[query_id] = {
        "rows": found[:params.get("limit", MOST_ROWS)], "polls": POLLS, "status": "Running",
        "statistics": {"recordsMatched": float(len(found)), "recordsScanned": float(len(rows)),
                       "bytesScanned": float(sum(len(row["@message"].encode()) + 26 for row in rows))}}
    return {"queryId": query_id}


@corrects("logs", "GetQueryResults")
def get_query_results(call: Call) -> Result:
    query = _queries.get(call.params["queryId"])
    if query is None:
        raise AwsError("ResourceNotFoundException", "The specified query does not exist.")
    if query["polls"] > 0 and query["status"] == "Running":
        query["polls"] -= 1
        return {"results": [], "statistics": query["statistics"], "status": "Running"}
    if query["status"] == "Running":
        query["status"] = "Complete"
    rows = [[{"field": key, "value": _text(value)} for key, value in row.items() if value is not None] for row in query["rows"]]
    return {"results": rows if query["status"] == "Complete" else [], "statistics": query["statistics"],
            "status": query["status"]}


@corrects("logs", "StopQuery")
def stop_query(call: Call) -> Result:
    query = _queries.get(call.params["queryId"])
    if query is None:
        raise AwsError("ResourceNotFoundException", "The specified query does not exist.")
    running = query["status"] == "Running"
    if running:
        query["status"] = "Cancelled"
    return {"success": running}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else repr(value)
    return str(value)


# -- events ----------------------------------------------------------------------------------------


def _events(call: Call, name: str, first: int, last: int) -> list[Row]:
    rows = []
    for stream in call.backend().groups[name].streams.values():
        for event in stream.events:
            if not first <= event.timestamp <= last:
                continue
            time = datetime.datetime.fromtimestamp(event.timestamp / 1000, datetime.timezone.utc)
            row: Row = {"@timestamp": time.strftime("%Y-%m-%d %H:%M:%S.") + f"{event.timestamp % 1000:03}",
                        "@message": event.message, "@log": f"{call.account}:{name}", "@ptr": str(event.event_id)}
            try:
                document = json.loads(event.message)
            except ValueError:
                document = None
            if isinstance(document, dict):
                row.update({key: value for key, value in document.items() if not isinstance(value, (dict, list))})
            rows.append(row)
    return sorted(rows, key=lambda row: str(row["@timestamp"]), reverse=True)


# -- the language ----------------------------------------------------------------------------------


def _split(text: str, separator: str) -> list[str]:
    """By the separator, but not inside quotes, regular expressions or parentheses."""
    parts, current, depth = [], "", 0
    for token in re.findall(r'"(?:[^"\\]|\\.)*"|/(?:[^/\\]|\\.)+/|.', text, re.DOTALL):
        depth += (token == "(") - (token == ")")
        if token == separator and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += token
    return [*parts, current.strip()]


def _step(text: str) -> Callable[[list[Row]], list[Row]]:
    word, _, rest = text.partition(" ")
    makers = {"fields": _fields, "filter": _filter, "sort": _sort, "limit": _limit, "stats": _stats}
    if word not in makers or not rest.strip():
        raise _malformed(word)
    return makers[word](rest.strip())


def _fields(rest: str) -> Callable[[list[Row]], list[Row]]:
    names = _split(rest, ",")
    if not all(re.fullmatch(r"@?\w+", name) for name in names):
        raise _malformed(rest)
    # Later steps may name any field: what is shown is cut at the end, here by a mark on the row.
    return lambda rows: [_Shown(row, names) for row in rows]


class _Shown(dict[str, Any]):
    """A row of which only some fields are told; the others can still be filtered and sorted by."""

    def __init__(self, row: Row, names: list[str]) -> None:
        super().__init__(row)
        self.names = [*names, "@ptr"]

    def items(self) -> Any:
        return [(name, self[name]) for name in self.names if name in self]


def _limit(rest: str) -> Callable[[list[Row]], list[Row]]:
    return lambda rows: rows[:int(rest)]


def _sort(rest: str) -> Callable[[list[Row]], list[Row]]:
    match = re.fullmatch(r"(@?\w+)(?:\s+(asc|desc))?", rest)
    if not match:
        raise _malformed(rest)
    name, order = match.groups()

    def sort(rows: list[Row]) -> list[Row]:
        known = [row for row in rows if row.get(name) is not None]
        unknown = [row for row in rows if row.get(name) is None]
        return sorted(known, key=lambda row: row[name], reverse=order == "desc") + unknown

    return sort


AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {
    "sum": sum, "avg": lambda values: sum(values) / len(values), "min": min, "max": max}


def _stats(rest: str) -> Callable[[list[Row]], list[Row]]:
    body, _, by = re.sub(r"\s+by\s+", "\0", rest, count=1).partition("\0")
    keys = _split(by, ",") if by else []
    columns = []
    for part in _split(body, ","):
        match = re.fullmatch(r"(\w+)\((\*|@?\w+)\)(?:\s+as\s+(\w+))?", part)
        if not match or match.group(1) not in (*AGGREGATES, "count"):
            raise _malformed(part)
        columns.append((match.group(1), match.group(2), match.group(3) or part))

    def stats(rows: list[Row]) -> list[Row]:
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in rows:
            groups.setdefault(tuple(row.get(key) for key in keys), []).append(row)
        return [_aggregate(dict(zip(keys, values)), members, columns) for values, members in groups.items()]

    return stats


def _aggregate(result: Row, members: list[Row], columns: list[tuple[str, str, str]]) -> Row:
    for function, name, title in columns:
        values = members if name == "*" else [row[name] for row in members if row.get(name) is not None]
        result[title] = len(values) if function == "count" else AGGREGATES[function](values) if values else None
    return result


def _filter(rest: str) -> Callable[[list[Row]], list[Row]]:
    tokens = re.findall(r'"(?:[^"\\]|\\.)*"|/(?:[^/\\]|\\.)+/|[()]|!=|<=|>=|[=<>]|[^\s()=<>!]+', rest)
    test = _any_of(tokens)
    if tokens:
        raise _malformed(tokens[0])
    return lambda rows: [row for row in rows if test(row)]


def _any_of(tokens: list[str]) -> Callable[[Row], bool]:
    tests = [_all_of(tokens)]
    while tokens[:1] == ["or"]:
        tokens.pop(0)
        tests.append(_all_of(tokens))
    return lambda row: any(test(row) for test in tests)


def _all_of(tokens: list[str]) -> Callable[[Row], bool]:
    tests = [_one(tokens)]
    while tokens[:1] == ["and"]:
        tokens.pop(0)
        tests.append(_one(tokens))
    return lambda row: all(test(row) for test in tests)


def _one(tokens: list[str]) -> Callable[[Row], bool]:
    if tokens[:1] == ["("]:
        tokens.pop(0)
        test = _any_of(tokens)
        if tokens[:1] != [")"]:
            raise _malformed("(")
        tokens.pop(0)
        return test
    if len(tokens) < 3 or not re.fullmatch(r"@?\w+", tokens[0]):
        raise _malformed(" ".join(tokens[:3]))
    name, sign, operand = (tokens.pop(0) for _ in range(3))
    if sign == "like":
        pattern = operand[1:-1] if operand.startswith("/") else re.escape(operand.strip('"'))
        return lambda row: row.get(name) is not None and bool(re.search(pattern, _text(row[name])))
    return _comparison(name, sign, operand)


def _comparison(name: str, sign: str, operand: str) -> Callable[[Row], bool]:
    signs = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
    if sign not in signs:
        raise _malformed(sign)
    if operand.startswith('"'):
        return lambda row: row.get(name) is not None and signs[sign](_text(row[name]), operand[1:-1])
    number = float(operand)
    return lambda row: isinstance(row.get(name), (int, float)) and signs[sign](row[name], number)
