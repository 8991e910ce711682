"""Serializers read bodies; their rules are the model's own."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from django.core import validators as django_validators
from django.db import models
from rest_framework import serializers

from customers.models import Customer
from finora.api.fields import Text
from finora.sealing import normal_forms


def _text(field_name: str, *, required: bool | None = None, **kwargs: Any) -> Text:
    """The serializer field of a model field: the same length, the same validators."""
    field = cast("models.CharField[Any, Any]", Customer._meta.get_field(field_name))
    return Text(
        required=not field.null if required is None else required,
        allow_null=field.null if required is None else not required,
        max_length=field.max_length,
        validators=[
            v for v in field.validators if not isinstance(v, django_validators.MaxLengthValidator)
        ],
        **kwargs,
    )


# Lower-cased before it is checked: some letters become two, and those are no address.
_email = partial(_text, "email", normal=normal_forms.email)


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
