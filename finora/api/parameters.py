"""Bodies and parameters of the OpenAPI page, their limits read off the code.

Bodies are open, as unknown fields are ignored.
"""

from __future__ import annotations

from typing import Any

from django.core.validators import EmailValidator
from django_filters import FilterSet
from rest_framework import serializers

from finora.api.cursor import DEFAULT_LIMIT, MAX_LIMIT
from finora.api.filters import TimeFilter
from finora.sealing.validators import no_control_characters_but_breaks, tin_shape

Json = dict[str, Any]

# --- texts ------------------------------------------------------------------------------------

# normalize.trim() and normalize.has_unprintable() as character classes. White space around a text
# is dropped before its length counts, which `maxLength` cannot say; the pattern does.
_SPACE = r"\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_CONTROL = r"\x00-\x1f\x7f-\x9f"
_LINE = (f"[^{_CONTROL}{_SPACE}]", f"[^{_CONTROL}]")
_LINES = (f"[^{_CONTROL}{_SPACE}]", r"[^\x00-\t\x0b\f\x0e-\x1f\x7f-\x9f]")
_TIN = ("[A-Za-z0-9/-]", "[A-Za-z0-9 /-]", "(?=[ /-]*[A-Za-z0-9])")
ANY = (f"[^{_SPACE}]", r"[\s\S]")


def pattern(kind: tuple[str, ...], most: int, *, blank: bool = False) -> str:
    """1 to `most` characters between white space: `kind` has the class of the outer ones, of the
    inner ones, and what must hold besides."""
    outer, inner, *besides = kind
    text = f"{''.join(besides)}{outer}(?:{inner}{{0,{most - 2}}}{outer})?"
    return f"^[{_SPACE}]*{f'(?:{text})?' if blank else text}[{_SPACE}]*$"


def text_schema(field: Any, *, nullable: bool) -> Json:
    """The JSON Schema of a text field (of a serializer or a filter): its length, its validators."""
    schema: Json = {"type": ["string", "null"] if nullable else "string"}
    most = field.max_length
    if any(isinstance(validator, EmailValidator) for validator in field.validators):
        return schema | {"format": "email", "maxLength": most}
    kind: tuple[str, ...] = _LINE
    if tin_shape in field.validators:
        kind = _TIN
    elif no_control_characters_but_breaks in field.validators:
        kind = _LINES
    about = f"At most {most} characters after trimming."
    return schema | {"pattern": pattern(kind, most, blank=nullable), "description": about}


def _with_help(schema: Json, help_text: Any) -> Json:
    said = " ".join(filter(None, (help_text, schema.get("description"))))
    return schema | ({"description": said} if said else {})


def body_schema(body: type[serializers.Serializer[Any]], *, partial: bool = False) -> Json:
    """The JSON Schema of a request body, read off its serializer."""
    fields = body().fields
    schema: Json = {
        "type": "object",
        "description": "Texts are trimmed. Unknown fields are ignored.",
        "properties": {
            name: _with_help(text_schema(field, nullable=field.allow_null), field.help_text)
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
    "How many customers to answer.",
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
        elif choices := getattr(field, "choices", None):
            names = [value for value, _ in choices if value]
            schema = {"type": "string", "enum": names, "default": names[0]}
        else:
            schema = text_schema(field, nullable=False)
        parameters.append(query(name, str(filter_.extra["help_text"]), schema))
    return parameters
