"""The filters over the books' lists. Each names a queryset method; none counts.

Indexes hold the books business by business, so all but the business' own wait until one is chosen.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest

from finora import clock
from finora.staff.filters import BusinessFilter, ChoiceFilter, DayFilter, TypedFilter
from sales.models import Invoice
from sales.querysets import OVERDUE


def has_business(request: HttpRequest) -> bool:
    return BusinessFilter.parameter_name in request.GET


class _Choice(ChoiceFilter):
    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        if has_business(self.request):
            yield from super().choices(changelist)
        else:
            yield {"selected": True, "display": "Choose a business first", "value": ""}


class InvoiceStatusFilter(_Choice):
    title = parameter_name = "status"
    options = {"all": "All"} | {
        name: name.replace("_", " ").capitalize() for name in (*Invoice.Status.values, OVERDUE)
    }

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "all" or not has_business(request):
            return queryset
        return queryset.with_status(self.value(), clock.today())


class ReceiptStatusFilter(_Choice):
    title = parameter_name = "status"
    options = {"all": "All", "valid": "Valid", "void": "Void"}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "all" or not has_business(request):
            return queryset
        return queryset.valid() if self.value() == "valid" else queryset.void()


class _Day(DayFilter):
    def has_output(self) -> bool:
        return has_business(self.request)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return super().queryset(request, queryset) if has_business(request) else queryset


class FromFilter(_Day):
    title = parameter_name = "from"

    def bounded(self, queryset: Any, begins: datetime) -> Any:
        return queryset.since(begins.date())


class UntilFilter(_Day):
    title = "until, the day included"
    parameter_name = "until"

    def bounded(self, queryset: Any, begins: datetime) -> Any:
        return queryset.until(begins.date())


class CustomerFilter(TypedFilter):
    """Behind the link on a customer's page; nobody types it in the bar."""

    title = parameter_name = "customer"
    kind = "hidden"

    def has_output(self) -> bool:
        return bool(self.value())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.of_customer_id(self.value()) if self.value() else queryset
