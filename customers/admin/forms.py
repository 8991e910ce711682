"""The customer's form: what may be typed, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.html import format_html

from customers.admin.display import SEALED_FIELDS, link_to, shown
from customers.models import Customer

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Customer]
else:
    _ModelForm = forms.ModelForm

# What a page shows as it is stored, so that what somebody typed over it can be told from it.
SHOWN_FIELDS = ("name", "company_name")
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

    Who saves after somebody else did keeps what was typed: the page comes again with it, over what
    is stored by now.

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
            for name in self.fields.keys() & set(SHOWN_FIELDS):
                self.fields[name].show_hidden_initial = True
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
            if shown(customer, name) != "-":
                field.help_text = "Leave blank to keep what is stored."

    @cached_property
    def changed_data(self) -> list[str]:
        """The customer's fields that change: a tick changes the one that it clears."""
        names = (name.removeprefix("clear_") for name in super().changed_data)
        return list(dict.fromkeys(names))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if self.instance.pk and values.get("version") != self.initial["version"]:
            self._put_over_what_is_stored_now()
            raise ValidationError(
                "Somebody else changed this customer after you opened this page, so nothing was "
                "saved yet. What you typed is still here, beside what is stored now: save again.",
                code="changed_meanwhile",
            )
        if self.instance.pk:
            for name in SEALED_FIELDS:
                self._keep_or_clear(name, values)
        return values

    def _put_over_what_is_stored_now(self) -> None:
        """The page as if it had been opened just now, and then typed into."""
        self.data = data = self.data.copy()  # type: ignore[attr-defined]
        data[self.add_prefix("version")] = self.initial["version"]
        for name in self.fields.keys() & set(SHOWN_FIELDS):
            now = self.initial[name] or ""
            if name not in self.changed_data:
                data[self.add_prefix(name)] = now
            elif data[self.add_prefix(name)] != now:
                self[name].help_text = format_html("Stored now: {}", now or "-")
            data[self.add_initial_prefix(name)] = now

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        for error in self.errors["email"].as_data() if "email" in self.errors else ():
            if error.code == "email_in_use" and (holder := self.instance.email_holder()):
                link = link_to(self.instance.business_id, holder)
                error.message = format_html("{} It is {}.", error.message, link)

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
