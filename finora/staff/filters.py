"""The filters over the lists. Each names a queryset method; none counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

from axes.admin import IsLockedOutFilter
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import Group
from django.http import HttpRequest

from finora import clock
from finora.audit.models import AuditEvent
from finora.staff import refusals
from finora.tenants.models import Business
from finora.tenants.scope import scope_of

AGES = {
    "any": "Any time",
    "1": "Past 24 hours",
    "7": "Past 7 days",
    "30": "Past 30 days",
    "365": "Past year",
}


class BoxFilter(admin.SimpleListFilter):
    """A box of the bar over a list. Its first choice filters nothing and is sent as a blank."""

    template = "staff/filter.html"

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        values = ("", *(value for value, _ in self.lookup_choices))
        for value, choice in zip(values, super().choices(changelist), strict=True):
            yield {**choice, "value": value}


class BusinessFilter(BoxFilter):
    """Always visible: it says whose rows these are."""

    title = "business"
    parameter_name = "business"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        mine = Business.objects.in_scope(scope_of(request.user))
        rows = mine.order_by("name", "pk").only("public_id", "name")
        self.businesses = {row.public_id: row for row in rows}
        return [(public_id, row.name) for public_id, row in self.businesses.items()]

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = self.value()
        if chosen is None:
            return queryset
        business = self.businesses.get(chosen)
        if business:
            return queryset.filter(business=business)
        others = Business.objects.with_public_id(chosen).out_of_scope(scope_of(request.user))
        refusals.note(AuditEvent.Action.ACCESS_REFUSED, others.names())
        return queryset.none()


class ChoiceFilter(BoxFilter):
    """Choices of which the first is the default."""

    options: ClassVar[dict[str, str]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.options.items())

    def value(self) -> str:
        value = super().value()
        return value if value in self.options else next(iter(self.options))

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        _all, *choices = super().choices(changelist)
        for choice, value in zip(choices, ("", *list(self.options)[1:]), strict=True):
            yield {**choice, "value": value}


class KeyStatusFilter(ChoiceFilter):
    title = "status"
    parameter_name = "status"
    options = {
        "all": "All",
        "usable": "Usable",
        "expiring": "About to expire",
        "expired": "Expired",
        "revoked": "Revoked",
    }

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = self.value()
        if chosen == "usable":
            queryset = queryset.of_open_businesses()
        return queryset if chosen == "all" else getattr(queryset, chosen)()


class SuspensionFilter(ChoiceFilter):
    title = "status"
    parameter_name = "status"
    options = {"all": "All", "active": "Active", "suspended": "Suspended"}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = self.value()
        return queryset if chosen == "all" else getattr(queryset, chosen)()


class AccountFilter(ChoiceFilter):
    title = parameter_name = "account"
    options = {"all": "All", "active": "Active", "inactive": "Inactive", "superusers": "Superusers"}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "active" | "inactive" as chosen:
                return queryset.filter(is_active=chosen == "active")
            case "superusers":
                return queryset.filter(is_superuser=True)
        return queryset


class RoleFilter(BoxFilter):
    title = parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        self.roles = {str(role.pk): role for role in Group.objects.order_by("name")}
        return [(pk, role.name) for pk, role in self.roles.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = self.value()
        if chosen is None:
            return queryset
        role = self.roles.get(chosen)
        return queryset.filter(groups=role) if role else queryset.none()


class AttemptedFilter(ChoiceFilter):
    """When somebody tried to log in."""

    title = parameter_name = "attempted"
    options = AGES

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "any":
            return queryset
        return queryset.filter(attempt_time__gte=clock.now() - timedelta(days=int(self.value())))


class LockedOutFilter(BoxFilter, IsLockedOutFilter):
    """django-axes' own, as a box."""

    title = "locked out"
