"""The customer's form: what may be typed, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from customers.admin.display import SEALED_FIELDS, shown
from customers.models import Customer

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Customer]
else:
    _ModelForm = forms.ModelForm

CLEAR_BOXES = ("clear_phone", "clear_tin", "clear_address")
NOT_FILLED_IN = {"autocomplete": "off"}  # a browser keeps no customer's values


class AddressField(forms.CharField):
    """A text of several lines. A browser ends them with CRLF; they are stored as plain ones."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace("\r\n", "\n") if isinstance(value, str) else value)


def clear_box(what: str) -> forms.BooleanField:
    return forms.BooleanField(required=False, label=f"Clear the stored {what}")


class CustomerForm(_ModelForm):
    """Never shows a stored personal value, and says when somebody else changed the customer.

    Left blank, a personal value stays; what is typed replaces it; a tick clears it. So nobody
    learns one here, and one that cannot be opened is in nobody's way.

    On a POST the view hands it the row locked (see CustomerAdmin.get_object), so what it compares
    stays true until it is saved.
    """

    version = forms.CharField(required=False, widget=forms.HiddenInput)
    clear_phone = clear_box("phone")
    clear_tin = clear_box("TIN")
    clear_address = clear_box("address")

    class Meta:
        model = Customer
        fields = ("business", "name", "company_name", "email", "phone", "tin", "address")
        field_classes = {"address": AddressField}
        widgets = {
            "address": forms.Textarea(attrs={"rows": 3, "cols": 40, **NOT_FILLED_IN}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        instance: Customer | None = kwargs.get("instance")
        if instance:
            # Django reads every value for its form; the personal ones step aside meanwhile.
            sealed = {name: instance.__dict__[name] for name in SEALED_FIELDS}
            instance.__dict__.update(dict.fromkeys(sealed))
            super().__init__(*args, **kwargs)
            instance.__dict__.update(sealed)
            self.initial["version"] = instance.updated_at.isoformat()
            self._hide_what_is_stored(instance)
        else:
            super().__init__(*args, **kwargs)
            for name in CLEAR_BOXES:
                del self.fields[name]
        for name, field in self.fields.items():
            if name != "business":
                field.widget.attrs.update(NOT_FILLED_IN)

    def _hide_what_is_stored(self, customer: Customer) -> None:
        for name in self.fields.keys() & set(SEALED_FIELDS):
            field = self.fields[name]
            field.required = False
            if (mask := shown(customer, name)) != "-":
                field.help_text = format_html("Leave blank to keep {}.", mask)

    @cached_property
    def changed_data(self) -> list[str]:
        """The customer's fields that change: a tick changes the one that it clears."""
        names = (name.removeprefix("clear_") for name in super().changed_data)
        return list(dict.fromkeys(names))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if self.instance.pk and values.get("version") != self.initial["version"]:
            raise ValidationError(
                mark_safe(
                    "Somebody else changed this customer after you opened this page, so nothing "
                    'was saved. <a href=".">Open it as it is now</a> and make your change again.'
                ),
                code="changed_meanwhile",
            )
        if self.instance.pk:
            for name in SEALED_FIELDS:
                self._keep_or_clear(name, values)
        return values

    def _keep_or_clear(self, name: str, values: dict[str, Any]) -> None:
        clears = values.pop(f"clear_{name}", False)
        if values.get(name) and clears:
            self.add_error(name, "Write a new value or clear the stored one, not both.")
        elif clears:
            values[name] = None
        elif not values.get(name):
            values.pop(name, None)  # what a form did not clean, it does not write

    def _get_validation_exclusions(self) -> set[str]:
        """What stays as it is was valid once, and validating it would mean opening it."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded.union(name for name in SEALED_FIELDS if name not in self.cleaned_data)
