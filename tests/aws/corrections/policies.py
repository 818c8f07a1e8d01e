"""IAM policy documents: whether they are well formed, and what they allow, as far as checks here ask."""

from __future__ import annotations

import fnmatch
import json
from typing import TYPE_CHECKING, Any

from messages import AwsError

if TYPE_CHECKING:
    from call import Call


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def read_document(text: str, trust: bool = False) -> dict[str, Any]:
    """The document; MalformedPolicyDocument for one that IAM would refuse."""

    def bad(why: str) -> AwsError:
        return AwsError("MalformedPolicyDocument", why)

    try:
        document = json.loads(text)
    except ValueError:
        raise bad("This policy contains invalid Json") from None
    if not isinstance(document, dict) or not document.get("Statement"):
        raise bad("Syntax errors in policy.")
    if document.get("Version") not in (None, "2012-10-17", "2008-10-17"):
        raise bad("Syntax errors in policy: bad Version.")
    if set(document) - {"Version", "Id", "Statement"}:
        raise bad("Syntax errors in policy.")
    for statement in as_list(document["Statement"]):
        _check_statement(statement, trust, bad)
    return document


def _check_statement(statement: Any, trust: bool, bad: Any) -> None:
    allowed = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal", "NotPrincipal"}
    if not isinstance(statement, dict) or set(statement) - allowed:
        raise bad("Syntax errors in policy.")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise bad("Missing or bad Effect.")
    actions = as_list(statement.get("Action")) + as_list(statement.get("NotAction"))
    if not actions:
        raise bad("Policy statement must contain actions.")
    for action in actions:
        if not isinstance(action, str) or action != "*" and ":" not in action:
            raise bad("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    if trust:
        if "Principal" not in statement and "NotPrincipal" not in statement:
            raise bad("Missing required field Principal")
        if "Resource" in statement or "NotResource" in statement:
            raise bad("Has prohibited field Resource")
        if any(not action.startswith(("sts:", "*")) for action in actions):
            raise bad("AssumeRole policy may only specify STS AssumeRole actions.")
    else:
        if "Principal" in statement:
            raise bad("Policy document should not specify a principal.")
        resources = as_list(statement.get("Resource")) + as_list(statement.get("NotResource"))
        if not resources:
            raise bad("Policy statement must contain resources.")
        for resource in resources:
            if resource != "*" and not str(resource).startswith("arn:"):
                raise bad(f"Resource {resource} must be in ARN format or \"*\".")


def trusts(role: Any, service: str) -> bool:
    """Whether the role's trust policy lets the service assume it."""
    document = json.loads(role.assume_role_policy_document)
    for statement in as_list(document.get("Statement")):
        principal = statement.get("Principal")
        services = as_list(principal.get("Service")) if isinstance(principal, dict) else []
        if statement.get("Effect") == "Allow" and (service in services or principal == "*"):
            return True
    return False


def allows(call: Call, role: Any, action: str) -> bool:
    """Whether some statement of the role's policies allows the action on anything."""
    documents = [json.loads(text) for text in role.policies.values()]
    for arn, policy in getattr(role, "managed_policies", {}).items():
        documents.append(json.loads(policy.document) if getattr(policy, "document", None) else {})
        if arn.endswith(("/AWSLambdaVPCAccessExecutionRole", "/AdministratorAccess")):
            return True
    for document in documents:
        for statement in as_list(document.get("Statement")):
            if statement.get("Effect") == "Allow" and any(
                    fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in as_list(statement.get("Action"))):
                return True
    return False
