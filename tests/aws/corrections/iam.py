"""IAM: policy documents as strict as IAM's, and what lists leave out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from corrections import corrects
from corrections.policies import read_document
from messages import AwsError
from pages import paged

if TYPE_CHECKING:
    from call import Call

MOST_INLINE_POLICY_CHARACTERS = 10240


@corrects("iam", "CreateRole")
def create_role(call: Call) -> Any:
    read_document(call.params["AssumeRolePolicyDocument"], trust=True)
    name = call.params["RoleName"].lower()
    if any(role.name.lower() == name for role in call.backend().roles.values()):
        raise AwsError("EntityAlreadyExists", f"Role with name {call.params['RoleName']} already exists.", 409)
    return call.pass_through()


@corrects("iam", "UpdateAssumeRolePolicy")
def update_trust(call: Call) -> Any:
    read_document(call.params["PolicyDocument"], trust=True)
    return call.pass_through()


@corrects("iam", "PutRolePolicy")
def put_policy(call: Call) -> Any:
    text = call.params["PolicyDocument"]
    read_document(text)
    role = next((role for role in call.backend().roles.values() if role.name == call.params["RoleName"]), None)
    others = [other for name, other in role.policies.items() if name != call.params["PolicyName"]] if role else []
    if sum(len("".join(policy.split())) for policy in [text, *others]) > MOST_INLINE_POLICY_CHARACTERS:
        raise AwsError("LimitExceeded", f"Maximum policy size of {MOST_INLINE_POLICY_CHARACTERS} bytes exceeded for role "
                       f"{call.params['RoleName']}", 409)
    return call.pass_through()


@corrects("iam", "AttachRolePolicy", "PutRolePermissionsBoundary")
def attach_policy(call: Call) -> Any:
    """AWS's own policies are there from the start; moto would load all of them, so one is made on demand."""
    arn = call.params.get("PolicyArn") or call.params["PermissionsBoundary"]
    policies = call.backend().managed_policies
    if arn.startswith("arn:aws:iam::aws:policy/") and arn not in policies:
        from moto.iam.aws_managed_policies import aws_managed_policies_data
        from moto.iam.models import AWSManagedPolicy

        name = arn.rsplit("/", 1)[1]
        known = json.loads(aws_managed_policies_data).get(name)
        if known and arn == f"arn:aws:iam::aws:policy{known['Path']}{name}":
            policies[arn] = AWSManagedPolicy.from_data(name, call.account, call.region, known)
    return call.pass_through()


@corrects("iam", "ListRoles")
def list_roles(call: Call) -> Any:
    """Lists come without tags, boundaries and last use."""
    result = paged(call)
    for role in result["Roles"]:
        for name in ("Tags", "PermissionsBoundary", "RoleLastUsed"):
            role.pop(name, None)
    return result
