"""The books added up anew: what stands in each row, held against what it follows from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models import F, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from finora.tenants.models.business import Business

_KOBO: Any = models.BigIntegerField()


def _sum(rows: Any) -> Coalesce:
    """The `kobo` of a query for each row of the one around it; 0 where it finds none."""
    return Coalesce(Subquery(rows.values("kobo"), output_field=_KOBO), Value(0), output_field=_KOBO)


def _allocated(business: Business, side: str) -> Coalesce:
    rows = business.allocations.order_by().filter(**{side: OuterRef("pk")}).values(side)
    return _sum(rows.annotate(kobo=Sum("amount_kobo")))


def _unlike(rows: Any, name: str, column: str, found: Any) -> Iterator[tuple[str, int, int]]:
    wrong = rows.annotate(found=found).exclude(**{column: F("found")})
    yield from wrong.values_list(name, column, "found").iterator()


def differences(business: Business) -> Iterator[str]:
    """A sentence for each row that does not say what its business' books come to, and for each
    series with a gap. Ids and amounts alone; nothing is changed.
    """
    paid = _allocated(business, "invoice")
    for number, says, found in _unlike(business.invoices, "number", "paid_kobo", paid):
        yield f"{number} says that {says} kobo are paid of it; receipts come to {found}."
    used = _allocated(business, "receipt")
    for number, says, found in _unlike(business.receipts, "number", "allocated_kobo", used):
        yield f"{number} says that {says} kobo of it are allocated; invoices come to {found}."
    owed = business.invoices.owed().filter(customer=OuterRef("pk"))
    credited = business.receipts.credited().filter(customer=OuterRef("pk"))
    balance = _sum(owed) - _sum(credited)
    for public_id, says, found in _unlike(
        business.customers, "public_id", "account_balance_kobo", balance
    ):
        yield f"{public_id} has a balance of {says} kobo; its books come to {found}."
    others = business.allocations.exclude(receipt__customer=F("invoice__customer"))
    for receipt, invoice in others.values_list("receipt__number", "invoice__number").iterator():
        yield f"{receipt} pays {invoice}, which is another customer's."
    for series in business.number_series.all():
        rows: Any = business.invoices if series.kind == "INV" else business.receipts
        count = rows.filter(number__startswith=series.prefix).count()
        if count != series.last:
            yield f"{series.prefix}: {series.last} numbers were given, and {count} are there."
