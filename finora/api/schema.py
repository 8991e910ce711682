"""The OpenAPI page, built by drf-spectacular from the routes, serializers and filters.

What an endpoint takes and answers stands beside its view: see finora.api.operations.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from drf_spectacular.drainage import error
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from finora.api import errors
from finora.api.operations import Answer, Tag, described, failures, headers, success
from finora.api.shapes import Json, Says, Schemas

DESCRIPTION = """\
The customer directory: who your business sells to, what was invoiced and what came in. Email,
phone, address and TIN are encrypted at rest, and so is whatever text of an invoice or receipt may
name somebody; answers always hold plain text.

**Authentication.** `Authorization: Bearer <key>`. A key (`live_sk_…` or `test_sk_…`) opens one
business in one environment and expires 90 days after it is made.

**Call from a server, not from a browser.** A key reads every customer of its business, so whoever
opens a page that holds one has them all. Answers carry no CORS headers on purpose, and a browser
hands them to no page of another origin: let the page call a server of yours, which keeps the key.

**Envelope.** Success is `{"success": true, "data": …, "meta": …}`, failure is
`{"success": false, "error": {"code", "message", "details"?, "retryAfter"?, "requestId"}}`: also for
an unknown path (404 `NOT_FOUND`) and for a version other than `v1` (400 `INVALID_VERSION`). Act on
`code`; `message` is for people. `requestId` is fresh for each request and in `X-Request-Id` too.

**Rate limits.** For each key 60 calls a minute (rolling), 1,000 an hour (from the full hour),
10,000 a day (from midnight UTC) and 10 at once, unless other limits were agreed. `X-RateLimit-*`
and `meta.rateLimit` speak of the minute. A call too many is 429 `RATE_LIMIT`: wait `retryAfter`
seconds.

**Walking the list.** While an answer has `meta.nextCursor`, pass it as `cursor`. Every row comes
once, also while others are created.

**Amounts** in bodies are naira, JSON numbers of at most two decimals: more are an error, never
rounded. Answers give kobo, which are exact integers, and naira.

**Sending again.** GET, PUT, DELETE and find-or-create can simply be repeated. For the POSTs an
`Idempotency-Key` gives the first answer again instead of doing the work twice.

**Delta sync.** Walk the list with `status=all` and `updatedSince`; next time, pass the
`meta.timestamp` of this walk's first answer as `updatedSince`.

**In bulk.** The export streams a customer a line. A file of up to 10 MB is taken at once, and done
behind the answer. Each counts as one call, the export until its end.

**Bodies** are JSON objects of at most 64 KiB, but for an import's file. Unknown fields are ignored;
a wrong type is an error, never converted. Times are UTC, ISO 8601. Paths work with and without a
trailing slash.
"""


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "finora.api.authentication.BearerAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "live_sk_… or test_sk_…",
            "description": "An API key of your business.",
        }


class EnvelopeSchema(AutoSchema):
    """An operation as `operation` beside the view's method says; one that says nothing is an error.

    What it names is gathered in `schemas`, of the document that is being built.
    """

    schemas = Schemas()

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any
    ) -> dict[str, Any] | None:
        self.registry, self.path, self.method = registry, path, method
        said = described(self.view, method, path, self.schemas)
        if said is None:
            error(f"{method} {path} does not say what it answers: see finora.api.operations")
            return None
        return said | {"security": self.get_auth()}


def only_endpoints(endpoints: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The endpoints, without the optional slash; what answers for all other paths is none."""
    EnvelopeSchema.schemas = Schemas()
    return [(path.rstrip("/"), *rest) for path, *rest in endpoints if path.startswith("/v1/")]


def with_components(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Adds the introduction, the error table, the parts that operations name, and the probes."""
    schemas = EnvelopeSchema.schemas
    result["paths"] |= {path: _probe(schemas, *said) for path, said in PROBES.items()}
    result["info"]["description"] = f"{DESCRIPTION}\n**Errors.**\n\n{errors.table()}"
    used = [each["tags"][0] for path in result["paths"].values() for each in path.values()]
    schemas.tags[PROBE_TAG.name] = PROBE_TAG.about
    result["tags"] = [
        {"name": name, "description": schemas.tags[name]} for name in dict.fromkeys(used)
    ]
    components = result.setdefault("components", {})
    components["headers"] = headers(schemas)
    components["schemas"] = schemas.components
    return result


class Status(TypedDict):
    status: Literal["ok"]


class Ready(TypedDict):
    status: Literal["ok"]
    missedKeys: NotRequired[
        Annotated[
            list[Annotated[str, Says(pattern="^[0-9a-f]{8}$")]],
            Says(
                minItems=1,
                maxItems=16,
                description="Encryption keys, by id, that values it met are sealed with and that"
                " it lacks: damage, or a key retired too soon.",
            ),
        ]
    ]
    nodesAway: NotRequired[
        Annotated[
            list[Annotated[int, Says(minimum=1)]],
            Says(
                minItems=1,
                description="Nodes of a database cluster, by number, that do not answer: calls for"
                " the businesses there are answered with 503, all others as ever.",
            ),
        ]
    ]


PROBE_TAG = Tag("Probes", "For whoever runs the service: without a key, outside of the limits.")
OK: Json = {"status": "ok"}
PROBES: dict[str, Any] = {
    "/healthz": (
        "checkHealth",
        "Does the process answer?",
        "For a supervisor: it asks no database.",
        Answer("It does.", Status, {"ok": OK}),
        errors.METHOD_NOT_ALLOWED,
    ),
    "/readyz": (
        "checkReadiness",
        "Can work be done?",
        "For a load balancer: does the database answer, take writes, and know the process's keys?",
        Answer(
            "It can.",
            Ready,
            {
                "ok": OK,
                "missedKeys": OK | {"missedKeys": ["1a2b3c4d"]},
                "nodesAway": OK | {"nodesAway": [2]},
            },
        ),
        errors.METHOD_NOT_ALLOWED,
        errors.UNREACHABLE,
        errors.IN_TROUBLE,
        errors.NO_WRITES,
        errors.NOT_READY,
    ),
}


def _probe(
    schemas: Schemas, id: str, summary: str, about: str, answer: Answer, *kinds: errors.ErrorKind
) -> dict[str, Any]:
    answers = {"200": success(answer, schemas, rateLimit=None)} | failures(
        kinds, schemas, rate_limited=False
    )
    said = {"operationId": id, "summary": summary, "description": about}
    return {"get": {**said, "tags": [PROBE_TAG.name], "security": [], "responses": answers}}
