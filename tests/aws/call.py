"""One judged call: its parameters, the emulator behind it, and its answer in the protocol's words."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import botocore.parsers
import botocore.serialize
from moto.awslambda.utils import get_backend as get_lambda_backend
from moto.backends import get_backend
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model

from delays import Delays
from emulator import ACCOUNT, Emulator
from judge import Keys
from messages import AwsError, Reply, Request
from operations import Target

Params = dict[str, Any]


@dataclass
class Call:
    request: Request
    target: Target
    region: str
    access_key: str
    emulator: Emulator
    keys: Keys
    params: Params = field(default_factory=dict)
    account: str = ACCOUNT
    delays: Delays = field(default_factory=Delays)

    @property
    def service(self) -> str:
        return self.target.service

    @property
    def operation(self) -> str:
        return self.target.operation.name

    def backend(self, service: str | None = None, region: str | None = None) -> Any:
        """moto's own state of a service, for what its API does not say."""
        if (service or self.service) == "lambda":
            return get_lambda_backend(self.account, region or self.region)
        backends = get_backend(service or self.service)[self.account]  # type: ignore[call-overload]
        for name in (region or self.region, "aws", "global"):
            if name in backends:
                return backends[name]
        raise KeyError(f"{service} has no backend in {self.region}")

    # -- asking the emulator ----------------------------------------------------------------------

    def pass_through(self) -> Reply:
        """The emulator's own answer to the request as it came."""
        reply = self.emulator.call(self.request)
        if self.service == "s3" and reply.status == 403 and self.request.method != "HEAD":
            raise AwsError("AccessDenied", "Access Denied", 403)  # moto's own is plain text
        return reply

    def forward(self, params: Params | None = None, operation: str | None = None,
                service: str | None = None, region: str | None = None) -> Params:
        """The emulator's answer, read: to this call's parameters, or to others; AwsError if it refuses."""
        name, model = service or self.service, self.target.model
        if name != self.service:
            model = get_service_model(name)
        operation_model = model.operation_model(operation or self.operation)
        protocol = self.target.protocol if name == self.service else _protocol(name)
        if params is None and operation is None and service is None and region is None:
            reply = self.pass_through()
        else:
            given = self.params if params is None else params
            request = build_request(name, operation_model, protocol, given, region or self.region, self.access_key)
            reply = self.emulator.call(request)
        return read_reply(reply, operation_model, protocol)

    # -- answering --------------------------------------------------------------------------------

    def reply(self, result: Params) -> Reply:
        return write_reply(result, self.target)


def _protocol(service: str) -> str:
    protocols = get_service_model(service).metadata.get("protocols")
    protocol = protocols[0] if protocols else get_service_model(service).metadata["protocol"]
    return "json" if protocol == "smithy-rpc-v2-cbor" else protocol


@cache
def _serializer(protocol: str) -> Any:
    return botocore.serialize.create_serializer(protocol, include_validation=False)


@cache
def _parser(protocol: str) -> Any:
    return botocore.parsers.create_parser(protocol)


SIGNING_NAMES = {"apigatewayv2": "apigateway", "bedrock-runtime": "bedrock", "cloudwatch": "monitoring",
                 "resourcegroupstaggingapi": "tagging", "service-quotas": "servicequotas"}


def build_request(service: str, operation: Any, protocol: str, params: Params, region: str,
                  access_key: str) -> Request:
    """A request as an SDK would make it; its signature is none, since moto does not look."""
    wire = _serializer(protocol).serialize_to_request(params, operation)
    scope = f"{access_key}/20200101/{region}/{SIGNING_NAMES.get(service, service)}/aws4_request"
    headers = [("Host", f"{service}.{region}.amazonaws.com" if service != "s3" else "127.0.0.1"),
               ("Authorization", f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}")]
    headers += [(key, str(value)) for key, value in wire["headers"].items()]
    query = wire["query_string"]
    if not isinstance(query, str):
        pairs = query.items() if isinstance(query, dict) else query
        query = urlencode(list(pairs), doseq=True, quote_via=quote)
    body = wire["body"]
    if isinstance(body, dict):
        body = urlencode(body)
    if isinstance(body, str):
        body = body.encode()
    path = wire["url_path"]
    target = path + (("&" if "?" in path else "?") + query if query else "")
    return Request(wire["method"], target, headers, body or b"")


def read_reply(reply: Reply, operation: Any, protocol: str) -> Params:
    """The reply as an SDK reads it; AwsError for an error."""
    if reply.status >= 500:
        raise RuntimeError(f"moto answered {reply.status}: {reply.body[:2000]!r}")
    response = {"status_code": reply.status, "body": reply.body,
                "headers": {key.lower(): value for key, value in reply.headers}}
    parsed = _parser(protocol).parse(response, operation.output_shape)
    metadata = parsed.pop("ResponseMetadata", {})
    if reply.status >= 300:
        error = parsed.get("Error", {})
        raise AwsError(error.get("Code", "Unknown"), error.get("Message", ""), metadata.get("HTTPStatusCode", 400))
    return parsed


def write_reply(result: Params, target: Target) -> Reply:
    request_id = str(uuid.uuid4())
    serializer_class = get_serializer_class(target.service, target.protocol)
    serializer = serializer_class(target.operation, SerializationContext(request_id))
    answer = serializer.serialize(result)
    headers = [(key, str(value)) for key, value in answer["headers"].items()]
    headers.append(("x-amz-request-id" if target.service == "s3" else "x-amzn-RequestId", request_id))
    body = answer["body"]
    return Reply(answer["status_code"], headers, body.encode() if isinstance(body, str) else body)
