"""The account's other inhabitants: functions and databases of somebody else, straight into the state."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from corrections.lambda_ import Function, functions

if TYPE_CHECKING:
    from call import Call

CONFIG = {
    "Runtime": "python3.13", "Handler": "a.b", "Description": "", "Timeout": 3, "MemorySize": 128, "Version": "$LATEST",
    "TracingConfig": {"Mode": "PassThrough"}, "PackageType": "Zip", "Architectures": ["x86_64"],
    "EphemeralStorage": {"Size": 512}, "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
    "LastModified": "2026-01-01T00:00:00.000+0000", "CodeSha256": "0" * 43 + "=", "CodeSize": 1,
    "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/other"},
}


def invite(call: Call, function_count: int, database_count: int) -> None:
    table = functions(call)
    for number in range(function_count):
        name = f"other-{number:05}"
        arn = f"arn:aws:lambda:{call.region}:{call.account}:function:{name}"
        config = {**CONFIG, "FunctionName": name, "FunctionArn": arn, "Role": f"arn:aws:iam::{call.account}:role/other",
                  "RevisionId": name}
        table[name] = Function(arn, config, tags={"team": "others"}, settled=True, created=True)
    _databases(call, database_count)


def _databases(call: Call, count: int) -> None:
    """One is made as any is, and the others after its image: making each takes moto too long."""
    if not count:
        return
    rds = call.backend("rds")
    pattern = rds.create_db_instance({
        "db_instance_identifier": "other-00000", "db_instance_class": "db.t4g.micro", "engine": "postgres",
        "engine_version": "16.4", "allocated_storage": 20, "master_username": "other", "master_user_password": "not-a-secret",
        "tags": [{"Key": "team", "Value": "others"}], "vpc_security_group_ids": [], "db_name": None,
    })
    for number in range(1, count):
        other = copy.copy(pattern)
        other.db_instance_identifier = f"other-{number:05}"
        rds.databases[other.db_instance_identifier] = other
