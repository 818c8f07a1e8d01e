"""S3, CloudWatch, Logs, SNS, secrets and Bedrock, where AWS differs from moto."""

import datetime
import json
import time
import unittest

import harness
import scenario

TLS_ONLY = {"Sid": "tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}


class Buckets(scenario.Case):
    def setUp(self):
        super().setUp()
        self.s3.create_bucket(Bucket="bucket-of-tests", CreateBucketConfiguration={"Tags": [{"Key": "a", "Value": "b"}]})
        self.it = {"Bucket": "bucket-of-tests"}

    def test_what_a_new_one_has(self):
        self.assertEqual(self.s3.get_bucket_tagging(**self.it)["TagSet"], [{"Key": "a", "Value": "b"}])
        rule = self.s3.get_bucket_encryption(**self.it)["ServerSideEncryptionConfiguration"]["Rules"][0]
        self.assertEqual(rule["ApplyServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})
        self.assertEqual(set(self.s3.get_public_access_block(**self.it)["PublicAccessBlockConfiguration"].values()), {True})
        owner = self.s3.get_bucket_ownership_controls(**self.it)["OwnershipControls"]["Rules"]
        self.assertEqual(owner, [{"ObjectOwnership": "BucketOwnerEnforced"}])

    def test_settings_survive_a_second_create(self):
        self.s3.delete_public_access_block(**self.it)
        self.s3.create_bucket(**self.it)
        self.refused(self.s3.get_public_access_block, "NoSuchPublicAccessBlockConfiguration", **self.it)

    def test_encryption_is_never_without(self):
        self.s3.put_bucket_encryption(**self.it, ServerSideEncryptionConfiguration={"Rules": [
            {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]})
        self.s3.delete_bucket_encryption(**self.it)
        rule = self.s3.get_bucket_encryption(**self.it)["ServerSideEncryptionConfiguration"]["Rules"][0]
        self.assertEqual(rule["ApplyServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})

    def policy(self, *statements):
        return json.dumps({"Version": "2012-10-17", "Statement": [
            {"Resource": ["arn:aws:s3:::bucket-of-tests", "arn:aws:s3:::bucket-of-tests/*"], **item} for item in statements]})

    def test_tls_only_lets_the_owner_in(self):
        put = self.s3.put_bucket_policy(**self.it, Policy=self.policy(TLS_ONLY))
        self.assertEqual(put["ResponseMetadata"]["HTTPStatusCode"], 204)
        self.s3.put_object(**self.it, Key="k", Body=b"text")
        self.assertEqual(self.s3.get_object(**self.it, Key="k")["Body"].read(), b"text")
        self.assertEqual(self.s3.list_objects_v2(**self.it)["KeyCount"], 1)
        self.assertEqual(json.loads(self.s3.get_bucket_policy(**self.it)["Policy"])["Statement"][0]["Sid"], "tls")

    def test_a_plain_deny_still_denies(self):
        deny = {key: value for key, value in TLS_ONLY.items() if key != "Condition"} | {"Action": "s3:GetObject"}
        self.s3.put_object(**self.it, Key="k", Body=b"text")
        self.s3.put_bucket_policy(**self.it, Policy=self.policy(TLS_ONLY, deny))
        self.refused(self.s3.get_object, "AccessDenied", **self.it, Key="k")

    def test_policies_that_are_refused(self):
        self.refused(self.s3.put_bucket_policy, "MalformedPolicy", **self.it, Policy="{")
        self.refused(self.s3.put_bucket_policy, "MalformedPolicy", **self.it,
                     Policy=self.policy({**TLS_ONLY, "Resource": "arn:aws:s3:::another"}))
        public = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
        self.refused(self.s3.put_bucket_policy, "AccessDenied", **self.it, Policy=self.policy(public))

    def test_expected_owner(self):
        other = {**self.it, "ExpectedBucketOwner": "111111111111"}
        self.refused(self.s3.get_bucket_versioning, "AccessDenied", **other)
        self.refused(self.s3.put_object, "AccessDenied", **other, Key="k", Body=b"x")
        self.s3.put_object(**self.it, ExpectedBucketOwner=harness.ACCOUNT, Key="k", Body=b"x")

    def test_checksums(self):
        self.refused(self.s3.put_object, "BadDigest", **self.it, Key="k", Body=b"x", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")
        self.refused(self.s3.put_object, "BadDigest", **self.it, Key="k", Body=b"x", ChecksumCRC32="AAAAAA==")

    def test_regions(self):
        west = self.client("s3", "eu-west-1")
        self.refused(west.create_bucket, "IllegalLocationConstraintException", Bucket="bucket-of-the-west")
        here = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
        west.create_bucket(Bucket="bucket-of-the-west", **here)
        self.refused(west.create_bucket, "BucketAlreadyOwnedByYou", Bucket="bucket-of-the-west", **here)
        self.refused(self.s3.create_bucket, "IllegalLocationConstraintException", Bucket="bucket-of-the-east",
                     CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        self.refused(self.s3.create_bucket, "InvalidBucketName", Bucket="bucket..x")

    def test_upload_that_is_not(self):
        self.refused(self.s3.upload_part, "NoSuchUpload", **self.it, Key="k", PartNumber=1, UploadId="none", Body=b"x")

    def test_conditional_writes(self):
        self.s3.put_object(**self.it, Key="lock", Body=b"one", IfNoneMatch="*")
        self.refused(self.s3.put_object, "PreconditionFailed", **self.it, Key="lock", Body=b"two", IfNoneMatch="*")
        tag = self.s3.get_object(**self.it, Key="lock")["ETag"]
        self.s3.put_object(**self.it, Key="lock", Body=b"two", IfMatch=tag)
        self.refused(self.s3.put_object, "PreconditionFailed", **self.it, Key="lock", Body=b"three", IfMatch=tag)
        self.refused(self.s3.put_object, "NoSuchKey", **self.it, Key="absent", Body=b"x", IfMatch=tag)

    def test_notifications_need_the_functions_consent(self):
        arn = self.function()
        wanted = {"LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
        self.refused(self.s3.put_bucket_notification_configuration, "InvalidArgument", **self.it,
                     NotificationConfiguration=wanted)
        self.functions.add_permission(FunctionName="f", StatementId="s3", Action="lambda:InvokeFunction",
                                      Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::bucket-of-tests")
        self.s3.put_bucket_notification_configuration(**self.it, NotificationConfiguration=wanted)
        self.s3.put_object(**self.it, Key="k", Body=b"x")


class Alarms(scenario.Case):
    base = {"AlarmName": "a", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 1.0,
            "MetricName": "m", "Namespace": "n", "Period": 60, "Statistic": "Sum"}

    def test_what_is_refused(self):
        for change, code in [
            ({"Period": 45}, "ValidationError"),
            ({"EvaluationPeriods": 1500}, "ValidationError"),
            ({"TreatMissingData": "ignored"}, "ValidationError"),
            ({"ExtendedStatistic": "p95"}, "InvalidParameterCombination"),
            ({"DatapointsToAlarm": 2}, "ValidationError"),
            ({"AlarmActions": ["topic"]}, "ValidationError"),
        ]:
            with self.subTest(change):
                self.refused(self.metrics.put_metric_alarm, code, **{**self.base, **change})

    def test_tags_of_the_first_put_stay(self):
        self.metrics.put_metric_alarm(**self.base, Tags=[{"Key": "a", "Value": "b"}])
        self.metrics.put_metric_alarm(**self.base, Tags=[{"Key": "c", "Value": "d"}])
        arn = self.metrics.describe_alarms()["MetricAlarms"][0]["AlarmArn"]
        self.assertEqual(self.metrics.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "a", "Value": "b"}])
        self.metrics.tag_resource(ResourceARN=arn, Tags=[{"Key": "e", "Value": "f"}])
        self.metrics.untag_resource(ResourceARN=arn, TagKeys=["a"])
        self.assertEqual(self.metrics.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "e", "Value": "f"}])

    def test_one_missing_name_fails_all(self):
        self.metrics.put_metric_alarm(**self.base)
        self.refused(self.metrics.delete_alarms, "ResourceNotFound", AlarmNames=["a", "b"])
        self.assertEqual(len(self.metrics.describe_alarms()["MetricAlarms"]), 1)
        self.metrics.delete_alarms(AlarmNames=["a"])

    def test_pages(self):
        for index in range(51):
            self.metrics.put_metric_alarm(**{**self.base, "AlarmName": f"a{index:02}"})
        page = self.metrics.describe_alarms()
        self.assertEqual(len(page["MetricAlarms"]), 50)
        self.assertEqual(len(self.metrics.describe_alarms(NextToken=page["NextToken"])["MetricAlarms"]), 1)

    def test_dashboards(self):
        for body in ("{", "{}", '{"widgets": [{"type": "pie", "properties": {}}]}',
                     '{"widgets": [{"type": "metric", "properties": {}}]}'):
            self.refused(self.metrics.put_dashboard, "InvalidParameterInput", DashboardName="d", DashboardBody=body)
        good = {"widgets": [{"type": "metric", "width": 12, "properties": {"region": "us-east-1", "metrics": []}}]}
        self.metrics.put_dashboard(DashboardName="d", DashboardBody=json.dumps(good), Tags=[{"Key": "a", "Value": "b"}])
        arn = self.metrics.get_dashboard(DashboardName="d")["DashboardArn"]
        self.assertEqual(self.metrics.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "a", "Value": "b"}])

    def test_percentiles(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        self.metrics.put_metric_data(Namespace="n", MetricData=[
            {"MetricName": "m", "Value": float(value), "Timestamp": now} for value in range(1, 101)])
        stat = {"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": 86400}
        found = self.metrics.get_metric_data(
            StartTime=now - datetime.timedelta(days=1), EndTime=now + datetime.timedelta(minutes=1),
            MetricDataQueries=[{"Id": "p", "MetricStat": {**stat, "Stat": "p95"}},
                               {"Id": "s", "MetricStat": {**stat, "Stat": "Sum"}}])["MetricDataResults"]
        self.assertEqual([item["Values"] for item in found], [[95.0], [5050.0]])


class LogGroups(scenario.Case):
    def test_retention(self):
        self.logs.create_log_group(logGroupName="/g")
        self.refused(self.logs.put_retention_policy, "InvalidParameterException", logGroupName="/g", retentionInDays=13)
        self.logs.put_retention_policy(logGroupName="/g", retentionInDays=14)
        self.assertEqual(self.logs.describe_log_groups()["logGroups"][0]["logGroupClass"], "STANDARD")

    def put(self, *messages):
        self.logs.create_log_group(logGroupName="/g")
        self.logs.create_log_stream(logGroupName="/g", logStreamName="s")
        now = int(time.time() * 1000)
        self.logs.put_log_events(logGroupName="/g", logStreamName="s", logEvents=[
            {"timestamp": now + index, "message": message} for index, message in enumerate(messages)])

    def find(self, pattern):
        return [event["message"] for event in self.logs.filter_log_events(logGroupName="/g", filterPattern=pattern)["events"]]

    def test_patterns(self):
        one, two = '{"level": "ERROR", "ms": 12, "request": {"id": "a1"}}', '{"level": "INFO", "ms": 120, "cold": true}'
        self.put(one, two, "plain ERROR text")
        for pattern, wanted in [
            ('{ $.level = "ERROR" }', [one]), ("{ $.ms >= 100 }", [two]), ('{ $.request.id = "a*" }', [one]),
            ('{ ($.level = "INFO" && $.ms > 500) || $.cold IS TRUE }', [two]), ("{ $.cold NOT EXISTS }", [one, "plain ERROR text"]),
            ("ERROR text", ["plain ERROR text"]), ('"ERROR text"', ["plain ERROR text"]), ("-ERROR", [two]),
            ("", [one, two, "plain ERROR text"]),
            ("?INFO ?plain", [two, "plain ERROR text"]), ("%a[0-9]%", [one]),
        ]:
            with self.subTest(pattern):
                found = self.find(pattern)
                if "NOT EXISTS" in pattern:
                    self.assertIn(one, found)
                else:
                    self.assertEqual(found, wanted)
        self.refused(self.logs.filter_log_events, "InvalidParameterException", logGroupName="/g", filterPattern="{ $.a = ")

    def test_pages_of_events(self):
        self.put(*(f"event {index}" for index in range(7)))
        page = self.logs.filter_log_events(logGroupName="/g", limit=5)
        rest = self.logs.filter_log_events(logGroupName="/g", limit=5, nextToken=page["nextToken"])
        self.assertEqual([event["message"] for event in page["events"] + rest["events"]],
                         [f"event {index}" for index in range(7)])
        self.assertNotIn("nextToken", rest)

    def test_pages_of_groups(self):
        for index in range(51):
            self.logs.create_log_group(logGroupName=f"/g/{index:02}")
        page = self.logs.describe_log_groups(logGroupNamePrefix="/g/")
        self.assertEqual(len(page["logGroups"]), 50)
        rest = self.logs.describe_log_groups(logGroupNamePrefix="/g/", nextToken=page["nextToken"])
        self.assertEqual([group["logGroupName"] for group in rest["logGroups"]], ["/g/50"])


class Topics(scenario.Case):
    def test_create_again(self):
        tags = [{"Key": "a", "Value": "b"}]
        arn = self.sns.create_topic(Name="t", Tags=tags)["TopicArn"]
        self.assertEqual(self.sns.create_topic(Name="t", Tags=tags)["TopicArn"], arn)
        self.refused(self.sns.create_topic, "InvalidParameter", Name="t", Tags=[{"Key": "a", "Value": "c"}])
        self.refused(self.sns.create_topic, "InvalidParameter", Name="t", Attributes={"DisplayName": "other"})
        self.refused(self.sns.set_topic_attributes, "InvalidParameter", TopicArn=arn, AttributeName="Colour",
                     AttributeValue="red")

    def test_email_waits_for_a_human(self):
        arn = self.sns.create_topic(Name="t")["TopicArn"]
        made = self.sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="a@example.com")
        self.assertEqual(made["SubscriptionArn"], "pending confirmation")
        found = self.sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
        self.assertEqual([item["SubscriptionArn"] for item in found], ["PendingConfirmation"])
        self.assertEqual(self.sns.get_topic_attributes(TopicArn=arn)["Attributes"]["SubscriptionsPending"], "1")
        self.refused(self.sns.unsubscribe, "InvalidParameter", SubscriptionArn="PendingConfirmation")
        confirmed = self.sns.confirm_subscription(TopicArn=arn, Token="click")["SubscriptionArn"]
        self.sns.unsubscribe(SubscriptionArn=confirmed)
        self.refused(self.sns.subscribe, "InvalidParameter", TopicArn=arn, Protocol="email", Endpoint="nobody")


class Secrets(scenario.Case):
    def test_name_scheduled_for_deletion(self):
        secrets = self.client("secretsmanager")
        secrets.create_secret(Name="s", SecretString="x")
        secrets.delete_secret(SecretId="s")
        self.refused(secrets.create_secret, "InvalidRequestException", Name="s", SecretString="x")


class Models(scenario.Case):
    def test_lifecycle_and_profiles(self):
        bedrock = self.client("bedrock")
        found = bedrock.get_foundation_model(modelIdentifier="anthropic.claude-3-haiku-20240307-v1:0")["modelDetails"]
        self.assertEqual(found["modelLifecycle"]["status"], "LEGACY")
        self.refused(bedrock.get_foundation_model, "ResourceNotFoundException", modelIdentifier="no.such-model")
        profiles = bedrock.list_inference_profiles()["inferenceProfileSummaries"]
        self.assertIn("us.anthropic.claude-haiku-4-5-20251001-v1:0", [item["inferenceProfileId"] for item in profiles])

    def test_calls(self):
        runtime = self.client("bedrock-runtime")
        body = json.dumps({"inputText": "hello", "dimensions": 256, "normalize": True}).encode()
        reply = runtime.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=body)
        self.assertEqual(len(json.loads(reply["body"].read())["embedding"]), 256)
        model = "anthropic.claude-haiku-4-5-20251001-v1:0"
        message = [{"role": "user", "content": [{"text": "hi"}]}]
        self.refused(runtime.converse, "ValidationException", modelId=model, messages=message)
        answer = runtime.converse(modelId=f"us.{model}", messages=message)
        self.assertEqual(answer["stopReason"], "end_turn")


if __name__ == "__main__":
    unittest.main()
