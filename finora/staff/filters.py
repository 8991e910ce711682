"""The filters over the lists. Each names a queryset method; none counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any, ClassVar

from axes.admin import IsLockedOutFilter
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date

from finora import clock, text
from finora.audit.models import AuditEvent, said
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


class TypedFilter(admin.SimpleListFilter):
    """A field of the bar over a list; blank it filters nothing."""

    template = "staff/typed_filter.html"
    kind = "text"  # of the input

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        yield {"value": self.value() or ""}


class PersonFilter(TypedFilter):
    """By the user name: an account may be gone that did something once."""

    title = parameter_name = "person"

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        name = text.trim(self.value() or "")
        if text.has_unprintable(name):
            return queryset.none()
        return queryset.by_staff(name) if name else queryset


class DayFilter(TypedFilter):
    """A day in the staff's zone; of what is no day nothing is shown."""

    kind = "date"

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.value():
            return queryset
        try:
            day = parse_date(self.value() or "")
            begins = timezone.make_aware(datetime.combine(day, time())) if day else None
            return self.bounded(queryset, begins) if begins else queryset.none()
        except (ValueError, OverflowError):
            return queryset.none()

    def bounded(self, queryset: Any, begins: datetime) -> Any:
        raise NotImplementedError


class FromFilter(DayFilter):
    title = parameter_name = "from"

    def bounded(self, queryset: Any, begins: datetime) -> Any:
        return queryset.since(begins)


class UntilFilter(DayFilter):
    title = "until, the day included"
    parameter_name = "until"

    def bounded(self, queryset: Any, begins: datetime) -> Any:
        return queryset.until(begins + timedelta(days=1))


class HiddenFilter(TypedFilter):
    """Set by a link, and kept by the bar while other filters change; nobody types it."""

    kind = "hidden"

    def has_output(self) -> bool:
        return bool(self.value())


class ActionFilter(BoxFilter):
    """What was done."""

    title = parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(action.value, said(action)) for action in AuditEvent.Action]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = self.value()
        if not chosen:
            return queryset
        return queryset.filter(action=chosen) if chosen in AuditEvent.Action else queryset.none()


class TogetherFilter(HiddenFilter):
    """Behind the count of a line: what it stands for."""

    title = parameter_name = "line"

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = self.value()
        if not chosen:
            return queryset
        line = refusals.rows(AuditEvent, [chosen]).in_scope(scope_of(request.user)).first()
        return queryset.together_with(line) if line else queryset.none()


class BusinessFilter(BoxFilter):
    """Always visible: it says whose rows these are."""

    title = parameter_name = "business"

    @classmethod
    def is_chosen(cls, request: HttpRequest) -> bool:
        return cls.parameter_name in request.GET

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


class InBusinessFilter(ChoiceFilter):
    """At its first choice until a business is chosen: its index holds rows business by business."""

    def value(self) -> str:
        if BusinessFilter.is_chosen(self.request):
            return super().value()
        return next(iter(self.options))

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        if BusinessFilter.is_chosen(self.request):
            yield from super().choices(changelist)
        else:
            yield {"selected": True, "display": "Choose a business first", "value": ""}


class KeyStatusFilter(ChoiceFilter):
    title = parameter_name = "status"
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
    title = parameter_name = "status"
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
