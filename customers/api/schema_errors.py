"""Errors of the OpenAPI page: what each status means, with the codes it has and no other."""

from __future__ import annotations

from customers.api.envelope import NO_WRITES, UNREACHABLE
from customers.api.schema_answers import RATE_LIMIT_HEADERS, Json, ref, response

REQUEST_ID_EXAMPLE = "req_k3v9x0q2m7c5t1ab"


def _failed(code: str, message: str, field: str | None = None, retry: int | None = None) -> Json:
    error: Json = {"code": code, "message": message}
    if field:
        error["details"] = [{"field": field, "message": message}]
    if retry:
        error["retryAfter"] = retry
    return {"value": {"success": False, "error": error | {"requestId": REQUEST_ID_EXAMPLE}}}


def _error(
    description: str,
    examples: Json,
    *headers: str,
    authenticated: bool = True,
    needs: tuple[str, ...] = (),
) -> Json:
    """An error answer: one status, with the codes that its examples have and no other."""
    codes = sorted({example["value"]["error"]["code"] for example in examples.values()})
    narrowed: Json = {"properties": {"code": {"enum": codes}}}
    if needs:
        narrowed["required"] = list(needs)
    schema = {"allOf": [ref("ErrorAnswer"), {"properties": {"error": narrowed}}]}
    if authenticated:
        headers = (*RATE_LIMIT_HEADERS, *headers)
    return response(description, schema, examples, *headers)


_NOT_READ = {"unreadable": _failed("INVALID_REQUEST", "The request cannot be read.")}
_NOT_JSON = {"notJson": _failed("INVALID_REQUEST", "The body must be a JSON object.")}
_BAD_PARAMETER = {
    "wrongParameter": _failed("INVALID_REQUEST", "limit is a whole number from 1 to 100.", "limit"),
    "noBusinessId": _failed(
        "MISSING_BUSINESS_ID", "The query parameter businessId is required.", "businessId"
    ),
}
_BAD_FIELDS = {
    "fields": {
        "value": {
            "success": False,
            "error": {
                "code": "VALIDATION_ERROR",
                "message": "Some fields are not acceptable.",
                "details": [{"field": "email", "message": "Enter a valid email address."}],
                "requestId": REQUEST_ID_EXAMPLE,
            },
        }
    }
}
_KEY_REUSED = {"keyReused": _failed("CONFLICT", "This Idempotency-Key was used with another body.")}
ERRORS: dict[str, Json] = {
    "BadRequest": _error("The request cannot be read.", _NOT_READ),
    "BadParameters": _error("A query parameter is missing or wrong.", _BAD_PARAMETER),
    "BadBody": _error(
        "The body is not a JSON object, or fields in it break a rule.", _NOT_JSON | _BAD_FIELDS
    ),
    "Unauthorized": _error(
        "No key, or one that is not valid here. Checked before anything else.",
        {
            "noKey": _failed(
                "UNAUTHORIZED", "Send your API key in the header Authorization: Bearer <key>."
            ),
            "wrongKey": _failed("INVALID_API_KEY", "This API key is not valid here."),
        },
        "WWW-Authenticate",
        authenticated=False,
    ),
    "Forbidden": _error(
        "The key does not open this business, or its business is suspended.",
        {
            "otherBusiness": _failed("FORBIDDEN", "The API key does not open this business."),
            "suspended": _failed("BUSINESS_SUSPENDED", "This business is suspended."),
        },
    ),
    "NotFound": _error(
        "Nothing with this id in this business.",
        {"notFound": _failed("NOT_FOUND", "There is nothing at this address.")},
    ),
    "MethodNotAllowed": _error(
        "This address has other methods.",
        {"method": _failed("METHOD_NOT_ALLOWED", "This address answers GET, HEAD.")},
        "Allow",
    ),
    "Conflict": _error(
        "An active customer of this business has the email (`details` names it), or this"
        " `Idempotency-Key` was used with another body.",
        {"emailInUse": _failed("CONFLICT", "The email is in use by cust_xyz.", "email")}
        | _KEY_REUSED,
    ),
    "KeyReused": _error(
        "This `Idempotency-Key` was used with another body.",
        _KEY_REUSED,
    ),
    "ConflictOrInactive": _error(
        "An active customer of this business has the email (`details` names it), or the customer"
        " is inactive.",
        {
            "emailInUse": _failed("CONFLICT", "The email is in use by cust_abc.", "email"),
            "inactive": _failed("CONFLICT", "The customer is inactive and cannot be changed."),
        },
    ),
    "BodyTooLarge": _error(
        "The body has more than 64 KiB.",
        {"tooLarge": _failed("INVALID_REQUEST", "A body has at most 65536 bytes.")},
    ),
    "NotJson": _error(
        "The body is not `application/json`.",
        {"mediaType": _failed("INVALID_REQUEST", "Send the body as application/json.")},
    ),
    "RateLimited": _error(
        "Too many calls with this key. Wait `retryAfter` seconds.",
        {"rateLimit": _failed("RATE_LIMIT", "Too many requests. Try again later.", retry=7)},
        "Retry-After",
        needs=("retryAfter",),
    ),
    "InternalError": _error(
        "Our fault. Give the request id to support.",
        {"broken": _failed("INTERNAL_ERROR", "Something went wrong on our side.")},
    ),
    "Unavailable": _error(
        "The database cannot be reached, is in trouble, or takes no writes. Try again shortly.",
        {
            "unavailable": _failed("SERVICE_UNAVAILABLE", UNREACHABLE, retry=5),
            "noWrites": _failed("SERVICE_UNAVAILABLE", NO_WRITES, retry=5),
        },
        "Retry-After",
        needs=("retryAfter",),
    ),
}
STATUS_OF = {
    "BadRequest": "400",
    "BadParameters": "400",
    "BadBody": "400",
    "Unauthorized": "401",
    "Forbidden": "403",
    "NotFound": "404",
    "MethodNotAllowed": "405",
    "Conflict": "409",
    "KeyReused": "409",
    "ConflictOrInactive": "409",
    "BodyTooLarge": "413",
    "NotJson": "415",
    "RateLimited": "429",
    "InternalError": "500",
    "Unavailable": "503",
}
