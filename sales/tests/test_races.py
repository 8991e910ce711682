"""What holds when many change the books at once: real threads, each with its own connection."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from django.db import connection, transaction

from customers.models import Customer
from finora.tests.kit import books, factories
from finora.tests.kit.races import together
from sales.errors import BooksRefuse
from sales.models import Invoice, Receipt

pytestmark = pytest.mark.django_db(transaction=True)

CALLERS = 12


def tried(call, *args, **kwargs):
    """What the call answers, or None where the books refuse it."""
    try:
        return call(*args, **kwargs)
    except BooksRefuse:
        return None


def test_numbers_have_neither_gap_nor_repeat(business, other_business):
    customers = [factories.customer(each) for each in (business, business, other_business)]
    calls = [partial(books.invoice, customers[n % 3]) for n in range(CALLERS)]
    calls += [partial(books.receipt, customers[n % 3]) for n in range(CALLERS)]
    together(*calls)
    for each, count in ((business, 8), (other_business, 4)):
        for rows, kind in ((each.invoices, "INV"), (each.receipts, "RCP")):
            given = rows.order_by("number").values_list("number", flat=True)
            assert list(given) == [f"{kind}-2026-{n:05}" for n in range(1, count + 1)]
    books.balanced()


def test_an_invoice_is_not_paid_twice(business):
    customer = factories.customer(business)
    for _ in range(3):
        invoice = books.invoice(customer)
        pay = partial(books.receipt, customer, 40_000, {invoice.public_id: 40_000})
        paid = together(*[partial(tried, pay)] * 6)
        assert sum(each is not None for each in paid) == 2
        invoice.refresh_from_db()
        assert (invoice.paid_kobo, invoice.status) == (80_000, "partially_paid")
    assert books.balance(customer) == 3 * 20_000
    books.balanced()


def test_a_receipt_is_voided_once(business):
    customer = factories.customer(business)
    invoice = books.invoice(customer)
    receipt = books.receipt(customer, 50_000, {invoice.public_id: 30_000})
    together(*[partial(business.receipts.void, receipt.public_id)] * 6)
    assert books.balance(customer) == 100_000
    books.balanced()


def test_of_cancelling_and_paying_one_wins(business):
    customer = factories.customer(business)
    for _ in range(6):
        invoice = books.invoice(customer)
        pay = partial(books.receipt, customer, 100_000, {invoice.public_id: 100_000})
        cancel = partial(business.invoices.edit, invoice.public_id, {"status": "cancelled"})
        paid, cancelled = together(partial(tried, pay), partial(tried, cancel))
        assert (paid is None) != (cancelled is None)
    assert books.balance(customer) == 0
    books.balanced()


def test_drafts_that_change_customers_meet_no_deadlock(business):
    first, second = factories.customer(business), factories.customer(business)
    drafts = [books.invoice(each, status="draft") for each in (first, second, first, second)]
    moves = [
        partial(
            tried,
            business.invoices.edit,
            draft.public_id,
            {"customer_id": to.public_id, "status": status},
        )
        for draft in drafts
        for to, status in ((first, "draft"), (second, "draft"), (first, "sent"))
    ]
    together(*moves)
    assert Invoice.objects.filter(status="sent", customer=first).count() == 4
    assert books.balance(first) == 400_000
    books.balanced()


@pytest.mark.postgres
def test_customers_are_locked_in_one_order_by_whoever_locks_several(business):
    """A draft changes hands while both customers are deleted: who waits for the second one, behind
    a third who has it, must have the first one already, or stand behind who does.
    """
    first = factories.customer(business, public_id="cust_z")
    second = factories.customer(business, public_id="cust_a")  # first by id, but not by key
    draft = books.invoice(first, status="draft")
    held, moved = threading.Event(), {"customer_id": second.public_id}

    def hold():
        with transaction.atomic():
            business.customers.lock(second.public_id)
            held.set()
            until_waiting(2)

    def edit():
        held.wait(20)
        tried(business.invoices.edit, draft.public_id, moved)

    def delete():
        held.wait(20)
        until_waiting(1)
        return business.customers.all().delete()[0]

    *_, deleted = together(hold, edit, delete)
    assert deleted == 2
    books.balanced()


def until_waiting(count):
    """Until so many others wait for a lock in this database."""
    for _ in range(1000):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()"
            )
            if cursor.fetchone()[0] >= count:
                return
            cursor.execute("SELECT pg_stat_clear_snapshot(), pg_sleep(0.01)")


def test_any_mix_at_once_leaves_balances_that_agree(business):
    customers = [factories.customer(business) for _ in range(2)]
    invoices = [books.invoice(customers[n % 2]) for n in range(6)]
    receipts = [
        books.receipt(customers[n % 2], 70_000, {invoices[n].public_id: 60_000}) for n in range(4)
    ]
    calls = [partial(business.receipts.void, each.public_id) for each in receipts[:2]]
    calls += [
        partial(tried, business.invoices.edit, each.public_id, {"status": "cancelled"})
        for each in invoices
    ]
    calls += [
        partial(tried, books.receipt, None, 9_000, {each.public_id: 8_000}, business)
        for each in invoices
    ]
    calls += [partial(books.invoice, each) for each in customers]
    calls += [partial(books.receipt, each, 1_234) for each in customers]
    together(*calls)
    books.balanced()


def test_whoever_saves_a_customer_meanwhile_keeps_its_balance(business):
    customer = factories.customer(business, name="Before")
    held = Customer.objects.get(pk=customer.pk)
    books.invoice(customer)
    held.name = "After"
    held.save()
    assert books.balance(customer) == 100_000
    assert Customer.objects.get(pk=customer.pk).name == "After"
    books.balanced()


def test_a_customer_is_erased_with_whatever_comes_in_meanwhile(business):
    for _ in range(4):
        customer = factories.customer(business)
        named = partial(books.receipt, customer, 5_000, paid_by="Ada Obi", reference="for Ada")
        drawn_up = partial(books.invoice, customer, books.line(5_000, "Hair of Ada Obi"))
        together(partial(tried, named), customer.erase, partial(tried, drawn_up))
        for row in Receipt.objects.filter(customer=customer):
            assert (row.paid_by, row.paid_by_email, row.reference) == (None, None, None)
        for row in Invoice.objects.filter(customer=customer):
            assert [each.description for each in row.lines] == [None]
    books.balanced()
