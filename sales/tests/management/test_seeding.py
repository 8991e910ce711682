"""manage.py seed_customers and demo: books from which every balance follows."""

from __future__ import annotations

from datetime import date
from io import StringIO
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum

from customers.management.commands import seed_customers
from customers.models import Customer
from finora.audit.models import AuditEvent
from finora.orm import copying
from finora.tenants.models import Business
from finora.tests.kit import books, factories
from sales.management import history
from sales.management.commands import seed_customers as module
from sales.models import Allocation, Invoice, Receipt

pytestmark = pytest.mark.django_db


def seed(business, count, **options):
    out = StringIO()
    call_command("seed_customers", business.public_id, count=count, stdout=out, **options)
    return out.getvalue().strip()


def stood(business):
    """Of all that is there."""
    books_ = (business.invoices, business.receipts, business.allocations)
    balances = business.customers.order_by("pk").values_list("pk", "account_balance_kobo")
    return [*balances, *(list(rows.order_by("pk").values_list("pk")) for rows in books_)]


def history_of(business):
    """Who has which invoices."""
    rows = business.invoices.order_by("pk").select_related("customer")
    return [(row.customer.email, row.number, row.total_kobo, row.paid_kobo) for row in rows]


def test_seeded_customers_come_with_the_books_that_their_balances_follow_from(business):
    said = seed(business, 200)
    assert said == "Made 200 customers; 0 were there. Made 200 invoices with them."
    assert business.invoices.count() == 200
    assert business.receipts.count() > 100
    assert business.customers.exclude(account_balance_kobo=0).count() > 20
    assert books.balanced() == "The books of 1 businesses agree.\n"
    assert set(Invoice.objects.values_list("status", flat=True)) == set(Invoice.Status.values)
    assert Invoice.objects.first().lines[0].description
    assert AuditEvent.objects.filter(action="imported", subject=business.public_id).exists()


@pytest.mark.parametrize("invoices", [0, 7, 150])
def test_so_many_invoices_are_made_as_were_asked_for(business, monkeypatch, invoices):
    monkeypatch.setattr(seed_customers, "BATCH", 20)
    monkeypatch.setattr(module, "LOADED_AT_ONCE", 11)
    assert seed(business, 50, invoices=invoices).endswith(f" Made {invoices} invoices with them.")
    assert business.invoices.count() == invoices
    books.balanced()


def test_the_same_seed_makes_the_same_history(business, other_business):
    seed(business, 30)
    seed(other_business, 30)
    assert history_of(business) == history_of(other_business)
    another = factories.business()
    seed(another, 30, seed=1)
    assert history_of(another) != history_of(business)


def test_a_complete_run_adds_nothing_and_a_longer_one_the_rest(business):
    seed(business, 30)
    before = stood(business)
    assert seed(business, 30) == "Made 0 customers; 30 were there. Made 0 invoices with them."
    assert stood(business) == before
    assert seed(business, 45) == "Made 15 customers; 30 were there. Made 15 invoices with them."
    books.balanced()


@pytest.mark.parametrize("fails_at", [5, 6, 8, 11])
def test_cut_off_it_leaves_no_customer_without_its_books(
    business, other_business, monkeypatch, fails_at
):
    monkeypatch.setattr(seed_customers, "BATCH", 10)
    insert, calls = copying.NewRows.insert, []

    def cut_off(self):
        calls.append(1)
        if len(calls) == fails_at:
            raise KeyboardInterrupt
        insert(self)

    with monkeypatch.context() as patched:
        patched.setattr(copying.NewRows, "insert", cut_off)
        with pytest.raises(KeyboardInterrupt):
            seed(business, 30)
    done = (fails_at - 1) // 4 * 10  # customers, invoices, receipts, allocations
    assert (business.customers.count(), business.invoices.count()) == (done, done)
    books.balanced()
    seed(business, 30)
    seed(other_business, 30)
    assert history_of(business) == history_of(other_business)
    books.balanced()


def test_loaded_numbers_follow_those_that_are_there(business):
    customer = factories.customer(business)
    books.invoice(customer)
    seed(business, 12, invoices=30)
    by_year: dict[str, list[int]] = {}
    for number in Invoice.objects.values_list("number", flat=True):
        by_year.setdefault(number[4:8], []).append(int(number[9:]))
    for numbers in by_year.values():
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
    books.balanced()


def test_what_is_loaded_is_what_the_verbs_would_have_made(business):
    """Held against the same books, recorded one by one."""
    twin = factories.business()
    for each in (business, twin):
        for n in range(8):
            factories.customer(each, name=f"Customer {n}", email=f"c{n}@example.com")
    today = date(2026, 6, 30)
    made = [
        history.make(each, list(each.customers.order_by("pk")), Random(3), today, 100)
        for each in (business, twin)
    ]
    made[0].load(business)
    for invoice in sorted(made[1].invoices, key=lambda invoice: invoice.invoice_date):
        paid = invoice.paid_kobo
        recorded = twin.invoices.record(
            customer_id=invoice.customer.public_id,
            invoice_date=invoice.invoice_date,
            due_date=invoice.due_date,
            lines=invoice.lines,
            vat_rate=invoice.vat_rate,
            status="draft" if invoice.status in ("draft", "cancelled") else "sent",
        )
        if invoice.status == "cancelled":
            twin.invoices.edit(recorded.public_id, {"status": "cancelled"})
        if paid:
            books.receipt(None, paid, {recorded.public_id: paid}, twin)
    columns = ("number", "total_kobo", "vat_kobo", "paid_kobo", "status", "invoice_date")
    assert list(business.invoices.order_by("number").values(*columns)) == list(
        twin.invoices.order_by("number").values(*columns)
    )
    owed = business.invoices.open().aggregate(kobo=Sum("total_kobo") - Sum("paid_kobo"))
    assert owed == twin.invoices.open().aggregate(kobo=Sum("total_kobo") - Sum("paid_kobo"))
    assert Receipt.objects.filter(business=business).count() == len(made[0].receipts)
    assert Allocation.objects.filter(business=business).count() == len(made[0].allocations)
    books.balanced()


def test_fewer_than_no_invoices_are_refused(business):
    with pytest.raises(CommandError, match="0 or more"):
        seed(business, 1, invoices=-1)
    assert not Customer.objects.exists()


def test_a_fresh_demos_balances_are_what_its_books_come_to(settings):
    settings.FINORA_ENVIRONMENT = "test"
    said = StringIO()
    call_command("demo", stdout=said)
    business = Business.objects.get()
    assert f"{business.invoices.count()} invoices" in said.getvalue()
    assert business.invoices.count() > 100
    assert business.customers.exclude(account_balance_kobo=0).count() > 20
    assert books.balanced() == "The books of 1 businesses agree.\n"
