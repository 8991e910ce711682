"""Body fields that convert nothing, and values as answers write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from finora import text

Json = dict[str, Any]


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


class Number(serializers.Field[int, Any, Any, Any]):
    """A JSON number of at most `places` decimals, exact, as so many of its last place: with 2
    places 1250.5 is 125050. One with more is refused, never rounded.
    """

    default_error_messages = {
        "invalid": "A number is needed.",
        "range": "It is {least}, and at most {most:,}.",
        "places": "At most {places} decimals.",
    }

    def __init__(self, *, places: int, most: int, zero: bool = False, **kwargs: Any) -> None:
        self.places, self.most, self.zero = places, most, zero
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | Decimal):
            self.fail("invalid")
        if not (0 <= data <= self.most) or (data == 0 and not self.zero):
            self.fail("range", least="from 0" if self.zero else "more than 0", most=self.most)
        scaled = _scaled(data, self.places)
        if scaled is None:
            self.fail("places", places=self.places)
        return scaled

    def schema(self) -> Json:
        least = 0 if self.zero else 10**-self.places
        # No multipleOf: of a binary float most readers would get it wrong.
        about = f"At most {self.places} decimals: more are refused, never rounded."
        return {"type": "number", "minimum": least, "maximum": self.most, "description": about}


def _scaled(number: int | Decimal, places: int) -> int | None:
    """The number, which is not large, with its point moved; None where it has more decimals."""
    if not number:
        return 0  # 0e999999999 too, which would be multiplied out for hours
    if isinstance(number, int):
        return number * int(10**places)
    _, digits, exponent = number.as_tuple()
    shift = int(exponent) + places
    figures = "".join(map(str, digits))
    if shift < 0:
        if figures[shift:].strip("0"):
            return None
        figures, shift = figures[:shift] or "0", 0
    return int(figures) * int(10**shift)


_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Day(serializers.Field[date, Any, Any, Any]):
    """A JSON string `YYYY-MM-DD`."""

    default_error_messages = {"invalid": "A date is needed: YYYY-MM-DD."}

    def to_internal_value(self, data: Any) -> date:
        day = None
        if isinstance(data, str) and _DAY.fullmatch(data):
            with suppress(ValueError):  # there is no such day
                day = date.fromisoformat(data)
        if day is None:
            self.fail("invalid")
        return day

    def schema(self) -> Json:
        return {"type": "string", "format": "date"}


class OneOf(serializers.Field[str, Any, Any, Any]):
    """A JSON string of a few."""

    default_error_messages = {"invalid": "One of these is needed: {choices}."}

    def __init__(self, choices: Iterable[str], **kwargs: Any) -> None:
        self.choices = list(choices)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid", choices=", ".join(self.choices))
        return data

    def schema(self) -> Json:
        return {"type": "string", "enum": self.choices}


class Objects(serializers.Field[list[Any], Any, Any, Any]):
    """A JSON list of objects, each read by a serializer of its own, whole in a partial body too."""

    default_error_messages = {
        "invalid": "A list is needed.",
        "few": "At least {least} is needed.",
        "many": "At most {most} are taken.",
    }

    def __init__(
        self, body: type[serializers.Serializer[Any]], *, least: int = 0, most: int, **kwargs: Any
    ) -> None:
        self.body, self.least, self.most = body, least, most
        self._reader = body()
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            self.fail("invalid")
        if len(data) < self.least:
            self.fail("few", least=self.least)
        if len(data) > self.most:
            self.fail("many", most=self.most)
        read, problems = [], {}
        for place, each in enumerate(data):
            try:
                read.append(self._reader.run_validation(each))
            except ValidationError as error:
                problems[place] = error.detail
        if problems:
            raise ValidationError(problems)  # type: ignore[arg-type]  # keys are places
        return read


def decimal(number: int, places: int) -> int | Decimal:
    """What Number reads, as answers write it: exact, without zeros at its end."""
    while places and number % 10 == 0:
        number, places = number // 10, places - 1
    return Decimal(number).scaleb(-places) if places else number


def naira(kobo: int) -> int | Decimal:
    """The amount in naira, exact: 537500, 1250.5, 0. 100 kobo are one naira."""
    return kobo // 100 if kobo % 100 == 0 else decimal(kobo, 2)
