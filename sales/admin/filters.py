"""The filters over the books' lists. Each names a queryset method; none counts.

Indexes hold the books business by business, so all but the business' own wait until one is chosen.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest

from finora import clock
from finora.staff.filters import BusinessFilter, DayFilter, HiddenFilter, InBusinessFilter
from sales.models import Invoice
from sales.querysets import OVERDUE


class InvoiceStatusFilter(InBusinessFilter):
    title = parameter_name = "status"
    options = {"all": "All"} | {
        name: name.replace("_", " ").capitalize() for name in (*Invoice.Status.values, OVERDUE)
    }

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "all":
            return queryset
        return queryset.with_status(self.value(), clock.today())


class ReceiptStatusFilter(InBusinessFilter):
    title = parameter_name = "status"
    options = {"all": "All", "valid": "Valid", "void": "Void"}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "all":
            return queryset
        return queryset.valid() if self.value() == "valid" else queryset.void()


class _Day(DayFilter):
    def has_output(self) -> bool:
        return BusinessFilter.is_chosen(self.request)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        is_held = BusinessFilter.is_chosen(request)
        return super().queryset(request, queryset) if is_held else queryset


class FromFilter(_Day):
    title = parameter_name = "from"

    def bounded(self, queryset: Any, begins: datetime) -> Any:
        return queryset.since(begins.date())


class UntilFilter(_Day):
    title = "until, the day included"
    parameter_name = "until"

    def bounded(self, queryset: Any, begins: datetime) -> Any:
        return queryset.until(begins.date())


class CustomerFilter(HiddenFilter):
    """Behind the link on a customer's page."""

    title = parameter_name = "customer"

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.of_customer_id(self.value()) if self.value() else queryset
