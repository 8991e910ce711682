"""The filters beside the lists. Each names a queryset method; none counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import Group
from django.http import HttpRequest

from finora import clock
from finora.audit.models import AuditEvent
from finora.staff import refusals
from finora.tenants.models import Business
from finora.tenants.scope import scope_of

if TYPE_CHECKING:
    from django.contrib.admin.filters import _ListFilterChoices


AGES = {
    "any": "Any time",
    "1": "Past 24 hours",
    "7": "Past 7 days",
    "30": "Past 30 days",
    "365": "Past year",
}


class BusinessFilter(admin.SimpleListFilter):
    """Always visible, as a box to choose from: there may be hundreds."""

    title = "business"
    parameter_name = "business"
    template = "staff/business_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        mine = Business.objects.in_scope(scope_of(request.user))
        rows = mine.order_by("name", "pk").only("public_id", "name")
        self.businesses = {row.public_id: row for row in rows}
        return [(public_id, row.name) for public_id, row in self.businesses.items()]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[_ListFilterChoices]:
        others = changelist.get_query_string(remove=[self.parameter_name])
        self.other_parameters = [
            (name, value)
            for name, values in changelist.filter_params.items()
            if name != self.parameter_name
            for value in values
        ]
        yield {"selected": self.value() is None, "query_string": others, "display": "All"}
        for public_id, name in self.lookup_choices:
            yield {
                "selected": self.value() == public_id,
                "query_string": public_id,
                "display": name,
            }

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


class ChoiceFilter(admin.SimpleListFilter):
    """Choices of which the first is the default and has no parameter."""

    options: ClassVar[dict[str, str]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.options.items())

    @property
    def parameter(self) -> str:
        return cast(str, self.parameter_name)

    def value(self) -> str:
        value = super().value()
        return value if value in self.options else next(iter(self.options))

    def choices(self, changelist: ChangeList) -> Iterator[_ListFilterChoices]:
        default = next(iter(self.options))
        for value, display in self.options.items():
            parameters: dict[str, Any] = {self.parameter: None if value == default else value}
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string(parameters),
                "display": display,
            }


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


class RoleFilter(admin.SimpleListFilter):
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
