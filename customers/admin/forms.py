"""The customer's form: what may be typed, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.safestring import mark_safe

from customers.admin.display import unreadable_fields
from customers.models import Customer

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Customer]
else:
    _ModelForm = forms.ModelForm

NOT_FILLED_IN = {"autocomplete": "off"}  # a browser keeps no customer's values


class AddressField(forms.CharField):
    """A text of several lines. A browser ends them with CRLF; that is no change of the address."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(_with_plain_breaks(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(_with_plain_breaks(initial), data)


def _with_plain_breaks(value: Any) -> Any:
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


class CustomerForm(_ModelForm):
    """Says when somebody else changed the customer meanwhile, and bears values it cannot open.

    On a POST the view hands it the row locked (see CustomerAdmin.get_object), so what it compares
    stays true until it is saved.
    """

    version = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Customer
        fields = ("business", "name", "company_name", "email", "phone", "tin", "address")
        field_classes = {"address": AddressField}
        widgets = {
            "address": forms.Textarea(attrs={"rows": 3, "cols": 40, **NOT_FILLED_IN}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        instance: Customer | None = kwargs.get("instance")
        self.unreadable = unreadable_fields(instance) if instance else []
        if instance:
            # Django reads every value for its form; those it cannot read step aside meanwhile.
            sealed = {name: instance.__dict__[name] for name in self.unreadable}
            instance.__dict__.update(dict.fromkeys(sealed))
            super().__init__(*args, **kwargs)
            instance.__dict__.update(sealed)
            self.initial["version"] = instance.updated_at.isoformat()
        else:
            super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if name in self.unreadable:
                field.required = False
                field.help_text = (
                    "Unreadable: its key is missing, or it was tampered with. "
                    "Leave it empty to keep what is stored, or type a new value."
                )
            if name != "business":
                field.widget.attrs.update(NOT_FILLED_IN)

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
        return values

    def _get_validation_exclusions(self) -> set[str]:
        """Validating an unreadable value would mean reading it; left empty, it is not written."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded.union(n for n in self.unreadable if not self.cleaned_data.get(n))
