"""The history outlives the customer: after a deletion as before, after an erasure nameless."""

from __future__ import annotations

import pytest

from finora.api.models import StoredAnswer
from finora.tests.kit import books, factories
from finora.tests.kit.answers import accepted, refused
from sales.models import Invoice, Receipt

pytestmark = pytest.mark.django_db

PERSONAL = {"description", "paidBy", "paidByEmail", "reference"}


@pytest.fixture
def customer(business):
    customer = factories.customer(business, name="Ada Obi", email="ada@example.com")
    invoice = books.invoice(customer, books.line(70_000, "Hair of Ada Obi"))
    books.invoice(customer, books.line(5_000, "Draft for Ada Obi"), status="draft")
    books.receipt(
        customer,
        90_000,
        {invoice.public_id: 60_000},
        paid_by="Ada Obi",
        paid_by_email="ada@example.com",
        reference="Ada's transfer",
    )
    return customer


def history(api, customer):
    return [
        accepted(api.get(f"/v1/{books}", {"customerId": customer.public_id}))[books]
        for books in ("invoices", "receipts")
    ]


def without_names(answer):
    if isinstance(answer, dict):
        return {k: None if k in PERSONAL else without_names(v) for k, v in answer.items()}
    return [without_names(each) for each in answer] if isinstance(answer, list) else answer


def test_a_deleted_customers_history_answers_as_before(api, customer):
    before, balance = history(api, customer), books.balance(customer)
    accepted(api.delete(f"/v1/customers/{customer.public_id}"))
    assert history(api, customer) == before
    assert accepted(api.get(f"/v1/customers/{customer.public_id}"))["accountBalanceKobo"] == balance
    books.balanced()


def test_an_erased_customers_history_names_nobody_and_its_totals_stay(api, customer):
    before, balance = history(api, customer), books.balance(customer)
    customer.erase()
    after = history(api, customer)
    assert after == without_names(before)
    assert before != after
    for path, rows in (("invoices", after[0]), ("receipts", after[1])):
        for row in rows:
            assert accepted(api.get(f"/v1/{path}/{row['id']}")) == row
            assert "Ada" not in repr(row)
    assert accepted(api.get(f"/v1/customers/{customer.public_id}"))["accountBalanceKobo"] == balance
    books.balanced()


def test_only_the_erased_customers_history_changes(business, customer):
    other = factories.customer(business)
    books.invoice(other)
    books.receipt(other, paid_by="Bola")
    customer.erase()
    assert Receipt.objects.get(customer=other).paid_by == "Bola"
    assert Invoice.objects.get(customer=other).lines[0].description == "Consulting"


def test_what_was_kept_to_be_answered_again_goes(api, customer):
    body = {
        "customerId": customer.public_id,
        "lineItems": [{"description": "Hair of Ada Obi", "unitPrice": 1}],
    }
    headers = {"idempotency-key": "k1"}
    accepted(api.post("/v1/invoices", body, headers=headers), 201)
    assert StoredAnswer.objects.count() == 1
    customer.erase()
    assert not StoredAnswer.objects.exists()


def test_what_was_kept_of_a_draft_that_became_another_customers_goes(api, business, customer):
    body = {
        "customerId": factories.customer(business).public_id,
        "lineItems": [{"description": "Hair of Ada Obi", "unitPrice": 1}],
    }
    draft = accepted(api.post("/v1/invoices", body, headers={"idempotency-key": "k1"}), 201)
    change = {"customerId": customer.public_id}
    accepted(api.put(f"/v1/invoices/{draft['id']}", change))
    customer.erase()
    assert not StoredAnswer.objects.exists()


def test_an_old_debt_is_paid_and_a_name_is_not_written_again(api, customer):
    open_ones = {"customerId": customer.public_id, "status": "partially_paid"}
    [invoice] = accepted(api.get("/v1/invoices", open_ones))["invoices"]
    customer.erase()
    body = {
        "amount": 100,
        "paymentMethod": "cash",
        "allocations": [{"invoiceId": invoice["id"], "amountAllocated": 100}],
    }
    named = body | {"paidBy": "Ada Obi"}
    refused(api.post("/v1/receipts", named), 422, "BUSINESS_LOGIC_ERROR", ["customerId"])
    accepted(api.post("/v1/receipts", body), 201)
    assert accepted(api.get(f"/v1/invoices/{invoice['id']}"))["status"] == "paid"
    books.balanced()


def test_a_draft_of_one_who_is_gone_is_neither_edited_nor_sent_but_cancelled(api, customer):
    [draft] = [i for i in history(api, customer)[0] if i["status"] == "draft"]
    customer.delete()
    path = f"/v1/invoices/{draft['id']}"
    named = {"lineItems": [{"description": "Ada Obi", "unitPrice": 1}]}
    for change in ({"status": "sent"}, named, {"status": "cancelled", **named}):
        refused(api.put(path, change), 422, "BUSINESS_LOGIC_ERROR", ["customerId"])
    assert accepted(api.put(path, {"status": "cancelled"}))["status"] == "cancelled"
    books.balanced()


def test_a_draft_does_not_go_to_one_who_was_erased_while_it_is_cancelled(api, business, customer):
    draft = books.invoice(factories.customer(business), status="draft")
    customer.erase()
    for change in ({}, {"status": "cancelled"}):
        answer = api.put(
            f"/v1/invoices/{draft.public_id}", {"customerId": customer.public_id, **change}
        )
        refused(answer, 422, "BUSINESS_LOGIC_ERROR", ["customerId"])
