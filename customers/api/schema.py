"""The OpenAPI page, built by drf-spectacular from the routes, serializers and filters.

This module is imported while REST framework's views are; what is described is in
schema_operations.py, read when the page is built.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.drainage import error
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

DESCRIPTION = """\
The customer directory: who your business sells to. Email, phone, address and TIN are encrypted at
rest; answers always hold plain text.

**Authentication.** `Authorization: Bearer <key>`. A key (`live_sk_…` or `test_sk_…`) opens one
business in one environment and expires 90 days after it is made.

**Envelope.** Success is `{"success": true, "data": …, "meta": …}`, failure is
`{"success": false, "error": {"code", "message", "details"?, "retryAfter"?, "requestId"}}`: also for
an unknown path (404 `NOT_FOUND`) and for a version other than `v1` (400 `INVALID_VERSION`). Act on
`code`; `message` is for people. `requestId` is fresh for each request and in `X-Request-Id` too.

**Rate limits.** For each key 60 calls a minute (rolling), 1,000 an hour (from the full hour),
10,000 a day (from midnight UTC) and 10 at once, unless other limits were agreed. `X-RateLimit-*`
and `meta.rateLimit` speak of the minute. A call too many is 429 `RATE_LIMIT`: wait `retryAfter`
seconds.

**Walking the list.** While an answer has `meta.nextCursor`, pass it as `cursor`. Every customer
comes once, also while others are created.

**Sending again.** GET, PUT, DELETE and find-or-create can simply be repeated. For the POSTs an
`Idempotency-Key` gives the first answer again instead of doing the work twice.

**Delta sync.** Walk the list with `status=all` and `updatedSince`; next time, pass the
`meta.timestamp` of this walk's first answer as `updatedSince`.

**Bodies** are JSON objects of at most 64 KiB. Unknown fields are ignored; a wrong type is an error,
never converted. Times are UTC, ISO 8601. Paths work with and without a trailing slash.
"""


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "customers.api.authentication.BearerAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "live_sk_… or test_sk_…",
            "description": "An API key of your business.",
        }


class EnvelopeSchema(AutoSchema):
    """An operation as schema_operations.py describes it; one that is not described is an error."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any
    ) -> dict[str, Any] | None:
        from customers.api.schema_operations import OPERATIONS

        self.registry, self.path, self.method = registry, path, method
        described = OPERATIONS.get(f"{method} {path}")
        if described is None:
            error(f"{method} {path} is not described in schema_operations.py")
            return None
        return {"tags": ["Customers"], **described, "security": self.get_auth()}


def only_endpoints(endpoints: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The endpoints, without the optional slash; what answers for all other paths is none."""
    return [(path.rstrip("/"), *rest) for path, *rest in endpoints if path.startswith("/v1/")]


def with_components(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Adds the introduction, the parts that operations name, and the probes: no APIViews."""
    from customers.api import schema_answers, schema_errors, schema_operations

    result["info"]["description"] = DESCRIPTION
    result["tags"] = [{"name": name} for name in ("Customers", "API keys", "Probes")]
    components = result.setdefault("components", {})
    components["schemas"] = schema_answers.component_schemas() | schema_operations.BODIES
    components["responses"] = schema_errors.ERRORS
    components["headers"] = schema_answers.COMPONENT_HEADERS
    result["paths"] |= schema_operations.PROBES
    return result
