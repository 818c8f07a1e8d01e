import json
import unittest

import harness
from kind_case import ID, KindCase

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{
        "Sid": "Read", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "s3:GetObject", "Resource": "${thing.arn}/*",
    }],
}
ALL = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


class S3BucketTest(KindCase, harness.TestCase):
    kind = "s3.bucket"
    changes = {
        "versioning": True,
        "encryption": "aws:kms",
        "public_access_block": {"block_policy": False},
        "ownership": "BucketOwnerPreferred",
        "tls_only": False,
        "policy": POLICY,
        "lifecycle": [{"id": "old", "noncurrent_days": 30, "abort_multipart_days": 7},
                      {"id": "logs", "prefix": "logs/", "expire_days": 90, "enabled": False}],
    }
    replaces = {"name": "acme-other"}

    def test_safe_unless_said_otherwise(self):
        self.make()
        s3, bucket = self.client("s3"), self.physical_id()
        block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        self.assertEqual([block[name] for name in ALL], [True] * 4)
        owner = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"][0]
        self.assertEqual(owner["ObjectOwnership"], "BucketOwnerEnforced")
        statement = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"][0]
        self.assertEqual((statement["Effect"], statement["Condition"]),
                         ("Deny", {"Bool": {"aws:SecureTransport": "false"}}))

    def test_the_key_goes_with_the_encryption(self):
        self.make(encryption="aws:kms", kms_key=KEY, bucket_key=True)
        rule = self.client("s3").get_bucket_encryption(Bucket=self.physical_id())
        rule = rule["ServerSideEncryptionConfiguration"]["Rules"][0]
        self.assertEqual(rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"], KEY)
        self.assertTrue(rule["BucketKeyEnabled"])
        self.make()

    def test_public_access_that_is_opened_is_drift(self):
        self.make()
        bucket = self.physical_id()
        self.client("s3").delete_public_access_block(Bucket=bucket)
        self.say(self.base)
        self.assertEqual(self.fields(), ["public_access_block"])
        self.up()
        self.assert_settled()

    def test_a_statement_that_is_added_is_drift(self):
        self.make()
        s3, bucket = self.client("s3"), self.physical_id()
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        policy["Statement"].append({**POLICY["Statement"][0], "Resource": f"arn:aws:s3:::{bucket}/*"})
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
        self.say(self.base)
        self.assertEqual(self.fields(), ["policy"])
        self.up()
        self.assertEqual(len(json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]), 1)

    def test_a_policy_may_name_its_own_bucket(self):
        self.say({"policy": POLICY, "name": "acme-archive-of-all"})
        self.up()
        self.assert_settled()
        text = self.client("s3").get_bucket_policy(Bucket="acme-archive-of-all")["Policy"]
        self.assertIn("arn:aws:s3:::acme-archive-of-all/*", text)

    def test_what_is_in_it_is_kept_without_consent(self):
        self.make(versioning=True)
        s3, bucket = self.client("s3"), self.physical_id()
        for number in range(3):
            s3.put_object(Bucket=bucket, Key="one", Body=b"version %d" % number)
        s3.put_object(Bucket=bucket, Key="two", Body=b"x")
        s3.delete_object(Bucket=bucket, Key="two")
        result = self.ragstack("up", "--yes", *self.target())
        self.assertEqual(result.status, 4, result)
        s3.head_bucket(Bucket=bucket)
        self.up(f"--allow-data-loss={ID}")
        self.assertNotIn(bucket, [one["Name"] for one in s3.list_buckets()["Buckets"]])

    def test_down_keeps_what_is_not_empty(self):
        self.make()
        s3, bucket = self.client("s3"), self.physical_id()
        s3.put_object(Bucket=bucket, Key="one", Body=b"x")
        result = self.ragstack("down", "--yes")
        self.assertEqual(result.status, 6, result)
        self.assertIn(f"--allow-data-loss={ID}", result.stderr)
        s3.head_object(Bucket=bucket, Key="one")

    def test_more_than_a_thousand_objects(self):
        self.make()
        s3, bucket = self.client("s3"), self.physical_id()
        for number in range(1005):
            s3.put_object(Bucket=bucket, Key=f"key with space/{number}&<>", Body=b"")
        self.up(f"--allow-data-loss={ID}")
        self.assertNotIn(bucket, [one["Name"] for one in s3.list_buckets()["Buckets"]])

    def untagged(self):
        """A bucket as a run leaves it that ended right after CreateBucket, where S3 drops its tags."""
        self.make()
        s3, bucket = self.client("s3"), self.physical_id()
        s3.delete_bucket_tagging(Bucket=bucket)
        self.say(self.base)
        return s3, bucket

    def test_one_half_made_is_finished(self):
        s3, bucket = self.untagged()
        self.assertEqual(self.fields(), ["tags"])
        self.up()
        self.assert_settled()
        self.assertTrue(s3.get_bucket_tagging(Bucket=bucket)["TagSet"])

    def test_an_untagged_one_with_something_in_it_is_left_alone(self):
        s3, bucket = self.untagged()
        s3.put_object(Bucket=bucket, Key="one", Body=b"x")
        self.assertIn("does not belong to this stack", self.only_step()["blocked"])

    def test_a_name_that_the_file_says_proves_nothing(self):
        self.client("s3").create_bucket(Bucket="acme-archive-of-all")
        self.say({"name": "acme-archive-of-all"})
        self.assertIn("does not belong to this stack", self.only_step()["blocked"])

    def test_another_region(self):
        self.file = {"stack": "acme", "region": "eu-west-1"}
        self.make()
        s3 = self.client("s3", region="eu-west-1")
        self.assertEqual(s3.get_bucket_location(Bucket=self.physical_id())["LocationConstraint"], "eu-west-1")


if __name__ == "__main__":
    unittest.main()
