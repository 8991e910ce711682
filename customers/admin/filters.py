"""The filters over the customers' list. Each names a queryset method; none counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest

from finora import clock
from finora.staff.filters import AGES, ChoiceFilter


class StatusFilter(ChoiceFilter):
    title = "status"
    parameter_name = "status"
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


class CreatedFilter(ChoiceFilter):
    """With it a list is newest first, which has an index by business: so one is chosen first."""

    title = parameter_name = "created"
    options = AGES

    @classmethod
    def is_offered(cls, request: HttpRequest) -> bool:
        return "business" in request.GET

    @classmethod
    def applies_to(cls, request: HttpRequest) -> bool:
        chosen = request.GET.get("created", "any")
        return cls.is_offered(request) and chosen in cls.options and chosen != "any"

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        if self.is_offered(self.request):
            yield from super().choices(changelist)
        else:
            yield {"selected": True, "display": "Choose a business first", "value": ""}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.applies_to(request):
            return queryset
        since = clock.now() - timedelta(days=int(self.value()))
        return queryset.filter(created_at__gte=since)
