"""A request as granian has it, told to Django in the terms of WSGI."""

from __future__ import annotations

import io
import sys
from functools import lru_cache
from typing import Any

from django.conf import settings

from finora.api.errors import ApiError
from finora.api.parsers import BODY_REFUSED

# A header whose value is not ASCII, which granian does not tell. It is there and nothing accepts
# it: that a client meant to send an Idempotency-Key must not be forgotten.
UNREADABLE = "\xff"


@lru_cache(512)
def _variable(name: str) -> str | None:
    """The name of a header in `environ`. None for one with an underscore, which would have the
    name of another: X_Forwarded_For and X-Forwarded-For."""
    if "_" in name:
        return None
    if name == "content-type":
        return "CONTENT_TYPE"
    return "HTTP_" + name.upper().replace("-", "_")


def environ(scope: Any, headers: Any, body: bytes | ApiError) -> dict[str, Any]:
    env: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "SERVER_NAME": settings.HOST,
        "SERVER_PORT": str(settings.PORT),
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    names = set()
    for name, value in headers.items():
        names.add(name)
        variable = _variable(name)
        if variable is None:
            continue
        if variable in env:
            value = f"{env[variable]}{';' if name == 'cookie' else ','}{value}"
        env[variable] = value
    if len(names) < len(headers):
        for name in set(headers.keys()) - names:
            if variable := _variable(name):
                env[variable] = UNREADABLE
    declared = env.pop("HTTP_CONTENT_LENGTH", None)
    env.pop("HTTP_TRANSFER_ENCODING", None)
    if isinstance(body, ApiError):
        # Not zero: a parser is asked, and says why there is none.
        env["CONTENT_LENGTH"] = declared or "1"
        env[BODY_REFUSED] = body
        body = b""
    elif body:
        env["CONTENT_LENGTH"] = str(len(body))  # also of one that came in chunks
    env["wsgi.input"] = io.BytesIO(body)
    return env
