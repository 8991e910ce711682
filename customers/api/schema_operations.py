"""The operations of the OpenAPI page: what each is for, takes and answers."""

from __future__ import annotations

from typing import Any

from customers.api import schema_requests as requests
from customers.api.schema_answers import (
    RATE_LIMIT_HEADERS,
    Json,
    ref,
    response,
)
from customers.api.schema_errors import REQUEST_ID_EXAMPLE, STATUS_OF
from customers.api.serializers import CustomerBody, FindOrCreateBody

# --- examples, from the published reference ---------------------------------------------------

_META: Json = {
    "requestId": REQUEST_ID_EXAMPLE,
    "timestamp": "2026-03-20T09:15:00.250Z",
    "rateLimit": {"limit": 60, "remaining": 59, "reset": "2026-03-20T09:16:00.000Z"},
}
ACME: Json = {
    "id": "cust_xyz",
    "name": "Acme Ltd",
    "email": "finance@acme.com",
    "phone": "+2348012345678",
    "address": "15 Adeola Odeku St, Victoria Island, Lagos",
    "tin": "12345678-0001",
    "companyName": "Acme Technologies Ltd",
    "accountBalanceKobo": 0,
    "accountBalance": 0,
    "isActive": True,
    "createdAt": "2026-03-20T09:15:00.000Z",
}
ACME_BODY: Json = {
    name: ACME[name] for name in ("name", "email", "phone", "address", "companyName", "tin")
}
JANE: Json = {"id": "cust_xyz", "name": "Jane Doe", "email": "jane@example.com"}
KEY: Json = {
    "keyId": "key_xyz",
    "keyPrefix": "live_sk_3f9c",
    "keyLastFour": "a07e",
    "name": "WooCommerce",
    "environment": "live",
    "isActive": True,
    "createdAt": "2026-03-01T08:00:00.000Z",
    "lastUsedAt": "2026-03-20T09:14:58.012Z",
    "totalCalls": 1204,
    "expiresAt": "2026-05-30T08:00:00.000Z",
}
JANE_BODY: Json = {"email": "Jane@Example.com", "name": "Jane Doe", "phone": "0803 123 4567"}


def _succeeded(data: Json, **meta: Any) -> Json:
    return {"value": {"success": True, "data": data, "meta": _META | meta}}


def _answers(successes: dict[str, Json], *errors: str) -> Json:
    """The successes, these errors and those of every operation, in order of status."""
    everywhere = (
        "Unauthorized",
        "Forbidden",
        "MethodNotAllowed",
        "RateLimited",
        "InternalError",
        "Unavailable",
    )
    answers = {STATUS_OF[name]: ref(name, "responses") for name in (*errors, *everywhere)}
    return dict(sorted((successes | answers).items()))


def _success(description: str, schema: Json, examples: Json, *headers: str) -> Json:
    return response(description, schema, examples, *RATE_LIMIT_HEADERS, *headers)


# --- operations -------------------------------------------------------------------------------


def _body(name: str, examples: Json) -> Json:
    content = {"schema": ref(name), "examples": examples}
    return {"required": True, "content": {"application/json": content}}


def _found_or_created(created: bool) -> Json:
    """The answer whose `created` is as its status says."""
    narrowed = {"properties": {"data": {"properties": {"created": {"const": created}}}}}
    return {"allOf": [ref("FoundOrCreatedAnswer"), narrowed]}


BODIES: Json = {
    "CustomerBody": requests.body_schema(CustomerBody),
    "CustomerChanges": requests.body_schema(CustomerBody, partial=True),
    "FindOrCreateBody": requests.body_schema(FindOrCreateBody),
}
_ONE = {"acme": _succeeded(ACME)}
_SEVERAL: Json = {"customers": [ACME], "count": 1}

OPERATIONS: dict[str, Json] = {
    "GET /v1/customers": {
        "operationId": "listCustomers",
        "summary": "List customers",
        "description": "Active customers, sorted by name without regard to case or accents, then by"
        " id. When more follow, `meta.nextCursor` is the `cursor` of the next call. All filters can"
        " be combined; an unknown parameter is ignored.",
        "parameters": [
            requests.BUSINESS_ID_NEEDED,
            requests.LIMIT,
            requests.CURSOR,
            *requests.filter_parameters(),
        ],
        "responses": _answers(
            {
                "200": _success(
                    "One page of customers.",
                    ref("CustomerListAnswer"),
                    {
                        "lastPage": _succeeded(_SEVERAL),
                        "moreFollow": _succeeded(_SEVERAL, nextCursor="Zm9sbG93LW1l"),
                    },
                )
            },
            "BadParameters",
        ),
    },
    "POST /v1/customers": {
        "operationId": "createCustomer",
        "summary": "Create a customer",
        "description": "Creates a customer with the full field set.",
        "parameters": [requests.BUSINESS_ID, requests.IDEMPOTENCY_KEY],
        "requestBody": _body("CustomerBody", {"acme": {"value": ACME_BODY}}),
        "responses": _answers(
            {
                "201": _success(
                    "Created.", ref("CustomerAnswer"), _ONE, "Location", "Idempotency-Replayed"
                )
            },
            "BadBody",
            "Conflict",
            "BodyTooLarge",
            "NotJson",
        ),
    },
    "GET /v1/customers/search": {
        "operationId": "searchCustomers",
        "summary": "Search customers",
        "description": "Substring match on name or email, among active customers only: at most 50,"
        " sorted as in the list. `%`, `_`, `\\` and quotes are ordinary characters.",
        "parameters": [requests.BUSINESS_ID_NEEDED, requests.Q],
        "responses": _answers(
            {
                "200": _success(
                    "The matches.", ref("CustomerSearchAnswer"), {"acme": _succeeded(_SEVERAL)}
                )
            },
            "BadParameters",
        ),
    },
    "POST /v1/customers/find-or-create": {
        "operationId": "findOrCreateCustomer",
        "summary": "Find or create",
        "description": "Idempotent lookup by email, in any letter case, among active customers."
        " Answers the one that has it, otherwise creates one. Any number of simultaneous calls make"
        " one customer.",
        "parameters": [requests.BUSINESS_ID, requests.IDEMPOTENCY_KEY],
        "requestBody": _body("FindOrCreateBody", {"jane": {"value": JANE_BODY}}),
        "responses": _answers(
            {
                "200": _success(
                    "Found.",
                    _found_or_created(False),
                    {"jane": _succeeded(JANE | {"created": False})},
                    "Idempotency-Replayed",
                ),
                "201": _success(
                    "Created.",
                    _found_or_created(True),
                    {"jane": _succeeded(JANE | {"created": True})},
                    "Idempotency-Replayed",
                ),
            },
            "BadBody",
            "KeyReused",
            "BodyTooLarge",
            "NotJson",
        ),
    },
    "GET /v1/customers/{id}": {
        "operationId": "getCustomer",
        "summary": "Get a single customer",
        "description": "Fetches one customer; an inactive one too, with `isActive: false`.",
        "parameters": [requests.CUSTOMER_ID, requests.BUSINESS_ID],
        "responses": _answers(
            {"200": _success("The customer.", ref("CustomerAnswer"), _ONE)},
            "BadRequest",
            "NotFound",
        ),
    },
    "PUT /v1/customers/{id}": {
        "operationId": "updateCustomer",
        "summary": "Update a customer",
        "description": "Changes the named fields and leaves the others alone. `null` clears an"
        " optional field; `name` and `email` cannot be cleared. To soft-delete, use DELETE.",
        "parameters": [requests.CUSTOMER_ID, requests.BUSINESS_ID],
        "requestBody": _body(
            "CustomerChanges",
            {"phone": {"value": {"phone": "+2348012345678"}}, "clear": {"value": {"tin": None}}},
        ),
        "responses": _answers(
            {"200": _success("The changed customer.", ref("CustomerAnswer"), _ONE)},
            "BadBody",
            "NotFound",
            "ConflictOrInactive",
            "BodyTooLarge",
            "NotJson",
        ),
    },
    "DELETE /v1/customers/{id}": {
        "operationId": "deleteCustomer",
        "summary": "Soft-delete a customer",
        "description": "Marks the customer inactive; again, the same answer. Invoices and receipts"
        " keep their customer, and the email is free for a new one.",
        "parameters": [requests.CUSTOMER_ID, requests.BUSINESS_ID],
        "responses": _answers(
            {
                "200": _success(
                    "Inactive.",
                    ref("DeletedAnswer"),
                    {"deleted": _succeeded({"id": "cust_xyz", "isActive": False})},
                )
            },
            "BadRequest",
            "NotFound",
        ),
    },
    "GET /v1/api-keys": {
        "operationId": "listApiKeys",
        "tags": ["API keys"],
        "summary": "List API keys",
        "description": "The business's usable keys: not revoked, not expired.",
        "parameters": [requests.BUSINESS_ID],
        "responses": _answers(
            {
                "200": _success(
                    "The keys.",
                    ref("ApiKeyListAnswer"),
                    {"one": _succeeded({"apiKeys": [KEY], "count": 1})},
                )
            },
            "BadRequest",
        ),
    },
    "DELETE /v1/api-keys/{id}": {
        "operationId": "revokeApiKey",
        "tags": ["API keys"],
        "summary": "Revoke an API key",
        "description": "At once and for good; again, the same answer. A key may revoke itself.",
        "parameters": [requests.KEY_ID, requests.BUSINESS_ID],
        "responses": _answers(
            {
                "200": _success(
                    "Revoked.",
                    ref("RevokedAnswer"),
                    {"revoked": _succeeded({"keyId": KEY["keyId"], "isActive": False})},
                )
            },
            "BadRequest",
            "NotFound",
        ),
    },
    "GET /v1/usage": {
        "operationId": "getUsage",
        "tags": ["API keys"],
        "summary": "Get usage",
        "description": "The calls of all keys of the business together, the revoked ones too.",
        "parameters": [requests.BUSINESS_ID],
        "responses": _answers(
            {
                "200": _success(
                    "The calls.",
                    ref("UsageAnswer"),
                    {
                        "calls": _succeeded(
                            {
                                "totalCallsThisMonth": 1204,
                                "totalCallsAllTime": 48112,
                                "lastCallAt": "2026-03-20T09:14:58.012Z",
                            }
                        )
                    },
                )
            },
            "BadRequest",
        ),
    },
}


def _probe(name: str, summary: str, shape: str, examples: Json, **errors: Json) -> Json:
    answers = {"200": response("It does.", ref(shape), examples)} | errors
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "tags": ["Probes"],
            "security": [],
            "responses": answers,
        }
    }


_OK = {"ok": _succeeded({"status": "ok"}, rateLimit=None)}
PROBES: Json = {
    "/healthz": _probe("checkHealth", "Does the process answer?", "StatusAnswer", _OK),
    "/readyz": _probe(
        "checkReadiness",
        "Can work be done: does the database answer, take writes, and know this process's keys?",
        "ReadyAnswer",
        _OK
        | {"missedKeys": _succeeded({"status": "ok", "missedKeys": ["1a2b3c4d"]}, rateLimit=None)},
        **{"503": ref("Unavailable", "responses")},
    ),
}
