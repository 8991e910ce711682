"""The audit trail: read, the latest first; nobody writes here."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.http import HttpRequest

from finora.audit.models import AuditEvent, AuditEventQuerySet
from finora.staff import filters
from finora.staff.base import DirectoryAdmin
from finora.staff.lists import PrivateSearchList
from finora.tenants.models import Business
from finora.tenants.scope import scope_of


class AuditList(PrivateSearchList):
    """Pages without a count: `p=17` is the page of what came before event 17."""

    def get_results(self, request: HttpRequest) -> None:
        rows = cast(AuditEventQuerySet, self.queryset).order_by("-id")
        page = request.GET.get(PAGE_VAR, "")
        if page.isascii() and page.isdigit() and len(page) < 19:
            rows = rows.filter(id__lt=int(page))
        found = list(rows[: self.list_per_page + 1])
        self.result_list = found[: self.list_per_page]
        more = len(found) > self.list_per_page
        self.next_page = f"{PAGE_VAR}={self.result_list[-1].pk}" if more else ""
        self.previous_page = ""
        self.result_count = len(self.result_list)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = False
        self.can_show_all = self.multi_page = False


class AuditEventAdmin(DirectoryAdmin):
    is_subject = False
    list_display = ("at", "business", "subject", "what", "actor", "request_id")
    list_display_links = None
    list_select_related = ("business",)
    list_filter = (filters.BusinessFilter,)
    search_fields = ("subject",)  # shows the box; get_search_results says what it finds
    search_placeholder = "Id of a customer, key or business"

    def get_queryset(self, request: HttpRequest) -> Any:
        return cast(AuditEventQuerySet, super().get_queryset(request)).with_times()

    @admin.display(description="what")
    def what(self, event: AuditEvent) -> str:
        return event.summary

    @admin.display(description="by")
    def actor(self, event: AuditEvent) -> str:
        return f"{event.actor_kind} {event.actor_id}".strip()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return AuditList

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        if search_term:
            # Spelt so that the index by business and subject serves.
            mine = Business.objects.in_scope(scope_of(request.user))
            queryset = queryset.filter(business_id__in=mine.values("pk"), subject=search_term)
        return queryset, False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEvent | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEvent | None = None) -> bool:
        return False
