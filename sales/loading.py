"""Many invoices and receipts at once, whole and with the balances that follow: for bulk loads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any

from django.db import transaction

from finora.audit.models import AuditEvent
from finora.orm.copying import NewRows
from finora.tenants.models.business import Business
from sales.models import Allocation, Invoice, Receipt
from sales.numbers import NumberSeries

# Customers of one UPDATE.
BALANCES_AT_ONCE = 500


class Books:
    """New rows of one business, not stored yet: their amounts and statuses agree already."""

    def __init__(self) -> None:
        self.invoices: list[Invoice] = []
        self.receipts: list[Receipt] = []
        # How much of a receipt pays an invoice.
        self.allocations: list[tuple[Receipt, Invoice, int]] = []

    def pay(self, receipt: Receipt, invoice: Invoice, kobo: int) -> None:
        """Allocates so much of the receipt to the invoice; both are of one customer."""
        invoice.settle(kobo)
        receipt.allocated_kobo += kobo
        self.allocations.append((receipt, invoice, kobo))

    def load(self, business: Business) -> None:
        """Inserts all of it in one transaction, numbered in the order of their dates.

        Locks are taken in the order of sales.managers. Raises IntegrityError, inserting nothing,
        where rows do not agree or are another business'.
        """
        owed: Counter[int] = Counter()
        for invoice in self.invoices:
            owed[invoice.customer.pk] += invoice.owed_kobo
        for receipt in self.receipts:
            if receipt.customer is not None:
                owed[receipt.customer.pk] -= receipt.unallocated_kobo
        self.invoices.sort(key=lambda invoice: invoice.invoice_date)
        self.receipts.sort(key=lambda receipt: receipt.date)
        with transaction.atomic():
            customers = business.customers.filter(pk__in=owed)
            list(customers.select_for_update().order_by("pk").values_list("pk"))
            kinds = NumberSeries.Kind
            _number(business, kinds.INVOICE, self.invoices, [i.invoice_date for i in self.invoices])
            _number(business, kinds.RECEIPT, self.receipts, [r.date for r in self.receipts])
            NewRows(self.invoices).insert()
            NewRows(self.receipts).insert()
            NewRows(
                [
                    Allocation(
                        business=business, receipt=receipt, invoice=invoice, amount_kobo=kobo
                    )
                    for receipt, invoice, kobo in self.allocations
                ]
            ).insert()
            changes = iter(sorted((pk, kobo) for pk, kobo in owed.items() if kobo))
            while some := dict(islice(changes, BALANCES_AT_ONCE)):
                business.customers.add_to_balances(some)
            AuditEvent.objects.record("imported", business.pk, [business.public_id])


def _number(business: Business, kind: str, rows: Sequence[Any], dates: Sequence[Any]) -> None:
    counts = Counter(day.year for day in dates)
    numbers = {
        year: iter(NumberSeries.objects.take(business.pk, kind, year, counts[year]))
        for year in sorted(counts)
    }
    for row, day in zip(rows, dates, strict=True):
        row.number = next(numbers[day.year])
