#!/usr/bin/env python3
"""Writes tests/unit/sign_cases.json: requests, and what botocore's signer makes of them.

Run it again only to add cases; the file is committed, so that the tests need no botocore.
The keys are the published examples of AWS's documentation.
"""

import datetime
import json
import pathlib
import unittest.mock
from urllib.parse import urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ACCESS_KEY_ID = "AKIDEXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEEXAMPLE//////////wEaCXVzLWVhc3QtMSJH+token/with=specials=="
FORM = "application/x-www-form-urlencoded; charset=utf-8"
TIME = "2026-02-03T04:05:06Z"


def case(name, method, url, body="", headers=(), service="service", region="eu-west-1", token=None,
         form="header", unsigned=False, expires_s=3600):
    return dict(name=name, method=method, url=url, body=body, headers=[list(pair) for pair in headers],
                service=service, region=region, token=token, form=form, unsigned=unsigned,
                expires_s=expires_s)


CASES = [
    case("ec2: a form", "POST", "https://ec2.eu-west-1.amazonaws.com/",
         "Action=DescribeVpcs&Version=2016-11-15", [("Content-Type", FORM)], "ec2"),
    case("iam: in us-east-1, with a session token", "POST", "https://iam.amazonaws.com/",
         "Action=GetRole&Version=2010-05-08&RoleName=r", [("Content-Type", FORM)], "iam", "us-east-1", TOKEN),
    case("logs: json with a target", "POST", "https://logs.eu-west-1.amazonaws.com/",
         '{"logGroupName":"/aws/lambda/x","tags":{"a":"\u00fc"}}',
         [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "Logs_20140328.CreateLogGroup")], "logs"),
    case("lambda: an ARN in the path", "GET",
         "https://lambda.eu-west-1.amazonaws.com/2017-03-31/tags/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Af",
         service="lambda"),
    case("lambda: a query", "POST",
         "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/f/policy?Qualifier=live",
         '{"StatementId":"s"}', [("Content-Type", "application/json")], "lambda"),
    case("lambda: one name many times in the query", "DELETE",
         "https://lambda.eu-west-1.amazonaws.com/2017-03-31/tags/arn?tagKeys=b&tagKeys=a%3Ab&tagKeys=a",
         service="lambda"),
    case("apigateway: a dollar in the path", "PATCH",
         "https://apigateway.eu-west-1.amazonaws.com/v2/apis/a/stages/%24default",
         '{"autoDeploy":true}', [("Content-Type", "application/json")], "apigateway"),
    case("bedrock: a colon in the path", "POST",
         "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.titan-embed-text-v2%3A0/invoke",
         '{"inputText":"x"}', [("Content-Type", "application/json"), ("Accept", "application/json")],
         "bedrock", "us-east-1", TOKEN),
    case("execute-api: dots and slashes in the path", "GET",
         "https://a1.execute-api.eu-west-1.amazonaws.com/live//ask/./x/../y", service="execute-api"),
    case("a port in the host", "POST", "http://127.0.0.1:4566/", "Action=DescribeVpcs",
         [("Content-Type", FORM), ("Host", "127.0.0.1:4566")], "ec2"),
    case("headers: space and case", "GET", "https://example.amazonaws.com/",
         headers=[("X-Custom", "  a   b\t c "), ("a-Header", "1"), ("B-header", "")]),
    case("query: order of encoded names", "GET",
         "https://example.amazonaws.com/?b=2&a=~&A=1&a=&%C3%A9=x&aa=1&a-b=1&a_b=1&flag"),
    case("s3: a bucket of its own host", "PUT", "https://bucket.s3.eu-west-1.amazonaws.com/?versioning=",
         "<VersioningConfiguration/>", service="s3", token=TOKEN),
    case("s3: a key with space, plus, accent and slash", "PUT",
         "https://s3.eu-west-1.amazonaws.com/bucket/a%20b/c%2Bd/%C3%A9%7Ef//x/../y",
         "body", [("If-None-Match", "*"), ("x-amz-checksum-sha256", "abc=")], "s3"),
    case("s3: a prefix with slash", "GET",
         "https://s3.eu-west-1.amazonaws.com/bucket?list-type=2&prefix=a%2Fb%20c&delimiter=%2F&continuation-token=1%2B2%3D",
         service="s3"),
    case("s3: unsigned payload", "PUT", "https://bucket.s3.eu-west-1.amazonaws.com/key", "body",
         service="s3", unsigned=True),
    case("query form: a database token", "GET",
         "https://db.abc.eu-west-1.rds.amazonaws.com:5432/?Action=connect&DBUser=app%20user",
         service="rds-db", token=TOKEN, form="query", expires_s=900,
         headers=[("Host", "db.abc.eu-west-1.rds.amazonaws.com:5432")]),
    case("query form: an API", "GET", "https://a1.execute-api.eu-west-1.amazonaws.com/live/ask?q=a%20b",
         service="execute-api", form="query"),
    case("query form: an object", "GET", "https://bucket.s3.eu-west-1.amazonaws.com/a%20b/%C3%A9",
         service="s3", token=TOKEN, form="query", unsigned=True, expires_s=60),
]


def signer(case, credentials):
    s3 = case["service"] == "s3"
    if case["form"] == "header":
        kind = botocore.auth.S3SigV4Auth if s3 else botocore.auth.SigV4Auth
        return kind(credentials, case["service"], case["region"])
    kind = botocore.auth.S3SigV4QueryAuth if s3 else botocore.auth.SigV4QueryAuth
    return kind(credentials, case["service"], case["region"], case["expires_s"])


def sign(case):
    """What the signer was given and what it made, on the way and at the end."""
    request = AWSRequest(case["method"], case["url"], data=case["body"].encode() or None,
                         headers=dict(case["headers"]))
    request.context["payload_signing_enabled"] = not case["unsigned"]
    if case["unsigned"] and case["form"] == "header":
        request.context["client_config"] = unittest.mock.Mock(s3={"payload_signing_enabled": False})
    auth = signer(case, Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, case["token"]))
    seen = {}
    for step in ("canonical_request", "string_to_sign", "signature"):
        def keep(*arguments, step=step, inner=getattr(auth, step)):
            seen[step] = inner(*arguments)
            return seen[step]
        setattr(auth, step, keep)
    now = datetime.datetime.strptime(TIME, "%Y-%m-%dT%H:%M:%SZ")
    with unittest.mock.patch("botocore.auth.get_current_datetime", return_value=now):
        auth.add_auth(request)
    return seen


def full(case):
    parts = urlsplit(case["url"])
    names = [name.lower() for name, _ in case["headers"]]
    headers = case["headers"] + ([] if "host" in names else [["Host", parts.netloc]])
    return dict(case, time=TIME, path=parts.path, query=parts.query, headers=headers,
                s3=case["service"] == "s3", **sign(case))


def main():
    target = pathlib.Path(__file__).resolve().parent.parent / "unit/sign_cases.json"
    document = {"access_key_id": ACCESS_KEY_ID, "secret_access_key": SECRET_ACCESS_KEY,
                "cases": [full(case) for case in CASES]}
    target.write_text(json.dumps(document, indent=1) + "\n")
    print(f"{len(CASES)} cases in {target.name}")


if __name__ == "__main__":
    main()
