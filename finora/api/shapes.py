"""Shapes of answers: declared once as a TypedDict, which is written in code and described from.

A writer returns a plain dict that mypy holds against the TypedDict; the OpenAPI document has the
schema of the same class: closed, so that a fuzzer sees a member too many. What a Python type
cannot say (a pattern, a length, a description) stands beside it in `Annotated`.
"""

from __future__ import annotations

from decimal import Decimal
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    TypedDict,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

Json = dict[str, Any]


class Says:
    """What a schema says besides the type; with a name it is a schema of the document's own."""

    def __init__(self, name: str | None = None, /, **schema: Any) -> None:
        self.name = name
        self.schema = schema


Time = Annotated[str, Says(format="date-time", pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
Count = Annotated[int, Says(minimum=0)]
Kobo = Annotated[int, Says(format="int64")]
Naira = Annotated[int | Decimal, Says(description="In naira: exact, at most two decimals.")]
RequestId = Annotated[
    str,
    Says(
        "RequestId",
        pattern="^req_[a-z0-9]{16}$",
        description="Names this request; the same in the header `X-Request-Id`. For support.",
    ),
]


class RateLimit(TypedDict):
    """Calls a minute, calls left, and when the next one comes free."""

    limit: Annotated[int, Says(minimum=1)]
    remaining: Count
    reset: Time


class Meta(TypedDict):
    requestId: RequestId
    timestamp: Annotated[Time, Says(description="When this was answered; see `updatedSince`.")]
    rateLimit: Annotated[
        RateLimit | None, Says(description="The key's minute; null where there is no limit.")
    ]


class PageMeta(Meta):
    nextCursor: NotRequired[
        Annotated[
            str,
            Says(
                description="Only when more follow: pass it as `cursor`.",
                pattern="^[A-Za-z0-9_-]+$",
            ),
        ]
    ]


def ref(name: str, section: str = "schemas") -> Json:
    return {"$ref": f"#/components/{section}/{name}"}


class Schemas:
    """The named schemas of a document and what it says of its tags, gathered while what uses them
    is described."""

    def __init__(self) -> None:
        self.components: dict[str, Json] = {}
        self.tags: dict[str, str] = {}
        self._shapes: dict[str, Any] = {}

    def of(self, shape: Any) -> Json:
        """The schema of a type; of a TypedDict or an id a reference to the component."""
        origin, arguments = get_origin(shape), get_args(shape)
        if origin is Annotated:
            return self._beside(self.of(arguments[0]), arguments[1:])
        if origin is NotRequired:
            return self.of(arguments[0])
        if origin in (Union, UnionType):
            return self._either(arguments)
        if origin is Literal:
            # The type too: generators of clients read no bare const.
            one = {"const": arguments[0]} if len(arguments) == 1 else {"enum": list(arguments)}
            return self.of(type(arguments[0])) | one
        if origin is list:
            return {"type": "array", "items": self.of(arguments[0])}
        if is_typeddict(shape):
            return self._named(shape)
        return {"type": {str: "string", int: "integer", bool: "boolean", Decimal: "number"}[shape]}

    def closed(self, shape: Any) -> Json:
        """An object of the members of a TypedDict and no other."""
        hints = get_type_hints(shape, include_extras=True)
        members = {name: self.of(hint) for name, hint in hints.items()}
        optional = {name for name, hint in hints.items() if get_origin(hint) is NotRequired}
        return closed(members, optional=optional)

    def _named(self, shape: Any) -> Json:
        name = shape.__name__
        if self._shapes.setdefault(name, shape) is not shape:
            raise TypeError(f"Two shapes are named {name}.")
        if name not in self.components:
            about = " ".join((shape.__doc__ or "").split())
            self.components[name] = self.closed(shape) | ({"description": about} if about else {})
        return ref(name)

    def _either(self, kinds: tuple[Any, ...]) -> Json:
        if Decimal in kinds:
            return {"type": "number"}
        [kind] = [each for each in kinds if each is not NoneType]
        schema = self.of(kind)
        if "type" not in schema:
            return {"oneOf": [schema, {"type": "null"}]}
        return schema | {"type": [schema["type"], "null"]}

    def _beside(self, schema: Json, notes: tuple[Says, ...]) -> Json:
        for note in notes:
            schema = schema | note.schema
            if note.name:
                self.components[note.name] = schema
                schema = ref(note.name)
        return schema


def closed(members: Json, *, optional: set[str] | frozenset[str] = frozenset()) -> Json:
    """An object of these members and no other."""
    return {
        "type": "object",
        "properties": members,
        "required": [name for name in members if name not in optional],
        "additionalProperties": False,
    }
