"""Chosen customers as CSV, in the clear: asked for first, noted for each, stored by no browser."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from customers.models import Customer
from customers.querysets import CustomerQuerySet
from finora.audit.models import AuditEvent
from finora.sealing import SealError
from finora.staff import passwords, refusals
from finora.staff.base import DirectoryAdmin

EXPORT = (
    "The file holds names, emails, phones, addresses and TINs in the clear, of active and inactive "
    "ones alike. Who took it and when is noted with each customer."
)
COLUMNS = (
    "id", "business", "name", "company", "email", "phone", "TIN", "address", "balance",
    "active", "created",
)  # fmt: skip
ROWS_AT_ONCE = 500
UNREADABLE = "(unreadable)"
# What a spreadsheet takes for a formula when a cell begins with it.
FORMULA = tuple("=+-@＝＋－＠")


def cell(text: str | None) -> str:
    """A text that no spreadsheet runs: an apostrophe is ahead of what looks like a formula."""
    text = text or ""
    return f"'{text}" if text.lstrip().startswith(FORMULA) else text


def amount(kobo: int) -> str:
    """`-1250.50`: naira, exact, and a number to a spreadsheet."""
    naira, rest = divmod(abs(kobo), 100)
    return f"{'-' if kobo < 0 else ''}{naira}.{rest:02}"


def opened(customer: Customer, field: str) -> str:
    try:
        return cell(getattr(customer, field))
    except SealError:
        return UNREADABLE


def row(customer: Customer) -> tuple[str, ...]:
    return (
        customer.public_id,
        cell(customer.business.name),
        cell(customer.name),
        cell(customer.company_name),
        *(opened(customer, field) for field in ("email", "phone", "tin", "address")),
        amount(customer.account_balance_kobo),
        "yes" if customer.is_active else "no",
        customer.created_at.isoformat(timespec="seconds"),
    )


class _Line:
    """What csv writes to: it hands the line back, so that it can be sent at once."""

    def write(self, line: str) -> str:
        return line


def lines(customers: Iterable[Customer]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(COLUMNS)  # the mark tells Excel that it is UTF-8
    for customer in customers:
        yield writer.writerow(row(customer))


def _each(pks: Sequence[int]) -> Iterator[Customer]:
    """These customers in this order, with their businesses."""
    for start in range(0, len(pks), ROWS_AT_ONCE):
        some = pks[start : start + ROWS_AT_ONCE]
        rows = Customer.objects.select_related("business").in_bulk(some)
        yield from (rows[pk] for pk in some if pk in rows)


class ExportingAdmin(DirectoryAdmin):
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
        ticked = refusals.rows(Customer, request.POST.getlist(ACTION_CHECKBOX_NAME))
        refusals.note(AuditEvent.Action.EXPORT_REFUSED, ticked.names())

    @admin.action(description="Export selected customers as CSV", permissions=["export"])
    def export(self, request: HttpRequest, queryset: CustomerQuerySet) -> HttpResponseBase:
        if answer := passwords.ask_again(request, partial(self._note_refused, request)):
            return answer
        rows = list(queryset.select_related("business"))
        if page := self.confirm(request, rows, "Export", EXPORT, takes_away=False):
            return page
        return self.file_of([row.pk for row in rows])

    def file_of(self, pks: Sequence[int]) -> StreamingHttpResponse:
        """The file of these customers, noted; some at a time, however many they are."""
        Customer.objects.filter(pk__in=pks).note_export()
        # Before the first line goes out: afterwards nobody acts any more.
        unreadable = [
            (row.business_id, row.public_id) for row in _each(pks) if not row.is_readable()
        ]
        refusals.note(AuditEvent.Action.UNREADABLE, unreadable)
        headers: dict[str, Any] = {"Content-Disposition": 'attachment; filename="customers.csv"'}
        return StreamingHttpResponse(
            lines(_each(pks)), content_type="text/csv; charset=utf-8", headers=headers
        )
