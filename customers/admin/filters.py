"""The filters beside the lists. Each names a queryset method; none counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import Group
from django.http import HttpRequest

from finora import clock
from finora.staff.filters import ChoiceFilter

if TYPE_CHECKING:
    from django.contrib.admin.filters import _ListFilterChoices


class StatusFilter(ChoiceFilter):
    title = "status"
    parameter_name = "status"
    options = {"active": "Active", "inactive": "Inactive", "all": "All"}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.with_status(self.value())


class GivenFilter(ChoiceFilter):
    options = {"any": "Any", "yes": "Given", "no": "Not given"}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "any":
            return queryset
        return queryset.with_a(self.parameter, given=self.value() == "yes")


class PhoneFilter(GivenFilter):
    title = parameter_name = "phone"


class TinFilter(GivenFilter):
    title = "TIN"
    parameter_name = "tin"


class CreatedFilter(ChoiceFilter):
    """With it a list is newest first, which has an index by business: so one is chosen first."""

    title = parameter_name = "created"
    options = {
        "any": "Any time",
        "1": "Past 24 hours",
        "7": "Past 7 days",
        "30": "Past 30 days",
        "365": "Past year",
    }

    @classmethod
    def is_offered(cls, request: HttpRequest) -> bool:
        return "business" in request.GET

    @classmethod
    def applies_to(cls, request: HttpRequest) -> bool:
        chosen = request.GET.get("created", "any")
        return cls.is_offered(request) and chosen in cls.options and chosen != "any"

    def choices(self, changelist: ChangeList) -> Iterator[_ListFilterChoices]:
        if self.is_offered(self.request):
            yield from super().choices(changelist)
        else:
            here = changelist.get_query_string(remove=[self.parameter])
            yield {"selected": True, "query_string": here, "display": "Choose a business first"}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.applies_to(request):
            return queryset
        since = clock.now() - timedelta(days=int(self.value()))
        return queryset.filter(created_at__gte=since)


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
    options = CreatedFilter.options

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "any":
            return queryset
        return queryset.filter(attempt_time__gte=clock.now() - timedelta(days=int(self.value())))
