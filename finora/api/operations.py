"""What a method of a view answers, said beside it: the OpenAPI document is read off this.

    @operation("getCustomer", "Get a customer", "…", answers={200: Answer("It is.", Customer)})
    def get(self, request, id): …

What all endpoints have in common is not said again: the errors of every call, those of a body and
of an id in the path, `businessId` where the view needs it, `Idempotency-Key` where it is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypedDict, TypeVar

from rest_framework.serializers import Serializer

from finora.api import errors, parameters
from finora.api.errors import ErrorKind
from finora.api.shapes import Json, Meta, RequestId, Schemas, Time, closed, ref

Method = TypeVar("Method", bound=Callable[..., Any])

REQUEST_ID_EXAMPLE = "req_k3v9x0q2m7c5t1ab"
META_EXAMPLE: Json = {
    "requestId": REQUEST_ID_EXAMPLE,
    "timestamp": "2026-03-20T09:15:00.250Z",
    "rateLimit": {"limit": 60, "remaining": 59, "reset": "2026-03-20T09:16:00.000Z"},
}
EVERY_ANSWER = ("X-Request-Id", "Cache-Control")
RATE_LIMIT_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
EVERYWHERE = (
    errors.UNREADABLE, errors.UNAUTHORIZED, errors.INVALID_API_KEY, errors.FORBIDDEN,
    errors.BUSINESS_SUSPENDED, errors.METHOD_NOT_ALLOWED, errors.RATE_LIMIT,
    errors.INTERNAL_ERROR, errors.UNREACHABLE, errors.IN_TROUBLE, errors.NO_WRITES,
)  # fmt: skip
OF_A_BODY = (
    errors.NOT_JSON, errors.VALIDATION_ERROR, errors.BODY_TOO_SLOW, errors.BODY_TOO_LARGE,
    errors.NOT_JSON_TYPE,
)  # fmt: skip
# Before the key is known there is no minute of it to speak of.
WITHOUT_RATE_LIMIT = {401, 408}


@dataclass(frozen=True)
class Answer:
    """A success: what it says, the shape of its `data` and `meta`, examples of the data by name.

    `more` is what an example's meta has besides. `headers` are those beyond every answer's.
    """

    about: str
    data: Any
    examples: Mapping[str, Json]
    meta: Any = Meta
    more: Mapping[str, Json] = field(default_factory=dict)
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Streamed:
    """A success outside the envelope, a line at a time: what it says, and its lines as a text."""

    about: str
    content_type: str
    lines: str


class Tag(NamedTuple):
    """Under which heading the documents show an operation, and what they say there."""

    name: str
    about: str


class ErrorDetail(TypedDict):
    """What is wrong with one field or parameter."""

    field: str
    message: str


@dataclass(frozen=True)
class Operation:
    id: str
    summary: str
    about: str
    answers: Mapping[int, Answer | Streamed]
    tag: Tag
    parameters: Sequence[Json]
    body: type[Serializer[Any]] | None
    partial: bool
    body_examples: Mapping[str, Json]
    files: Mapping[str, str]
    errors: tuple[ErrorKind, ...]


def operation(
    id: str,
    summary: str,
    about: str,
    *,
    tag: Tag,
    answers: Mapping[int, Answer | Streamed],
    parameters: Sequence[Json] = (),
    body: type[Serializer[Any]] | None = None,
    partial: bool = False,
    body_examples: Mapping[str, Json] | None = None,
    files: Mapping[str, str] | None = None,
    errors: tuple[ErrorKind, ...] = (),
) -> Callable[[Method], Method]:
    """Says what a view's method takes and answers. `errors` are those of its own alone.

    `body` is the serializer that reads the body, with `partial` for one that may lack any field.
    `files` are examples of a body that is taken as it is, by its content type.
    """

    def describe(method: Method) -> Method:
        method.operation = Operation(  # type: ignore[attr-defined]
            id,
            summary,
            about,
            answers,
            tag,
            parameters,
            body,
            partial,
            body_examples or {},
            files or {},
            errors,
        )
        return method

    return describe


def described(view: Any, method: str, path: str, schemas: Schemas) -> Json | None:
    """The operation object of a view's method; None where nobody said what it is."""
    handler = getattr(view, method.lower())
    said: Operation | None = getattr(handler, "operation", None)
    if said is None:
        return None
    takes_key = getattr(handler, "is_idempotent", False)
    needs_business = method in view.business_id_required
    kinds = [*EVERYWHERE, *said.errors]
    if said.body:
        kinds += OF_A_BODY
    if said.parameters:
        kinds.append(errors.INVALID_PARAMETER)
    if needs_business:
        kinds.append(errors.MISSING_BUSINESS_ID)
    if "{id}" in path:
        kinds.append(errors.NOT_FOUND)
    if takes_key:
        kinds.append(errors.KEY_REUSED)
    schemas.tags[said.tag.name] = said.tag.about
    result: Json = {
        "operationId": said.id,
        "tags": [said.tag.name],
        "summary": said.summary,
        "description": said.about,
        "parameters": [
            *([view.id_parameter] if "{id}" in path else ()),
            parameters.BUSINESS_ID_NEEDED if needs_business else parameters.BUSINESS_ID,
            *said.parameters,
            *([parameters.IDEMPOTENCY_KEY] if takes_key else ()),
        ],
    }
    if said.body:
        name = said.body.__name__.replace("Body", "Changes") if said.partial else said.body.__name__
        components = schemas.components
        components[name] = parameters.body_schema(said.body, components, partial=said.partial)
        examples = {key: {"value": value} for key, value in said.body_examples.items()}
        json = {"schema": ref(name), "examples": examples}
        result["requestBody"] = {"required": True, "content": {"application/json": json}}
    if said.files:
        # `binary` is what client generators know a file by.
        file = {"type": "string", "format": "binary", "minLength": 1}
        files = {
            name: {"schema": file, "examples": _file(text)} for name, text in said.files.items()
        }
        result["requestBody"] = {"required": True, "content": files}
    more = ("Idempotency-Replayed",) if takes_key else ()
    result["responses"] = {
        str(status): _streamed(answer)
        if isinstance(answer, Streamed)
        else success(answer, schemas, *RATE_LIMIT_HEADERS, *more)
        for status, answer in said.answers.items()
    } | failures(kinds, schemas)
    return result


def success(answer: Answer, schemas: Schemas, *headers: str, **meta: Any) -> Json:
    """The response object of a success."""
    name = f"{answer.data.__name__}Answer"
    members = {
        "success": schemas.of(Literal[True]),
        "data": schemas.of(answer.data),
        "meta": schemas.of(answer.meta),
    }
    schemas.components[name] = closed(members)
    examples = {
        key: {
            "value": {
                "success": True,
                "data": data,
                "meta": META_EXAMPLE | meta | answer.more.get(key, {}),
            }
        }
        for key, data in answer.examples.items()
    }
    return _response(answer.about, ref(name), examples, (*headers, *answer.headers))


def _streamed(answer: Streamed) -> Json:
    content = {"schema": {"type": "string"}, "examples": _file(answer.lines)}
    return {
        "description": answer.about,
        "headers": {name: ref(name, "headers") for name in (*EVERY_ANSWER, *RATE_LIMIT_HEADERS)},
        "content": {answer.content_type: content},
    }


def _file(text: str) -> Json:
    return {"file": {"value": text}}


def failures(
    kinds: Sequence[ErrorKind], schemas: Schemas, *, rate_limited: bool = True
) -> dict[str, Json]:
    """The response objects of these errors, by status: with their codes and no other."""
    by_status: dict[int, list[ErrorKind]] = {}
    for kind in sorted(dict.fromkeys(kinds), key=lambda kind: kind.status):
        by_status.setdefault(kind.status, []).append(kind)
    return {
        str(status): _failure(
            status, same, schemas, rate_limited and status not in WITHOUT_RATE_LIMIT
        )
        for status, same in by_status.items()
    }


def _failure(status: int, kinds: list[ErrorKind], schemas: Schemas, rate_limited: bool) -> Json:
    codes = sorted({kind.code for kind in kinds})
    waits = any(kind.retry_after for kind in kinds)
    name = (
        "Or".join(code.title().replace("_", "") for code in codes).removesuffix("Error") + "Error"
    )
    error = {
        "code": {"type": "string", "enum": codes},
        "message": {"type": "string", "description": "For people; it may change."},
        "details": schemas.of(list[ErrorDetail]),
        "retryAfter": {"type": "integer", "minimum": 1, "description": "Seconds to wait."},
        "requestId": schemas.of(RequestId),
    }
    if not waits:
        del error["retryAfter"]
    schemas.components[name] = closed(
        {
            "success": schemas.of(Literal[False]),
            "error": closed(error, optional={"details"}),
        }
    )
    about = "; ".join(dict.fromkeys(kind.meaning for kind in kinds))
    own = dict.fromkeys(kind.header for kind in kinds if kind.header)
    headers = (*(RATE_LIMIT_HEADERS if rate_limited else ()), *own)
    examples = {f"{status}-{place}": {"value": example(kind)} for place, kind in enumerate(kinds)}
    return _response(f"{about[0].upper()}{about[1:]}.", ref(name), examples, headers)


def example(kind: ErrorKind) -> Json:
    """What an answer of this kind looks like."""
    error: Json = {"code": kind.code, "message": kind.message}
    if kind.example:
        error["details"] = [{"field": kind.example, "message": kind.message}]
    if kind.retry_after:
        error["retryAfter"] = kind.retry_after
    return {"success": False, "error": error | {"requestId": REQUEST_ID_EXAMPLE}}


def _response(about: str, schema: Json, examples: Json, headers: tuple[str, ...]) -> Json:
    return {
        "description": about,
        "headers": {name: ref(name, "headers") for name in (*EVERY_ANSWER, *headers)},
        "content": {"application/json": {"schema": schema, "examples": examples}},
    }


def _header(about: str, schema: Json, *, always: bool) -> Json:
    return {"description": about, "schema": schema, "required": always}


def headers(schemas: Schemas) -> Json:
    """The headers that answers refer to."""
    time = schemas.of(Time)
    return {
        "X-Request-Id": _header("`requestId` of the answer.", schemas.of(RequestId), always=True),
        "Cache-Control": _header(
            "Personal data is not to be stored.", schemas.of(Literal["no-store"]), always=True
        ),
        "X-RateLimit-Limit": _header(
            "Calls a minute; absent where there is no limit.",
            {"type": "integer", "minimum": 1},
            always=False,
        ),
        "X-RateLimit-Remaining": _header(
            "Calls left in this minute.", {"type": "integer", "minimum": 0}, always=False
        ),
        "X-RateLimit-Reset": _header("When the next call comes free.", time, always=False),
        "Location": _header("Where the new one is.", {"type": "string"}, always=True),
        "Idempotency-Replayed": _header(
            "On the first answer to this `Idempotency-Key`, given again.",
            schemas.of(Literal["true"]),
            always=False,
        ),
        "Retry-After": _header(
            "`retryAfter` of the error.", {"type": "integer", "minimum": 1}, always=True
        ),
        "Allow": _header("The methods of this address.", {"type": "string"}, always=True),
        "WWW-Authenticate": _header(
            "How to authenticate.", {"type": "string", "pattern": "^Bearer"}, always=True
        ),
    }
