import json
import unittest

import harness
from kind_case import KindCase


def body(title):
    return {"widgets": [{"type": "text", "x": 0, "y": 0, "width": 6, "height": 3, "properties": {"markdown": title}}]}


class CloudwatchDashboardTest(KindCase, harness.TestCase):
    kind = "cloudwatch.dashboard"
    base = {"body": body("acme")}
    replaces = {"name": "acme-other"}

    def test_the_body_changes_in_place(self):
        self.make()
        self.say({"body": body("other")})
        self.assertEqual(self.fields(), ["body"])
        self.up()
        self.assert_settled()

    def test_a_body_written_another_way_is_the_same(self):
        self.make()
        self.say({"body": json.dumps(self.base["body"], indent=4)})
        self.assert_settled()

    def test_a_body_that_drifts_is_put_right(self):
        self.make()
        name = self.physical_id()
        self.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=json.dumps(body("eve")))
        self.say(self.base)
        self.assertEqual(self.fields(), ["body"])
        self.up()
        self.assert_settled()

    def test_a_name_alone_proves_nothing(self):
        self.client("cloudwatch").put_dashboard(DashboardName="acme-wall", DashboardBody=json.dumps(body("ours")))
        self.say({**self.base, "name": "acme-wall"})
        self.assertIn("does not belong to this stack", self.only_step()["blocked"])

    def test_another_stack_and_environment_are_not_seen(self):
        self.make()
        own = self.file
        self.file = {**own, "stack": "acme-thing"}
        self.make()
        self.file = {**own, "environments": {"prod": {}}}
        self.say(self.base)
        self.must("up", "--yes", "--env", "prod", *self.target())
        self.file = own
        self.say(None)
        self.assertEqual(self.only_step()["action"], "delete")
        self.up()
        names = [entry["DashboardName"] for entry in self.client("cloudwatch").list_dashboards()["DashboardEntries"]]
        self.assertEqual(len(names), 2, names)


if __name__ == "__main__":
    unittest.main()
