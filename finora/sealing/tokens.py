"""Sealed values between database and instance: not opened until they are read."""

from __future__ import annotations

import binascii
from typing import Any

from django.db.models.query_utils import DeferredAttribute

from finora.sealing.errors import SealError

TOKEN_PREFIX = "s1."  # noqa: S105 - a format mark, not a secret
_MISSING = object()


class SealedToken:
    """A sealed value as the database holds it, not opened yet: a text, or of a blob its bytes."""

    __slots__ = ("stored",)

    def __init__(self, stored: Any) -> None:
        self.stored = stored

    def __repr__(self) -> str:
        return "<SealedToken>"


def text_of(sealed: bytes) -> str:
    """Sealed bytes as a text column holds them."""
    return TOKEN_PREFIX + binascii.b2a_base64(sealed, newline=False).decode()


class SealedAttribute(DeferredAttribute):
    """Opens a field's token at the first read and keeps the value on the instance."""

    field: Any

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        data = instance.__dict__
        field = self.field
        name = field.attname
        value = data.get(name, _MISSING)
        if value is _MISSING:
            super().__get__(instance, cls)  # a deferred field: fetches it
            value = data[name]
        if type(value) is SealedToken:
            try:
                value = data[name] = field.open_for(
                    value, instance.business_id, getattr(instance, field.context)
                )
            except SealError as error:
                error.row = str(getattr(instance, "public_id", instance.pk))
                raise
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value
