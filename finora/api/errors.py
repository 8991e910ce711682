"""Every error of the API, each in one place: its status, code, message and meaning.

Answers are made from these, the OpenAPI document describes them, and docs/errors.md lists them.
A module adds its own, and by `domain_errors` says which exception of its rules is answered how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Details = list[dict[str, str]]


class ApiError(Exception):
    """An answer of the error table. The message is fixed text: it never holds a personal value."""

    def __init__(
        self,
        kind: ErrorKind,
        *,
        message: str | None = None,
        details: Details | None = None,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind.code)
        self.status = kind.status
        self.code = kind.code
        self.message = message or kind.message
        self.details = details
        self.retry_after = retry_after or kind.retry_after
        self.headers = {**kind.headers, **(headers or {})}


_every: list[ErrorKind] = []


@dataclass(frozen=True, eq=False)
class ErrorKind:
    """One line of the error table; called, it makes the ApiError to raise.

    `message` is what a caller reads where the error says nothing more exact, `meaning` what the
    documents say, `example` the field that the example's `details` names. `header` is one that the
    answer has besides every answer's, `retry_after` the seconds to wait.
    """

    status: int
    code: str
    message: str
    meaning: str
    headers: Mapping[str, str] = field(default_factory=dict)
    header: str | None = None
    retry_after: int | None = None
    example: str | None = None

    def __post_init__(self) -> None:
        _every.append(self)

    def __call__(self, **more: Any) -> ApiError:
        return ApiError(self, **more)

    def of_field(self, name: str, message: str | None = None) -> ApiError:
        """The same, said of one field or parameter."""
        message = message or self.message
        return self(message=message, details=[{"field": name, "message": message}])


UNREADABLE = ErrorKind(
    400, "INVALID_REQUEST", "The request cannot be read.", "the request cannot be read"
)
INVALID_PARAMETER = ErrorKind(
    400,
    "INVALID_REQUEST",
    "limit is a whole number from 1 to 100.",
    "a query parameter is wrong",
    example="limit",
)
NOT_JSON = ErrorKind(
    400, "INVALID_REQUEST", "The body must be a JSON object.", "the body is not a JSON object"
)
MISSING_BUSINESS_ID = ErrorKind(
    400,
    "MISSING_BUSINESS_ID",
    "The query parameter businessId is required.",
    "`businessId` is required here",
    example="businessId",
)
INVALID_VERSION = ErrorKind(
    400,
    "INVALID_VERSION",
    "This API has version v1 only.",
    "the path names a version other than `v1`",
)
VALIDATION_ERROR = ErrorKind(
    400,
    "VALIDATION_ERROR",
    "Some fields are not acceptable.",
    "body fields break a rule; `details` has one entry for each",
    example="email",
)
UNAUTHORIZED = ErrorKind(
    401,
    "UNAUTHORIZED",
    "Send your API key in the header Authorization: Bearer <key>.",
    "no `Authorization: Bearer <key>`",
    headers={"WWW-Authenticate": "Bearer"},
    header="WWW-Authenticate",
)
# One answer for unknown, revoked, expired and other-environment keys: it helps no one guess.
INVALID_API_KEY = ErrorKind(
    401,
    "INVALID_API_KEY",
    "This API key is not valid here.",
    "the key is unknown, revoked, expired or of the other environment",
    headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
    header="WWW-Authenticate",
)
FORBIDDEN = ErrorKind(
    403,
    "FORBIDDEN",
    "The API key does not open this business.",
    "`businessId` is not the key's business",
)
NOT_PERMITTED = ErrorKind(
    403,
    "FORBIDDEN",
    "The API key does not open this address.",
    "the key does not open this address",
)
BUSINESS_SUSPENDED = ErrorKind(
    403,
    "BUSINESS_SUSPENDED",
    "This business is suspended.",
    "the key's business is suspended",
)
NOT_FOUND = ErrorKind(404, "NOT_FOUND", "There is nothing at this address.", "no such path or id")
METHOD_NOT_ALLOWED = ErrorKind(
    405,
    "METHOD_NOT_ALLOWED",
    "This address answers GET, HEAD.",
    "this address has other methods; see the header `Allow`",
    header="Allow",
)
BODY_TOO_SLOW = ErrorKind(
    408,
    "INVALID_REQUEST",
    "The body did not arrive within 10 s.",
    "the body did not arrive within 10 s",
)
KEY_REUSED = ErrorKind(
    409,
    "CONFLICT",
    "This Idempotency-Key was used with another body.",
    "this `Idempotency-Key` was used with another body",
)
CONFLICTING_CHANGE = ErrorKind(
    409,
    "CONFLICT",
    "The change conflicts with another one. Try again.",
    "a simultaneous change was faster",
)
BODY_TOO_LARGE = ErrorKind(
    413, "INVALID_REQUEST", "A body has at most 65536 bytes.", "the body has more than 64 KiB"
)
NOT_JSON_TYPE = ErrorKind(
    415,
    "INVALID_REQUEST",
    "Send the body as application/json.",
    "the body is not `application/json`",
)
RATE_LIMIT = ErrorKind(
    429,
    "RATE_LIMIT",
    "Too many requests. Try again later.",
    "too many calls with this key; wait `retryAfter` seconds",
    header="Retry-After",
    retry_after=1,
)
INTERNAL_ERROR = ErrorKind(
    500,
    "INTERNAL_ERROR",
    "Something went wrong on our side. Give us the request id and we can find out what.",
    "our fault; give the request id to support",
)


def _unavailable(message: str, meaning: str) -> ErrorKind:
    return ErrorKind(
        503, "SERVICE_UNAVAILABLE", message, meaning, header="Retry-After", retry_after=5
    )


UNREACHABLE = _unavailable(
    "The service cannot reach its database. Try again shortly.", "the database cannot be reached"
)
IN_TROUBLE = _unavailable(
    "The database is busy or in trouble of its own. Try again shortly.",
    "the database is busy or in trouble",
)
NO_WRITES = _unavailable(
    "The database takes no writes at present: its disk is full, or it is read-only.",
    "the database takes no writes",
)
NOT_READY = _unavailable(
    "This process does not have the keys that the database is in use with.",
    "`/readyz` alone: the process lacks a key, and its message names it",
)


def invalid_parameter(name: str, message: str) -> ApiError:
    """INVALID_PARAMETER of this query parameter."""
    return INVALID_PARAMETER.of_field(name, message)


def too_many(retry_after: int | None) -> ApiError:
    """RATE_LIMIT, for so many seconds."""
    return RATE_LIMIT(
        message=f"Too many requests. Try again in {retry_after} s.", retry_after=retry_after
    )


def every_kind() -> list[ErrorKind]:
    """All kinds that are declared, a module's too, in order of status."""
    return sorted(_every, key=lambda kind: kind.status)


_domain: dict[type[Exception], Callable[[Any], ApiError]] = {}


def domain_errors(answers: Mapping[type[Exception], Callable[[Any], ApiError]]) -> None:
    """A module's table: which exception of its rules is which answer. Subclasses are included."""
    _domain.update(answers)


def of_domain(error: BaseException) -> ApiError | None:
    """The answer that a module declared for this exception, if one did."""
    for each in type(error).__mro__:
        if each in _domain:
            return _domain[each](error)
    return None


def table() -> str:
    """The error table in Markdown, as docs/errors.md holds it."""
    rows = [f"| {kind.status} | `{kind.code}` | {kind.meaning} |" for kind in every_kind()]
    return "\n".join(["| HTTP | code | when |", "|---|---|---|", *rows]) + "\n"
