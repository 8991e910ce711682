"""manage.py seed_sales and demo: books from which every balance follows."""

from __future__ import annotations

from datetime import date
from io import StringIO
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum

from customers.models import Customer
from finora.audit.models import AuditEvent
from finora.tenants.models import Business
from finora.tests.kit import books, factories
from sales.management import history
from sales.management.commands import seed_sales as module
from sales.models import Allocation, Invoice, Receipt

pytestmark = pytest.mark.django_db


def seed(business, count, **options):
    out = StringIO()
    call_command("seed_sales", business.public_id, count=count, stdout=out, **options)
    return out.getvalue().strip()


def test_a_seeded_business_has_books_that_agree(business, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 7)
    call_command("seed_customers", business.public_id, count=20, stdout=StringIO())
    assert not Customer.objects.exclude(account_balance_kobo=0).exists()
    assert seed(business, 150) == "Made 150 invoices; 0 were there."
    assert books.balanced() == "The books of 1 businesses agree.\n"
    assert set(Invoice.objects.values_list("status", flat=True)) == set(Invoice.Status.values)
    assert max(Customer.objects.values_list("account_balance_kobo", flat=True)) > 0
    assert Invoice.objects.first().lines[0].description
    assert AuditEvent.objects.filter(action="imported", subject=business.public_id).exists()


def test_a_run_that_was_cut_off_is_made_whole(business):
    for _ in range(5):
        factories.customer(business)
    seed(business, 6)
    assert seed(business, 10) == "Made 4 invoices; 6 were there."
    assert seed(business, 10) == "Made 0 invoices; 10 were there."
    books.balanced()


def test_loaded_numbers_follow_those_that_are_there(business):
    customer = factories.customer(business)
    books.invoice(customer)
    seed(business, 12)
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
        history.make(each, each.customers.order_by("pk"), Random(3), today, 100)
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


@pytest.mark.parametrize("wrong", ["nobody", "empty", "none"])
def test_what_it_cannot_do_it_says(business, wrong):
    if wrong != "empty":
        factories.customer(business)
    name = "biz_nobody" if wrong == "nobody" else business.public_id
    with pytest.raises(CommandError):
        call_command("seed_sales", name, count=0 if wrong == "none" else 1)


def test_a_fresh_demos_balances_are_what_its_books_come_to(settings):
    settings.FINORA_ENVIRONMENT = "test"
    said = StringIO()
    call_command("demo", stdout=said)
    business = Business.objects.get()
    assert f"{business.invoices.count()} invoices" in said.getvalue()
    assert business.invoices.count() > 100
    assert business.customers.exclude(account_balance_kobo=0).count() > 20
    assert books.balanced() == "The books of 1 businesses agree.\n"
