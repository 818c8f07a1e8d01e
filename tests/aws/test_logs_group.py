import unittest

import harness
from kind_case import KindCase

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"


class LogsGroupTest(KindCase, harness.TestCase):
    kind = "logs.group"
    changes = {"retention_days": 30, "kms_key": KEY}
    replaces = {"name": "/acme/other", "class": "INFREQUENT_ACCESS"}

    def test_retention_that_drifts_is_put_right(self):
        self.make(retention_days=14)
        name = self.physical_id()
        self.client("logs").put_retention_policy(logGroupName=name, retentionInDays=1)
        self.say({"retention_days": 14})
        self.assertEqual(self.fields(), ["retention_days"])
        self.up()
        groups = self.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        self.assertEqual([group["retentionInDays"] for group in groups], [14])

    def test_a_group_that_somebody_else_made_is_left_alone(self):
        self.client("logs").create_log_group(logGroupName="/acme/log", tags={"owner": "ops"})
        self.say({"name": "/acme/log", "retention_days": 14})
        self.assertIn("does not belong to this stack", self.only_step()["blocked"])
        result = self.ragstack("up", "--yes", *self.target())
        self.assertNotEqual(result.status, 0, result)
        group = self.client("logs").describe_log_groups(logGroupNamePrefix="/acme/log")["logGroups"][0]
        self.assertNotIn("retentionInDays", group)

    def test_a_stack_whose_name_begins_alike_is_not_seen(self):
        self.make()
        other = self.file
        self.file = {**other, "stack": "acme-docs"}
        self.make()
        self.file = other
        self.assert_only_own("acme-thing-", "acme-docs-thing-")

    def assert_only_own(self, own, other):
        self.say(None)
        self.must("up", "--yes", *self.target())
        names = [g["logGroupName"] for g in self.client("logs").describe_log_groups()["logGroups"]]
        self.assertEqual(len([name for name in names if name.startswith(f"/ragstack/{other}")]), 1, names)
        self.assertEqual([name for name in names if name.startswith(f"/ragstack/{own}")], [])


if __name__ == "__main__":
    unittest.main()
