"""The filters of the list. Each is optional; a wrong value is INVALID_REQUEST."""

from __future__ import annotations

from django_filters import rest_framework as filters

from customers.models import Customer
from customers.querysets import CustomerQuerySet
from finora.api.filters import EmailFilter, TextFilter, TimeFilter
from finora.sealing.validators import no_control_characters, tin_shape


class CustomerFilters(filters.FilterSet):
    email = EmailFilter(
        method="by_email",
        max_length=254,
        help_text="Exactly this email, in any letter case.",
    )
    phone = TextFilter(
        method="by_phone",
        validators=[no_control_characters],
        max_length=32,
        help_text="Exactly this phone, in any spelling (+2348031234567, 0803 123 4567).",
    )
    tin = TextFilter(
        method="by_tin",
        validators=[tin_shape],
        max_length=32,
        help_text="Exactly this TIN, with or without spaces and hyphens.",
    )
    createdFrom = TimeFilter("created_at", "gte", help_text="Created at this time or later.")
    createdTo = TimeFilter("created_at", "lte", help_text="Created at this time or earlier.")
    updatedSince = TimeFilter(
        "updated_at",
        "gte",
        help_text="Changed at this time or later: for delta sync, with `status=all`. Next time"
        " pass this answer's `meta.timestamp`.",
    )
    status = filters.ChoiceFilter(
        method="by_status",
        choices=[(name, name) for name in ("active", "inactive", "all")],
        initial="active",
        help_text="`active` by default.",
    )

    class Meta:
        model = Customer
        fields: list[str] = []

    def by_email(self, customers: CustomerQuerySet, _: str, value: str) -> CustomerQuerySet:
        return customers.with_email(value)

    def by_phone(self, customers: CustomerQuerySet, _: str, value: str) -> CustomerQuerySet:
        return customers.with_phone(value)

    def by_tin(self, customers: CustomerQuerySet, _: str, value: str) -> CustomerQuerySet:
        return customers.with_tin(value)

    def by_status(self, customers: CustomerQuerySet, _: str, value: str) -> CustomerQuerySet:
        return customers.with_status(value)


FILTER_NAMES = frozenset(CustomerFilters.base_filters)
