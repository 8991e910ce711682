"""The filters of the lists. Each is optional; a wrong value is INVALID_REQUEST."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters

from finora import clock
from finora.api.filters import DayFilter, TextFilter
from finora.sealing.validators import no_control_characters
from sales.models import Invoice
from sales.querysets import OVERDUE, BookQuerySet, InvoiceQuerySet


def _customer() -> TextFilter:
    return TextFilter(
        method="by_customer",
        validators=[no_control_characters],
        max_length=40,
        help_text="Of this customer, also when it is inactive or erased.",
    )


class BookFilters(filters.FilterSet):
    def by_customer(self, rows: BookQuerySet, _: str, value: str) -> BookQuerySet:
        return rows.of_customer(self.request.auth.business_id, value)

    def from_day(self, rows: BookQuerySet, _: str, value: Any) -> BookQuerySet:
        return rows.since(value)

    def until_day(self, rows: BookQuerySet, _: str, value: Any) -> BookQuerySet:
        return rows.until(value)


def _days(what: str) -> dict[str, DayFilter]:
    """Django-filter takes no keyword of Python's as a field's name but so."""
    return {
        "from": DayFilter(method="from_day", help_text=f"{what} on this date or later."),
        "to": DayFilter(method="until_day", help_text=f"{what} on this date or earlier."),
    }


class InvoiceFilters(BookFilters):
    status = filters.ChoiceFilter(
        method="by_status",
        choices=[(name, name) for name in (*Invoice.Status.values, OVERDUE)],
        help_text="The status as it is shown.",
    )
    customerId = _customer()
    vars().update(_days("Dated"))

    def by_status(self, invoices: InvoiceQuerySet, _: str, value: str) -> InvoiceQuerySet:
        return invoices.with_status(value, clock.today())


class ReceiptFilters(BookFilters):
    customerId = _customer()
    vars().update(_days("Dated"))
