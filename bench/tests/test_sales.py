"""Books that are not right end the section of invoices."""

import pytest
from django.core.management.base import CommandError
from django.db import connection

from bench import sales
from bench.checks import Wrong
from customers.models import Customer
from finora.tests.kit import books, factories

pytestmark = pytest.mark.django_db


def test_a_kobo_too_much_of_ours_is_a_failure():
    customer = factories.customer(factories.business())
    books.invoice(customer, status="sent")
    assert sales.add_up(customer.business) == 1
    balance = Customer.objects.get(pk=customer.pk).account_balance_kobo
    factories.store(customer, "account_balance_kobo", balance + 1)
    with pytest.raises(CommandError, match="1 differences"):
        sales.add_up(customer.business)


@pytest.fixture
def reference(db):
    """What of its books is added up: a balance of 700, by an open invoice and a paid one."""
    with connection.cursor() as cursor:
        for table in (
            "customer (id int, business_id text, account_balance_kobo bigint)",
            "invoice (business_id text, number text, customer_id int, status text,"
            " total_kobo bigint, paid_kobo bigint)",
            "invoicecounter (business_id text, year int, last int)",
        ):
            cursor.execute(f"CREATE TEMPORARY TABLE reference_{table}")
        cursor.execute("INSERT INTO reference_customer VALUES (1, 'biz', 700), (2, 'biz', 0)")
        cursor.execute(
            "INSERT INTO reference_invoice VALUES"
            " ('biz', 'INV-2026-00001', 1, 'partially_paid', 900, 200),"
            " ('biz', 'INV-2026-00002', 1, 'paid', 500, 500),"
            " ('biz', 'INV-2026-00003', 2, 'draft', 500, 0)"
        )
        cursor.execute("INSERT INTO reference_invoicecounter VALUES ('biz', 2026, 3)")
        yield cursor


def test_the_references_books_are_right(reference):
    assert sales.add_up_reference(reference, "biz") == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE reference_customer SET account_balance_kobo = 1 WHERE id = 2", "1 wrong balances"),
        ("UPDATE reference_invoice SET paid_kobo = 201 WHERE total_kobo = 900", "1 wrong balances"),
        ("UPDATE reference_invoicecounter SET last = 4", "1 wrong numbers"),
    ],
    ids=["balance", "paid", "gap"],
)
def test_what_is_not_right_of_the_references_is_a_failure(reference, change, said):
    reference.execute(change)
    with pytest.raises(Wrong, match=said):
        sales.add_up_reference(reference, "biz")
