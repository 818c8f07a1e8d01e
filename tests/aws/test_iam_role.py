#!/usr/bin/env python3
"""Roles: policies, trust, boundary and tags."""

from __future__ import annotations

import json
import unittest

import kinds


class Roles(kinds.KindTest):
    def setUp(self) -> None:
        super().setUp()
        self.stack["resources"]["more-role"] = {"kind": "iam.role", "assume": kinds.ROLE_TRUST,
                                                "policies": {"keeps": kinds.document("s3:GetObject")}}

    def test_every_field_changes_and_goes_back(self) -> None:
        iam = self.client("iam")
        made = [iam.create_policy(PolicyName=f"p{n}", PolicyDocument=json.dumps(kinds.document("s3:*")))["Policy"]["Arn"]
                for n in (1, 2)]
        self.round_trip("more-role", {
            "description": "changed: 100 % of it, <&> and ü", "assume": kinds.OTHER_TRUST,
            "policies": {"keeps": kinds.document("s3:PutObject"), "new": kinds.document("sqs:SendMessage")},
            "managed_policies": [made[1], made[0]], "max_session_s": 7200, "permissions_boundary": made[0],
        })

    def test_drift_shows_and_is_put_right(self) -> None:
        self.up()
        iam, name = self.client("iam"), self.name("more-role")
        arn = iam.create_policy(PolicyName="p", PolicyDocument=json.dumps(kinds.document("s3:*")))["Policy"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="added", PolicyDocument=json.dumps(kinds.document("*")))
        self.assert_drift("more-role", "policies")
        iam.delete_role_policy(RoleName=name, PolicyName="keeps")
        self.assert_drift("more-role", "policies")
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        self.assert_drift("more-role", "managed_policies")
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=arn)
        self.assert_drift("more-role", "permissions_boundary")
        iam.update_role(RoleName=name, Description="mine", MaxSessionDuration=3601)
        self.assert_drift("more-role", "description", "max_session_s")
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(kinds.OTHER_TRUST))
        self.assert_drift("more-role", "assume")
        iam.tag_role(RoleName=name, Tags=[{"Key": "hand", "Value": "made"}])
        self.assert_drift("more-role", "tags")

    def test_a_policy_in_other_words_is_the_same(self) -> None:
        self.up()
        words = {"Statement": {"Resource": ["*"], "Effect": "Allow", "Action": ["s3:GetObject"]}, "Version": "2012-10-17"}
        self.client("iam").put_role_policy(RoleName=self.name("more-role"), PolicyName="keeps",
                                           PolicyDocument=json.dumps(words, indent=3))
        self.assert_same()

    def test_a_role_that_the_file_forgets_goes(self) -> None:
        self.up()
        iam, name = self.client("iam"), self.name("more-role")
        del self.stack["resources"]["more-role"]
        self.up()
        with self.assertRaises(iam.exceptions.NoSuchEntityException):
            iam.get_role(RoleName=name)

    def test_a_role_of_another_is_not_touched(self) -> None:
        self.up()
        name = self.name("more-role")
        self.must("down", "--yes")
        iam = self.client("iam")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(kinds.ROLE_TRUST))
        result = self.ragstack("up", "--yes")
        self.assertNotEqual(result.status, 0, result)
        self.assertIn(f"does not belong to this stack, and is left alone: take it in with `ragstack adopt "
                      f"iam.role.more-role {name}`, take it away, or give \"more-role\" another id", result.stderr)
        iam.delete_role(RoleName=name)


if __name__ == "__main__":
    unittest.main()
