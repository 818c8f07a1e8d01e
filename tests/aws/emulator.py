"""moto in this process: its WSGI applications called with requests as they came over the wire."""

from __future__ import annotations

import functools
import io
import os
from typing import Any
from urllib.parse import unquote_to_bytes

os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # a second of start that no test here needs

import moto.backends
import moto.core.responses
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.core.model_instances import reset_model_data
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from messages import Reply, Request

ACCOUNT = DEFAULT_ACCOUNT_ID


class Emulator:
    def __init__(self, quick: bool = True) -> None:
        default_user_config["lambda"]["use_docker"] = False
        if quick:
            _remember_modules()
        self._application = DomainDispatcherApplication(create_backend_app)

    def call(self, request: Request) -> Reply:
        answer: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            answer["status"], answer["headers"] = int(status.split()[0]), headers
            return None

        chunks = self._application(_environ(request), start_response)
        body = b"".join(chunks)
        if hasattr(chunks, "close"):
            chunks.close()
        skip = ("connection", "transfer-encoding", "content-length", "date", "status")
        headers = [(key, value) for key, value in answer["headers"] if key.lower() not in skip]
        if request.method == "HEAD":
            headers += [pair for pair in answer["headers"] if pair[0].lower() == "content-length"]
        return Reply(answer["status"], headers, body)

    @staticmethod
    def reset() -> None:
        """Forgets every resource of every service that was used."""
        BackendDict.reset()
        reset_model_data()


def _remember_modules() -> None:
    """moto looks through its folders, and through its classes, at every request."""
    modules = list(moto.backends.list_of_moto_modules())
    moto.backends.list_of_moto_modules = lambda: modules  # type: ignore[assignment]
    moto.core.responses.method_names_from_class = functools.cache(moto.core.responses.method_names_from_class)


def _environ(request: Request) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "QUERY_STRING": request.query,
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for key, value in request.headers:
        name = key.upper().replace("-", "_")
        if name == "CONTENT_TYPE":
            environ[name] = value
        elif name not in ("CONTENT_LENGTH", "TRANSFER_ENCODING", "EXPECT", "CONNECTION"):
            environ[f"HTTP_{name}"] = f"{environ[f'HTTP_{name}']},{value}" if f"HTTP_{name}" in environ else value
    return environ
