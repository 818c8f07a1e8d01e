"""What travels through the gateway: a request as received, a reply, and an error of AWS."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

Headers = list[tuple[str, str]]


@dataclass
class Request:
    """A request as it came: nothing is decoded, since the signature covers the encoded form."""

    method: str
    target: str  # path and query
    headers: Headers
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str, default: str = "") -> str:
        name = name.lower()
        return next((value for key, value in self.headers if key.lower() == name), default)

    def query_pairs(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query, keep_blank_values=True)

    def form_pairs(self) -> list[tuple[str, str]]:
        """Action and parameters of the query and ec2 protocols: the body's, or a GET's query."""
        text = self.body.decode("utf-8", "replace") if self.body else self.query
        return parse_qsl(text, keep_blank_values=True)


@dataclass
class Reply:
    status: int
    headers: Headers
    body: bytes
    delay_s: float = 0.0  # it comes so much later
    sent_bytes: int = -1  # the connection ends after these of the body; -1: all are sent

    def header(self, name: str, default: str = "") -> str:
        name = name.lower()
        return next((value for key, value in self.headers if key.lower() == name), default)


@dataclass
class AwsError(Exception):
    """An error that AWS answers; the protocol decides how it is written."""

    code: str
    message: str
    status: int = 400
    extra: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def error_reply(error: AwsError, protocol: str, service: str, method: str = "POST") -> Reply:
    """The error in the words of the protocol; `service` tells S3's form from the others'."""
    request_id = str(uuid.uuid4())
    if service == "s3":
        return _s3_error(error, request_id, method)
    if protocol in ("query", "ec2"):
        return _xml_error(error, request_id, protocol)
    return _json_error(error, request_id, protocol)


def _s3_error(error: AwsError, request_id: str, method: str) -> Reply:
    extra = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in error.extra.items())
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message>{extra}"
        f"<RequestId>{request_id}</RequestId><HostId>host</HostId></Error>"
    )
    headers = [("Content-Type", "application/xml"), ("x-amz-request-id", request_id)]
    if method == "HEAD" or error.status == 304:
        body = ""
    return Reply(error.status, headers, body.encode())


def _xml_error(error: AwsError, request_id: str, protocol: str) -> Reply:
    code, message = escape(error.code), escape(error.message)
    if protocol == "ec2":
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error>'
            f"<Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    else:
        kind = "Sender" if error.status < 500 else "Receiver"
        body = (
            f"<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code>"
            f"<Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    headers = [("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)]
    return Reply(error.status, headers, body.encode())


def _json_error(error: AwsError, request_id: str, protocol: str) -> Reply:
    headers = [("x-amzn-RequestId", request_id)]
    if protocol == "rest-json":
        headers += [("Content-Type", "application/json"), ("x-amzn-ErrorType", error.code)]
        body = {"message": error.message, **error.extra}
    else:
        headers += [("Content-Type", "application/x-amz-json-1.1")]
        body = {"__type": error.code, "message": error.message, **error.extra}
    return Reply(error.status, headers, json.dumps(body).encode())
