"""Reads a request by the service's model, and finds everything that the model does not have.

The result is what a Python caller of the SDK would have passed, and a list of problems: keys that
map to no member, values that are not what their shape says, limits and patterns not kept.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.etree import ElementTree

import regex
from botocore.model import OperationModel, Shape
from dateutil import parser as date_parser

from messages import Request

# Headers that belong to HTTP, to signing or to the SDKs, and not to an operation.
GENERAL_HEADERS = frozenset(
    """accept accept-encoding accept-language amz-sdk-invocation-id amz-sdk-request authorization
    cache-control connection content-encoding content-length content-md5 content-type date expect
    host pragma te transfer-encoding user-agent x-amz-api-version x-amz-content-sha256 x-amz-date
    x-amz-security-token x-amz-target x-amz-user-agent x-amzn-query-mode x-amzn-trace-id
    x-amz-sdk-checksum-algorithm x-amzn-requestid""".split()
)
SIGNING_QUERY = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
                 "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Security-Token", "x-id")


@dataclass
class Problem:
    """What is wrong with one member; `kind` chooses the error that AWS would answer."""

    kind: str  # unknown | missing | type | constraint | form
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class Decoder:
    """One request's walk over its shapes."""

    def __init__(self, operation: OperationModel, protocol: str) -> None:
        self.operation = operation
        self.protocol = protocol
        self.problems: list[Problem] = []

    def problem(self, kind: str, path: str, message: str) -> None:
        self.problems.append(Problem(kind, path, message))

    def decode(self, request: Request, path_members: dict[str, str]) -> dict[str, Any]:
        shape = self.operation.input_shape
        if self.protocol in ("query", "ec2"):
            params = self._form(request, shape)
        elif self.protocol == "json":
            params = self._json_body(request, shape)
        else:
            params = self._rest(request, path_members, shape)
        if shape:
            self._check(shape, params, "")
        return params

    # -- scalars, as text -------------------------------------------------------------------------

    def _scalar(self, shape: Shape, text: str, path: str) -> Any:
        """A value that travels as text: in forms, XML, headers and queries."""
        kind = shape.type_name
        try:
            if kind in ("integer", "long"):
                if not re.fullmatch(r"-?\d+", text):
                    raise ValueError
                return int(text)
            if kind in ("float", "double"):
                return float(text)
            if kind == "boolean":
                return {"true": True, "false": False}[text]
            if kind == "timestamp":
                return date_parser.parse(text) if not text.isdigit() else _from_epoch(float(text))
            if kind == "blob":
                return base64.b64decode(text, validate=True)
        except (ValueError, KeyError, binascii.Error):
            self.problem("type", path, f"{text!r} is not a {kind}")
            return None
        if kind != "string":
            self.problem("type", path, f"text where a {kind} belongs")
            return None
        return text

    # -- query and ec2 ----------------------------------------------------------------------------

    def _form(self, request: Request, shape: Shape | None) -> dict[str, Any]:
        root: dict[str, Any] = {}
        for key, value in request.form_pairs():
            node, steps = root, key.split(".")
            for step in steps[:-1]:
                node = node.setdefault(step, {}) if isinstance(node, dict) else {}
            if not isinstance(node, dict) or steps[-1] in node:
                self.problem("form", key, "is given twice, or as a value and a structure")
            else:
                node[steps[-1]] = value
        version = root.pop("Version", None)
        if version != self.operation.service_model.api_version:
            self.problem("form", "Version", f"{version!r} is not {self.operation.service_model.api_version}")
        root.pop("Action", None)
        for name in SIGNING_QUERY:
            root.pop(name, None)
        if shape is None:
            for key in root:
                self.problem("unknown", key, "the operation has no parameters")
            return {}
        return self._form_structure(shape, root, "") or {}

    def _form_value(self, shape: Shape, node: Any, path: str) -> Any:
        if shape.type_name == "structure":
            return self._form_structure(shape, node, path)
        if shape.type_name == "list":
            return self._form_list(shape, node, path)
        if shape.type_name == "map":
            return self._form_map(shape, node, path)
        if isinstance(node, dict):
            self.problem("type", path, f"a structure where a {shape.type_name} belongs")
            return None
        return self._scalar(shape, node, path)

    def _form_structure(self, shape: Shape, node: Any, path: str) -> dict[str, Any] | None:
        if not isinstance(node, dict):
            self.problem("type", path, "a value where a structure belongs")
            return None
        names = {self._form_name(member, name): name for name, member in shape.members.items()}
        result = {}
        for key, value in node.items():
            where = f"{path}.{key}" if path else key
            if key not in names:
                self.problem("unknown", where, f"{shape.name} has no such member")
                continue
            result[names[key]] = self._form_value(shape.members[names[key]], value, where)
        return result

    def _form_name(self, shape: Shape, name: str) -> str:
        traits = shape.serialization
        if self.protocol == "ec2":
            if "queryName" in traits:
                return traits["queryName"]
            wire = traits.get("name", name)
            return wire[0].upper() + wire[1:]
        if shape.type_name == "list" and traits.get("flattened"):
            return shape.member.serialization.get("name") or traits.get("name", name)
        return traits.get("name", name)

    def _form_list(self, shape: Shape, node: Any, path: str) -> list[Any] | None:
        if self.protocol == "query" and node == "":
            return []
        if self.protocol == "query" and not shape.serialization.get("flattened"):
            name = shape.member.serialization.get("name", "member")
            for key in node if isinstance(node, dict) else ():
                if key != name:
                    self.problem("unknown", f"{path}.{key}", f"the list's items are called {name}")
            node = node.get(name) if isinstance(node, dict) else node
            path = f"{path}.{name}"
        items = self._numbered(node, path)
        return [self._form_value(shape.member, item, f"{path}.{i + 1}") for i, item in enumerate(items)]

    def _numbered(self, node: Any, path: str) -> list[Any]:
        if not isinstance(node, dict):
            self.problem("type", path, "a value where numbered items belong")
            return []
        if sorted(node) != sorted(str(i + 1) for i in range(len(node))):
            self.problem("form", path, f"items are not numbered 1 to {len(node)}: {', '.join(node)}")
            return []
        return [node[str(i + 1)] for i in range(len(node))]

    def _form_map(self, shape: Shape, node: Any, path: str) -> dict[str, Any] | None:
        if not shape.serialization.get("flattened"):
            node = node.get("entry") if isinstance(node, dict) and set(node) == {"entry"} else None
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        result = {}
        for i, entry in enumerate(self._numbered(node, path)):
            if not isinstance(entry, dict) or set(entry) != {key_name, value_name}:
                self.problem("form", f"{path}.{i + 1}", f"wants {key_name} and {value_name}")
                continue
            result[entry[key_name]] = self._form_value(shape.value, entry[value_name], f"{path}.{i + 1}")
        return result

    # -- json -------------------------------------------------------------------------------------

    def _json_body(self, request: Request, shape: Shape | None) -> dict[str, Any]:
        wanted = f"application/x-amz-json-{self.operation.service_model.metadata.get('jsonVersion', '1.0')}"
        if request.header("Content-Type") != wanted:
            self.problem("form", "Content-Type", f"{request.header('Content-Type')!r} is not {wanted}")
        return self._json_object(request.body, shape, {})

    def _json_object(self, body: bytes, shape: Shape | None, skip: dict[str, Shape]) -> dict[str, Any]:
        try:
            node = json.loads(body) if body else {}
        except ValueError as error:
            self.problem("form", "", f"the body is not JSON: {error}")
            return {}
        if shape is None:
            for key in node:
                self.problem("unknown", key, "the operation has no parameters")
            return {}
        return self._json_structure(shape, node, "", skip) or {}

    def _json_value(self, shape: Shape, node: Any, path: str) -> Any:
        kind = shape.type_name
        if node is None:
            return None
        if kind == "structure":
            return node if shape.is_document_type else self._json_structure(shape, node, path, {})
        wanted = {"list": list, "map": dict, "string": str, "boolean": bool, "blob": str}.get(kind)
        if kind in ("integer", "long"):
            good = isinstance(node, int) and not isinstance(node, bool)
        elif kind in ("float", "double"):
            good = isinstance(node, (int, float)) and not isinstance(node, bool)
        elif kind == "timestamp":
            good = isinstance(node, (int, float, str)) and not isinstance(node, bool)
        else:
            good = wanted is not None and isinstance(node, wanted)
        if not good:
            self.problem("type", path, f"{type(node).__name__} where a {kind} belongs")
            return None
        if kind == "list":
            return [self._json_value(shape.member, item, f"{path}[{i}]") for i, item in enumerate(node)]
        if kind == "map":
            return {key: self._json_value(shape.value, item, f"{path}.{key}") for key, item in node.items()}
        if kind == "timestamp":
            return _from_epoch(node) if not isinstance(node, str) else self._scalar(shape, node, path)
        return self._scalar(shape, node, path) if kind == "blob" else node

    def _json_structure(self, shape: Shape, node: Any, path: str, skip: dict[str, Shape]) -> dict[str, Any] | None:
        if not isinstance(node, dict):
            self.problem("type", path, f"{type(node).__name__} where a structure belongs")
            return None
        names = {
            member.serialization.get("name", name): name
            for name, member in shape.members.items() if name not in skip
        }
        result = {}
        for key, value in node.items():
            where = f"{path}.{key}" if path else key
            if key not in names:
                self.problem("unknown", where, f"{shape.name} has no such member")
            elif value is not None:
                result[names[key]] = self._json_value(shape.members[names[key]], value, where)
        return result

    # -- rest -------------------------------------------------------------------------------------

    def _rest(self, request: Request, path_members: dict[str, str], shape: Shape | None) -> dict[str, Any]:
        members = shape.members if shape else {}
        located = {name: member for name, member in members.items() if "location" in member.serialization}
        params: dict[str, Any] = {}
        for name, member in located.items():
            wire = member.serialization.get("name", name)
            if member.serialization["location"] == "uri" and wire in path_members:
                params[name] = self._scalar(member, path_members[wire], name)
        self._rest_query(request, located, params)
        self._rest_headers(request, located, params)
        self._rest_body(request, shape, located, params)
        return params

    def _rest_query(self, request: Request, located: dict[str, Shape], params: dict[str, Any]) -> None:
        fixed = {pair.partition("=")[0] for pair in self.operation.http["requestUri"].partition("?")[2].split("&")}
        names = {
            member.serialization.get("name", name): (name, member)
            for name, member in located.items() if member.serialization["location"] == "querystring"
        }
        catch_all = next((pair for pair in names.values() if pair[1].type_name == "map"), None)
        for key, value in request.query_pairs():
            if key in SIGNING_QUERY or key in fixed:
                continue
            if key in names and names[key][1].type_name == "list":
                name, member = names[key]
                params.setdefault(name, []).append(self._scalar(member.member, value, key))
            elif key in names and names[key][1].type_name != "map":
                if names[key][0] in params:
                    self.problem("form", key, "is given twice in the query")
                params[names[key][0]] = self._scalar(names[key][1], value, key)
            elif catch_all:
                params.setdefault(catch_all[0], {})[key] = value
            else:
                self.problem("unknown", key, "the operation has no such query parameter")

    def _rest_headers(self, request: Request, located: dict[str, Shape], params: dict[str, Any]) -> None:
        names = {
            member.serialization.get("name", name).lower(): (name, member)
            for name, member in located.items() if member.serialization["location"] == "header"
        }
        prefixes = [
            (member.serialization["name"].lower(), name)
            for name, member in located.items() if member.serialization["location"] == "headers"
        ]
        for key, value in request.headers:
            lower = key.lower()
            prefix = next((pair for pair in prefixes if lower.startswith(pair[0])), None)
            if lower in names:
                name, member = names[lower]
                if member.type_name == "list":
                    params[name] = [self._scalar(member.member, item.strip(), key) for item in value.split(",")]
                else:
                    params[name] = self._scalar(member, value, key)
            elif prefix:
                params.setdefault(prefix[1], {})[lower.removeprefix(prefix[0])] = value
            elif self.operation.http_checksum and lower.startswith("x-amz-checksum-"):
                pass  # which of them was chosen is judged by the checksum itself
            elif lower not in GENERAL_HEADERS:
                self.problem("unknown", key, "the operation has no such header")

    def _rest_body(self, request: Request, shape: Shape | None, located: dict[str, Shape],
                   params: dict[str, Any]) -> None:
        payload = shape.serialization.get("payload") if shape else None
        if payload and shape.members[payload].type_name in ("blob", "string"):
            if request.body:
                blob = shape.members[payload].type_name == "blob"
                params[payload] = request.body if blob else request.body.decode("utf-8", "replace")
        elif self.protocol == "rest-json":
            if payload:
                if request.body:
                    params[payload] = self._json_object(request.body, shape.members[payload], {})
            else:
                body_shape = shape if shape and len(located) < len(shape.members) else None
                params.update(self._json_object(request.body, body_shape, located))
        elif payload:
            if request.body:
                params[payload] = self._xml_body(request.body, shape.members[payload], payload)
        elif request.body:
            self.problem("unknown", "", "the operation has no body")

    # -- XML --------------------------------------------------------------------------------------

    def _xml_body(self, body: bytes, shape: Shape, payload: str) -> Any:
        try:
            root = ElementTree.fromstring(body)
        except ElementTree.ParseError as error:
            self.problem("form", "", f"the body is not XML: {error}")
            return None
        wanted = shape.serialization.get("name", payload)
        namespace = shape.serialization.get("xmlNamespace", {}).get("uri")
        if _local(root.tag) != wanted:
            self.problem("form", "", f"the body's root is {_local(root.tag)}, not {wanted}")
        if root.tag.startswith("{") and namespace and root.tag[1:].partition("}")[0] != namespace:
            self.problem("form", "", f"the body's namespace is not {namespace}")
        return self._xml_structure(shape, root, wanted)

    def _xml_value(self, shape: Shape, node: ElementTree.Element, path: str) -> Any:
        if shape.type_name == "structure":
            return self._xml_structure(shape, node, path)
        if shape.type_name == "list":
            name = shape.member.serialization.get("name", "member")
            for child in node:
                if _local(child.tag) != name:
                    self.problem("unknown", f"{path}.{_local(child.tag)}", f"the list's items are called {name}")
            return [self._xml_value(shape.member, child, f"{path}.{name}") for child in node]
        if len(node):
            self.problem("type", path, f"elements where a {shape.type_name} belongs")
            return None
        return self._scalar(shape, node.text or "", path)

    def _xml_structure(self, shape: Shape, node: ElementTree.Element, path: str) -> dict[str, Any]:
        names, result = {}, {}
        for name, member in shape.members.items():
            if member.serialization.get("xmlAttribute"):
                wanted = member.serialization["name"].partition(":")[2]
                value = next((v for k, v in node.attrib.items() if _local(k) == wanted), None)
                if value is not None:
                    result[name] = value
            else:
                names[self._xml_name(member, name)] = name
        for child in node:
            key = _local(child.tag)
            where = f"{path}.{key}"
            if key not in names:
                self.problem("unknown", where, f"{shape.name} has no such member")
                continue
            member = shape.members[names[key]]
            if member.type_name == "list" and member.serialization.get("flattened"):
                result.setdefault(names[key], []).append(self._xml_value(member.member, child, where))
            elif names[key] in result:
                self.problem("form", where, "is given twice")
            else:
                result[names[key]] = self._xml_value(member, child, where)
        return result

    @staticmethod
    def _xml_name(shape: Shape, name: str) -> str:
        if shape.type_name == "list" and shape.serialization.get("flattened"):
            return shape.member.serialization.get("name") or shape.serialization.get("name", name)
        return shape.serialization.get("name", name)

    # -- required members, limits, patterns, enumerations -----------------------------------------

    def _check(self, shape: Shape, value: Any, path: str) -> None:
        if value is None:
            return
        if shape.type_name == "structure" and not getattr(shape, "is_document_type", False):
            for name in shape.required_members:
                if value.get(name) is None:
                    self.problem("missing", f"{path}.{name}" if path else name, "is required")
            if getattr(shape, "is_tagged_union", False) and len(value) != 1:
                self.problem("constraint", path, f"wants exactly one of {', '.join(shape.members)}")
            for name, item in value.items():
                self._check(shape.members[name], item, f"{path}.{name}" if path else name)
        elif shape.type_name == "list":
            self._check_range(shape, len(value), path, "items")
            for i, item in enumerate(value):
                self._check(shape.member, item, f"{path}[{i}]")
        elif shape.type_name == "map":
            self._check_range(shape, len(value), path, "entries")
            for key, item in value.items():
                self._check(shape.key, key, f"{path} key {key!r}")
                self._check(shape.value, item, f"{path}.{key}")
        elif shape.type_name == "string":
            self._check_string(shape, value, path)
        elif shape.type_name == "blob":
            self._check_range(shape, len(value), path, "bytes")
        elif shape.type_name in ("integer", "long", "float", "double"):
            self._check_range(shape, value, path, "")

    def _check_range(self, shape: Shape, number: float, path: str, unit: str) -> None:
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if low is not None and number < low:
            self.problem("constraint", path, f"{number} {unit} is less than {low}".replace("  ", " "))
        if high is not None and number > high:
            self.problem("constraint", path, f"{number} {unit} is more than {high}".replace("  ", " "))

    def _check_string(self, shape: Shape, value: str, path: str) -> None:
        self._check_range(shape, len(value), path, "characters")
        allowed = shape.metadata.get("enum")
        if allowed and value not in allowed:
            self.problem("constraint", path, f"{value!r} is none of {', '.join(allowed)}")
        pattern = _pattern(shape.metadata.get("pattern"))
        if pattern and not pattern.fullmatch(value):
            self.problem("constraint", path, f"{value!r} does not match {shape.metadata['pattern']}")


@cache
def _pattern(text: str | None) -> Any:
    """The models' patterns are Java's; AWS matches them whole."""
    try:
        return regex.compile(text) if text else None
    except regex.error:
        return None


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _from_epoch(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
