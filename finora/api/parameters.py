"""Bodies and parameters of the OpenAPI page, their limits read off the code.

Bodies are open, as unknown fields are ignored.
"""

from __future__ import annotations

from typing import Any

from django.core.validators import EmailValidator
from django_filters import FilterSet
from rest_framework import serializers

from finora.api.cursor import DEFAULT_LIMIT, MAX_LIMIT
from finora.api.fields import Objects
from finora.api.filters import DayFilter, TimeFilter
from finora.sealing.validators import LINE, SPACE, Characters

Json = dict[str, Any]

# --- texts ------------------------------------------------------------------------------------

ANY = Characters(f"[^{SPACE}]", r"[\s\S]")


def pattern(characters: Characters, most: int, *, blank: bool = False) -> str:
    """1 to `most` of these characters between white space, which is dropped before its length
    counts: that `maxLength` cannot say."""
    outer, inner, besides = characters
    text = f"{besides}{outer}(?:{inner}{{0,{most - 2}}}{outer})?"
    return f"^[{SPACE}]*{f'(?:{text})?' if blank else text}[{SPACE}]*$"


def text_schema(field: Any, *, nullable: bool) -> Json:
    """The JSON Schema of a text field (of a serializer or a filter): its length, its validators.

    Of several that say which characters they allow, the last: each is narrower than the field's
    own before it.
    """
    schema: Json = {"type": ["string", "null"] if nullable else "string"}
    most = field.max_length
    if any(isinstance(validator, EmailValidator) for validator in field.validators):
        return schema | {"format": "email", "maxLength": most}
    allowed = [each.characters for each in field.validators if hasattr(each, "characters")]
    about = f"At most {most} characters after trimming."
    shape = pattern((allowed or [LINE])[-1], most, blank=nullable)
    return schema | {"pattern": shape, "description": about}


def _with_help(schema: Json, help_text: Any) -> Json:
    said = " ".join(filter(None, (help_text, schema.get("description"))))
    return schema | ({"description": said} if said else {})


def field_schema(field: Any, components: Json) -> Json:
    """The JSON Schema of a serializer's field; that of objects in it becomes a component."""
    if isinstance(field, Objects):
        name = field.body.__name__
        components[name] = body_schema(field.body, components)
        items = {"$ref": f"#/components/schemas/{name}"}
        return {"type": "array", "items": items, "minItems": field.least, "maxItems": field.most}
    if not hasattr(field, "schema"):
        return text_schema(field, nullable=field.allow_null)
    schema: Json = field.schema()
    return schema | {"type": [schema["type"], "null"]} if field.allow_null else schema


def body_schema(
    body: type[serializers.Serializer[Any]], components: Json, *, partial: bool = False
) -> Json:
    """The JSON Schema of a request body, read off its serializer."""
    fields = body().fields
    schema: Json = {
        "type": "object",
        "description": "Texts are trimmed. Unknown fields are ignored.",
        "properties": {
            name: _with_help(field_schema(field, components), field.help_text)
            for name, field in fields.items()
        },
    }
    required = [name for name, field in fields.items() if field.required and not partial]
    return schema | ({"required": required} if required else {})


# --- parameters -------------------------------------------------------------------------------


def query(name: str, description: str, schema: Json, *, required: bool = False) -> Json:
    return {
        "name": name,
        "in": "query",
        "description": description,
        "schema": schema,
        **({"required": True} if required else {}),
    }


BUSINESS_ID_NEEDED = query(
    "businessId", "The key's business.", {"type": "string", "minLength": 1}, required=True
)
BUSINESS_ID = query(
    "businessId",
    "Optional: the key says which business. When given it must be the key's.",
    {"type": "string"},
)
LIMIT = query(
    "limit",
    "How many to answer at most.",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
)
CURSOR = query(
    "cursor",
    "`meta.nextCursor` of the page before. Opaque, and good for this business only.",
    {"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": 8000},
)
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Names this call, so that it can be sent again when its answer got lost: for 24"
    " hours the same key and body give the first answer again.",
    "schema": {"type": "string", "pattern": r"^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$"},
    "example": "order-10294",
}


def path_id(prefix: str, about: str) -> Json:
    """The `{id}` of a path."""
    schema = {"type": "string", "pattern": f"^{prefix}_[0-9a-z]+$", "maxLength": 40}
    return {
        "name": "id",
        "in": "path",
        "required": True,
        "description": about,
        "schema": schema,
        "example": f"{prefix}_xyz",
    }


def filter_parameters(filters: type[FilterSet]) -> list[Json]:
    """A list's filters, read off the filter set."""
    parameters = []
    for name, filter_ in filters.base_filters.items():
        field = filter_.field
        if isinstance(filter_, TimeFilter):
            schema: Json = {"type": "string", "format": "date-time"}
        elif isinstance(filter_, DayFilter):
            schema = {"type": "string", "format": "date"}
        elif choices := getattr(field, "choices", None):
            names = [value for value, _ in choices if value]
            schema = {"type": "string", "enum": names}
            if field.initial:
                schema["default"] = field.initial
        else:
            schema = text_schema(field, nullable=False)
        parameters.append(query(name, str(filter_.extra["help_text"]), schema))
    return parameters
