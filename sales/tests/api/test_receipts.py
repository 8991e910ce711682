"""GET, POST and DELETE of receipts, as the contract has them."""

from __future__ import annotations

import pytest

from finora import clock
from finora.audit.models import AuditEvent
from finora.tests.kit import books, factories
from finora.tests.kit.answers import accepted, refused, same_but_for_the_request_id, statements
from sales.models import Allocation, Receipt

pytestmark = pytest.mark.django_db

FIELDS = [
    "id", "businessId", "receiptNumber", "receiptType", "date", "amountKobo", "amount",
    "unallocatedAmountKobo", "unallocatedAmount", "paymentMethod", "paidBy", "paidByEmail",
    "customerId", "reference", "allocations", "createdAt",
]  # fmt: skip
CASH = {"date": "2026-03-25", "amount": 500.5, "paymentMethod": "cash"}


@pytest.fixture
def customer(business):
    return factories.customer(business)


@pytest.fixture
def invoice(customer):
    """Of 1,000 naira."""
    return books.invoice(customer)


def allocated(invoice, naira):
    return [{"invoiceId": invoice.public_id, "amountAllocated": naira}]


def made(api, **fields):
    return accepted(api.post("/v1/receipts", {**CASH, **fields}), 201)


def numbers(answer):
    data = accepted(answer)
    assert data["count"] == len(data["receipts"])
    return [receipt["receiptNumber"] for receipt in data["receipts"]]


def test_a_payment_is_answered_and_found_again(api, business, customer, invoice):
    body = {
        **CASH,
        "paymentMethod": "bank_transfer",
        "paidBy": " Ada Obi ",
        "paidByEmail": "ADA@Example.com",
        "customerId": customer.public_id,
        "reference": "TRF-1",
        "allocations": allocated(invoice, 300.25),
    }
    answer = api.post("/v1/receipts", body)
    receipt = accepted(answer, 201)
    assert list(receipt) == FIELDS
    assert answer["Location"] == f"/v1/receipts/{receipt['id']}"
    assert receipt == {
        "id": receipt["id"],
        "businessId": business.public_id,
        "receiptNumber": "RCP-2026-00001",
        "receiptType": "invoice_payment",
        "date": "2026-03-25",
        "amountKobo": 50050,
        "amount": 500.5,
        "unallocatedAmountKobo": 20025,
        "unallocatedAmount": 200.25,
        "paymentMethod": "bank_transfer",
        "paidBy": "Ada Obi",
        "paidByEmail": "ada@example.com",
        "customerId": customer.public_id,
        "reference": "TRF-1",
        "allocations": [{"invoiceId": invoice.public_id, "amountAllocated": 300.25}],
        "createdAt": receipt["createdAt"],
    }
    assert accepted(api.get(f"/v1/receipts/{receipt['id']}")) == receipt
    assert accepted(api.get("/v1/receipts"))["receipts"] == [receipt]
    shown = accepted(api.get(f"/v1/invoices/{invoice.public_id}"))
    assert (shown["status"], shown["amountDueKobo"]) == ("partially_paid", 100_000 - 30_025)
    assert books.balance(customer) == 100_000 - 50_050


def test_a_sale_over_the_counter_is_nobodys(api):
    receipt = accepted(api.post("/v1/receipts", {"amount": 1, "paymentMethod": "pos"}), 201)
    assert receipt["receiptType"] == "cash_sale"
    assert receipt["date"] == clock.today().isoformat()
    for name in ("paidBy", "paidByEmail", "customerId", "reference"):
        assert receipt[name] is None
    assert receipt["unallocatedAmountKobo"] == 100
    books.balanced()


def test_without_a_customer_it_is_the_invoices(api, customer, invoice):
    receipt = made(api, amount=1000, allocations=allocated(invoice, 1000))
    assert receipt["customerId"] == customer.public_id
    assert accepted(api.get(f"/v1/invoices/{invoice.public_id}"))["status"] == "paid"
    assert books.balance(customer) == 0


def test_one_receipt_pays_several_invoices(api, customer, invoice):
    second = books.invoice(customer)
    both = allocated(invoice, 1000) + allocated(second, 0.01)
    receipt = made(api, amount=1000.01, allocations=both)
    assert receipt["allocations"] == both
    assert accepted(api.get(f"/v1/receipts/{receipt['id']}"))["allocations"] == both
    assert receipt["unallocatedAmount"] == 0
    books.balanced()


def _of_another_customer(business, invoice):
    return allocated(books.invoice(factories.customer(business)), 1)


def _of_another_business(business, invoice):
    return allocated(books.invoice(factories.customer(factories.business())), 1)


def _cancelled(business, invoice):
    business.invoices.edit(invoice.public_id, {"status": "cancelled"})
    return allocated(invoice, 1)


def _draft(business, invoice):
    return allocated(books.invoice(invoice.customer, status="draft"), 1)


def _paid(business, invoice):
    books.receipt(None, 100_000, {invoice.public_id: 100_000}, business)
    return allocated(invoice, 1)


def _unknown(business, invoice):
    return [{"invoiceId": f"inv_{'0' * 26}", "amountAllocated": 1}]


@pytest.mark.parametrize(
    "of",
    [
        _of_another_customer,
        _of_another_business,
        _cancelled,
        _draft,
        _paid,
        _unknown,
        lambda business, invoice: allocated(invoice, 1000.01),
        lambda business, invoice: allocated(invoice, 600),
        lambda business, invoice: allocated(invoice, 1) + _of_another_customer(business, invoice),
        lambda business, invoice: allocated(invoice, 1) + _unknown(business, invoice),
    ],
)
def test_what_the_books_do_not_allow_writes_nothing(api, business, customer, invoice, of):
    allocations = of(business, invoice)
    body = {
        **CASH,
        "amount": 500 if allocations[0]["amountAllocated"] == 600 else 2000,
        "customerId": customer.public_id,
        "allocations": allocations,
    }
    before = Receipt.objects.count(), Allocation.objects.count(), AuditEvent.objects.count()
    balance = books.balance(customer)
    refused(api.post("/v1/receipts", body), 422, "BUSINESS_LOGIC_ERROR", ["allocations"])
    after = Receipt.objects.count(), Allocation.objects.count(), AuditEvent.objects.count()
    assert (after, books.balance(customer)) == (before, balance)
    books.balanced()
    free = accepted(api.post("/v1/receipts", CASH), 201)["receiptNumber"]
    assert free == f"RCP-2026-{before[0] + 1:05}"


def test_another_businesss_invoice_and_none_are_the_same_answer(api, customer, other_business):
    theirs = books.invoice(factories.customer(other_business))
    answers = [
        api.post(
            "/v1/receipts",
            {**CASH, "allocations": [{"invoiceId": each, "amountAllocated": 1}]},
        )
        for each in (theirs.public_id, f"inv_{'0' * 26}")
    ]
    assert same_but_for_the_request_id(*answers)


WRONG = [
    ("amount", None), ("amount", 0), ("amount", -1), ("amount", "5"), ("amount", 1.005),
    ("amount", 100_000_000.01), ("amount", True),
    ("date", "today"), ("date", 1), ("date", None),
    ("paymentMethod", None), ("paymentMethod", "barter"), ("paymentMethod", 1),
    ("paidBy", 5), ("paidBy", "x" * 201), ("paidBy", "a\0b"),
    ("paidByEmail", "ada"), ("paidByEmail", ["a@b.co"]),
    ("customerId", 5), ("customerId", "x" * 41),
    ("reference", {}), ("reference", "x" * 101), ("reference", "a\nb"),
    ("allocations", None), ("allocations", {}), ("allocations", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), WRONG, ids=lambda v: ascii(v)[:30])
def test_a_wrong_field_is_named_and_nothing_is_made(api, field, value):
    answer = api.post("/v1/receipts", {**CASH, field: value})
    refused(answer, 400, "VALIDATION_ERROR", [field])
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"), [("invoiceId", None), ("invoiceId", 1), ("amountAllocated", 0.001)]
)
def test_a_wrong_allocation_is_named_by_its_place(api, invoice, field, value):
    wrong = [{**allocated(invoice, 1)[0], field: value}]
    answer = api.post("/v1/receipts", {**CASH, "allocations": wrong})
    refused(answer, 400, "VALIDATION_ERROR", [f"allocations[0].{field}"])


def test_an_invoice_is_named_once(api, invoice):
    twice = allocated(invoice, 1) * 2
    answer = api.post("/v1/receipts", {**CASH, "allocations": twice})
    refused(answer, 400, "VALIDATION_ERROR", ["allocations[1].invoiceId"])


def test_a_void_receipt_counts_no_longer(api, customer, invoice):
    receipt = made(api, amount=1000, allocations=allocated(invoice, 900))
    path = f"/v1/receipts/{receipt['id']}"
    void = accepted(api.delete(path))
    assert void == receipt | {
        "receiptType": "cash_sale",
        "allocations": [],
        "unallocatedAmountKobo": 0,
        "unallocatedAmount": 0,
    }
    assert accepted(api.delete(path)) == accepted(api.get(path)) == void
    assert numbers(api.get("/v1/receipts")) == []
    assert books.balance(customer) == 100_000
    assert accepted(api.get(f"/v1/invoices/{invoice.public_id}"))["status"] == "sent"
    assert AuditEvent.objects.filter(action="voided", subject=receipt["id"]).count() == 1
    assert made(api)["receiptNumber"] == "RCP-2026-00002"
    books.balanced()


def test_another_businesss_receipt_is_as_if_it_did_not_exist(api, other_api):
    receipt = made(api)
    for method in ("GET", "DELETE"):
        theirs = other_api.call(method, f"/v1/receipts/{receipt['id']}")
        unknown = other_api.call(method, f"/v1/receipts/rcpt_{'0' * 26}")
        refused(theirs, 404, "NOT_FOUND")
        assert same_but_for_the_request_id(theirs, unknown)
    assert numbers(api.get("/v1/receipts")) == [receipt["receiptNumber"]]


def test_a_list_is_newest_first_and_walks_by_cursor(api, customer):
    days = ["2026-03-20", "2026-01-01", "2026-03-20", "2025-07-07"]
    receipts = [made(api, date=day, customerId=customer.public_id) for day in days]
    order = [receipts[n]["receiptNumber"] for n in (2, 0, 1, 3)]
    for query in ({}, {"customerId": customer.public_id}, {"to": "2026-12-31"}):
        seen, cursor = [], None
        while True:
            answer = api.get("/v1/receipts", {"limit": 3, "cursor": cursor, **query})
            seen += numbers(answer)
            if not (cursor := answer.json()["meta"].get("nextCursor")):
                break
        assert seen == order
    assert numbers(api.get("/v1/receipts", {"from": "2026-01-01", "to": "2026-03-19"})) == [
        order[2]
    ]


def test_the_same_key_takes_money_once(api, customer, invoice):
    body = {**CASH, "amount": 1000, "allocations": allocated(invoice, 1000)}
    first, again = (
        api.post("/v1/receipts", body, headers={"idempotency-key": "pay-1"}) for _ in range(2)
    )
    assert accepted(first, 201) == accepted(again, 201)
    assert again["Idempotency-Replayed"] == "true"
    assert books.balance(customer) == 0


def test_what_each_call_asks_of_the_database(api, customer, invoice):
    key = "SELECT tenants_apikey"
    rows = [key, "SELECT sales_receipt", "SELECT sales_allocation"]
    receipt = made(api, amount=1000, allocations=allocated(invoice, 1000))
    assert statements(lambda: api.get("/v1/receipts")) == rows
    assert statements(lambda: api.get(f"/v1/receipts/{receipt['id']}")) == rows
    second = books.invoice(customer)
    paid = {**CASH, "customerId": customer.public_id, "allocations": allocated(second, 1)}
    assert statements(lambda: api.post("/v1/receipts", paid)) == [
        key,
        "SELECT customers_customer",
        "SELECT sales_invoice",
        "UPDATE sales_invoice",
        "UPDATE sales_numberseries",
        "SELECT sales_numberseries",
        "INSERT sales_receipt",
        "INSERT audit_auditevent",
        "INSERT sales_allocation",
        "UPDATE customers_customer",
    ]


def test_the_database_holds_no_payer_in_plain(api):
    made(api, paidBy="Ada Obi", paidByEmail="ada@example.com", reference="from Ada Obi")
    row = Receipt.objects.values().get()
    for name in ("paid_by", "paid_by_email", "reference"):
        assert row[name].stored.startswith("s1.")
