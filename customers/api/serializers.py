"""Serializers read bodies; their rules are the model's own."""

from __future__ import annotations

from functools import partial
from typing import Any

from rest_framework import serializers

from customers.rules import RULES
from finora.api.fields import Text


def _text(field_name: str, *, required: bool | None = None, **kwargs: Any) -> Text:
    """The serializer field of a customer's field: the same length, the same validators."""
    rule = RULES[field_name]
    return Text(
        required=not rule.is_optional if required is None else required,
        allow_null=rule.is_optional if required is None else not required,
        max_length=rule.max_length,
        validators=list(rule.validators),
        normal=rule.normal,
        **kwargs,
    )


_email = partial(_text, "email")


class CustomerBody(serializers.Serializer):  # type: ignore[type-arg]
    """POST /v1/customers, and with partial=True PUT: only what is named changes."""

    name = _text("name", help_text="Display name.")
    email = _email(help_text="Lower-cased and encrypted on write.")
    phone = _text("phone")
    address = _text("address", help_text="May hold line breaks.")
    companyName = _text("company_name", source="company_name")
    tin = _text("tin", help_text="Nigerian Tax Identification Number.")


class FindOrCreateBody(serializers.Serializer):  # type: ignore[type-arg]
    """POST /v1/customers/find-or-create."""

    email = _email(help_text="The match key. Lower-cased and hashed internally.")
    name = _text(
        "name",
        required=False,
        help_text="Used only when creating. Defaults to the email local part.",
    )
    phone = _text("phone", help_text="Used only when creating.")
