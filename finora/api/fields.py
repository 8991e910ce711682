"""Body fields that convert nothing, and values as answers write them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from finora import text


class Text(serializers.CharField):
    """A JSON string, trimmed; a blank one counts as null. Nothing else is converted to a text."""

    default_error_messages = {"invalid": "A text is needed."}

    def __init__(self, normal: Callable[[str], str] = text.trim, **kwargs: Any) -> None:
        self.normal = normal
        super().__init__(trim_whitespace=False, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str):
            data = self.normal(data)
            if data == "" and self.allow_null:
                data = None
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


def naira(kobo: int) -> int | Decimal:
    """The amount in naira, exact: 537500, 1250.5, 0. 100 kobo are one naira."""
    if kobo % 100 == 0:
        return kobo // 100
    if kobo % 10 == 0:
        return Decimal(kobo // 10).scaleb(-1)
    return Decimal(kobo).scaleb(-2)
