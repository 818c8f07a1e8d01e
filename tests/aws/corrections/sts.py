"""STS: the keys it hands out are keys that the gateway knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from corrections import corrects
from judge import Key

if TYPE_CHECKING:
    from call import Call


@corrects("sts", "AssumeRole", "AssumeRoleWithWebIdentity", "GetSessionToken")
def hand_out(call: Call) -> dict[str, Any]:
    result = call.forward()
    given = result["Credentials"]
    key = Key(given["SecretAccessKey"], given["SessionToken"], given["Expiration"].timestamp())
    call.keys.add(given["AccessKeyId"], key)
    return result
