"""Each statement about the books names their business: of every way that leads to one."""

from __future__ import annotations

import pytest

from finora.tests.kit import books, factories
from finora.tests.kit.tenant_statements import each_of_one_business
from sales import person
from sales.balances import differences

pytestmark = pytest.mark.django_db


def test_the_endpoints(api, business, other_business):
    customer, other = factories.customer(business), factories.customer(business)
    books.invoice(factories.customer(other_business))
    item = {"description": "Advice", "unitPrice": 100}
    body = {"customerId": customer.public_id, "lineItems": [item]}
    of = {"customerId": customer.public_id, "from": "2026-01-01", "to": "2999-01-01"}
    key = {"Idempotency-Key": "order-1"}
    with each_of_one_business() as watch:
        made = api.post("/v1/invoices", body, headers=key).json()["data"]
        path = f"/v1/invoices/{made['id']}"
        paid = {
            "amount": 50,
            "paymentMethod": "cash",
            "allocations": [{"invoiceId": made["id"], "amountAllocated": 50}],
        }
        answers = [
            api.post("/v1/invoices", body, headers=key),
            api.put(path, {"customerId": other.public_id}),
            api.put(path, {"customerId": customer.public_id, "status": "sent"}),
            api.put(path, {"vatRate": 0}),
            api.get(path),
            api.get("/v1/invoices"),
            api.get("/v1/invoices", {**of, "status": "sent"}),
            api.get("/v1/invoices", {"status": "overdue"}),
            receipt := api.post("/v1/receipts", paid),
            api.get("/v1/receipts"),
            api.get("/v1/receipts", of),
            api.get(f"/v1/receipts/{receipt.json()['data']['id']}"),
            api.delete(f"/v1/receipts/{receipt.json()['data']['id']}"),
            api.put(path, {"status": "cancelled"}),
        ]
    assert [answer.status_code for answer in answers] == [
        201, 200, 200, 422, 200, 200, 200, 200, 201, 200, 200, 200, 200, 200,
    ]  # fmt: skip
    assert len(watch.seen) > len(answers)


def test_an_erasure_and_the_sums(business):
    customer = factories.customer(business)
    invoice = books.invoice(customer)
    books.receipt(customer, 500, {invoice.public_id: 400}, paid_by="Ada")
    with each_of_one_business():
        assert list(differences(business)) == []
        assert [*person._invoices(customer), *person._receipts(customer)]
        customer.erase()
