"""The one shape of every answer, errors included: see the API contract's error table."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import wraps
from typing import Any

import orjson
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework import exceptions as drf
from rest_framework.request import Request
from rest_framework.settings import api_settings

from finora import clock
from finora.api import errors, throttling
from finora.api.database_errors import database_trouble, takes_no_writes
from finora.api.errors import ApiError, Details
from finora.clock import iso

log = logging.getLogger("finora.api")

# What DRF says of an object as a whole.
WHOLE = f".{api_settings.NON_FIELD_ERRORS_KEY}"

AnyRequest = HttpRequest | Request


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def written(value: Any) -> bytes:
    """As JSON."""
    return orjson.dumps(value, default=_exact)


def _respond(request: AnyRequest, payload: dict[str, Any], status: int) -> HttpResponse:
    response = HttpResponse(written(payload), content_type="application/json", status=status)
    # Without it a server would have to send the answer in chunks.
    response.headers["Content-Length"] = str(len(response.content))
    _tell(request, response)
    return response


def streamed(
    request: AnyRequest, chunks: Iterable[bytes], content_type: str
) -> StreamingHttpResponse:
    """An answer outside the envelope, made as it is taken; with every answer's headers. Raises
    RATE_LIMIT.
    """
    throttling.judge(getattr(request, "_request", request))
    response = StreamingHttpResponse(chunks, content_type=content_type)
    _tell(request, response)
    return response


def _tell(request: AnyRequest, response: HttpResponseBase) -> None:
    headers = response.headers
    headers["Cache-Control"] = "no-store"
    limit = getattr(request, "rate_limit", None)
    if limit is not None:
        headers["X-RateLimit-Limit"] = str(limit["limit"])
        headers["X-RateLimit-Remaining"] = str(limit["remaining"])
        headers["X-RateLimit-Reset"] = limit["reset"]


def success(
    request: AnyRequest,
    data: Any,
    *,
    status: int = 200,
    location: str | None = None,
    **meta: Any,
) -> HttpResponse:
    """`data` in the envelope; `meta` adds to the three entries every answer has.

    Raises RATE_LIMIT.
    """
    request = getattr(request, "_request", request)  # DRF's looks each of its names up twice
    throttling.judge(request)
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


def _details(problems: Any, within: str = "") -> Details:
    """One entry for each field: its first message, which is fixed text. A field of an object in a
    list is named by its place: `lineItems[0].unitPrice`.
    """
    if not isinstance(problems, dict):
        return []
    found: Details = []
    for name, messages in problems.items():
        inner = f"{within}[{name}]" if isinstance(name, int) else f"{within}.{name}".lstrip(".")
        if isinstance(messages, dict):
            found += _details(messages, inner)
        else:
            first = messages[0] if isinstance(messages, list) else messages
            found.append({"field": inner.removesuffix(WHOLE), "message": str(first)})
    return found


def method_not_allowed(*allowed: str) -> ApiError:
    methods = ", ".join(allowed)
    return errors.METHOD_NOT_ALLOWED(
        message=f"This address answers {methods}.", headers={"Allow": methods}
    )


def as_api_error(error: BaseException) -> ApiError:
    """The contract's answer for an exception; whatever it does not name is our fault."""
    if (answer := errors.of_domain(error)) is not None:
        return answer
    match error:
        case ApiError():
            return error
        case drf.ValidationError():
            return errors.VALIDATION_ERROR(details=_details(error.detail))
        case drf.PermissionDenied() | PermissionDenied():
            return errors.NOT_PERMITTED()
        case drf.Throttled():
            return errors.too_many(math.ceil(getattr(error, "wait", None) or 1))
        case IntegrityError():
            return errors.CONFLICTING_CHANGE()
        case OperationalError() | InterfaceError():
            return database_trouble(error)
        case InternalError() if takes_no_writes(error):
            return database_trouble(error)
        case drf.NotFound() | Http404() | ObjectDoesNotExist():
            return errors.NOT_FOUND()
        case drf.UnsupportedMediaType():
            return errors.NOT_JSON_TYPE()
        case SuspiciousOperation() | drf.ParseError():
            return errors.UNREADABLE()
        case _:
            return errors.INTERNAL_ERROR()


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """DRF's hook: every exception of a view becomes an envelope, and our own faults a log line."""
    request = context["request"]
    answer = as_api_error(error)
    if answer.status >= 500:
        log.error(answer.code, exc_info=error)
    return failure(request, answer)
