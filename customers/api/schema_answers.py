"""Answers of the OpenAPI page: the envelope, the named schemas, the headers.

They are closed (`additionalProperties: false`), so that a fuzzer sees a member too many.
"""

from __future__ import annotations

from typing import Any

from customers.api.pagination import MAX_LIMIT
from customers.managers import SEARCH_LIMIT
from customers.models import ApiKey, Customer
from customers.models.api_key import LAST_FOUR_LENGTH, PREFIX_LENGTH

Json = dict[str, Any]

# --- shapes -----------------------------------------------------------------------------------


def ref(name: str, section: str = "schemas") -> Json:
    return {"$ref": f"#/components/{section}/{name}"}


def closed(properties: Json, *, optional: tuple[str, ...] = (), **more: Any) -> Json:
    """An object of these members and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
        **more,
    }


def answer(data: Json, meta: str = "Meta") -> Json:
    return closed({"success": {"const": True}, "data": data, "meta": ref(meta)})


TIME: Json = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
}
REQUEST_ID: Json = {
    "type": "string",
    "pattern": "^req_[a-z0-9]{16}$",
    "description": "Names this request; the same in the header `X-Request-Id`. Give it to support.",
}
_META: Json = {
    "requestId": ref("RequestId"),
    "timestamp": TIME | {"description": "When this was answered; see `updatedSince`."},
    "rateLimit": {
        "oneOf": [ref("RateLimit"), {"type": "null"}],
        "description": "The key's minute; null where there is no limit.",
    },
}
_UNREADABLE: Json = {
    "type": "array",
    "items": ref("CustomerId"),
    "minItems": 1,
    "description": "Only when stored customers could not be opened: left out, their ids are here.",
}
_NEXT_CURSOR: Json = {
    "type": "string",
    "description": "Only when more follow: pass it as `cursor`.",
    "pattern": "^[A-Za-z0-9_-]+$",
}


CALLS: Json = {"type": "integer", "minimum": 0}
KEY_ID: Json = {"type": "string", "pattern": "^key_[0-9a-z]+$", "maxLength": 40}


def _length(characters: int) -> Json:
    return {"type": "string", "minLength": characters, "maxLength": characters}


def _stored(name: str, **more: Any) -> Json:
    field: Any = Customer._meta.get_field(name)
    if field.null:
        return {"type": ["string", "null"], "maxLength": field.max_length, **more}
    return {"type": "string", "minLength": 1, "maxLength": field.max_length, **more}


def _several(most: int) -> Json:
    return closed(
        {
            "customers": {"type": "array", "items": ref("Customer"), "maxItems": most},
            "count": {
                "type": "integer",
                "minimum": 0,
                "maximum": most,
                "description": "How many customers this answer holds.",
            },
        }
    )


# Every code, its status and what it means: the contract's table.
CODES: dict[str, str] = {
    "INVALID_REQUEST": "a query parameter is missing or wrong, or the body is not a JSON object"
    " (400), larger than 64 KiB (413) or not `application/json` (415)",
    "MISSING_BUSINESS_ID": "`businessId` is required here (400)",
    "INVALID_VERSION": "the path names a version other than `v1` (400)",
    "VALIDATION_ERROR": "body fields break a rule; `details` has one entry for each (400)",
    "UNAUTHORIZED": "no `Authorization: Bearer <key>` (401)",
    "INVALID_API_KEY": "the key is unknown, revoked, expired or of the other environment (401)",
    "FORBIDDEN": "`businessId` is not the key's business (403)",
    "BUSINESS_SUSPENDED": "the key's business is suspended (403)",
    "NOT_FOUND": "no such path or id (404)",
    "METHOD_NOT_ALLOWED": "see the header `Allow` (405)",
    "CONFLICT": "an active customer has that email, or the customer is inactive (409)",
    "RATE_LIMIT": "too many calls; wait `retryAfter` seconds (429)",
    "INTERNAL_ERROR": "our fault (500)",
    "SERVICE_UNAVAILABLE": "the database is away, in trouble, or takes no writes (503)",
}


def component_schemas() -> Json:
    """The named schemas of answers."""
    kobo = {"type": "integer", "format": "int64"}
    return {
        "RequestId": REQUEST_ID,
        "CustomerId": {
            "type": "string",
            "pattern": "^cust_[0-9a-z]+$",
            "maxLength": 40,
            "description": "Opaque and URL-safe; ids of later customers sort later.",
        },
        "KeyId": KEY_ID,
        "RateLimit": closed(
            {
                "limit": {"type": "integer", "minimum": 1},
                "remaining": {"type": "integer", "minimum": 0},
                "reset": TIME,
            },
            description="Calls a minute, calls left, and when the next one comes free.",
        ),
        "Meta": closed(_META),
        "ListMeta": closed(
            _META | {"nextCursor": _NEXT_CURSOR, "unreadable": _UNREADABLE},
            optional=("nextCursor", "unreadable"),
        ),
        "SearchMeta": closed(_META | {"unreadable": _UNREADABLE}, optional=("unreadable",)),
        "Customer": closed(
            {
                "id": ref("CustomerId"),
                "name": _stored("name"),
                "email": _stored("email", format="email"),
                "phone": _stored("phone"),
                "address": _stored("address"),
                "tin": _stored("tin"),
                "companyName": _stored("company_name"),
                "accountBalanceKobo": kobo | {"description": "The balance; 100 kobo are a naira."},
                "accountBalance": {
                    "type": "number",
                    "description": "The same in naira: exact, at most two decimals.",
                },
                "isActive": {"type": "boolean", "description": "false once deleted."},
                "createdAt": TIME,
            }
        ),
        "FoundOrCreated": closed(
            {
                "id": ref("CustomerId"),
                "name": _stored("name"),
                "email": _stored("email", format="email"),
                "created": {"type": "boolean", "description": "true with 201, false with 200."},
            }
        ),
        "CustomerAnswer": answer(ref("Customer")),
        "CustomerListAnswer": answer(_several(MAX_LIMIT), "ListMeta"),
        "CustomerSearchAnswer": answer(_several(SEARCH_LIMIT), "SearchMeta"),
        "FoundOrCreatedAnswer": answer(ref("FoundOrCreated")),
        "DeletedAnswer": answer(
            closed({"id": ref("CustomerId"), "isActive": {"const": False}}),
        ),
        "ApiKey": closed(
            {
                "keyId": ref("KeyId"),
                "keyPrefix": _length(PREFIX_LENGTH),
                "keyLastFour": _length(LAST_FOUR_LENGTH),
                "name": {"type": "string"},
                "environment": {"type": "string", "enum": ApiKey.Environment.values},
                "isActive": {"type": "boolean"},
                "createdAt": TIME,
                "lastUsedAt": TIME | {"type": ["string", "null"]},
                "totalCalls": CALLS,
                "expiresAt": TIME,
            },
            description="Enough of a key to recognise it, not to use it.",
        ),
        "ApiKeyListAnswer": answer(
            closed({"apiKeys": {"type": "array", "items": ref("ApiKey")}, "count": CALLS})
        ),
        "RevokedAnswer": answer(closed({"keyId": ref("KeyId"), "isActive": {"const": False}})),
        "UsageAnswer": answer(
            closed(
                {
                    "totalCallsThisMonth": CALLS | {"description": "Since its first day, UTC."},
                    "totalCallsAllTime": CALLS,
                    "lastCallAt": TIME | {"type": ["string", "null"]},
                }
            )
        ),
        "StatusAnswer": answer(closed({"status": {"const": "ok"}})),
        "ReadyAnswer": answer(
            closed(
                {
                    "status": {"const": "ok"},
                    "missedKeys": {
                        "type": "array",
                        "items": {"type": "string", "pattern": "^[0-9a-f]{8}$"},
                        "minItems": 1,
                        "maxItems": 16,
                        "description": "Encryption keys, by id, that values it met are"
                        " sealed with and that it lacks: damage, or a key retired too soon.",
                    },
                },
                optional=("missedKeys",),
            )
        ),
        "Error": closed(
            {
                "code": {"type": "string", "enum": list(CODES)},
                "message": {"type": "string", "description": "For people; it may change."},
                "details": {
                    "type": "array",
                    "items": closed({"field": {"type": "string"}, "message": {"type": "string"}}),
                },
                "retryAfter": {"type": "integer", "minimum": 1, "description": "Seconds to wait."},
                "requestId": ref("RequestId"),
            },
            optional=("details", "retryAfter"),
            description="\n".join(f"- `{code}`: {why}" for code, why in CODES.items()),
        ),
        "ErrorAnswer": closed({"success": {"const": False}, "error": ref("Error")}),
    }


def header(description: str, schema: Json, *, always: bool) -> Json:
    return {"description": description, "schema": schema, "required": always}


COMPONENT_HEADERS: Json = {
    "X-Request-Id": header("`requestId` of the answer.", ref("RequestId"), always=True),
    "Cache-Control": header(
        "Personal data is not to be stored.", {"const": "no-store"}, always=True
    ),
    "X-RateLimit-Limit": header(
        "Calls a minute; absent where there is no limit.",
        {"type": "integer", "minimum": 1},
        always=False,
    ),
    "X-RateLimit-Remaining": header(
        "Calls left in this minute.", {"type": "integer", "minimum": 0}, always=False
    ),
    "X-RateLimit-Reset": header("When the next call comes free.", TIME, always=False),
    "Location": header(
        "Where the customer is.",
        {"type": "string", "pattern": "^/v1/customers/cust_[0-9a-z]+$"},
        always=True,
    ),
    "Idempotency-Replayed": header(
        "On the first answer to this `Idempotency-Key`, given again.",
        {"const": "true"},
        always=False,
    ),
    "Retry-After": header(
        "`retryAfter` of the error.", {"type": "integer", "minimum": 1}, always=True
    ),
    "Allow": header("The methods of this address.", {"type": "string"}, always=True),
    "WWW-Authenticate": header(
        "How to authenticate.", {"type": "string", "pattern": "^Bearer"}, always=True
    ),
}
EVERY_ANSWER = ("X-Request-Id", "Cache-Control")
RATE_LIMIT_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def response(description: str, schema: Json, examples: Json, *headers: str) -> Json:
    return {
        "description": description,
        "headers": {name: ref(name, "headers") for name in (*EVERY_ANSWER, *headers)},
        "content": {"application/json": {"schema": schema, "examples": examples}},
    }
