"""GET, POST and PUT of invoices, as the contract has them."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from finora import clock
from finora.audit.models import AuditEvent
from finora.tenants.models import Business
from finora.tests.kit import books, factories
from finora.tests.kit.answers import accepted, refused, same_but_for_the_request_id, statements
from sales.models import Invoice

pytestmark = pytest.mark.django_db

FIELDS = [
    "id", "businessId", "invoiceNumber", "customerId", "invoiceDate", "dueDate", "lineItems",
    "subtotalKobo", "vatRate", "vatAmountKobo", "totalKobo", "total", "amountDueKobo", "status",
    "createdAt",
]  # fmt: skip
LINE = {"description": "Bookkeeping", "quantity": 2, "unitPrice": 1250.55}


@pytest.fixture
def customer(business):
    return factories.customer(business)


def body(customer, **fields):
    return {
        "customerId": customer.public_id,
        "invoiceDate": "2026-03-20",
        "dueDate": "2026-04-19",
        "lineItems": [LINE],
        **fields,
    }


def made(api, customer, **fields):
    return accepted(api.post("/v1/invoices", body(customer, **fields)), 201)


def balance(api, customer):
    return accepted(api.get(f"/v1/customers/{customer.public_id}"))["accountBalanceKobo"]


def numbers(answer):
    data = accepted(answer)
    assert data["count"] == len(data["invoices"])
    return [invoice["invoiceNumber"] for invoice in data["invoices"]]


def test_a_created_invoice_is_answered_and_found_again(api, business, customer):
    answer = api.post("/v1/invoices", body(customer))
    invoice = accepted(answer, 201)
    assert list(invoice) == FIELDS
    assert answer["Location"] == f"/v1/invoices/{invoice['id']}"
    assert invoice == {
        "id": invoice["id"],
        "businessId": business.public_id,
        "invoiceNumber": "INV-2026-00001",
        "customerId": customer.public_id,
        "invoiceDate": "2026-03-20",
        "dueDate": "2026-04-19",
        "lineItems": [
            {
                "description": "Bookkeeping",
                "quantity": 2,
                "unitPrice": 1250.55,
                "amountKobo": 250110,
                "amount": 2501.1,
            }
        ],
        "subtotalKobo": 250110,
        "vatRate": 7.5,
        "vatAmountKobo": 18758,  # 18,758.25
        "totalKobo": 268868,
        "total": 2688.68,
        "amountDueKobo": 268868,
        "status": "draft",
        "createdAt": invoice["createdAt"],
    }
    assert accepted(api.get(f"/v1/invoices/{invoice['id']}")) == invoice
    assert accepted(api.get("/v1/invoices"))["invoices"] == [invoice]


def test_what_is_left_out_has_its_default(api, customer):
    item = {"description": "Advice", "unitPrice": 100}
    invoice = accepted(
        api.post("/v1/invoices", {"customerId": customer.public_id, "lineItems": [item]}), 201
    )
    assert invoice["invoiceDate"] == clock.today().isoformat()
    assert (invoice["dueDate"], invoice["vatRate"], invoice["status"]) == (None, 7.5, "draft")
    assert invoice["lineItems"][0]["quantity"] == 1


@pytest.mark.parametrize(
    ("price", "rate", "vat"),
    [
        (0.2, 7.5, 2),  # 1.5 kobo: half up
        (0.6, 7.5, 5),  # 4.5
        (0.06, 7.5, 0),  # 0.45
        (100, 0, 0),
        (100, 100, 10000),
        (33.33, 12.34, 411),  # 411.2922
        (100_000_000, 7.5, 750_000_000),
    ],
)
def test_vat_is_rounded_half_up_on_the_whole_invoice(api, customer, price, rate, vat):
    item = {"description": "x", "unitPrice": price}
    invoice = made(api, customer, lineItems=[item], vatRate=rate)
    assert invoice["vatAmountKobo"] == vat
    assert invoice["totalKobo"] == invoice["subtotalKobo"] + vat


def test_vat_is_of_the_sum_and_not_of_each_line(api, customer):
    items = [{"description": "x", "unitPrice": 0.06}] * 4
    invoice = made(api, customer, lineItems=items)
    assert (invoice["subtotalKobo"], invoice["vatAmountKobo"]) == (24, 2)  # 4 × 0.45 = 1.8


def test_amounts_are_exact_to_the_last_kobo(api, customer):
    item = {"description": "x", "quantity": 0.125, "unitPrice": 99999999.92}
    invoice = made(api, customer, lineItems=[item], vatRate=0)
    assert invoice["totalKobo"] == 1_249_999_999
    raw = api.get(f"/v1/invoices/{invoice['id']}").content
    assert b'"unitPrice":99999999.92' in raw
    assert b'"total":12499999.99' in raw


WRONG = [
    ("customerId", None), ("customerId", ""), ("customerId", 7), ("customerId", "x" * 41),
    ("invoiceDate", None), ("invoiceDate", "20.3.2026"), ("invoiceDate", "2026-02-30"),
    ("invoiceDate", "2026-03-20T00:00:00Z"), ("invoiceDate", 20260320), ("invoiceDate", ""),
    ("dueDate", "soon"), ("dueDate", 0), ("dueDate", "2026-03-19"),
    ("lineItems", None), ("lineItems", []), ("lineItems", {}), ("lineItems", "x"),
    ("lineItems", [LINE] * 101),
    ("vatRate", -1), ("vatRate", 100.01), ("vatRate", 7.555), ("vatRate", "7.5"),
    ("vatRate", True), ("vatRate", None),
    ("status", "paid"), ("status", "overdue"), ("status", "cancelled"), ("status", 1),
    ("status", None), ("status", ""),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), WRONG, ids=lambda v: ascii(v)[:30])
def test_a_wrong_field_is_named_and_nothing_is_made(api, customer, field, value):
    refused(
        api.post("/v1/invoices", body(customer, **{field: value})), 400, "VALIDATION_ERROR", [field]
    )
    assert not Invoice.objects.exists()


WRONG_LINES = [
    ("description", None), ("description", ""), ("description", 5), ("description", "x" * 201),
    ("description", "a\0b"),
    ("quantity", 0), ("quantity", -1), ("quantity", "1"), ("quantity", 0.0001),
    ("quantity", 1_000_001), ("quantity", True), ("quantity", None), ("quantity", 1.001),
    ("unitPrice", 0), ("unitPrice", -5), ("unitPrice", 0.001), ("unitPrice", 1.005),
    ("unitPrice", 100_000_000.01), ("unitPrice", "100"), ("unitPrice", False),
    ("unitPrice", None), ("unitPrice", []),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), WRONG_LINES, ids=lambda v: ascii(v)[:30])
def test_a_wrong_line_is_named_by_its_place(api, customer, field, value):
    items = [LINE, {**LINE, field: value}]
    wrong = [f"lineItems[1].{field}"]
    refused(
        api.post("/v1/invoices", body(customer, lineItems=items)), 400, "VALIDATION_ERROR", wrong
    )


def test_a_line_that_is_no_object_is_named(api, customer):
    items = body(customer, lineItems=[7])
    refused(api.post("/v1/invoices", items), 400, "VALIDATION_ERROR", ["lineItems[0]"])


@pytest.mark.parametrize(
    "price",
    ["1.000000000000000000000000000000000001", "1e-3", "1e400", "1e99999999999999999999", "-0.0"],
)
def test_a_number_is_read_as_it_is_written(api, customer, price):
    raw = (
        f'{{"customerId": "{customer.public_id}",'
        f' "lineItems": [{{"description": "x", "unitPrice": {price}}}]}}'
    )
    assert api.post("/v1/invoices", raw.encode()).status_code == 400
    assert not Invoice.objects.exists()


@pytest.mark.parametrize("zero", ["0e999999999", "0e-999999999", "-0e999999999"])
def test_a_zero_is_not_multiplied_out(api, customer, zero):
    raw = (
        f'{{"customerId": "{customer.public_id}", "vatRate": {zero},'
        ' "lineItems": [{"description": "x", "unitPrice": 1}]}'
    )
    assert accepted(api.post("/v1/invoices", raw.encode()), 201)["vatRate"] == 0


def test_lines_that_come_to_more_than_the_bound_are_refused(api, customer):
    item = {"description": "x", "unitPrice": 60_000_000}
    answer = api.post("/v1/invoices", body(customer, lineItems=[item, item]))
    refused(answer, 400, "VALIDATION_ERROR", ["lineItems"])
    answer = api.post("/v1/invoices", body(customer, lineItems=[{**item, "quantity": 2}]))
    refused(answer, 400, "VALIDATION_ERROR", ["lineItems[0].quantity"])


def test_a_customer_that_is_not_there_not_ours_or_inactive_is_refused(
    api, business, other_business
):
    gone = factories.customer(business)
    gone.delete()
    stranger = factories.customer(other_business)
    unknown = f"cust_{uuid4().hex[:26]}"
    answers = [
        api.post("/v1/invoices", {**body(gone), "customerId": each})
        for each in (stranger.public_id, unknown, gone.public_id)
    ]
    for answer in answers:
        refused(answer, 422, "BUSINESS_LOGIC_ERROR", ["customerId"])
    assert same_but_for_the_request_id(*answers[:2])
    assert not Invoice.objects.exists()
    # The number that was not used is the next one's.
    assert made(api, factories.customer(business))["invoiceNumber"] == "INV-2026-00001"


def test_numbers_count_for_each_business_and_year(api, other_api, customer, other_business):
    assert made(api, customer)["invoiceNumber"] == "INV-2026-00001"
    assert made(api, customer, dueDate=None)["invoiceNumber"] == "INV-2026-00002"
    old = made(api, customer, invoiceDate="2025-12-31")
    assert old["invoiceNumber"] == "INV-2025-00001"
    theirs = made(other_api, factories.customer(other_business))
    assert theirs["invoiceNumber"] == "INV-2026-00001"


@pytest.mark.parametrize("last", [99_999, 9_999_999, 2**31 - 2])
def test_numbers_go_on_where_five_digits_end(api, business, customer, last):
    before = made(api, customer)
    business.number_series.filter(kind="INV").update(last=last)
    later = made(api, customer)
    assert later["invoiceNumber"] == f"INV-2026-{last + 1}"
    assert numbers(api.get("/v1/invoices")) == [later["invoiceNumber"], before["invoiceNumber"]]
    found = business.invoices.named(later["invoiceNumber"], Business.objects.all())
    assert found.get().public_id == later["id"]


def test_only_what_is_sent_is_owed(api, customer):
    draft = made(api, customer)
    assert balance(api, customer) == 0
    sent = accepted(api.put(f"/v1/invoices/{draft['id']}", {"status": "sent"}))
    assert sent["status"] in ("sent", "overdue")
    assert balance(api, customer) == sent["amountDueKobo"] == sent["totalKobo"]
    gone = accepted(api.put(f"/v1/invoices/{draft['id']}", {"status": "cancelled"}))
    assert (gone["status"], gone["amountDueKobo"]) == ("cancelled", 0)
    assert gone["totalKobo"] == sent["totalKobo"]
    assert balance(api, customer) == 0
    books.balanced()


def test_all_of_a_draft_changes(api, business, customer):
    draft, other = made(api, customer), factories.customer(business)
    changes = {
        "customerId": other.public_id,
        "invoiceDate": "2026-05-01",
        "dueDate": None,
        "lineItems": [{"description": "Audit", "quantity": 1.5, "unitPrice": 10}],
        "vatRate": 0,
        "status": "sent",
    }
    after = accepted(api.put(f"/v1/invoices/{draft['id']}", changes))
    assert after["lineItems"][0] == {
        "description": "Audit", "quantity": 1.5, "unitPrice": 10, "amountKobo": 1500, "amount": 15,
    }  # fmt: skip
    assert {name: after[name] for name in changes if name != "lineItems"} == {
        name: value for name, value in changes.items() if name != "lineItems"
    }
    assert after["invoiceNumber"] == draft["invoiceNumber"]
    assert after["totalKobo"] == balance(api, other) == 1500
    assert balance(api, customer) == 0
    books.balanced()


@pytest.mark.parametrize("status", ["sent", "cancelled"])
@pytest.mark.parametrize(
    "change",
    [
        {"lineItems": [{"description": "Audit", "unitPrice": 10}]},
        {"vatRate": 0},
        {"invoiceDate": "2026-03-19"},
        {"status": "draft"},
        {"vatRate": 0, "dueDate": "2026-12-31"},
    ],
    ids=lambda v: "-".join(v),
)
def test_what_is_issued_is_frozen(api, customer, status, change):
    invoice = made(api, customer)
    path = f"/v1/invoices/{invoice['id']}"
    before = accepted(api.put(path, {"status": status}))
    refused(api.put(path, change), 422, "BUSINESS_LOGIC_ERROR")
    assert accepted(api.get(path)) == before
    # What it holds already is no change.
    same = {name: before[name] for name in ("customerId", "invoiceDate", "vatRate", "dueDate")}
    same |= {"lineItems": [LINE], "status": status}
    events = AuditEvent.objects.count()
    assert accepted(api.put(path, same)) == before
    assert AuditEvent.objects.count() == events


def test_a_due_date_moves_while_an_invoice_is_open_and_no_longer(api, customer):
    invoice = made(api, customer, status="sent", dueDate="2026-04-01")
    path = f"/v1/invoices/{invoice['id']}"
    assert invoice["status"] == "overdue"
    assert accepted(api.put(path, {"dueDate": "2999-01-01"}))["status"] == "sent"
    assert accepted(api.put(path, {"dueDate": None}))["dueDate"] is None
    refused(api.put(path, {"dueDate": "2026-03-19"}), 400, "VALIDATION_ERROR", ["dueDate"])
    accepted(api.put(path, {"status": "cancelled"}))
    refused(api.put(path, {"dueDate": "2999-01-01"}), 422, "BUSINESS_LOGIC_ERROR", ["dueDate"])


def test_a_paid_invoice_is_not_cancelled(api, business, customer):
    invoice = made(api, customer, status="sent")
    receipt = books.receipt(customer, 10_000, {invoice["id"]: 1})
    path = f"/v1/invoices/{invoice['id']}"
    refused(api.put(path, {"status": "cancelled"}), 422, "BUSINESS_LOGIC_ERROR", ["status"])
    assert accepted(api.put(path, {"status": "sent"}))["amountDueKobo"] == invoice["totalKobo"] - 1
    business.receipts.void(receipt.public_id)
    assert accepted(api.put(path, {"status": "cancelled"}))["status"] == "cancelled"
    books.balanced()


def test_a_partial_body_still_needs_whole_lines(api, customer):
    path = f"/v1/invoices/{made(api, customer)['id']}"
    wrong = ["lineItems[0].unitPrice"]
    refused(api.put(path, {"lineItems": [{"description": "x"}]}), 400, "VALIDATION_ERROR", wrong)


def test_another_businesss_invoice_is_as_if_it_did_not_exist(api, other_api, customer):
    invoice = made(api, customer)
    for method, extra in (("GET", ()), ("PUT", ({"status": "sent"},))):
        theirs = other_api.call(method, f"/v1/invoices/{invoice['id']}", *extra)
        unknown = other_api.call(method, f"/v1/invoices/inv_{'0' * 26}", *extra)
        refused(theirs, 404, "NOT_FOUND")
        assert same_but_for_the_request_id(theirs, unknown)
    assert numbers(other_api.get("/v1/invoices", {"customerId": customer.public_id})) == []


def test_a_list_is_newest_first_and_walks_by_cursor(api, customer):
    days = ["2026-03-20", "2026-01-01", "2026-03-20", "2026-02-02", "2025-07-07", "2026-03-20"]
    invoices = [made(api, customer, invoiceDate=day, dueDate=None) for day in days]
    order = sorted(range(len(days)), key=lambda n: (days[n], n), reverse=True)
    expected = [invoices[n]["invoiceNumber"] for n in order]
    for query in ({}, {"customerId": customer.public_id}, {"status": "draft"}):
        seen, cursor = [], None
        while True:
            answer = api.get("/v1/invoices", {"limit": 2, "cursor": cursor, **query})
            seen += numbers(answer)
            cursor = answer.json()["meta"].get("nextCursor")
            if cursor is None:
                break
            if len(seen) == 2:
                made(api, customer, invoiceDate="2026-12-31", dueDate=None)
                Invoice.objects.filter(invoice_date="2026-12-31")._raw_delete("default")
        assert seen == expected
    listed = api.get("/v1/invoices", {"from": "2026-01-02", "to": "2026-02-02"})
    assert numbers(listed) == [invoices[3]["invoiceNumber"]]


def test_filters_by_status_and_customer_combine(api, business, customer):
    other = factories.customer(business)
    mine = made(api, customer, status="sent", dueDate="2026-03-21")
    made(api, other, status="sent", dueDate="2026-03-21")
    made(api, customer, status="sent", dueDate=None)
    query = {"status": "overdue", "customerId": customer.public_id}
    assert numbers(api.get("/v1/invoices", query)) == [mine["invoiceNumber"]]
    assert len(numbers(api.get("/v1/invoices", {"status": "overdue"}))) == 2
    assert len(numbers(api.get("/v1/invoices", {"status": "sent"}))) == 1
    assert numbers(api.get("/v1/invoices", {"customerId": "cust_nobody"})) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "open"), ("status", ""), ("from", "yesterday"), ("from", ""),
        ("to", "2026-13-01"), ("to", "2026-03-20T00:00:00Z"), ("customerId", ""),
        ("limit", "0"), ("limit", "101"), ("cursor", "x"), ("cursor", ""),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_refused(api, name, value):
    refused(api.get("/v1/invoices", {name: value}), 400, "INVALID_REQUEST", [name])


def test_a_cursor_of_another_list_is_refused(api, customer):
    for _ in range(2):
        made(api, customer)
    cursor = api.get("/v1/invoices", {"limit": 1}).json()["meta"]["nextCursor"]
    for path in ("/v1/receipts", "/v1/customers"):
        refused(api.get(path, {"cursor": cursor}), 400, "INVALID_REQUEST", ["cursor"])


def test_the_same_key_makes_one_invoice(api, customer):
    headers = {"idempotency-key": "order-1"}
    first, again = (api.post("/v1/invoices", body(customer), headers=headers) for _ in range(2))
    assert accepted(first, 201) == accepted(again, 201)
    assert again["Idempotency-Replayed"] == "true"
    assert again["Location"] == first["Location"]
    other = api.post("/v1/invoices", body(customer, vatRate=7.25), headers=headers)
    refused(other, 409, "CONFLICT")
    assert Invoice.objects.count() == 1


def test_an_invoice_that_cannot_be_opened_is_left_out_and_named(api, customer):
    good, bad = made(api, customer), made(api, customer)
    rows = Invoice.objects.filter(public_id=bad["id"])
    token = Invoice.objects.get(public_id=good["id"]).__dict__["descriptions"]
    rows.update(descriptions=token)
    answer = api.get("/v1/invoices")
    assert numbers(answer) == [good["invoiceNumber"]]
    assert answer.json()["meta"]["unreadable"] == [bad["id"]]


def test_what_each_call_asks_of_the_database(api, customer):
    invoice = made(api, customer)
    key = "SELECT tenants_apikey"
    one = statements(lambda: api.get(f"/v1/invoices/{invoice['id']}"))
    assert one == [key, "SELECT sales_invoice"]
    assert statements(lambda: api.get("/v1/invoices")) == [key, "SELECT sales_invoice"]
    filtered = statements(lambda: api.get("/v1/invoices", {"status": "draft"}))
    assert filtered == [key, "SELECT sales_invoice"]
    sent = statements(lambda: api.post("/v1/invoices", body(customer, status="sent")))
    assert sent == [
        key,
        "SELECT customers_customer",
        "UPDATE sales_numberseries",
        "SELECT sales_numberseries",
        "INSERT sales_invoice",
        "INSERT audit_auditevent",
        "UPDATE customers_customer",
    ]


def test_the_database_holds_no_description_in_plain(api, customer):
    invoice = made(api, customer, lineItems=[{**LINE, "description": "Hair of Ada Obi"}])
    row = Invoice.objects.filter(public_id=invoice["id"]).values().get()
    assert "Ada" not in repr({**row, "descriptions": row["descriptions"].stored})
    assert isinstance(row["total_kobo"], int)
    assert not isinstance(invoice["total"], Decimal)
