from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from finora.staff import filters
from finora.staff.base import DirectoryAdmin
from finora.staff.display import day, tag
from finora.tenants.models import Business
from finora.tenants.scope import scope_of

SUSPEND = "From the next request on, every API key of it is refused. Its data stays as it is."
RESUME = "Its API keys open the API again."


class BusinessAdmin(DirectoryAdmin):
    list_display = ("name", "public_id", "status", "created")
    list_filter = (filters.SuspensionFilter,)
    search_fields = ("name", "=public_id")
    search_placeholder = "Name or id"
    ordering = ("name", "pk")
    actions = ("suspend", "resume")
    readonly_fields = ("public_id", "status", "created_at")

    @admin.display(description="status")
    def status(self, business: Business) -> str:
        return tag("Suspended", "bad") if business.is_suspended else tag("Active", "good")

    @admin.display(description="created")
    def created(self, business: Business) -> str:
        return day(business.created_at)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whose scope is some businesses makes none: it would be out of scope."""
        return super().has_add_permission(request) and scope_of(request.user).is_all

    def has_delete_permission(self, request: HttpRequest, obj: Business | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Business | None = None) -> tuple[str, ...]:
        return ("name",) if obj is None else ("name", *self.readonly_fields)

    def page_actions(self, row: Business) -> dict[str, str]:
        return {"resume": "End suspension"} if row.is_suspended else {"suspend": "Suspend"}

    @admin.action(description="Suspend selected businesses", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Business]) -> HttpResponse:
        rows = [business for business in queryset if not business.is_suspended]
        if page := self.confirm(request, rows, "Suspend", SUSPEND):
            return page
        return self._set_suspended(request, rows, True, "Suspended.")

    @admin.action(description="End suspension of selected businesses", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Business]) -> HttpResponse:
        rows = [business for business in queryset if business.is_suspended]
        if page := self.confirm(request, rows, "Resume", RESUME, takes_away=False):
            return page
        return self._set_suspended(request, rows, False, "Suspension ended.")

    def _set_suspended(
        self, request: HttpRequest, rows: list[Business], suspended: bool, said: str
    ) -> HttpResponse:
        with transaction.atomic():
            for business in rows:
                business.is_suspended = suspended
                business.save(update_fields=["is_suspended"])
                self.log_change(request, business, said)
        messages.success(request, f"{self.counted(len(rows))}: {said.lower()}")
        return HttpResponseRedirect(self.after_action(request, rows))

    def save_model(self, request: HttpRequest, obj: Business, form: Any, change: bool) -> None:
        # Renaming leaves a suspension alone that came meanwhile.
        obj.save(update_fields=["name"] if change else None)
