"""Any mix of what is done to the books, held against a ledger kept beside by plain arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from django.db import models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finora import clock
from finora.tests.kit import books, factories
from finora.tests.kit.answers import accepted
from sales.errors import BooksRefuse
from sales.lines import MOST_KOBO
from sales.loading import Books
from sales.models import Invoice, Receipt

pytestmark = pytest.mark.django_db

# The most too: it is more than 32 bits hold.
KOBO = st.integers(1, 60_000) | st.just(MOST_KOBO)
STEPS = st.one_of(
    st.tuples(st.just("draft"), st.integers(0, 1), KOBO),
    st.tuples(st.just("sent"), st.integers(0, 1), KOBO),
    st.tuples(st.just("send"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("cancel"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("credit"), st.integers(0, 2), KOBO),
    st.tuples(st.just("pay"), st.integers(0, 9), KOBO),
    st.tuples(st.just("void"), st.integers(0, 9), st.just(0)),
)


@dataclass
class Ledger:
    """What each invoice is short of and each receipt has left, as a person would keep it."""

    due: dict[str, int] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    whose: dict[str, int] = field(default_factory=dict)
    receipts: dict[str, tuple[int | None, int, dict[str, int]]] = field(default_factory=dict)

    def balance(self, customer: int) -> int:
        owed = sum(
            self.due[each]
            for each, status in self.status.items()
            if status == "sent" and self.whose[each] == customer
        )
        return owed - sum(
            kobo - sum(paid.values())
            for whose, kobo, paid in self.receipts.values()
            if whose == customer
        )


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=12))
def test_balances_are_what_the_books_come_to(steps):
    business = factories.business()
    customers = [factories.customer(business), factories.customer(business), None]
    ledger = Ledger()
    for what, which, kobo in steps:
        invoices, receipts = list(ledger.due), list(ledger.receipts)
        one = invoices[which % len(invoices)] if invoices else None
        if what in ("draft", "sent"):
            made = books.invoice(customers[which], books.line(kobo), status=what)
            ledger.due[made.public_id], ledger.status[made.public_id] = kobo, what
            ledger.whose[made.public_id] = which
        elif what == "credit":
            made = books.receipt(customers[which], kobo, business=business)
            ledger.receipts[made.public_id] = which, kobo, {}
        elif what == "void" and receipts:
            gone = receipts[which % len(receipts)]
            business.receipts.void(gone)
            for each, paid in ledger.receipts.pop(gone)[2].items():
                ledger.due[each] += paid
        elif what == "pay" and one:
            allowed = ledger.status[one] == "sent" and 0 < kobo // 2 + 1 <= ledger.due[one]
            call = {"kobo": kobo, "allocations": {one: kobo // 2 + 1}, "business": business}
            if allowed and kobo // 2 + 1 <= kobo:
                made = books.receipt(None, **call)
                ledger.receipts[made.public_id] = ledger.whose[one], kobo, {one: kobo // 2 + 1}
                ledger.due[one] -= kobo // 2 + 1
            else:
                with pytest.raises(BooksRefuse):
                    books.receipt(None, **call)
        elif what in ("send", "cancel") and one:
            target = {"send": "sent", "cancel": "cancelled"}[what]
            paid = any(one in paid for _, _, paid in ledger.receipts.values())
            held = ledger.status[one]
            if held == target or held == "draft" or (what == "cancel" and not paid):
                business.invoices.edit(one, {"status": target})
                ledger.status[one] = target
            else:
                with pytest.raises(BooksRefuse):
                    business.invoices.edit(one, {"status": target})
        for n, customer in enumerate(customers[:2]):
            assert books.balance(customer) == ledger.balance(n)
    books.balanced()
    for each, due in ledger.due.items():
        invoice = Invoice.objects.get(public_id=each)
        assert invoice.due_kobo == (0 if ledger.status[each] == "cancelled" else due)


def test_balances_are_exact_beyond_what_32_bits_hold(business):
    customers = [factories.customer(business), factories.customer(business)]
    for customer in customers:
        books.invoice(customer, books.line(MOST_KOBO), vat_rate=10_000)
    assert [books.balance(customer) for customer in customers] == [2 * MOST_KOBO] * 2
    loaded = Books()
    loaded.receipts = [
        Receipt(business=business, customer=each, date=books.DAY, amount_kobo=kobo, method="cash")
        for each, kobo in zip(customers, (3 * MOST_KOBO, MOST_KOBO), strict=True)
    ]
    loaded.load(business)
    assert [books.balance(customer) for customer in customers] == [-MOST_KOBO, MOST_KOBO]
    books.balanced()


def test_a_status_filter_finds_what_shows_that_status(business):
    customer, today = factories.customer(business), date(2026, 6, 1)
    dues = [None, date(2026, 5, 31), date(2026, 6, 1), date(2026, 6, 2)]
    for due in dues:
        for paid in (0, 1, 100_000):
            invoice = books.invoice(customer, due_date=due)
            if paid:
                books.receipt(customer, paid, {invoice.public_id: paid})
        books.invoice(customer, due_date=due, status="draft")
        cancelled = books.invoice(customer, due_date=due)
        business.invoices.edit(cancelled.public_id, {"status": "cancelled"})
    invoices = list(Invoice.objects.all())
    shown = {invoice.pk: invoice.status_on(today) for invoice in invoices}
    assert len(set(shown.values())) == 6
    for status in sorted(set(shown.values())):
        found = set(business.invoices.with_status(status, today).values_list("pk", flat=True))
        assert found == {pk for pk, each in shown.items() if each == status}


def owed_to_another(invoice):
    """With all sums as they should be."""
    other = factories.customer(invoice.business)
    models.QuerySet(Invoice).filter(pk=invoice.pk).update(customer=other)
    owed = invoice.total_kobo - 1
    invoice.business.customers.add_to_balances({invoice.customer_id: -owed})
    invoice.business.customers.add_to_balances({other.pk: owed})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda invoice, receipt: Invoice.objects.filter(pk=invoice.pk).update(
            paid_kobo=2, status="partially_paid"
        ),
        lambda invoice, receipt: Receipt.objects.filter(pk=receipt.pk).update(allocated_kobo=2),
        lambda invoice, receipt: invoice.business.customers.add_to_balances(
            {invoice.customer_id: 1}
        ),
        lambda invoice, receipt: invoice.business.number_series.filter(kind="INV").update(last=7),
        lambda invoice, receipt: owed_to_another(invoice),
    ],
)
def test_check_balances_sees_each_figure_that_is_wrong(business, spoil, capsys):
    customer = factories.customer(business)
    invoice = books.invoice(customer)
    receipt = books.receipt(customer, 5_000, {invoice.public_id: 1})
    assert books.balanced() == "The books of 1 businesses agree.\n"
    spoil(invoice, receipt)
    with pytest.raises(Exception, match="difference"):
        books.balanced()


def test_a_delta_sync_hears_of_a_balance(api, business):
    customer = factories.customer(business)
    # As if it had been made long ago.
    customer.itself().update(updated_at=clock.now() - timedelta(days=1))
    since = clock.iso(clock.now() - timedelta(hours=1))
    assert accepted(api.get("/v1/customers", {"updatedSince": since}))["count"] == 0
    books.invoice(customer)
    [changed] = accepted(api.get("/v1/customers", {"updatedSince": since}))["customers"]
    assert changed["accountBalanceKobo"] == 100_000
