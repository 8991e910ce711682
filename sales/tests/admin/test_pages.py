"""The staff's books: lists with filters, pages, and what a customer's page shows of them."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finora.orm.keyset import page
from finora.tests.kit import books, factories
from finora.tests.kit.staff import browser
from sales.models import Invoice

pytestmark = pytest.mark.django_db

INVOICES, RECEIPTS = "/admin/sales/invoice/", "/admin/sales/receipt/"


@pytest.fixture
def ada(business):
    return factories.customer(business, name="Ada Obi", email="ada@example.com")


def numbers(client, address, **query):
    """Of the rows that a list shows."""
    response = client.get(address, query)
    assert response.status_code == 200
    return re.findall(r">((?:INV|RCP)-\d{4}-\d{5})<", response.content.decode())


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_lists_are_newest_first_with_money_as_staff_read_it(staff, ada):
    books.invoice(ada, books.line(123_456_789), invoice_date=date(2026, 1, 1))
    books.invoice(ada, invoice_date=date(2026, 5, 1))
    books.receipt(ada, 5_000_001)
    assert numbers(staff, INVOICES) == ["INV-2026-00002", "INV-2026-00001"]
    shown = staff.get(INVOICES).content.decode()
    assert re.search(r'class="field-total[^"]*">₦1,234,567.89<', shown)
    assert "Ada Obi" in shown
    assert "₦50,000.01" in staff.get(RECEIPTS).content.decode()


def test_filters_wait_for_a_business_and_combine(staff, ada, business, other_business):
    sent = books.invoice(ada, due_date=date(2026, 3, 21))
    books.invoice(ada, status="draft")
    theirs = factories.customer(other_business)
    books.invoice(theirs, status="draft")
    assert len(numbers(staff, INVOICES, status="draft")) == 3
    assert "Choose a business first" in staff.get(INVOICES).content.decode()
    mine = {"business": business.public_id}
    assert len(numbers(staff, INVOICES, **mine)) == 2
    assert numbers(staff, INVOICES, status="overdue", **mine) == [sent.number]
    assert len(numbers(staff, INVOICES, status="draft", **mine)) == 1
    assert numbers(staff, INVOICES, **mine, **{"from": "2026-03-21"}) == []
    assert len(numbers(staff, INVOICES, **mine, until="2026-03-20")) == 2
    of = {"customer": ada.public_id}
    assert len(numbers(staff, INVOICES, **mine, **of)) == 2
    assert len(numbers(staff, INVOICES, business=other_business.public_id, **of)) == 0


def test_void_receipts_are_there_and_told_apart(staff, ada, business):
    void, valid = books.receipt(ada), books.receipt(ada)
    business.receipts.void(void.public_id)
    mine = {"business": business.public_id}
    assert numbers(staff, RECEIPTS) == [valid.number, void.number]
    assert numbers(staff, RECEIPTS, status="void", **mine) == [void.number]
    assert numbers(staff, RECEIPTS, status="valid", **mine) == [valid.number]


@pytest.mark.parametrize("typed", ["INV-2026-00002", "inv-2026-00002", "id"])
def test_the_search_box_finds_a_number_or_an_id(staff, ada, typed):
    books.invoice(ada)
    wanted = books.invoice(ada)
    term = wanted.public_id if typed == "id" else typed
    found = staff.post(INVOICES, {"q": term}, follow=True)
    assert re.findall(r">(INV-[0-9-]+)<", found.content.decode()) == [wanted.number]


def test_pages_follow_each_other(staff, ada, business):
    for n in range(7):
        books.invoice(ada, invoice_date=date(2026, 3, 1 + n % 3))
    order = ("-business_id", "-invoice_date", "-id")
    expected = list(Invoice.objects.order_by(*order))
    place, found = "", []
    while rows := page(Invoice.objects.all(), order, count=3, beside=place):
        found += rows
        place = str(rows[-1].pk)
    assert found == expected


def test_a_page_shows_all_but_who_is_named(staff, ada):
    invoice = books.invoice(ada, books.line(70_000, "Hair of Bola", 1_500))
    receipt = books.receipt(
        ada,
        90_000,
        {invoice.public_id: 60_000},
        paid_by="Bola Ade",
        paid_by_email="bola@example.com",
        reference="from Bola",
    )
    page_of_invoice = text_of(staff.get(f"{INVOICES}{invoice.pk}/change/"))
    assert "1.5 × ₦700.00 = ₦1,050.00" in page_of_invoice
    page_of_receipt = text_of(staff.get(f"{RECEIPTS}{receipt.pk}/change/"))
    assert "b•••••@example.com" in page_of_receipt
    assert invoice.number in page_of_receipt
    for shown in (page_of_invoice, page_of_receipt):
        assert "Bola" not in shown
        assert "bola" not in shown
        assert "Ada Obi" in shown


def test_what_a_receipt_does_not_say_is_a_dash(staff, business):
    receipt = books.receipt(None, business=business)
    page = text_of(staff.get(f"{RECEIPTS}{receipt.pk}/change/"))
    for label in ("Customer", "Pays", "Paid by", "Paid by \\(email\\)", "Reference"):
        assert re.search(rf"{label}: -", page), label


def test_nothing_is_changed_there(staff, ada):
    invoice = books.invoice(ada)
    assert staff.get(f"{INVOICES}add/").status_code == 403
    assert staff.post(f"{INVOICES}{invoice.pk}/change/", {"number": "X"}).status_code == 403
    assert staff.post(f"{INVOICES}{invoice.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Invoice.objects.get().number == invoice.number


def test_a_customers_page_has_its_books_with_totals(staff, ada, business):
    invoice = books.invoice(ada, invoice_date=date(2026, 1, 1))
    books.invoice(ada, status="draft")
    books.receipt(ada, 70_000, {invoice.public_id: 60_000})
    void = books.receipt(ada)
    business.receipts.void(void.public_id)
    other = books.invoice(factories.customer(business))
    shown = staff.get(f"/admin/customers/customer/{ada.pk}/change/")
    text = text_of(shown)
    assert "1 issued , together ₦1,000.00 ₦400.00" in text
    assert "1 valid , together ₦700.00 ₦100.00" in text
    assert other.number not in text
    where = text.index("Invoices Number")
    assert text.index("INV-2026-00002", where) < text.index("INV-2026-00001", where)


@pytest.mark.parametrize("role", ["Viewer", "Editor", "Privacy officer", "Administrator"])
def test_each_role_reads_the_books_of_its_scope(settings, business, other_business, ada, role):
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": static}
    mine = books.invoice(ada)
    theirs = books.receipt(factories.customer(other_business))
    client = browser(role, scope=[business])
    assert numbers(client, INVOICES) == [mine.number]
    assert numbers(client, RECEIPTS) == []
    assert client.get(f"{RECEIPTS}{theirs.pk}/change/").status_code == 302
    found = client.post(RECEIPTS, {"q": theirs.number}, follow=True)
    assert "Nothing matches" in found.content.decode()


@pytest.mark.parametrize(("address", "table"), [(INVOICES, "invoice"), (RECEIPTS, "receipt")])
def test_a_list_asks_the_same_of_few_rows_and_of_many(staff, ada, address, table):
    make = books.invoice if table == "invoice" else books.receipt

    def asked():
        with CaptureQueriesContext(connection) as captured:
            staff.get(address)
        return len([query for query in captured if f'"sales_{table}"' in query["sql"]])

    make(ada)
    few = asked()
    for _ in range(5):
        make(ada)
    assert asked() == few == 1
