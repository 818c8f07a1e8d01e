import json
import unittest

import harness
from kind_case import KindCase

POLICY = {
    "Version": "2012-10-17",
    "Statement": [{
        "Sid": "Alarms", "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "SNS:Publish", "Resource": "*",
    }],
}


class SnsTopicTest(KindCase, harness.TestCase):
    kind = "sns.topic"
    changes = {
        "display_name": "Acme's alarms",
        "kms_key": "alias/acme",
        "policy": POLICY,
        "subscriptions": [{"protocol": "email", "endpoint": "ops@example.com"},
                          {"protocol": "sqs", "endpoint": "arn:aws:sqs:us-east-1:123456789012:alarms"}],
    }
    replaces = {"name": "acme-other"}

    def subscriptions(self, topic):
        found = self.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        return sorted((one["Protocol"], one["Endpoint"]) for one in found)

    def test_nobody_waits_for_a_human(self):
        self.make(subscriptions=[{"protocol": "email", "endpoint": "ops@example.com"}])
        self.assertEqual(self.subscriptions(self.physical_id()), [("email", "ops@example.com")])

    def test_subscriptions_are_matched_by_what_they_are(self):
        first = {"protocol": "https", "endpoint": "https://example.com/a"}
        second = {"protocol": "https", "endpoint": "https://example.com/b"}
        self.make(subscriptions=[first, second])
        self.say({"subscriptions": [second, first]})
        self.assert_settled()

    def test_a_pending_one_that_nobody_wants_any_more_is_left_to_aws(self):
        self.make(subscriptions=[{"protocol": "email", "endpoint": "ops@example.com"}])
        self.make(subscriptions=[{"protocol": "email", "endpoint": "new@example.com"}])
        self.make()

    def test_the_default_policy_comes_back(self):
        self.make(policy=POLICY)
        self.make()
        text = self.client("sns").get_topic_attributes(TopicArn=self.physical_id())["Attributes"]["Policy"]
        self.assertEqual(json.loads(text)["Id"], "__default_policy_ID")

    def test_a_policy_written_another_way_is_the_same(self):
        self.make(policy=POLICY)
        statement = {**POLICY["Statement"][0], "Action": ["SNS:Publish"]}
        self.say({"policy": json.dumps({**POLICY, "Statement": statement})})
        self.assert_settled()

    def test_a_display_name_that_drifts_is_put_right(self):
        self.make(display_name="Acme")
        topic = self.physical_id()
        self.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="Eve")
        self.say({"display_name": "Acme"})
        self.assertEqual(self.fields(), ["display_name"])
        self.up()
        self.assert_settled()


if __name__ == "__main__":
    unittest.main()
