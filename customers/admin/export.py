"""Chosen customers as CSV: asked for first, noted, stored by no browser. What is in it and how:
customers/transfer/export.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from customers.admin.reveal import RevealingAdmin
from customers.finding import Search
from customers.models import Customer
from customers.querysets import CustomerQuerySet
from customers.transfer.export import CONTENT_TYPES, Export, note, noted
from finora.audit.models import AuditEvent
from finora.staff import passwords, refusals
from finora.tenants.models import Business

EXPORT = (
    "The file holds names, emails, phones, addresses and TINs, in the clear for who may reveal "
    "them, else masked. Who took it and when is noted."
)
ROWS_AT_ONCE = 500


def _each(pks: Sequence[int]) -> Iterator[Customer]:
    """These customers in this order, with their businesses."""
    for start in range(0, len(pks), ROWS_AT_ONCE):
        some = pks[start : start + ROWS_AT_ONCE]
        rows = Customer.objects.select_related("business").in_bulk(some)
        yield from (rows[pk] for pk in some if pk in rows)


class ExportingAdmin(RevealingAdmin):
    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("customers.export_customer")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # To who may not export Django does not offer it, and so does not hear of it either.
        chosen = request.POST.getlist("action")
        if "export" in chosen and not self.has_export_permission(request):
            self._note_refused(request)
        return super().changelist_view(request, extra_context)

    def _note_refused(self, request: HttpRequest) -> None:
        ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        refusals.note_rows(AuditEvent.Action.EXPORT_REFUSED, Customer, ticked)

    @admin.action(description="Export selected customers as CSV", permissions=["export"])
    def export(self, request: HttpRequest, queryset: CustomerQuerySet) -> HttpResponseBase:
        if answer := passwords.ask_again(request, partial(self._note_refused, request)):
            return answer
        rows = list(queryset.select_related("business"))
        if page := self.confirm(request, rows, "Export", EXPORT, takes_away=False):
            return page
        return self.file_of(request, [row.pk for row in rows])

    def file_of(self, request: HttpRequest, pks: Sequence[int]) -> StreamingHttpResponse:
        """The file of these customers, noted of each; some at a time, however many they are."""
        Customer.objects.filter(pk__in=pks).note_export()
        return self._file(request, _each(pks))

    def file_of_all(self, request: HttpRequest, rows: CustomerQuerySet) -> StreamingHttpResponse:
        """The file of all these customers, noted as one line of each business."""
        counts = rows.count_by_business()
        reveal = self.has_reveal_permission(request)
        for business in Business.objects.in_bulk(counts).values():
            note(business, counts[business.pk], reveal=reveal)
        rows = rows.select_related("business")
        pages = (rows.in_business(pk).in_pages() for pk in sorted(counts))
        return self._file(request, (row for of_one in pages for page in of_one for row in page))

    def file_of_search(self, request: HttpRequest, search: Search) -> StreamingHttpResponse:
        """The file of all that a search finds, looked for as they go out, and noted then."""
        rows = (row for page in search.pages() for row in page)
        reveal = self.has_reveal_permission(request)
        return self._file(request, noted(rows, reveal=reveal))

    def _file(self, request: HttpRequest, customers: Iterable[Customer]) -> StreamingHttpResponse:
        export = Export(customers, reveal=self.has_reveal_permission(request))
        headers: dict[str, Any] = {"Content-Disposition": 'attachment; filename="customers.csv"'}
        return StreamingHttpResponse(
            export.csv(), content_type=CONTENT_TYPES["csv"], headers=headers
        )
