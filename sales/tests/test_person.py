"""One person's data holds the person's invoices and receipts."""

from __future__ import annotations

import json

import pytest

from customers.transfer import person
from finora.tests.kit import books, factories
from sales.models import Invoice, Receipt

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(business):
    ada, other = factories.customer(business), factories.customer(business)
    invoice = books.invoice(ada, books.line(70_000, "Hair of Ada", 1_500))
    books.invoice(ada, status="draft")
    books.receipt(ada, 50_050, {invoice.public_id: 30_000}, paid_by="Ada", reference="TRF")
    void = books.receipt(ada)
    business.receipts.void(void.public_id)
    books.invoice(other)

    def of_ada():
        return json.loads(person.as_json(person.hand_over(ada)))

    return of_ada


def test_it_holds_the_customers_own_books_newest_last(held):
    told = held()
    assert [row["number"] for row in told["invoices"]] == ["INV-2026-00001", "INV-2026-00002"]
    first = told["invoices"][0]
    assert first["lines"] == ["1.5 × 700.00: Hair of Ada"]
    assert (first["total"], first["amountDue"], first["status"]) == (
        "1050.00",
        "750.00",
        "partially_paid",
    )
    paid, void = told["receipts"]
    assert (paid["amount"], paid["unallocated"], paid["paidBy"]) == ("500.50", "200.50", "Ada")
    assert paid["pays"] == [f"{first['id']}: 300.00"]
    assert void["voidedAt"]


def test_what_cannot_be_opened_is_said_and_the_rest_is_there(held):
    invoice, receipt = Invoice.objects.first(), Receipt.objects.first()
    token = invoice.__dict__["descriptions"]
    Invoice.objects.exclude(pk=invoice.pk).update(descriptions=token)
    Receipt.objects.filter(pk=receipt.pk).update(paid_by=token)
    told = held()
    assert told["invoices"][1]["lines"] == ["1 × 1000.00"]
    assert told["receipts"][0]["paidBy"] == "unreadable"
    assert told["receipts"][0]["reference"] == "TRF"
