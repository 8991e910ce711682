"""What a text may be, for fields, forms and filters alike. No message holds the value."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from finora import text
from finora.sealing import normal_forms

Validator = Callable[[str], None]


class Characters(NamedTuple):
    """What a text may hold, as regular expressions of ECMA 262: the class of the first and last
    character, that of those between them, and what must hold besides."""

    outer: str
    inner: str
    besides: str = ""


# Of text.trim() and text.has_unprintable().
SPACE = r"\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_CONTROL = r"\x00-\x1f\x7f-\x9f"
LINE = Characters(f"[^{_CONTROL}{SPACE}]", f"[^{_CONTROL}]")
_LINES = Characters(f"[^{_CONTROL}{SPACE}]", r"[^\x00-\t\x0b\f\x0e-\x1f\x7f-\x9f]")
_TIN = Characters("[A-Za-z0-9/-]", "[A-Za-z0-9 /-]", "(?=[ /-]*[A-Za-z0-9])")


def allows(characters: Characters) -> Callable[[Validator], Validator]:
    """Says beside a validator which texts pass it: the OpenAPI document has it from there."""

    def describe(validator: Validator) -> Validator:
        validator.characters = characters  # type: ignore[attr-defined]
        return validator

    return describe


@allows(LINE)
def no_control_characters(value: str) -> None:
    """Refuses NUL, control characters and unpaired surrogates. Raises ValidationError."""
    if text.has_unprintable(value):
        raise ValidationError("Control characters are not allowed.", code="control_characters")


@allows(_LINES)
def no_control_characters_but_breaks(value: str) -> None:
    """The same for a text of several lines: line breaks are allowed. Raises ValidationError."""
    if text.has_unprintable(value, line_breaks=True):
        raise ValidationError(
            "Control characters other than line breaks are not allowed.", code="control_characters"
        )


@allows(_TIN)
def tin_shape(value: str) -> None:
    """Refuses what is not shaped like a tax number. Raises ValidationError."""
    if not normal_forms.is_tin(value):
        raise ValidationError(
            "A TIN holds letters, digits, spaces, hyphens and slashes.", code="tin_shape"
        )


class EmailShape(EmailValidator):
    """Django's rule for an email, looser in one thing and stricter in another.

    Dots may follow each other or end the part before the @: Japanese carriers gave out such
    addresses. What stands behind it holds letters, digits, hyphens and dots, nothing invisible and
    no look-alike of another character (full-width forms, a dot or an @ that is not the one).
    """

    user_regex = re.compile(
        r"[-!#$%&'*+/=?^_`{}|~0-9A-Z][-!#$%&'*+/=?^_`{}|~0-9A-Z.]*\Z|"
        + EmailValidator.user_regex.pattern,
        re.IGNORECASE | re.ASCII,
    )

    def validate_domain_part(self, domain_part: str) -> bool:
        plain = domain_part.isascii() or normal_forms.is_plain_domain(domain_part)
        return plain and bool(super().validate_domain_part(domain_part))


email_shape = EmailShape()
