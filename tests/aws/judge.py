"""Judges requests as AWS does: the signature by botocore's signer, the parameters by its models."""

from __future__ import annotations

import calendar
import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.session import get_session

from decode import Decoder, Problem
from messages import AwsError, Request
from operations import Scope, Target

MAX_SKEW_S = 15 * 60
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
UNSIGNED_PAYLOADS = ("UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                     "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
# Services of one region only, whose endpoint serves the world.
GLOBAL_SERVICES = {"iam": "us-east-1"}


@dataclass
class Key:
    secret: str
    token: str = ""
    expires: float = 0.0  # seconds since the epoch; 0: never


class Keys:
    """The access keys that the gateway knows: those given at its start and those STS handed out."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}

    def add(self, access_key: str, key: Key) -> None:
        self._keys[access_key] = key

    def get(self, access_key: str) -> Key | None:
        return self._keys.get(access_key)


# -- how each protocol names the same refusal ------------------------------------------------------

REFUSALS: dict[str, dict[str, tuple[str, int]]] = {
    "missing": {"ec2": ("AuthFailure", 401), "query": ("MissingAuthenticationToken", 403),
                "s3": ("AccessDenied", 403), "json": ("MissingAuthenticationTokenException", 400),
                "rest-json": ("MissingAuthenticationTokenException", 403)},
    "incomplete": {"ec2": ("AuthFailure", 401), "query": ("IncompleteSignature", 400),
                   "s3": ("AuthorizationHeaderMalformed", 400),
                   "json": ("IncompleteSignatureException", 400),
                   "rest-json": ("IncompleteSignatureException", 403)},
    "unknown-key": {"ec2": ("AuthFailure", 401), "query": ("InvalidClientTokenId", 403),
                    "s3": ("InvalidAccessKeyId", 403), "json": ("UnrecognizedClientException", 400),
                    "rest-json": ("UnrecognizedClientException", 403)},
    "bad-token": {"ec2": ("AuthFailure", 401), "query": ("InvalidClientTokenId", 403),
                  "s3": ("InvalidToken", 400), "json": ("UnrecognizedClientException", 400),
                  "rest-json": ("UnrecognizedClientException", 403)},
    "expired-token": {"ec2": ("RequestExpired", 400), "query": ("ExpiredToken", 403),
                      "s3": ("ExpiredToken", 400), "json": ("ExpiredTokenException", 400),
                      "rest-json": ("ExpiredTokenException", 403)},
    "skew": {"ec2": ("RequestExpired", 400), "query": ("SignatureDoesNotMatch", 403),
             "s3": ("RequestTimeTooSkewed", 403), "json": ("InvalidSignatureException", 400),
             "rest-json": ("InvalidSignatureException", 403)},
    "mismatch": {"ec2": ("AuthFailure", 401), "query": ("SignatureDoesNotMatch", 403),
                 "s3": ("SignatureDoesNotMatch", 403), "json": ("InvalidSignatureException", 400),
                 "rest-json": ("InvalidSignatureException", 403)},
    "payload": {"ec2": ("AuthFailure", 401), "query": ("SignatureDoesNotMatch", 403),
                "s3": ("XAmzContentSHA256Mismatch", 400), "json": ("InvalidSignatureException", 400),
                "rest-json": ("InvalidSignatureException", 403)},
}


def refuse(reason: str, target: Target, message: str) -> AwsError:
    family = "s3" if target.service == "s3" else target.protocol
    code, status = REFUSALS[reason][family]
    return AwsError(code, message, status)


class SignatureJudge:
    """Recomputes signatures. `now` is a clock, so that a test can set it off."""

    def __init__(self, keys: Keys, now: Any = time.time) -> None:
        self.keys = keys
        self.now = now
        session = get_session()
        self._regions = {
            region
            for partition in session.get_available_partitions()
            for region in session.get_available_regions("ec2", partition)
        }

    def judge(self, request: Request, target: Target, scope: Scope | None) -> None:
        """Raises what AWS would answer to a request that is not signed as it must be."""
        if scope is None:
            if target.operation.auth_type == "none":
                return
            raise refuse("missing", target, "Missing Authentication Token")
        query_form = "X-Amz-Signature" in dict(request.query_pairs())
        signed, given, timestamp = self._read(request, target, query_form)
        self._check_scope(target, scope, timestamp)
        self._check_time(request, target, timestamp, query_form)
        key = self.keys.get(scope.access_key)
        if not key:
            raise refuse("unknown-key", target, "The security token included in the request is invalid.")
        self._check_token(request, target, key, query_form)
        self._check_headers(request, target, signed)
        self._check_payload(request, target)
        expected = self._signature(request, target, scope, key, signed, timestamp, query_form)
        if not hmac.compare_digest(expected, given):
            raise refuse("mismatch", target, "The request signature we calculated does not match the "
                         "signature you provided. Check your AWS Secret Access Key and signing method.")

    @staticmethod
    def _read(request: Request, target: Target, query_form: bool) -> tuple[list[str], str, str]:
        """Signed headers, signature and time."""
        if query_form:
            query = dict(request.query_pairs())
            signed, given = query.get("X-Amz-SignedHeaders", ""), query["X-Amz-Signature"]
            timestamp = query.get("X-Amz-Date", "")
        else:
            text = request.header("Authorization")
            if not text.startswith("AWS4-HMAC-SHA256 "):
                raise refuse("incomplete", target, "Authorization header is not of AWS4-HMAC-SHA256")
            fields = dict(re.findall(r"(\w+)=([^,\s]+)", text))
            signed, given = fields.get("SignedHeaders", ""), fields.get("Signature", "")
            timestamp = request.header("X-Amz-Date") or _from_date(request.header("Date"))
        if not signed or not re.fullmatch(r"[0-9a-f]{64}", given):
            raise refuse("incomplete", target, "Authorization wants SignedHeaders and a Signature of 64 hex digits")
        if not re.fullmatch(r"\d{8}T\d{6}Z", timestamp):
            raise refuse("incomplete", target, "X-Amz-Date is missing or malformed")
        names = signed.split(";")
        if names != sorted(names) or signed != signed.lower():
            raise refuse("incomplete", target, "SignedHeaders are not sorted and in lower case")
        return names, given, timestamp

    def _check_scope(self, target: Target, scope: Scope, timestamp: str) -> None:
        if scope.date != timestamp[:8]:
            raise refuse("mismatch", target, f"Date in Credential scope does not match YYYYMMDD from "
                         f"ISO-8601 version of date from HTTP: '{scope.date}' != '{timestamp[:8]}'")
        wanted = GLOBAL_SERVICES.get(target.service)
        if wanted and scope.region != wanted or scope.region not in self._regions:
            raise refuse("mismatch", target, "Credential should be scoped to a valid region"
                         + (f", not '{scope.region}'." if not wanted else f": {wanted}."))

    def _check_time(self, request: Request, target: Target, timestamp: str, query_form: bool) -> None:
        signed_at = calendar.timegm(time.strptime(timestamp, "%Y%m%dT%H%M%SZ"))
        age = self.now() - signed_at
        limit = float(dict(request.query_pairs()).get("X-Amz-Expires", 0)) if query_form else MAX_SKEW_S
        if age > limit or age < -MAX_SKEW_S:
            word = "Signature expired" if age > 0 else "Signature not yet current"
            server = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.now()))
            error = refuse("skew", target, f"{word}: {timestamp} is not within 15 min. of {server}")
            if target.service == "s3" and not query_form:
                error.extra = {"RequestTime": timestamp, "MaxAllowedSkewMilliseconds": str(MAX_SKEW_S * 1000)}
            raise error

    def _check_token(self, request: Request, target: Target, key: Key, query_form: bool) -> None:
        given = (unquote(dict(request.query_pairs()).get("X-Amz-Security-Token", ""))
                 if query_form else request.header("X-Amz-Security-Token"))
        if given != key.token:
            raise refuse("bad-token", target, "The security token included in the request is invalid")
        if key.expires and self.now() > key.expires:
            raise refuse("expired-token", target, "The security token included in the request is expired")

    @staticmethod
    def _check_headers(request: Request, target: Target, signed: list[str]) -> None:
        must = {key.lower() for key, _ in request.headers if key.lower().startswith("x-amz-")} | {"host"}
        missing = must - set(signed)
        if missing:
            raise refuse("mismatch", target, "There were headers present in the request which were not "
                         f"signed: {', '.join(sorted(missing))}")

    @staticmethod
    def _check_payload(request: Request, target: Target) -> None:
        claimed = request.header("X-Amz-Content-SHA256")
        if not claimed and target.service == "s3" and "X-Amz-Signature" not in request.query:
            raise AwsError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
        if claimed and claimed not in UNSIGNED_PAYLOADS and claimed != hashlib.sha256(request.body).hexdigest():
            raise refuse("payload", target, "The provided 'x-amz-content-sha256' header does not match "
                         "what was computed.")

    @staticmethod
    def _signature(request: Request, target: Target, scope: Scope, key: Key, signed: list[str],
                   timestamp: str, query_form: bool) -> str:
        signer_class = S3SigV4Auth if target.service == "s3" else SigV4Auth
        signer = signer_class(Credentials(scope.access_key, key.secret, key.token), scope.signing_name, scope.region)
        query = request.query
        if query_form:
            query = "&".join(pair for pair in query.split("&") if not pair.startswith("X-Amz-Signature="))
        url = f"http://{request.header('Host')}{request.path}" + (f"?{query}" if query else "")
        copy = AWSRequest(method=request.method, url=url, data=request.body)
        for name, value in request.headers:
            if name.lower() in signed:
                copy.headers.add_header(name.lower(), value)
        if query_form and target.service == "s3" and "X-Amz-Content-SHA256" not in copy.headers:
            copy.headers["X-Amz-Content-SHA256"] = "UNSIGNED-PAYLOAD"
            signer.headers_to_sign = _without_payload_hash(signer)
        copy.context["timestamp"] = timestamp
        canonical = signer.canonical_request(copy)
        return signer.signature(signer.string_to_sign(copy, canonical), copy)


def _without_payload_hash(signer: SigV4Auth) -> Any:
    """Presigned S3 requests hash a constant that is no header of theirs."""
    original = signer.headers_to_sign

    def headers_to_sign(request: AWSRequest) -> Any:
        headers = original(request)
        del headers["X-Amz-Content-SHA256"]
        return headers

    return headers_to_sign


def _from_date(text: str) -> str:
    try:
        return parsedate_to_datetime(text).strftime("%Y%m%dT%H%M%SZ")
    except (TypeError, ValueError):
        return ""


# -- the model -------------------------------------------------------------------------------------


def judge_parameters(request: Request, target: Target) -> tuple[dict[str, Any], list[Problem]]:
    decoder = Decoder(target.operation, target.protocol)
    params = decoder.decode(request, target.path_members)
    if target.service == "s3" and target.operation.http_checksum.get("requestChecksumRequired"):
        names = {key.lower() for key, _ in request.headers}
        if "content-md5" not in names and not any(name.startswith("x-amz-checksum-") for name in names):
            decoder.problem("missing", "Content-MD5", "the operation wants a checksum of its body")
    return params, decoder.problems


def model_error(problems: list[Problem], target: Target) -> AwsError:
    """What AWS would answer; it ignores most unknown members, which is why they must not pass here."""
    first = problems[0]
    text = "; ".join(map(str, problems))
    if target.protocol == "ec2":
        code = {"missing": "MissingParameter", "unknown": "UnknownParameter"}.get(first.kind, "InvalidParameterValue")
        return AwsError(code, text)
    if target.service == "s3":
        if first.kind == "missing":
            return AwsError("InvalidRequest", text)
        return AwsError("MalformedXML" if request_has_body(first) else "InvalidArgument", text)
    if target.service == "apigatewayv2":
        return AwsError("BadRequestException", text)
    if target.protocol == "query":
        return AwsError("ValidationError", text)
    if target.service == "logs" and first.kind != "unknown":
        return AwsError("InvalidParameterException", text)
    kind = "SerializationException" if first.kind in ("type", "form") else "ValidationException"
    return AwsError(kind, f"{len(problems)} validation error{'s' * (len(problems) > 1)} detected: {text}")


def request_has_body(problem: Problem) -> bool:
    return problem.kind in ("form", "unknown") or "." in problem.path
