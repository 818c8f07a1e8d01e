"""CloudWatch Logs: retention's set of days, filter patterns in JSON, pages of events."""

from __future__ import annotations

import fnmatch
import json
import operator
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from corrections import corrects
from messages import AwsError
from pages import paged

if TYPE_CHECKING:
    from call import Call

Result = dict[str, Any]

RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
MOST_EVENTS = 10000
PAGE_BYTES = 1 << 20


@corrects("logs", "PutRetentionPolicy")
def put_retention(call: Call) -> Any:
    days = call.params["retentionInDays"]
    if days not in RETENTION_DAYS:
        raise AwsError("InvalidParameterException", f"1 validation error detected: Value '{days}' at 'retentionInDays' "
                       f"failed to satisfy constraint: Member must satisfy enum value set: {list(RETENTION_DAYS)}")
    return call.pass_through()


@corrects("logs", "CreateLogGroup")
def create_group(call: Call) -> Any:
    result = call.forward()
    group = call.backend().groups[call.params["logGroupName"]]
    group.gateway_class = call.params.get("logGroupClass", "STANDARD")
    group.gateway_protected = call.params.get("deletionProtectionEnabled", False)
    return result


@corrects("logs", "AssociateKmsKey", "DisassociateKmsKey")
def set_key(call: Call) -> Result:
    group = call.backend().groups.get(call.params["logGroupName"])
    if group is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    group.kms_key_id = call.params.get("kmsKeyId")
    return {}


@corrects("logs", "DescribeLogGroups")
def describe_groups(call: Call) -> Result:
    if call.params.get("logGroupNamePattern") or call.params.get("logGroupIdentifiers"):
        result = _chosen(call)
    else:
        result = paged(call)  # type: ignore[assignment]
    for item in result["logGroups"]:
        group = call.backend().groups[item["logGroupName"]]
        item["logGroupClass"] = getattr(group, "gateway_class", "STANDARD")
        if getattr(group, "gateway_protected", False):
            item["deletionProtectionEnabled"] = True
    return result


def _chosen(call: Call) -> Result:
    from pages import page_of

    pattern, names = call.params.get("logGroupNamePattern"), call.params.get("logGroupIdentifiers")
    if pattern and call.params.get("logGroupNamePrefix"):
        raise AwsError("InvalidParameterException", "LogGroup name prefix and LogGroup name pattern are mutually exclusive.")
    whole = call.forward({}, "DescribeLogGroups")
    found = whole["logGroups"]
    while whole.get("nextToken"):
        whole = call.forward({"nextToken": whole["nextToken"]}, "DescribeLogGroups")
        found += whole["logGroups"]
    if names:
        wanted = {name.split(":log-group:")[-1] for name in names}
        found = [item for item in found if item["logGroupName"] in wanted]
    else:
        found = [item for item in found if pattern.lower() in item["logGroupName"].lower()]  # type: ignore[union-attr]
    return page_of(call, {"logGroups": found})


@corrects("logs", "DeleteLogGroup")
def delete_group(call: Call) -> Any:
    group = call.backend().groups.get(call.params["logGroupName"])
    if group is not None and getattr(group, "gateway_protected", False):
        raise AwsError("ValidationException", "The log group is protected from deletion.")
    if group is not None:
        call.backend().tagger.delete_all_tags_for_resource(group.arn)
    return call.pass_through()


# -- events ----------------------------------------------------------------------------------------


@corrects("logs", "FilterLogEvents")
def filter_events(call: Call) -> Result:
    """All streams merged by time; a page ends by its limit or at 1 MiB, and the next begins after it."""
    params = call.params
    name = params.get("logGroupName") or params.get("logGroupIdentifier", "").split(":log-group:")[-1].removesuffix(":*")
    group = call.backend().groups.get(name)
    if group is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    streams = {stream.log_stream_name: stream for stream in group.streams.values()}
    if params.get("logStreamNames") and params.get("logStreamNamePrefix"):
        raise AwsError("InvalidParameterException", "logStreamNames and logStreamNamePrefix are mutually exclusive.")
    wanted = [key for key in streams if key in params.get("logStreamNames", streams)
              and key.startswith(params.get("logStreamNamePrefix", ""))]
    matches = compile_pattern(params.get("filterPattern", ""))
    first, last = params.get("startTime", 0), params.get("endTime", 1 << 62)
    found = sorted(
        ((event.timestamp, event.ingestion_time, key, event) for key in wanted for event in streams[key].events
         if first <= event.timestamp <= last and matches(event.message)),
        key=lambda item: (item[0], item[1], str(item[3].event_id)))
    start = _start(params.get("nextToken"))
    limit = params.get("limit", MOST_EVENTS)
    page, size = [], 0
    for time, ingested, stream, event in found[start:start + limit]:
        size += len(event.message.encode()) + 26
        if page and size > PAGE_BYTES:
            break
        page.append({"logStreamName": stream, "timestamp": time, "message": event.message, "ingestionTime": ingested,
                     "eventId": str(event.event_id)})
    result: Result = {"events": page, "searchedLogStreams": []}
    if start + len(page) < len(found):
        result["nextToken"] = f"events/{start + len(page)}"
    return result


def _start(token: str | None) -> int:
    if token is None:
        return 0
    match = re.fullmatch(r"events/(\d+)", token)
    if not match:
        raise AwsError("InvalidParameterException", "The specified nextToken is invalid.")
    return int(match.group(1))


# -- filter patterns -------------------------------------------------------------------------------


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    text = pattern.strip()
    if not text:
        return lambda message: True
    if text.startswith("{"):
        if not text.endswith("}"):
            raise _bad(pattern)
        test = _Json(text[1:-1]).parse()
        return lambda message: test(_as_json(message))
    return _terms(text)


def _bad(pattern: str) -> AwsError:
    return AwsError("InvalidParameterException", f"Invalid filter pattern: {pattern}")


def _as_json(message: str) -> Any:
    try:
        return json.loads(message)
    except ValueError:
        return None


def _terms(text: str) -> Callable[[str], bool]:
    """Terms that must all be there, ?terms of which one must, -terms that must not, %regex%."""
    if text.startswith("%") and text.endswith("%") and len(text) > 1:
        expression = re.compile(text[1:-1])
        return lambda message: bool(expression.search(message))
    terms = [(sign, word or phrase) for sign, phrase, word in re.findall(r'([-?]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))', text)]
    must = [term for sign, term in terms if sign == ""]
    some = [term for sign, term in terms if sign == "?"]
    never = [term for sign, term in terms if sign == "-"]

    def test(message: str) -> bool:
        if some and not must:
            return any(term in message for term in some) and not any(term in message for term in never)
        return all(term in message for term in must) and not any(term in message for term in never)

    return test


class _Json:
    """{ $.level = "ERROR" && ($.ms > 100 || $.path = "/a*") }"""

    TOKEN = re.compile(r'\s*(&&|\|\||\(|\)|<=|>=|!=|=|<|>|"(?:[^"\\]|\\.)*"|\$[\w.\[\]*-]+|[^\s()=<>!&|"]+)')

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = []
        position = 0
        while text[position:].strip():
            match = self.TOKEN.match(text, position)
            if not match:
                raise _bad(text)
            self.tokens.append(match.group(1))
            position = match.end()

    def take(self) -> str:
        if not self.tokens:
            raise _bad(self.text)
        return self.tokens.pop(0)

    def parse(self) -> Callable[[Any], bool]:
        test = self.any_of()
        if self.tokens:
            raise _bad(self.text)
        return test

    def any_of(self) -> Callable[[Any], bool]:
        tests = [self.all_of()]
        while self.tokens[:1] == ["||"]:
            self.take()
            tests.append(self.all_of())
        return lambda value: any(test(value) for test in tests)

    def all_of(self) -> Callable[[Any], bool]:
        tests = [self.one()]
        while self.tokens[:1] == ["&&"]:
            self.take()
            tests.append(self.one())
        return lambda value: all(test(value) for test in tests)

    def one(self) -> Callable[[Any], bool]:
        if self.tokens[:1] == ["("]:
            self.take()
            test = self.any_of()
            if self.take() != ")":
                raise _bad(self.text)
            return test
        selector, word = self.take(), self.take()
        if not selector.startswith("$"):
            raise _bad(self.text)
        if word.upper() == "IS":
            wanted = {"TRUE": True, "FALSE": False, "NULL": None}.get(self.take().upper())
            return lambda value: (found := _select(value, selector)) is not _ABSENT and found is wanted
        if word.upper() == "NOT" and self.take().upper() == "EXISTS":
            return lambda value: _select(value, selector) is _ABSENT
        return _compare(selector, word, self.take())


_ABSENT = object()


def _select(value: Any, selector: str) -> Any:
    for name, index in re.findall(r"\.([\w-]+)|\[(\d+)\]", selector):
        if name and isinstance(value, dict) and name in value:
            value = value[name]
        elif index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        else:
            return _ABSENT
    return value


def _compare(selector: str, sign: str, operand: str) -> Callable[[Any], bool]:
    signs = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
    if sign not in signs:
        raise _bad(f"{selector} {sign} {operand}")
    quoted = operand.startswith('"')
    text = operand[1:-1] if quoted else operand
    number = None if quoted or not re.fullmatch(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", text) else float(text)

    def test(value: Any) -> bool:
        found = _select(value, selector)
        if found is _ABSENT or isinstance(found, (dict, list)) or found is None:
            return False
        if number is not None:
            return isinstance(found, (int, float)) and not isinstance(found, bool) and signs[sign](found, number)
        equal = isinstance(found, str) and fnmatch.fnmatchcase(found, text.replace("[", "[[]"))
        return equal if sign == "=" else not equal if sign == "!=" else False

    return test
