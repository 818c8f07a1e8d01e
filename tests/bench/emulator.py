#!/usr/bin/env python3
"""moto for the benchmarks: plain, but for what it lacks to hold ragstack's stack at all.

A proxy without Auth fails in moto 5.2.1, replies leave out DefaultAuthScheme, LoggingConfig and the
descriptions of rules for prefix lists, so that no diff could ever be empty, and a function that is invoked wants
Docker. None changes what a request costs. Both tools run against this.

    emulator.py PORT
"""

from __future__ import annotations

import pathlib
import sys
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "aws"))

from moto.awslambda.models import LambdaFunction
from moto.rds.models import DBProxy
from moto.rds.responses import RDSResponse
from moto.server import main

from corrections.ec2 import repair_rules


def repair_proxies() -> None:
    create, modelled = RDSResponse.create_db_proxy, DBProxy.__init__

    def create_without_auth(self: RDSResponse) -> Any:
        self.params.setdefault("Auth", [])
        result = create(self)
        proxy = self.backend.db_proxies[self.params["DBProxyName"]]
        proxy.default_auth_scheme = self.params.get("DefaultAuthScheme", "NONE")
        return result

    def init(self: DBProxy, *arguments: Any, **named: Any) -> None:
        modelled(self, *arguments, **named)
        self.default_auth_scheme = "NONE"

    RDSResponse.create_db_proxy = create_without_auth
    DBProxy.__init__ = init


def repair_logging() -> None:
    modelled, configuration = LambdaFunction.__init__, LambdaFunction.get_configuration

    def init(self: LambdaFunction, *arguments: Any, **named: Any) -> None:
        modelled(self, *arguments, **named)
        self.logging_config = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{self.function_name}",
                               **(named["spec"].get("LoggingConfig") or {})}

    def get_configuration(self: LambdaFunction, on_create: bool = False) -> dict[str, Any]:
        return {**configuration(self, on_create), "LoggingConfig": self.logging_config}

    LambdaFunction.__init__ = init
    LambdaFunction.get_configuration = get_configuration


def repair_invocations() -> None:
    def invoke(self: LambdaFunction, body: Any, request_headers: Any, response_headers: Any) -> str:
        return '{"migrations": 3, "warning": ""}'

    LambdaFunction.invoke = invoke


if __name__ == "__main__":
    repair_invocations()
    repair_proxies()
    repair_logging()
    repair_rules()
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
