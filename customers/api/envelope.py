"""The one shape of every answer, errors included: see the API contract's error table."""

from __future__ import annotations

import logging
import math
import sqlite3
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial, wraps
from typing import Any

import orjson
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions as drf
from rest_framework.request import Request

from customers import clock
from customers.api.timestamps import iso
from customers.managers import CustomerInactive, EmailInUse

log = logging.getLogger("finora.api")

Details = list[dict[str, str]]
AnyRequest = HttpRequest | Request


class ApiError(Exception):
    """An answer of the error table. The message is fixed text: it never holds a personal value."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Details | None = None,
        retry_after: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.retry_after = retry_after
        self.headers = headers or {}


def invalid_parameter(name: str, message: str) -> ApiError:
    """INVALID_REQUEST for one query parameter."""
    return ApiError(400, "INVALID_REQUEST", message, details=[{"field": name, "message": message}])


invalid_request = partial(ApiError, 400, "INVALID_REQUEST")
unauthorized = partial(
    ApiError,
    401,
    "UNAUTHORIZED",
    "Send your API key in the header Authorization: Bearer <key>.",
    headers={"WWW-Authenticate": "Bearer"},
)
# One answer for unknown, revoked, expired and other-environment keys: it helps no one guess.
invalid_api_key = partial(
    ApiError,
    401,
    "INVALID_API_KEY",
    "This API key is not valid here.",
    headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
)
not_found = partial(ApiError, 404, "NOT_FOUND", "There is nothing at this address.")


def too_many(retry_after: int | None) -> ApiError:
    """RATE_LIMIT, for so many seconds."""
    message = f"Too many requests. Try again in {retry_after} s."
    return ApiError(429, "RATE_LIMIT", message, retry_after=retry_after)


def method_not_allowed(*allowed: str) -> ApiError:
    methods = ", ".join(allowed)
    message = f"This address answers {methods}."
    return ApiError(405, "METHOD_NOT_ALLOWED", message, headers={"Allow": methods})


internal_error = partial(
    ApiError,
    500,
    "INTERNAL_ERROR",
    "Something went wrong on our side. Give us the request id and we can find out what.",
)
unavailable = partial(ApiError, 503, "SERVICE_UNAVAILABLE", retry_after=5)
UNREACHABLE = "The service cannot reach its database. Try again shortly."
NO_WRITES = "The database takes no writes at present: its disk is full, or it is read-only."
IN_TROUBLE = "The database is busy or in trouble of its own. Try again shortly."
# SQLSTATEs of PostgreSQL: its disk is full; it is a standby.
_NO_WRITE_STATES = {"53100", "25006"}
# Of SQLite, which tells a quota or a limit on the file's size as an I/O error.
_NO_WRITE_CODES = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}
# The connection broke; the server is stopping or starting.
_UNREACHED_STATES = ("08", "57P")


def _behind(error: BaseException | None) -> Iterator[tuple[str | None, int | None]]:
    """PostgreSQL's SQLSTATE and SQLite's code of a database error and of all that led to it.

    The error is Django's, the driver's is behind it; where undoing failed too, that is in front.
    """
    while error is not None:
        yield getattr(error, "sqlstate", None), getattr(error, "sqlite_errorcode", None)
        error = error.__cause__ or error.__context__


def _takes_no_writes(error: BaseException) -> bool:
    return any(
        state in _NO_WRITE_STATES
        or code in _NO_WRITE_CODES
        or (code is not None and code & 0xFF == sqlite3.SQLITE_READONLY)
        for state, code in _behind(error)
    )


def _answered(error: BaseException) -> bool:
    """Whether the database was there to say no."""
    return any(
        (state is not None and not state.startswith(_UNREACHED_STATES))
        or (code is not None and code & 0xFF != sqlite3.SQLITE_CANTOPEN)
        for state, code in _behind(error)
    )


def database_trouble(error: BaseException) -> ApiError:
    """SERVICE_UNAVAILABLE for a database error. Says what it is: operators read it as well."""
    if _takes_no_writes(error):
        return unavailable(NO_WRITES)
    return unavailable(IN_TROUBLE if _answered(error) else UNREACHABLE)


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _respond(request: AnyRequest, payload: dict[str, Any], status: int) -> HttpResponse:
    response = HttpResponse(
        orjson.dumps(payload, default=_exact), content_type="application/json", status=status
    )
    headers = response.headers
    # Without it a server would have to send the answer in chunks.
    headers["Content-Length"] = str(len(response.content))
    headers["Cache-Control"] = "no-store"
    limit = getattr(request, "rate_limit", None)
    if limit is not None:
        headers["X-RateLimit-Limit"] = str(limit["limit"])
        headers["X-RateLimit-Remaining"] = str(limit["remaining"])
        headers["X-RateLimit-Reset"] = limit["reset"]
    return response


def success(
    request: AnyRequest,
    data: Any,
    *,
    status: int = 200,
    location: str | None = None,
    **meta: Any,
) -> HttpResponse:
    """`data` in the envelope; `meta` adds to the three entries every answer has."""
    payload = {
        "success": True,
        "data": data,
        "meta": {
            "requestId": request.request_id,  # type: ignore[union-attr]
            "timestamp": iso(clock.now()),
            "rateLimit": getattr(request, "rate_limit", None),
            **meta,
        },
    }
    response = _respond(request, payload, status)
    if location is not None:
        response.headers["Location"] = location
    return response


def failure(request: AnyRequest, error: ApiError) -> HttpResponse:
    """The error in the envelope, with its headers."""
    body: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "requestId": getattr(request, "request_id", ""),
    }
    if error.details is not None:
        body["details"] = error.details
    if error.retry_after is not None:
        body["retryAfter"] = error.retry_after
    response = _respond(request, {"success": False, "error": body}, error.status)
    for name, value in error.headers.items():
        response[name] = value
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def reads_only(view: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """A plain view that answers GET and HEAD, and the contract's 405 to anything else."""

    @wraps(view)
    def reading(request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return view(request)
        return failure(request, method_not_allowed("GET", "HEAD"))

    reading.csrf_exempt = True  # type: ignore[attr-defined]  # the 405 is for all, in JSON
    return reading


def _details(problems: Any) -> Details:
    """One entry for each field: its first message, which is fixed text."""
    if not isinstance(problems, dict):
        return []
    return [
        {"field": field, "message": str(messages[0] if isinstance(messages, list) else messages)}
        for field, messages in problems.items()
    ]


def as_api_error(error: BaseException) -> ApiError:
    """The contract's answer for an exception; whatever it does not name is our fault."""
    match error:
        case ApiError():
            return error
        case drf.ValidationError():
            message = "Some fields are not acceptable."
            return ApiError(400, "VALIDATION_ERROR", message, details=_details(error.detail))
        case EmailInUse():
            message = f"The email is in use by the active customer {error.public_id}."
            details = [{"field": "email", "message": message}]
            return ApiError(409, "CONFLICT", message, details=details)
        case CustomerInactive():
            return ApiError(409, "CONFLICT", "The customer is inactive and cannot be changed.")
        case drf.PermissionDenied() | PermissionDenied():
            return ApiError(403, "FORBIDDEN", "The API key does not open this address.")
        case drf.Throttled():
            return too_many(math.ceil(getattr(error, "wait", None) or 1))
        case IntegrityError():
            return ApiError(409, "CONFLICT", "The change conflicts with another one. Try again.")
        case OperationalError() | InterfaceError():
            return database_trouble(error)
        case InternalError() if _takes_no_writes(error):
            return database_trouble(error)
        case drf.NotFound() | Http404() | ObjectDoesNotExist():
            return not_found()
        case drf.UnsupportedMediaType():
            return ApiError(415, "INVALID_REQUEST", "Send the body as application/json.")
        case SuspiciousOperation() | drf.ParseError():
            return invalid_request("The request cannot be read.")
        case _:
            return internal_error()


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """DRF's hook: every exception of a view becomes an envelope, and our own faults a log line."""
    request = context["request"]
    answer = as_api_error(error)
    if answer.status >= 500:
        log.error(answer.code, exc_info=error)
    return failure(request, answer)
