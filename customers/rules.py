"""What a customer's fields may hold: the model's own rules, for whoever takes values in.

The API's bodies and imported rows stand on these; a form of the admin asks the model itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models

from customers.models import Customer
from finora import text
from finora.sealing import normal_forms
from finora.sealing.validators import Validator


class Broken(ValueError):
    """A value that breaks a rule. The message names the rule, never the value."""


class Rule(NamedTuple):
    """One field's."""

    field: str
    api_name: str
    is_optional: bool
    max_length: int
    # Brings a text into the form in which it is checked and stored.
    normal: Callable[[str], str]
    validators: tuple[Validator, ...]

    def taken(self, value: Any) -> str | None:
        """The value as it is stored; None for a blank one. Raises Broken."""
        if value is None:
            return None
        if not isinstance(value, str):
            raise Broken("A text is needed.")
        taken = self.normal(value)
        if not taken:
            return None
        if len(taken) > self.max_length:
            raise Broken(f"Ensure this field has no more than {self.max_length} characters.")
        try:
            for validator in self.validators:
                validator(taken)
        except ValidationError as error:
            raise Broken(error.messages[0]) from None
        return taken


def _rule(field_name: str, api_name: str, normal: Callable[[str], str] = text.trim) -> Rule:
    field = cast("models.CharField[Any, Any]", Customer._meta.get_field(field_name))
    others = [v for v in field.validators if not isinstance(v, MaxLengthValidator)]
    return Rule(
        field_name, api_name, field.null, cast(int, field.max_length), normal, tuple(others)
    )


RULES: Mapping[str, Rule] = {
    rule.field: rule
    for rule in (
        _rule("name", "name"),
        # Lower-cased before it is checked: some letters become two, and those are no address.
        _rule("email", "email", normal_forms.email),
        _rule("phone", "phone"),
        _rule("address", "address"),
        _rule("tin", "tin"),
        _rule("company_name", "companyName"),
    )
}
