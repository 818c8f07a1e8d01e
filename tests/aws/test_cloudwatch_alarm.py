import unittest

import harness
from kind_case import KindCase

TOPIC = "arn:aws:sns:us-east-1:123456789012:ops"


class CloudwatchAlarmTest(KindCase, harness.TestCase):
    kind = "cloudwatch.alarm"
    base = {"namespace": "AWS/Lambda", "metric": "Errors", "statistic": "Sum", "period_s": 300, "threshold": 1,
            "comparison": "GreaterThanOrEqualToThreshold"}
    changes = {
        "description": "functions fail", "namespace": "AWS/ApiGateway", "metric": "5xx",
        "dimensions": {"ApiId": "a1b2c3", "Stage": "$default"}, "statistic": "Maximum", "period_s": 60,
        "evaluation_periods": 3, "datapoints": 1, "threshold": 2.5, "comparison": "LessThanThreshold",
        "missing_data": "notBreaching", "unit": "Count", "actions_enabled": False, "actions": [TOPIC],
        "ok_actions": [TOPIC], "insufficient_actions": [TOPIC],
    }
    replaces = {"name": "acme-other"}

    def alarm(self):
        alarms = self.client("cloudwatch").describe_alarms(AlarmNames=[self.physical_id()])["MetricAlarms"]
        self.assertEqual(len(alarms), 1)
        return alarms[0]

    def test_percentiles_are_another_member(self):
        self.make(statistic="p95", low_samples="ignore")
        alarm = self.alarm()
        self.assertEqual(alarm["ExtendedStatistic"], "p95")
        self.assertNotIn("Statistic", alarm)
        self.make(statistic="Average")
        alarm = self.alarm()
        self.assertEqual(alarm["Statistic"], "Average")
        self.assertNotIn("ExtendedStatistic", alarm)
        self.assertNotIn("EvaluateLowSampleCountPercentile", alarm)

    def test_a_change_leaves_nothing_of_the_old_alarm(self):
        self.make(unit="Count", dimensions={"FunctionName": "f"}, actions=[TOPIC])
        self.make()
        alarm = self.alarm()
        self.assertNotIn("Unit", alarm)
        self.assertEqual((alarm["Dimensions"], alarm["AlarmActions"]), ([], []))

    def test_a_threshold_that_drifts_is_put_right_and_its_tags_stay(self):
        self.make()
        name = self.physical_id()
        self.client("cloudwatch").put_metric_alarm(
            AlarmName=name, Namespace="AWS/Lambda", MetricName="Errors", Statistic="Sum", Period=300, Threshold=99,
            EvaluationPeriods=1, ComparisonOperator="GreaterThanOrEqualToThreshold")
        self.say(self.base)
        self.assertEqual(self.fields(), ["threshold"])
        self.up()
        self.assert_settled()

    def test_a_hundred_and_more_are_asked_for_by_the_hundred(self):
        self.others = {f"a{number}": {"kind": self.kind, **self.base} for number in range(120)}
        self.make()
        self.gateway.reset()
        result = self.ragstack("diff", "--json")
        self.assertEqual(sum(row["kind"] == self.kind for row in result.json["steps"]), 126, result)
        asked = self.gateway.requests()["counts"]["cloudwatch.DescribeAlarms"]
        self.assertEqual(asked, 3)  # each id has a second name, of a replacement that is not listed yet


if __name__ == "__main__":
    unittest.main()
