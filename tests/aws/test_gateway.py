"""The gateway itself: what is signed and said rightly passes, everything else is refused and kept."""

import datetime
import http.client
import io
import json
import unittest
import urllib.parse
import zipfile

import boto3
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

import harness

TRUST = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
})


def handler_zip(text: str = "#!/bin/sh\n") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("bootstrap", text)
    return buffer.getvalue()


class GatewayCase(harness.TestCase):
    def refused(self, call, code: str, status: int | None = None, **params) -> ClientError:
        with self.assertRaises(ClientError) as caught:
            call(**params)
        error = caught.exception
        self.assertEqual(error.response["Error"]["Code"], code, error)
        if status is not None:
            self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], status)
        return error

    def raw(self, service: str, region: str = "us-east-1", method: str = "POST", path: str = "/", body: str = "",
            headers: dict[str, str] | None = None, change=None, auth=None) -> tuple[int, str]:
        """A request signed by botocore as it is, which no client would build; `change` spoils it after."""
        request = AWSRequest(method=method, url=self.gateway.url + path, data=body.encode(), headers=headers or {})
        signer = auth or (S3SigV4Auth if service == "s3" else SigV4Auth)
        signer(Credentials(harness.ACCESS_KEY, harness.SECRET_KEY), service, region).add_auth(request)
        if change:
            change(request)
        url = urllib.parse.urlsplit(request.url)
        connection = http.client.HTTPConnection(url.netloc, timeout=30)
        self.addCleanup(connection.close)
        target = url.path + (f"?{url.query}" if url.query else "")
        connection.request(request.method, target, request.body, dict(request.headers.items()))
        reply = connection.getresponse()
        return reply.status, reply.read().decode()

    def form(self, service: str, **params: str) -> tuple[int, str]:
        body = urllib.parse.urlencode(params)
        return self.raw(service, body=body, headers={"Content-Type": "application/x-www-form-urlencoded"})


class GoodRequests(GatewayCase):
    """Every service of the catalogue, through a client that signs and serializes as AWS wants it."""

    def test_ec2(self):
        ec2 = self.client("ec2")
        tags = [{"ResourceType": "vpc", "Tags": [{"Key": "ragstack:stack", "Value": "demo"}]}]
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        found = ec2.describe_vpcs(Filters=[{"Name": "tag:ragstack:stack", "Values": ["demo"]}])["Vpcs"]
        self.assertEqual([item["VpcId"] for item in found], [vpc])
        group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
        pair = {"GroupId": group, "Description": "from itself"}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [pair]}])

    def test_rds(self):
        rds = self.client("rds")
        rds.create_db_parameter_group(DBParameterGroupName="p", DBParameterGroupFamily="postgres17", Description="d")
        groups = rds.describe_db_parameter_groups(Filters=[])["DBParameterGroups"]
        self.assertIn("p", [group["DBParameterGroupName"] for group in groups])

    def test_iam_and_sts(self):
        iam = self.client("iam")
        iam.create_role(RoleName="r", Path="/ragstack/x/", AssumeRolePolicyDocument=TRUST)
        self.assertEqual(iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"], json.loads(TRUST))
        self.assertEqual(self.client("sts").get_caller_identity()["Account"], harness.ACCOUNT)

    def test_lambda_paths_with_arns(self):
        role = self.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        functions = self.client("lambda")
        functions.create_function(FunctionName="f", Runtime="provided.al2023", Handler="bootstrap", Role=role,
                                  Code={"ZipFile": handler_zip()}, Publish=True)
        arn = functions.get_function(FunctionName="f")["Configuration"]["FunctionArn"]
        functions.tag_resource(Resource=arn, Tags={"a": "b"})
        self.assertEqual(functions.list_tags(Resource=arn)["Tags"], {"a": "b"})

    def test_apigatewayv2_with_default_stage(self):
        apis = self.client("apigatewayv2")
        api = apis.create_api(Name="a", ProtocolType="HTTP", Tags={"a": "b"})["ApiId"]
        apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        self.assertTrue(apis.get_stage(ApiId=api, StageName="$default")["AutoDeploy"])

    def test_logs_and_cloudwatch(self):
        self.client("logs").create_log_group(logGroupName="/x", tags={"a": "b"})
        metrics = self.client("cloudwatch")
        metrics.put_metric_alarm(AlarmName="a", EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold",
                                 Threshold=1.5, MetricName="m", Namespace="n", Period=60, Statistic="Sum")
        self.assertEqual(metrics.describe_alarms()["MetricAlarms"][0]["Threshold"], 1.5)

    def test_cloudwatch_by_query(self):
        status, body = self.form("monitoring", Action="DescribeAlarms", Version="2010-08-01")
        self.assertEqual(status, 200, body)

    def test_s3_keys_that_need_encoding(self):
        s3 = self.client("s3")
        s3.create_bucket(Bucket="documents-of-a-test")
        for key in ("plain", "a b/ü", "a+b=c&d", "x//y", "%41", "tilde~'()*"):
            s3.put_object(Bucket="documents-of-a-test", Key=key, Body=b"text")
            self.assertEqual(s3.get_object(Bucket="documents-of-a-test", Key=key)["Body"].read(), b"text", key)
        s3.put_bucket_versioning(Bucket="documents-of-a-test", VersioningConfiguration={"Status": "Enabled"})
        s3.delete_objects(Bucket="documents-of-a-test", Delete={"Objects": [{"Key": "plain"}]})

    def test_s3_presigned(self):
        s3 = self.client("s3", signature_version="s3v4")
        s3.create_bucket(Bucket="documents-of-a-test")
        s3.put_object(Bucket="documents-of-a-test", Key="k", Body=b"text")
        url = s3.generate_presigned_url("get_object", {"Bucket": "documents-of-a-test", "Key": "k"})
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        self.addCleanup(connection.close)
        connection.request("GET", f"{parts.path}?{parts.query}")
        self.assertEqual(connection.getresponse().read(), b"text")

    def test_sns_tagging_secrets_bedrock(self):
        self.client("sns").create_topic(Name="t", Attributes={"DisplayName": "x"}, Tags=[{"Key": "a", "Value": "b"}])
        found = self.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "a", "Values": ["b"]}])
        self.assertEqual(len(found["ResourceTagMappingList"]), 1)
        self.client("secretsmanager").create_secret(Name="s", SecretString="x")
        self.client("bedrock-runtime").invoke_model(modelId="amazon.titan-embed-text-v2:0", body=b'{"inputText":"x"}')


class Signatures(GatewayCase):
    def expect_kept(self, kind: str, count: int = 1):
        kept = self.take_violations()
        self.assertEqual([violation["kind"] for violation in kept], [kind] * count, kept)
        return kept

    def test_wrong_secret_in_each_family(self):
        wrong = {"secret_key": "not the secret"}
        cases = [
            ("ec2", "describe_vpcs", {}, "AuthFailure", 401),
            ("iam", "list_roles", {}, "SignatureDoesNotMatch", 403),
            ("logs", "describe_log_groups", {}, "InvalidSignatureException", 400),
            ("lambda", "list_functions", {}, "InvalidSignatureException", 403),
            ("s3", "list_buckets", {}, "SignatureDoesNotMatch", 403),
        ]
        for service, operation, params, code, status in cases:
            with self.subTest(service):
                self.refused(getattr(self.client(service, **wrong), operation), code, status, **params)
                self.expect_kept("signature")

    def test_unknown_key(self):
        self.refused(self.client("iam", access_key="AKIANOBODY").list_roles, "InvalidClientTokenId", 403)
        self.refused(self.client("s3", access_key="AKIANOBODY").list_buckets, "InvalidAccessKeyId", 403)
        self.expect_kept("signature", 2)

    def test_session_tokens_of_sts(self):
        role = self.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
        given = self.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
        temporary = {"access_key": given["AccessKeyId"], "secret_key": given["SecretAccessKey"]}
        self.client("ec2", token=given["SessionToken"], **temporary).describe_vpcs()
        self.refused(self.client("ec2", token="another", **temporary).describe_vpcs, "AuthFailure")
        self.refused(self.client("iam", **temporary).list_roles, "InvalidClientTokenId")
        self.expect_kept("signature", 2)

    def test_body_changed_after_signing(self):
        def change(request):
            request.data = request.body.replace(b"10.0.0.0", b"10.9.0.0")
        status, body = self.raw("ec2", body="Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0%2F16",
                                headers={"Content-Type": "application/x-www-form-urlencoded"}, change=change)
        self.assertEqual(status, 401, body)
        self.expect_kept("signature")

    def test_header_not_signed(self):
        def change(request):
            request.headers["X-Amz-Target"] = "Logs_20140328.DescribeLogGroups"
        status, body = self.raw("logs", body="{}", headers={"Content-Type": "application/x-amz-json-1.1"}, change=change)
        self.assertIn("not signed: x-amz-target", body)
        self.expect_kept("signature")

    def test_s3_payload_hash_missing_or_wrong(self):
        status, body = self.raw("s3", method="GET", auth=SigV4Auth)
        self.assertEqual(status, 400, body)

        def change(request):
            request.data = b"another"
        status, body = self.raw("s3", method="PUT", path="/b/k", body="text", change=change)
        self.assertIn("XAmzContentSHA256Mismatch", body)
        self.expect_kept("signature", 2)

    def test_scope_region(self):
        status, body = self.form("iam", Action="ListRoles", Version="2010-05-08")
        self.assertEqual(status, 200, body)
        status, body = self.raw("iam", "eu-west-1", body="Action=ListRoles&Version=2010-05-08",
                                headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.assertIn("Credential should be scoped to a valid region", body)
        status, body = self.raw("ec2", "mars-north-1", body="Action=DescribeVpcs&Version=2016-11-15")
        self.assertEqual(status, 401, body)
        self.expect_kept("signature", 2)

    def test_no_signature(self):
        def change(request):
            del request.headers["Authorization"]
        status, body = self.raw("iam", body="Action=ListRoles&Version=2010-05-08", change=change,
                                headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(status, 403, body)
        self.assertIn("MissingAuthenticationToken", body)
        self.assertEqual(len(self.take_violations()), 1)

    def test_web_identity_needs_no_signature(self):
        client = boto3.client("sts", region_name="us-east-1", endpoint_url=self.gateway.url,
                              config=Config(signature_version="unsigned"))
        got = client.assume_role_with_web_identity(RoleArn="arn:aws:iam::123456789012:role/r", RoleSessionName="session",
                                                   WebIdentityToken="header.payload.signature")["Credentials"]
        self.client("ec2", access_key=got["AccessKeyId"], secret_key=got["SecretAccessKey"],
                    token=got["SessionToken"]).describe_vpcs()


class ClockSkew(GatewayCase):
    gateway_options = ("--clock-offset", "1200")

    def test_twenty_minutes_behind(self):
        self.refused(self.client("s3").list_buckets, "RequestTimeTooSkewed", 403)
        self.refused(self.client("ec2").describe_vpcs, "RequestExpired", 400)
        error = self.refused(self.client("logs").describe_log_groups, "InvalidSignatureException", 400)
        self.assertIn("Signature expired", str(error))
        self.assertEqual([v["kind"] for v in self.take_violations()], ["signature"] * 3)

    def test_date_header_tells_the_servers_time(self):
        with self.assertRaises(ClientError) as caught:
            self.client("s3").list_buckets()
        date = caught.exception.response["ResponseMetadata"]["HTTPHeaders"]["date"]
        there = datetime.datetime.strptime(date, "%a, %d %b %Y %H:%M:%S GMT")
        ahead = there - datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        self.assertAlmostEqual(ahead.total_seconds(), 1200, delta=60)
        self.take_violations()


class Models(GatewayCase):
    """botocore's own checks are off, so that what is wrong reaches the wire."""

    def lax(self, service: str):
        return self.client(service, parameter_validation=False)

    def one_violation(self, text: str):
        kept = self.take_violations()
        self.assertEqual([violation["kind"] for violation in kept], ["model"], kept)
        self.assertIn(text, kept[0]["message"])

    def test_missing(self):
        for service, operation, params, code, text in [
            ("ec2", "create_subnet", {"CidrBlock": "10.0.0.0/24"}, "MissingParameter", "VpcId"),
            ("rds", "create_db_subnet_group", {"DBSubnetGroupName": "g"}, "ValidationError", "SubnetIds"),
            ("iam", "create_role", {"RoleName": "r"}, "ValidationError", "AssumeRolePolicyDocument"),
            ("logs", "put_retention_policy", {"logGroupName": "g"}, "InvalidParameterException", "retentionInDays"),
            ("lambda", "create_function", {"FunctionName": "f"}, "ValidationException", "Role"),
            ("apigatewayv2", "create_api", {"Name": "a"}, "BadRequestException", "ProtocolType"),
            ("sns", "subscribe", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:t"}, "ValidationError", "Protocol"),
        ]:
            with self.subTest(f"{service} {operation}"):
                self.refused(getattr(self.lax(service), operation), code, 400, **params)
                self.one_violation(text)

    def test_unknown_form_keys(self):
        status, body = self.form("ec2", Action="DescribeVpcs", Version="2016-11-15", **{"Filters.1.Name": "x"})
        self.assertIn("UnknownParameter", body)
        self.one_violation("Filters")
        status, body = self.form("rds", Action="CreateDBSubnetGroup", Version="2014-10-31", DBSubnetGroupName="g",
                                 DBSubnetGroupDescription="d", **{"SubnetIds.member.1": "subnet-1"})
        self.assertEqual(status, 400, body)
        self.one_violation("SubnetIdentifier")
        status, body = self.form("sns", Action="CreateTopic", Version="2010-03-31", Name="t",
                                 **{"Attributes.1.key": "a", "Attributes.1.value": "b"})
        self.assertEqual(status, 400, body)
        self.take_violations()

    def test_list_with_a_gap(self):
        self.form("ec2", Action="DescribeVpcs", Version="2016-11-15", **{"VpcId.1": "vpc-1", "VpcId.3": "vpc-2"})
        self.one_violation("numbered")

    def test_wrong_version(self):
        self.form("ec2", Action="DescribeVpcs", Version="2014-10-31")
        self.one_violation("Version")

    def test_unknown_json_members(self):
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Logs_20140328.CreateLogGroup"}
        status, body = self.raw("logs", body='{"logGroupName": "/x", "retention": 3}', headers=headers)
        self.assertEqual(status, 400, body)
        self.one_violation("retention")
        status, body = self.raw("lambda", path="/2015-03-31/functions/f/versions", body='{"descr": "x"}',
                                headers={"Content-Type": "application/json"})
        self.one_violation("descr")

    def test_unknown_query_header_and_body(self):
        self.raw("lambda", method="GET", path="/2015-03-31/functions/f?Qual=live")
        self.one_violation("Qual")
        self.raw("s3", method="PUT", path="/b/k", body="x", headers={"x-amz-no-such": "1"})
        self.one_violation("x-amz-no-such")
        self.raw("apigateway", method="GET", path="/v2/apis/a", body='{"a": 1}')
        self.one_violation("no parameters")

    def test_unknown_xml_elements(self):
        body = "<VersioningConfiguration><State>Enabled</State></VersioningConfiguration>"
        status, answer = self.raw("s3", method="PUT", path="/b?versioning", body=body,
                                  headers={"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="})
        self.assertIn("MalformedXML", answer)
        self.one_violation("State")

    def test_checksum_required(self):
        body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        status, answer = self.raw("s3", method="PUT", path="/b?versioning", body=body)
        self.assertIn("InvalidRequest", answer)
        self.one_violation("checksum")

    def test_mistyped(self):
        self.form("ec2", Action="DescribeVpcs", Version="2016-11-15", MaxResults="many")
        self.one_violation("integer")
        self.form("ec2", Action="DescribeVpcs", Version="2016-11-15", DryRun="True")
        self.one_violation("boolean")
        self.raw("logs", body='{"logGroupName": "/x", "retentionInDays": "14"}', headers={
            "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Logs_20140328.PutRetentionPolicy"})
        self.one_violation("integer")

    def test_limits_patterns_enumerations(self):
        functions = self.lax("lambda")
        base = {"FunctionName": "f", "Role": "arn:aws:iam::123456789012:role/r", "Handler": "bootstrap",
                "Runtime": "provided.al2023", "Code": {"ZipFile": handler_zip()}}
        for change, text in [({"Timeout": 0}, "less than"), ({"Runtime": "cobol85"}, "none of"),
                             ({"Role": "role"}, "does not match"), ({"Description": "x" * 257}, "more than")]:
            self.refused(functions.create_function, "ValidationException", 400, **{**base, **change})
            self.one_violation(text)
        self.refused(self.lax("ec2").create_vpc, "InvalidParameterValue", CidrBlock="10.0.0.0/16", InstanceTenancy="x")
        self.one_violation("none of")

    def test_content_type_of_json(self):
        self.raw("logs", body="{}", headers={"Content-Type": "application/json",
                                             "X-Amz-Target": "Logs_20140328.DescribeLogGroups"})
        self.one_violation("Content-Type")

    def test_no_such_operation_or_service(self):
        status, _ = self.form("ec2", Action="DescribeUnicorns", Version="2016-11-15")
        self.assertEqual(status, 404)
        status, _ = self.form("unicorns", Action="DescribeVpcs", Version="2016-11-15")
        self.assertEqual(status, 404)
        self.assertEqual(len(self.take_violations()), 2)


class Control(GatewayCase):
    def test_requests_are_counted_in_order(self):
        self.client("sts").get_caller_identity()
        self.client("ec2", "eu-west-1").describe_vpcs()
        self.client("ec2").describe_vpcs()
        requests = self.gateway.requests()
        self.assertEqual(requests["counts"], {"ec2.DescribeVpcs": 2, "sts.GetCallerIdentity": 1})
        self.assertEqual([(e["operation"], e["region"], e["status"]) for e in requests["log"]],
                         [("GetCallerIdentity", "us-east-1", 200), ("DescribeVpcs", "eu-west-1", 200),
                          ("DescribeVpcs", "us-east-1", 200)])
        self.gateway.reset()
        self.assertEqual(self.gateway.requests()["total"], 0)

    def test_state_is_forgotten(self):
        self.client("logs").create_log_group(logGroupName="/x")
        self.gateway.reset(state=True)
        self.assertEqual(self.client("logs").describe_log_groups()["logGroups"], [])

    def test_connections_are_kept(self):
        url = urllib.parse.urlsplit(self.gateway.url)
        connection = http.client.HTTPConnection(url.netloc, timeout=30)
        self.addCleanup(connection.close)
        for _ in range(3):
            connection.request("GET", "/_gateway/violations")
            reply = connection.getresponse()
            reply.read()
            self.assertIsNotNone(connection.sock, "the connection was closed")


class Plain(GatewayCase):
    gateway_options = ("--plain",)

    def test_nothing_is_judged(self):
        self.client("ec2", secret_key="wrong").describe_vpcs()
        self.assertEqual(self.gateway.requests()["total"], 0)


if __name__ == "__main__":
    unittest.main()
