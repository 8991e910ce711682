"""The filters over the customers' list. Each names a queryset method; none counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest

from finora import clock
from finora.staff.filters import AGES, BusinessFilter, ChoiceFilter, InBusinessFilter


class StatusFilter(ChoiceFilter):
    title = parameter_name = "status"
    options = {"active": "Active", "inactive": "Inactive", "all": "All"}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.with_status(self.value())


class EInvoiceFilter(ChoiceFilter):
    """Whose party of an e-invoice can be made, or what still has to be asked of whom."""

    title = "e-invoice"
    parameter_name = "einvoice"
    options = {"all": "All", "not_ready": "Not ready", "ready": "Ready"}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "ready":
                return queryset.ready_for_e_invoice()
            case "not_ready":
                return queryset.not_ready_for_e_invoice()
        return queryset


class CreatedFilter(InBusinessFilter):
    """With it a list is newest first."""

    title = parameter_name = "created"
    options = AGES

    @classmethod
    def applies_to(cls, request: HttpRequest) -> bool:
        chosen = request.GET.get(cls.parameter_name, "any")
        return BusinessFilter.is_chosen(request) and chosen in cls.options and chosen != "any"

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "any":
            return queryset
        since = clock.now() - timedelta(days=int(self.value()))
        return queryset.filter(created_at__gte=since)
