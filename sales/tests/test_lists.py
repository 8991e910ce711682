"""Each list of the books, newest first, is a stretch of an index, whatever filter is chosen."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection

from finora.tests.kit import books, factories
from sales.models import Invoice, Receipt

pytestmark = pytest.mark.django_db

DAY = date(2026, 6, 1)
LISTS = {
    "invoices": (lambda: Invoice.objects.all(), "invoice_list"),
    "overdue": (lambda: Invoice.objects.with_status("overdue", DAY), "invoice_open"),
    "overdue, days": (
        lambda: Invoice.objects.with_status("overdue", DAY).since(DAY).until(DAY),
        "invoice_open",
    ),
    **{
        status: (
            lambda status=status: Invoice.objects.with_status(status, DAY),
            "invoice_of_status",
        )
        for status in ("draft", "sent", "paid", "cancelled")
    },
    "receipts": (lambda: Receipt.objects.all(), "receipt_list_all"),
    "valid": (lambda: Receipt.objects.valid(), r"receipt_list|receipt_list_all"),
    "void": (lambda: Receipt.objects.all().void(), "receipt_void"),
    "void, days": (lambda: Receipt.objects.all().void().since(DAY).until(DAY), "receipt_void"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_read_by_an_index_that_answers_its_filter(business, name):
    rows, index = LISTS[name]
    customer = factories.customer(business)
    for n in range(20):
        invoice = books.invoice(customer, due_date=None if n % 2 else DAY)
        receipt = books.receipt(customer, 500, {invoice.public_id: 400} if n % 3 else {})
    business.receipts.void(receipt.public_id)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE sales_invoice, sales_receipt")
            # It would read so few rows as they lie, or sort them.
            for way in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
    mine = rows().in_business(business.pk).newest_first()
    plan = mine[:50].explain()
    # SQLite, which is given the statuses apart from the statement, cannot tell that all are open.
    if connection.vendor == "postgresql" or index != "invoice_open":
        assert any(f" {one} " in f"{plan} " for one in index.split("|")), plan
    assert "sort" not in plan.lower()
    assert "ORDER BY" not in plan
    if name != "valid":  # nearly all are
        assert "Filter:" not in plan, plan
