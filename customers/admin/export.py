"""Chosen customers as CSV, in the clear: asked for first, noted for each, stored by no browser."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from customers.admin.base import DirectoryAdmin
from customers.managers import CustomerQuerySet
from customers.models import Customer, SealError
from finora.staff import passwords

EXPORT = (
    "The file holds names, emails, phones, addresses and TINs in the clear, of active and inactive "
    "ones alike. Who took it and when is noted with each customer."
)
COLUMNS = (
    "id", "business", "name", "company", "email", "phone", "TIN", "address", "balance",
    "active", "created",
)  # fmt: skip
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


class ExportingAdmin(DirectoryAdmin):
    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("customers.export_customer")

    @admin.action(description="Export selected customers as CSV", permissions=["export"])
    def export(self, request: HttpRequest, queryset: CustomerQuerySet) -> HttpResponseBase:
        if answer := passwords.ask_again(request):
            return answer
        rows = list(queryset.select_related("business"))
        if page := self.confirm(request, rows, "Export", EXPORT, takes_away=False):
            return page
        queryset.note_export()
        headers: dict[str, Any] = {"Content-Disposition": 'attachment; filename="customers.csv"'}
        return StreamingHttpResponse(
            lines(rows), content_type="text/csv; charset=utf-8", headers=headers
        )
