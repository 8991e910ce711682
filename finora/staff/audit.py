"""The audit trail: read, the latest first; nobody writes here."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from finora.audit.models import AuditEvent, AuditEventQuerySet
from finora.staff import filters, subjects
from finora.staff.base import DirectoryAdmin
from finora.staff.lists import PrivateSearchList, ReadOnlyAdmin
from finora.tenants.models import Business
from finora.tenants.scope import scope_of


class AuditList(PrivateSearchList):
    """Pages without a count: `p=17` is the page of what came before event 17."""

    def get_results(self, request: HttpRequest) -> None:
        rows = cast(AuditEventQuerySet, self.queryset).order_by("-id")
        if not self.query and not request.GET.get(filters.TogetherFilter.parameter_name):
            rows = rows.lines()
        page = request.GET.get(PAGE_VAR, "")
        if page.isascii() and page.isdigit() and len(page) < 19:
            rows = rows.filter(id__lt=int(page))
        found = list(rows[: self.list_per_page + 1])
        self.result_list = found[: self.list_per_page]
        more = len(found) > self.list_per_page
        urls = subjects.urls(request, self.result_list)
        for event in self.result_list:
            event.url = urls.get((event.business_id, event.subject), "")
        self.next_page = f"{PAGE_VAR}={self.result_list[-1].pk}" if more else ""
        self.previous_page = ""
        self.result_count = len(self.result_list)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = False
        self.can_show_all = self.multi_page = False


class AuditEventAdmin(ReadOnlyAdmin, DirectoryAdmin):
    is_subject = False
    list_display = ("at", "business", "about", "what", "actor", "request_id")
    list_display_links = None
    list_select_related = ("business",)
    list_filter = (
        filters.BusinessFilter,
        filters.PersonFilter,
        filters.ActionFilter,
        filters.FromFilter,
        filters.UntilFilter,
        filters.TogetherFilter,
    )
    search_fields = ("subject",)  # shows the box; get_search_results says what it finds
    search_placeholder = "Id of a customer, key or business"

    def get_queryset(self, request: HttpRequest) -> Any:
        return cast(AuditEventQuerySet, super().get_queryset(request)).with_times()

    @admin.display(description="to")
    def about(self, event: Any) -> SafeString:
        name = format_html("<code>{}</code>", event.subject)
        if event.url:
            name = format_html('<a href="{}">{}</a>', event.url, name)
        if event.count < 2 or event.subject == event.business.public_id:  # of each nothing is noted
            return name
        line = f"?{filters.TogetherFilter.parameter_name}={event.pk}"
        return format_html('{} <a href="{}">and {} more</a>', name, line, f"{event.count - 1:,}")

    @admin.display(description="what")
    def what(self, event: AuditEvent) -> str:
        return event.line

    @admin.display(description="by")
    def actor(self, event: AuditEvent) -> str:
        if event.actor_kind != "staff":
            return f"{event.actor_kind} {event.actor_id}".strip()
        query = urlencode({filters.PersonFilter.parameter_name: event.actor_id})
        return format_html('staff <a href="?{}">{}</a>', query, event.actor_id)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return AuditList

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        if search_term:
            # Spelt so that the index by business and subject serves.
            mine = Business.objects.in_scope(scope_of(request.user))
            # Our ids are in lower case; a business's may come from outside.
            either = {search_term, search_term.lower()}
            queryset = queryset.filter(business_id__in=mine.values("pk"), subject__in=either)
        return queryset, False
