"""POST /v1/customers/find-or-create."""

import pytest

from customers.models import Customer
from finora.tests.kit import factories
from finora.tests.kit.answers import accepted, names, refused, statements
from finora.tests.kit.bodies import BROKEN, GOOD_EMAILS, IGNORED, LONGEST_EMAIL

PATH = "/v1/customers/find-or-create"
TAKEN = ("email", "name", "phone")


def test_the_first_call_makes_the_customer(api, business):
    body = {"email": "Jane@Example.com", "name": "Jane Doe", "phone": "0803 123 4567"}
    made = accepted(api.post(PATH, body), 201)
    customer = Customer.objects.get()
    assert made == {
        "id": customer.public_id,
        "name": "Jane Doe",
        "email": "jane@example.com",
        "created": True,
    }
    assert list(made) == ["id", "name", "email", "created"]
    assert customer.phone == "0803 123 4567"
    assert customer.business == business


@pytest.mark.parametrize("email", ["jane@example.com", "JANE@EXAMPLE.COM", " Jane@example.com\n"])
def test_the_next_call_finds_it_and_changes_nothing(api, business, email):
    customer = factories.customer(business, email="jane@example.com", name="Jane", phone="1")
    body = {"email": email, "name": "Other", "phone": "2"}
    assert accepted(api.post(PATH, body)) == {
        "id": customer.public_id,
        "name": "Jane",
        "email": "jane@example.com",
        "created": False,
    }
    customer = Customer.objects.get()
    assert (customer.name, customer.phone) == ("Jane", "1")


@pytest.mark.parametrize("name", [{}, {"name": None}, {"name": ""}, {"name": " \t\u3000"}])
def test_without_a_name_it_is_the_local_part(api, name):
    made = accepted(api.post(PATH, {"email": "Jane.Doe+shop@Example.com"} | name), 201)
    assert made["name"] == "jane.doe+shop"


@pytest.mark.parametrize("email", GOOD_EMAILS)
def test_every_good_email_makes_and_finds_one_customer(api, email):
    made = accepted(api.post(PATH, {"email": email}), 201)
    assert made["email"] == email
    assert made["name"] == email.rpartition("@")[0]
    again = accepted(api.post(PATH, {"email": email.upper() if email.isascii() else email}))
    assert again == made | {"created": False}


def test_a_local_part_longer_than_a_name_is_cut(api):
    local = "l" * 240
    made = accepted(api.post(PATH, {"email": f"{local}@example.com"}), 201)
    assert made["name"] == local[:200]


def test_it_does_not_find_the_inactive_or_those_of_another_business(api, business, other_business):
    gone = factories.customer(business, email=LONGEST_EMAIL)
    gone.delete()
    factories.customer(other_business, email=LONGEST_EMAIL)
    made = accepted(api.post(PATH, {"email": LONGEST_EMAIL}), 201)
    assert made["id"] != gone.public_id
    assert names(api.get("/v1/customers", {"status": "inactive"})) == [gone.name]


@pytest.mark.parametrize("body", [{}, {"name": "Jane", "phone": "1"}, {"Email": "a@b.co"}])
def test_the_email_is_required(api, body):
    refused(api.post(PATH, body), 400, "VALIDATION_ERROR", ["email"])


@pytest.mark.parametrize(
    ("field", "value"),
    # A name or phone of null or white space is one that was not given.
    [
        (f, v)
        for f, v in BROKEN
        if f in TAKEN and (f == "email" or (v is not None and v != "" and v != " \t\n\u3000"))
    ],
    ids=lambda v: ascii(v)[:40],
)
def test_a_broken_rule_names_its_field(api, business, field, value):
    body = {"email": "jane@example.com", field: value}
    refused(api.post(PATH, body), 400, "VALIDATION_ERROR", [field])
    assert not Customer.objects.exists()


def test_other_fields_are_not_taken(api, business):
    body = {
        "email": "a@b.co",
        "address": "1 Marina",
        "companyName": 5,
        "tin": "\0",
        "created": False,
    }
    assert accepted(api.post(PATH, IGNORED | body), 201)["created"] is True
    customer = Customer.objects.get()
    assert (customer.address, customer.company_name, customer.tin) == (None, None, None)
    assert customer.business == business
    assert customer.is_active


def test_what_it_makes_is_a_customer_like_any_other(api):
    made = accepted(api.post(PATH, {"email": "jane@example.com", "phone": "08031234567"}), 201)
    shown = accepted(api.get(f"/v1/customers/{made['id']}"))
    assert shown["phone"] == "08031234567"
    assert len(shown) == 11
    assert names(api.get("/v1/customers", {"phone": "+2348031234567"})) == ["jane"]
    error = refused(
        api.post("/v1/customers", {"name": "J", "email": "JANE@example.com"}), 409, "CONFLICT"
    )
    assert made["id"] in error["message"]


def test_a_found_one_that_cannot_be_read_is_our_fault(api, business):
    customer = factories.customer(business, email="jane@example.com")
    factories.store(customer, "email", "s1.AAAA")
    refused(api.post(PATH, {"email": "jane@example.com"}), 500, "INTERNAL_ERROR")
    assert Customer.objects.count() == 1


def test_its_cost(api):
    api.get("/v1/customers")
    body = {"email": "jane@example.com"}
    lookup = ["SELECT tenants_apikey", "SELECT customers_customer"]
    assert statements(lambda: api.post(PATH, body)) == [
        *lookup,
        "INSERT customers_customer",
        "INSERT audit_auditevent",
        "INSERT customers_unpacked",
    ]
    assert statements(lambda: api.post(PATH, body)) == lookup
