"""Orders as WooCommerce and Shopify deliver them, synced through find-or-create."""

from itertools import chain, zip_longest

import pytest

from customers.models import Customer
from finora.tests.kit.answers import accepted, names, refused

SYNC = "/v1/customers/find-or-create"


def woo(number, first, last, email, phone="", customer_id=0, **billing):
    """An order of the WooCommerce REST API; guests have the customer id 0."""
    return {
        "id": number,
        "status": "processing",
        "currency": "NGN",
        "total": "2935.00",
        "customer_id": customer_id,
        "billing": {
            "first_name": first,
            "last_name": last,
            "company": "",
            "address_1": "15 Adeola Odeku St",
            "city": "Lagos",
            "country": "NG",
            "email": email,
            "phone": phone,
        }
        | billing,
        "line_items": [{"id": 315, "name": "Ankara", "quantity": 2, "total": "2935.00"}],
    }


def shopify(number, first, last, email, phone=None, order_email=None):
    """An order of the Shopify Admin API; a checkout without an account has no customer."""
    customer = {"id": number, "email": email, "first_name": first, "last_name": last}
    return {
        "order": {
            "id": 450789469 + number,
            "name": f"#{number}",
            "email": email if order_email is None else order_email,
            "phone": phone,
            "total_price": "409.94",
            "customer": customer | {"phone": phone} if email else None,
        }
    }


def body_of(order):
    """What a connector sends: the fields as the shop has them, nothing cleaned up."""
    if "billing" in order:
        who = order["billing"]
        email, phone = who["email"], who["phone"]
    else:
        order = order["order"]
        who = order["customer"] or {}
        email, phone = who.get("email") or order["email"], order["phone"]
    name = f"{who.get('first_name') or ''} {who.get('last_name') or ''}"
    return {"email": email, "name": name, "phone": phone}


WOO = [
    woo(727, "John", "Doe", "john.doe@example.com", "(555) 555-5555"),
    woo(728, "Adébáyọ̀", "Ọláńlá", "bayo@example.com", "0803 123 4567", customer_id=26),
    woo(729, "JOHN", "DOE", "John.Doe@Example.com ", "n/a", customer_id=25),
    woo(730, "", "", "nameless@example.com", ""),
    woo(731, "Chioma ", " Obi", "chioma+shop@example.com", "08031234567 / 08057654321"),
    woo(732, "Ngozi", "", "NGOZI@example.com", "+234 803 123 4568", company="Ngozi & Sons"),
    woo(733, "O'Brien", "& <b>", "ob@example.com", "01-234 5678 ext. 12"),
]
SHOPIFY = [
    shopify(1001, "John", "Doe", "john.doe@example.com"),
    shopify(1002, "Bayo", None, "BAYO@example.com", "+2348031234567"),
    shopify(1003, None, None, "quiet@example.com"),
    shopify(1004, "Bob", "Norman", "bob.norman@hostmail.com", None),
    shopify(1005, "", "", "", order_email="guest@example.com"),
]
SHOPPERS = {
    "john.doe@example.com",
    "bayo@example.com",
    "nameless@example.com",
    "chioma+shop@example.com",
    "ngozi@example.com",
    "ob@example.com",
    "quiet@example.com",
    "bob.norman@hostmail.com",
    "guest@example.com",
}
ORDERS = [o for o in chain.from_iterable(zip_longest(WOO, SHOPIFY)) if o]


def sync(api, orders):
    """For each order the id of its customer, and whether it was made for it."""
    answers = [api.post(SYNC, body_of(order)) for order in orders]
    assert {answer.status_code for answer in answers} <= {200, 201}
    return [(answer.json()["data"]["id"], answer.json()["data"]["created"]) for answer in answers]


@pytest.mark.parametrize("orders", [ORDERS, WOO + SHOPIFY, SHOPIFY + WOO, ORDERS[::-1]])
def test_there_is_one_customer_for_each_shopper(api, orders):
    first = sync(api, orders)
    again = sync(api, orders)
    interleaved = sync(api, orders[::-1])
    assert sum(created for _, created in first) == len(SHOPPERS)
    assert not any(created for _, created in again + interleaved)
    assert [id for id, _ in first] == [id for id, _ in again] == [id for id, _ in interleaved][::-1]
    assert {customer.email for customer in Customer.objects.all()} == SHOPPERS
    assert Customer.objects.count() == len(SHOPPERS)


def test_nothing_the_first_order_said_is_lost(api):
    sync(api, ORDERS * 2)
    shown = {c["email"]: c for c in accepted(api.get("/v1/customers"))["customers"]}
    assert {email: (c["name"], c["phone"]) for email, c in shown.items()} == {
        "john.doe@example.com": ("John Doe", "(555) 555-5555"),
        "bayo@example.com": ("Adébáyọ̀ Ọláńlá", "0803 123 4567"),
        "nameless@example.com": ("nameless", None),
        "chioma+shop@example.com": ("Chioma   Obi", "08031234567 / 08057654321"),
        "ngozi@example.com": ("Ngozi", "+234 803 123 4568"),
        "ob@example.com": ("O'Brien & <b>", "01-234 5678 ext. 12"),
        "quiet@example.com": ("quiet", None),
        "bob.norman@hostmail.com": ("Bob Norman", None),
        "guest@example.com": ("guest", None),
    }


def test_a_synced_shopper_is_found_by_phone_in_any_spelling(api):
    sync(api, ORDERS)
    assert names(api.get("/v1/customers", {"phone": "+2348031234567"})) == ["Adébáyọ̀ Ọláńlá"]
    assert names(api.get("/v1/customers", {"phone": "08031234568"})) == ["Ngozi"]


@pytest.mark.parametrize(
    "order",
    [
        woo(740, "Walk-in", "Guest", ""),
        woo(741, "Walk-in", "Guest", "   "),
        woo(742, "Walk-in", "Guest", None),
        woo(743, "Walk-in", "Guest", "not an address"),
        shopify(1010, "", "", "", order_email=""),
        shopify(1011, "", "", None, "+2348031234567"),
    ],
)
def test_a_guest_without_an_email_is_refused_by_that_field(api, order):
    body = body_of(order) | {"name": "Walk-in Guest"}
    if body["email"] is None:
        body["email"] = order.get("order", {}).get("email")
    refused(api.post(SYNC, body), 400, "VALIDATION_ERROR", ["email"])
    assert not Customer.objects.exists()


def test_a_whole_order_may_be_sent_as_it_is(api):
    """Unknown fields are ignored, also deep ones."""
    order = SHOPIFY[0]["order"]
    # Shopify calls the order's number its name.
    made = accepted(api.post(SYNC, order), 201)
    assert made["name"] == "#1001"
    again = accepted(api.post(SYNC, WOO[0] | {"email": "john.doe@example.com"}))
    assert again["id"] == made["id"]


def test_a_deleted_shopper_who_buys_again_is_a_new_customer(api):
    (first, _), *_ = sync(api, WOO[:1])
    accepted(api.delete(f"/v1/customers/{first}"))
    (second, created), *_ = sync(api, WOO[:1])
    assert created
    assert second != first
    assert accepted(api.get(f"/v1/customers/{first}"))["isActive"] is False
