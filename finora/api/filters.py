"""Query parameters as filters: a wrong value is INVALID_REQUEST."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime
from django_filters import rest_framework as filters
from rest_framework import serializers

from finora import text
from finora.api.fields import Day
from finora.sealing import normal_forms
from finora.sealing.validators import email_shape, no_control_characters


class TimeField(forms.Field):
    def to_python(self, value: Any) -> datetime | None:
        """An ISO 8601 time; one without an offset is UTC."""
        if not value:
            return None
        try:
            # Python's own reader overlooks what stands behind a NUL.
            moment = parse_datetime(value) if value.isprintable() else None
            if moment is None:
                raise ValueError
            return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError("This is not an ISO 8601 time.") from None


class DayField(forms.Field):
    def to_python(self, value: Any) -> date | None:
        """`YYYY-MM-DD`."""
        if not value:
            return None
        try:
            return Day().to_internal_value(value)
        except serializers.ValidationError:
            raise ValidationError("This is not a date: YYYY-MM-DD.") from None


class TextField(forms.CharField):
    """A text trimmed as bodies are: Django's own would also drop control characters around it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)

    def to_python(self, value: Any) -> str:
        return text.trim(super().to_python(value) or "")


class EmailField(TextField):
    default_validators = [email_shape, no_control_characters]

    def to_python(self, value: Any) -> str:
        return normal_forms.email(super().to_python(value))


class TextFilter(filters.Filter):
    field_class = TextField


class EmailFilter(filters.Filter):
    field_class = EmailField


class TimeFilter(filters.Filter):
    field_class = TimeField


class DayFilter(filters.Filter):
    field_class = DayField
