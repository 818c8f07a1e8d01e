"""STS: roles that exist and trust their caller, and keys that the gateway then knows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from corrections import corrects
from corrections.policies import as_list
from judge import Key
from messages import AwsError

if TYPE_CHECKING:
    from call import Call


@corrects("sts", "AssumeRole")
def assume_role(call: Call) -> dict[str, Any]:
    arn = call.params["RoleArn"]
    account = arn.split(":")[4]
    if account == call.account:
        role = next((role for role in call.backend("iam").roles.values() if role.arn == arn), None)
        if role is None or not _trusts_account(role, account):
            raise AwsError("AccessDenied", f"User: arn:aws:iam::{call.account}:user/tester is not authorized to perform: "
                           f"sts:AssumeRole on resource: {arn}", 403)
    return hand_out(call)


def _trusts_account(role: Any, account: str) -> bool:
    for statement in as_list(json.loads(role.assume_role_policy_document).get("Statement")):
        principal = statement.get("Principal")
        names = as_list(principal.get("AWS")) if isinstance(principal, dict) else [principal]
        if statement.get("Effect") == "Allow" and any(name == "*" or account in str(name) for name in names):
            return True
    return False


@corrects("sts", "AssumeRoleWithWebIdentity", "GetSessionToken")
def hand_out(call: Call) -> dict[str, Any]:
    result = call.forward()
    given = result["Credentials"]
    key = Key(given["SecretAccessKey"], given["SessionToken"], given["Expiration"].timestamp())
    call.keys.add(given["AccessKeyId"], key)
    return result
