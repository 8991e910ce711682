"""DELETE /v1/customers/{id}."""

from customers.models import Customer
from finora.tests.kit import factories
from finora.tests.kit.answers import (
    accepted,
    names,
    refused,
    same_but_for_the_request_id,
    statements,
)


def path(customer):
    return f"/v1/customers/{customer.public_id}"


def times(customer):
    return Customer.objects.values_list("deleted_at", "updated_at").get(pk=customer.pk)


def test_it_answers_the_id_and_that_it_is_inactive(api, business):
    customer = factories.customer(business)
    assert accepted(api.delete(path(customer))) == {"id": customer.public_id, "isActive": False}


def test_again_gives_the_same_answer_and_changes_nothing(api, business):
    customer = factories.customer(business)
    first = accepted(api.delete(path(customer)))
    before = times(customer)
    assert accepted(api.delete(path(customer))) == first
    assert times(customer) == before


def test_nothing_is_removed(api, business):
    customer = factories.customer(business, phone="0803", address="here", tin="12")
    shown = accepted(api.get(path(customer)))
    accepted(api.delete(path(customer)))
    assert accepted(api.get(path(customer))) == shown | {"isActive": False}


def test_it_leaves_list_and_search(api, business):
    customer = factories.customer(business, name="Acme")
    accepted(api.delete(path(customer)))
    assert names(api.get("/v1/customers")) == []
    assert names(api.get("/v1/customers/search", {"q": "acme"})) == []


def test_the_email_becomes_free(api, business):
    customer = factories.customer(business, email="ada@example.com")
    accepted(api.delete(path(customer)))
    body = {"name": "Ada", "email": "Ada@example.com"}
    made = accepted(api.post("/v1/customers", body), 201)
    assert made["id"] != customer.public_id
    assert accepted(api.get(path(customer)))["email"] == "ada@example.com"


def test_an_inactive_one_stays_deleted_while_its_email_is_in_use(api, business):
    customer = factories.customer(business, email="ada@example.com")
    accepted(api.delete(path(customer)))
    factories.customer(business, email="ada@example.com")
    assert accepted(api.delete(path(customer)))["isActive"] is False
    assert names(api.get("/v1/customers", {"email": "ada@example.com"})) != []


def test_it_touches_no_other_customer(api, business, other_business):
    factories.customer(business, name="Stays")
    elsewhere = factories.customer(other_business)
    accepted(api.delete(path(factories.customer(business))))
    assert names(api.get("/v1/customers")) == ["Stays"]
    elsewhere.refresh_from_db()
    assert elsewhere.is_active


def test_an_unknown_id_is_not_found(api):
    random = api.delete("/v1/customers/cust_01m856xg30stvj9jcm4w45f70m")
    refused(random, 404, "NOT_FOUND")
    for id in ("%00", "x", "cust_%F0%9F%98%80"):
        assert same_but_for_the_request_id(random, api.delete(f"/v1/customers/{id}"))


def test_a_body_is_not_looked_at(api, business):
    accepted(api.delete(path(factories.customer(business)), body=b"{broken"))


def test_an_unreadable_customer_can_be_deleted(api, business):
    customer = factories.customer(business)
    factories.store(customer, "email", "s1.AAAA")
    accepted(api.delete(path(customer)))


def test_its_cost(api, business):
    customer = factories.customer(business)
    api.get("/v1/customers")
    assert statements(lambda: api.delete(path(customer))) == [
        "SELECT tenants_apikey",
        "SELECT customers_customer",
        "SELECT customers_customer",
        "UPDATE customers_customer",
        "INSERT customers_unpacked",
        "INSERT audit_auditevent",
    ]
