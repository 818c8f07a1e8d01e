"""Secrets Manager: a name that is scheduled for deletion is not free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from corrections import corrects
from messages import AwsError

if TYPE_CHECKING:
    from call import Call


@corrects("secretsmanager", "CreateSecret")
def create_secret(call: Call) -> Any:
    secret = next((secret for secret in call.backend().secrets.values() if secret.name == call.params["Name"]), None)
    if secret is not None and secret.is_deleted():
        raise AwsError("InvalidRequestException", "You can't create this secret because a secret with this name is "
                       "already scheduled for deletion.")
    return call.pass_through()
