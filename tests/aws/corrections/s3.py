"""S3: what a new bucket has, policies with conditions, owners, checksums, notifications."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
import zlib
from typing import TYPE_CHECKING, Any

from corrections import checks, corrects
from corrections.lambda_ import functions
from corrections.policies import as_list
from messages import AwsError, Reply

if TYPE_CHECKING:
    from call import Call

Result = dict[str, Any]

PRIVATE = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
ENCRYPTION = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]}


@functools.cache
def _repair_policies() -> None:
    """moto reads no conditions: a TLS-only policy locks everybody out. Loopback stands for TLS here."""
    from moto.s3.models import FakeBucket

    original = FakeBucket.get_permission

    def get_permission(self: Any, action: str, resource: str) -> Any:
        policy = self.policy
        if policy is None:
            return original(self, action, resource)
        document = json.loads(policy)
        document["Statement"] = [item for item in as_list(document["Statement"]) if _holds(item.get("Condition") or {})]
        if not document["Statement"]:
            self.policy = None
        else:
            self.policy = json.dumps(document).encode()
        try:
            return original(self, action, resource)
        finally:
            self.policy = policy

    FakeBucket.get_permission = get_permission


def _holds(condition: Result) -> bool:
    """Whether a condition holds for a request over TLS 1.3; those unknown here do not."""
    for kind, tests in condition.items():
        for key, wanted in tests.items():
            if kind == "Bool" and key.lower() == "aws:securetransport":
                if str(as_list(wanted)[0]).lower() != "true":
                    return False
            elif kind == "NumericLessThan" and key.lower() == "s3:tlsversion":
                if float(as_list(wanted)[0]) <= 1.3:
                    return False
            else:
                return False
    return True


# -- every call ------------------------------------------------------------------------------------


@checks("s3")
def check_every_call(call: Call) -> None:
    _repair_policies()
    _check_checksums(call)
    name = call.params.get("Bucket")
    bucket = call.backend().buckets.get(name) if name else None
    if bucket is None or call.operation == "CreateBucket":
        return
    owner = call.params.get("ExpectedBucketOwner")
    if owner and owner != bucket.account_id:
        raise AwsError("AccessDenied", "Access Denied", 403)
    if bucket.region_name != call.region:
        raise AwsError("PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified "
                       "endpoint. Please send all future requests to this endpoint.", 301,
                       {"Endpoint": f"{name}.s3.{bucket.region_name}.amazonaws.com", "Bucket": name})
    upload = call.params.get("UploadId")
    if upload and upload not in bucket.multiparts:
        raise AwsError("NoSuchUpload", "The specified multipart upload does not exist. The upload ID may be invalid, or "
                       "the upload may have been aborted or completed.", 404)


def _check_checksums(call: Call) -> None:
    body = call.request.body
    digest = call.request.header("Content-MD5")
    if digest and base64.b64encode(hashlib.md5(body).digest()).decode() != digest:
        raise AwsError("BadDigest" if re.fullmatch(r"[A-Za-z0-9+/]{22}==", digest) else "InvalidDigest",
                       "The Content-MD5 you specified did not match what we received.")
    sums = {"crc32": lambda: zlib.crc32(body).to_bytes(4, "big"), "sha1": lambda: hashlib.sha1(body).digest(),
            "sha256": lambda: hashlib.sha256(body).digest()}
    for name, compute in sums.items():
        given = call.request.header(f"x-amz-checksum-{name}")
        if given and call.operation != "CompleteMultipartUpload" and base64.b64encode(compute()).decode() != given:
            raise AwsError("BadDigest", f"The {name.upper()} you specified did not match the calculated checksum.")


# -- buckets ---------------------------------------------------------------------------------------


@corrects("s3", "CreateBucket")
def create_bucket(call: Call) -> Any:
    params, name = dict(call.params), call.params["Bucket"]
    if not re.fullmatch(r"(?!xn--|sthree-)(?!.*-s3alias$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name) or ".." in name:
        raise AwsError("InvalidBucketName", "The specified bucket is not valid.", 400, {"BucketName": name})
    existed = name in call.backend().buckets
    config = dict(params.pop("CreateBucketConfiguration", None) or {})
    tags = config.pop("Tags", None)
    if config.get("LocationConstraint") and config["LocationConstraint"] != call.region:
        raise AwsError("IllegalLocationConstraintException", f"The {config['LocationConstraint']} location constraint is "
                       "incompatible for the region specific endpoint this request was sent to.")
    result = call.forward({**params, **({"CreateBucketConfiguration": config} if config else {})})
    if not existed:
        ask = {"Bucket": name}
        call.forward({**ask, "ServerSideEncryptionConfiguration": ENCRYPTION}, "PutBucketEncryption")
        call.forward({**ask, "PublicAccessBlockConfiguration": PRIVATE}, "PutPublicAccessBlock")
        owner = params.get("ObjectOwnership", "BucketOwnerEnforced")
        call.forward({**ask, "OwnershipControls": {"Rules": [{"ObjectOwnership": owner}]}},
                     "PutBucketOwnershipControls")
        if tags:
            call.forward({**ask, "Tagging": {"TagSet": tags}}, "PutBucketTagging")
    return result


@corrects("s3", "DeleteBucketEncryption")
def delete_encryption(call: Call) -> Reply:
    """The default comes back: a bucket is never without."""
    call.forward({"Bucket": call.params["Bucket"], "ServerSideEncryptionConfiguration": ENCRYPTION}, "PutBucketEncryption")
    return Reply(204, [], b"")


@corrects("s3", "PutBucketPolicy")
def put_policy(call: Call) -> Any:
    text, bucket = call.params["Policy"], call.params["Bucket"]

    def bad(why: str) -> AwsError:
        return AwsError("MalformedPolicy", why)

    try:
        document = json.loads(text)
    except ValueError:
        raise bad("Policies must be valid JSON and the first byte must be '{'") from None
    for statement in as_list(document.get("Statement")):
        if "Principal" not in statement and "NotPrincipal" not in statement:
            raise bad("Missing required field Principal")
        for resource in as_list(statement.get("Resource")):
            if not re.match(rf"arn:aws[a-z-]*:s3:::{re.escape(bucket)}(/|$)", resource):
                raise bad("Policy has invalid resource")
        if any(not action.startswith(("s3:", "*")) for action in as_list(statement.get("Action"))):
            raise bad("Policy has invalid action")
    if not document.get("Statement"):
        raise bad("Missing required field Statement")
    if call.backend().buckets.get(bucket) is not None:
        _check_public(call.backend().buckets[bucket], document)
    reply = call.pass_through()
    return Reply(204, reply.headers, b"") if reply.status == 200 else reply


def _check_public(bucket: Any, document: Result) -> None:
    block = bucket.public_access_block
    everyone = ("*", {"AWS": "*"})
    public = any(item["Effect"] == "Allow" and item.get("Principal") in everyone and not item.get("Condition")
                 for item in as_list(document["Statement"]))
    if public and block is not None and block.block_public_policy:
        raise AwsError("AccessDenied", "User is not authorized to perform: s3:PutBucketPolicy because public policies are "
                       "blocked by the BlockPublicPolicy setting in S3 Block Public Access.", 403)


@corrects("s3", "PutBucketNotificationConfiguration")
def put_notification(call: Call) -> Any:
    """Functions must be there, and let S3 call them for this bucket."""
    bucket = f"arn:aws:s3:::{call.params['Bucket']}"
    for item in call.params["NotificationConfiguration"].get("LambdaFunctionConfigurations", []):
        arn = item["LambdaFunctionArn"]
        parts = arn.split(":")
        function = functions(call).get(parts[6]) if len(parts) > 6 else None
        qualifier = parts[7] if len(parts) > 7 else ""
        statements = function.policies.get(qualifier, []) if function else []
        if not any(_lets(statement, bucket) for statement in statements):
            raise AwsError("InvalidArgument", "Unable to validate the following destination configurations", 400,
                           {"ArgumentName1": arn, "ArgumentValue1": "Not authorized to invoke function"})
    return call.pass_through()


def _lets(statement: Result, bucket: str) -> bool:
    source = statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn", bucket)
    return statement["Principal"] == {"Service": "s3.amazonaws.com"} and source in (bucket, "arn:aws:s3:::*")
