"""Which service and operation a request names, by the credential scope and the service's model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl, unquote

from botocore.model import OperationModel, ServiceModel
from moto.core.utils import get_service_model

from messages import AwsError, Request

# Signing name -> the services that share it.
SERVICES = {
    "apigateway": ("apigatewayv2", "apigateway"),
    "bedrock": ("bedrock-runtime", "bedrock"),
    "ec2": ("ec2",),
    "events": ("events",),
    "iam": ("iam",),
    "kms": ("kms",),
    "lambda": ("lambda",),
    "logs": ("logs",),
    "monitoring": ("cloudwatch",),
    "pricing": ("pricing",),
    "rds": ("rds",),
    "s3": ("s3",),
    "secretsmanager": ("secretsmanager",),
    "servicequotas": ("service-quotas",),
    "sns": ("sns",),
    "sso": ("sso",),
    "sso-oauth": ("sso-oidc",),
    "sts": ("sts",),
    "tagging": ("resourcegroupstaggingapi",),
}

# Operations that are called without a signature, so without a scope to read the service from.
UNSIGNED_SERVICES = ("sts", "sso", "sso-oidc")


@dataclass(frozen=True)
class Scope:
    """What a request says about itself in its credential scope."""

    access_key: str
    date: str
    region: str
    signing_name: str


@dataclass
class Target:
    """The operation a request is for, and what its path says."""

    service: str
    model: ServiceModel
    operation: OperationModel
    protocol: str
    path_members: dict[str, str]


def read_scope(request: Request) -> Scope | None:
    credential = re.search(r"Credential=([^,\s]+)", request.header("Authorization"))
    text = credential.group(1) if credential else dict(request.query_pairs()).get("X-Amz-Credential")
    if not text:
        return None
    parts = text.rsplit("/", 4)
    return Scope(*parts[:4]) if len(parts) == 5 and parts[4] == "aws4_request" else None


def find_operation(request: Request, scope: Scope | None) -> Target:
    """The operation; an AwsError where no service of the model has such a one."""
    names = SERVICES.get(scope.signing_name, ()) if scope else UNSIGNED_SERVICES
    for name in names:
        model = get_service_model(name)
        target = _find_in_service(name, model, request)
        if target and (scope or target.operation.auth_type == "none"):
            return target
    if not scope:
        raise AwsError("MissingAuthenticationToken", "Missing Authentication Token", 403)
    if not names:
        raise AwsError("UnknownService", f"the gateway has no service {scope.signing_name}", 404)
    raise AwsError("UnknownOperationException", f"{scope.signing_name} has no such operation", 404)


def _find_in_service(name: str, model: ServiceModel, request: Request) -> Target | None:
    protocols = model.metadata.get("protocols") or [model.metadata["protocol"]]
    if name != "s3" and "query" in protocols or "ec2" in protocols:
        form = dict(request.form_pairs()) if not request.header("X-Amz-Target") else {}
        if form.get("Action") in model.operation_names:
            protocol = "ec2" if "ec2" in protocols else "query"
            return Target(name, model, model.operation_model(form["Action"]), protocol, {})
    if "json" in protocols:
        prefix, _, action = request.header("X-Amz-Target").rpartition(".")
        if prefix == model.metadata["targetPrefix"] and action in model.operation_names:
            return Target(name, model, model.operation_model(action), "json", {})
    if protocols[0].startswith("rest-"):
        return _find_by_path(name, model, request, protocols[0])
    return None


# -- REST: method, path, fixed query and required members decide -----------------------------------


@dataclass(frozen=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    members: tuple[str, ...]
    fixed_query: tuple[tuple[str, str], ...]
    required_query: frozenset[str]
    required_headers: frozenset[str]
    operation: str


@cache
def _routes(name: str) -> list[_Route]:
    model = get_service_model(name)
    operations = [model.operation_model(operation) for operation in model.operation_names]
    return [_route(operation) for operation in operations if not operation.deprecated]


def _route(operation: OperationModel) -> _Route:
    path, _, query = operation.http["requestUri"].partition("?")
    pieces = re.split(r"\{([^}]+)\}", path.rstrip("/") or "/")
    members = pieces[1::2]
    pattern = "".join(
        ("(.+)" if piece.endswith("+") else "([^/]+)") if index % 2 else re.escape(piece)
        for index, piece in enumerate(pieces)
    )
    required: dict[str, set[str]] = {"querystring": set(), "header": set()}
    shape = operation.input_shape
    for member in shape.required_members if shape else ():
        location = shape.members[member].serialization
        if location.get("location") in required:
            required[location["location"]].add(location.get("name", member).lower())
    return _Route(
        operation.http["method"], re.compile(pattern + "/?"),
        tuple(name.rstrip("+") for name in members),
        tuple(parse_qsl(query, keep_blank_values=True)),
        frozenset(required["querystring"]), frozenset(required["header"]), operation.name,
    )


def _find_by_path(name: str, model: ServiceModel, request: Request, protocol: str) -> Target | None:
    query = request.query_pairs()
    keys = {key.lower() for key, _ in query}
    headers = {key.lower() for key, _ in request.headers}
    best: tuple[tuple[int, ...], _Route, re.Match[str]] | None = None
    for route in _routes(name):
        if route.method != request.method or not set(route.fixed_query) <= set(query):
            continue
        match = route.pattern.fullmatch(request.path)
        if not match:
            continue
        required = len(route.required_query) + len(route.required_headers)
        present = len(route.required_query & keys) + len(route.required_headers & headers)
        literal = len(route.pattern.pattern) - sum(map(len, match.groups()))
        rank = (-len(match.groups()), literal, len(route.fixed_query), present - 100 * (required - present))
        if best is None or rank > best[0]:
            best = (rank, route, match)
    if best is None:
        return None
    _, route, match = best
    path_members = dict(zip(route.members, map(unquote, match.groups())))
    return Target(name, model, model.operation_model(route.operation), protocol, path_members)
