#!/usr/bin/env python3
"""Proxies: the pool, the target, and what keeps them apart."""

from __future__ import annotations

import json
import unittest

import kinds


class Proxies(kinds.KindTest):
    def setUp(self) -> None:
        super().setUp()
        self.stack["database"]["proxy"] = True
        connect = kinds.document("rds-db:connect")
        self.stack["resources"].update({
            "more-role": {"kind": "iam.role", "assume": kinds.OTHER_TRUST, "policies": {"connect": connect}},
            "more-role-2": {"kind": "iam.role", "assume": kinds.OTHER_TRUST, "policies": {"connect": connect}},
            "more-proxy": {"kind": "rds.proxy", "role": "${more-role.arn}", "target": "${database.name}",
                           "subnets": ["${private-1.id}", "${private-2.id}"], "groups": ["${proxy-group.id}"]},
        })

    def test_every_field_changes_and_goes_back(self) -> None:
        self.round_trip("more-proxy", {
            "require_tls": False, "role": "${more-role-2.arn}", "idle_client_timeout_s": 60, "debug_logging": True,
            "groups": ["${proxy-group.id}", "${functions-group.id}"], "max_connections_percent": 80,
            "max_idle_connections_percent": 20, "borrow_timeout_s": 30,
            "session_pinning_filters": ["EXCLUDE_VARIABLE_SETS"],
        })

    def test_drift_shows_and_is_put_right(self) -> None:
        self.up()
        rds, name = self.client("rds"), self.name("more-proxy")
        rds.modify_db_proxy(DBProxyName=name, RequireTLS=False)
        self.assert_drift("more-proxy", "require_tls")
        rds.modify_db_proxy_target_group(DBProxyName=name, TargetGroupName="default",
                                         ConnectionPoolConfig={"MaxConnectionsPercent": 70, "MaxIdleConnectionsPercent": 50})
        self.assert_drift("more-proxy", "max_connections_percent")
        rds.deregister_db_proxy_targets(DBProxyName=name, DBInstanceIdentifiers=[self.name("database")])
        self.assert_drift("more-proxy", "target")

    def test_a_target_that_cannot_be_reached_says_why(self) -> None:
        self.up()
        ec2 = self.client("ec2")
        group = self.name("database-group")
        rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
        ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[
            rule["SecurityGroupRuleId"] for rule in rules if not rule["IsEgress"]])
        found = self.found("more-proxy")
        self.assertEqual(found["health"], "pending", found)
        self.assertIn("security group", json.dumps(found))
        self.up()
        self.assertEqual(self.found("more-proxy")["health"], "healthy")

    def test_other_subnets_replace_it(self) -> None:
        self.up()
        first = self.name("more-proxy")
        self.stack["resources"]["more-proxy"]["subnets"] = ["${public-1.id}", "${public-2.id}"]
        self.up()
        self.assertEqual(self.name("more-proxy"), f"{first}-2")
        names = [one["DBProxyName"] for one in self.client("rds").describe_db_proxies()["DBProxies"]]
        self.assertNotIn(first, names)


if __name__ == "__main__":
    unittest.main()
