"""GET /v1/customers/{id}."""

import re

import pytest

from finora.tests.kit import factories
from finora.tests.kit.answers import accepted, refused, same_but_for_the_request_id, statements

FIELDS = [
    "id",
    "name",
    "email",
    "phone",
    "address",
    "tin",
    "companyName",
    "accountBalanceKobo",
    "accountBalance",
    "isActive",
    "createdAt",
]


def path(customer):
    return f"/v1/customers/{customer.public_id}"


def test_it_shows_the_eleven_fields_in_order(api, business):
    customer = factories.customer(
        business,
        name="Acme Ltd",
        email="finance@acme.com",
        phone="+2348012345678",
        address="15 Adeola Odeku St, Victoria Island, Lagos",
        tin="12345678-0001",
        company_name="Acme Technologies Ltd",
    )
    shown = accepted(api.get(path(customer)))
    assert list(shown) == FIELDS
    at = shown.pop("createdAt")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", at)
    assert shown == {
        "id": customer.public_id,
        "name": "Acme Ltd",
        "email": "finance@acme.com",
        "phone": "+2348012345678",
        "address": "15 Adeola Odeku St, Victoria Island, Lagos",
        "tin": "12345678-0001",
        "companyName": "Acme Technologies Ltd",
        "accountBalanceKobo": 0,
        "accountBalance": 0,
        "isActive": True,
    }


def test_what_is_absent_is_null(api, business):
    shown = accepted(api.get(path(factories.customer(business))))
    assert list(shown) == FIELDS
    absent = {"phone": None, "address": None, "tin": None, "companyName": None}
    assert shown.items() >= absent.items()


def test_an_inactive_one_is_shown_too(api, business):
    customer = factories.customer(business)
    customer.delete()
    assert accepted(api.get(path(customer)))["isActive"] is False


@pytest.mark.parametrize(
    ("kobo", "naira"),
    [
        (0, "0"),
        (53_750_000, "537500"),
        (125_050, "1250.5"),
        (5, "0.05"),
        (10, "0.1"),
        (99, "0.99"),
        (100, "1"),
        (1, "0.01"),
        (-1, "-0.01"),
        (-10, "-0.1"),
        (-50_000, "-500"),
        (-125_055, "-1250.55"),
        (1_999, "19.99"),
        (30_000_000_000_000_003, "300000000000000.03"),
        (2**63 - 1, "92233720368547758.07"),
        (-(2**63), "-92233720368547758.08"),
    ],
)
def test_the_balance_is_exact_to_the_kobo(api, business, kobo, naira):
    """As text: a JSON reader would make a binary float of it and hide the noise."""
    customer = factories.customer(business, account_balance_kobo=kobo)
    text = api.get(path(customer)).content.decode()
    assert f'"accountBalanceKobo":{kobo},"accountBalance":{naira},' in text


@pytest.mark.parametrize(
    "id",
    [
        "cust_00000000000000000000000000",
        "cust_",
        "x",
        "1",
        "0",
        "-1",
        "None",
        "%00",
        "%0A",
        "cust_%00",
        "cust_%ff",
        "%F0%9F%98%80",
        "%25",
        "_",
        "'%20OR%201=1--",
        "a" * 3000,
    ],
)
def test_what_is_no_id_here_is_not_found(api, business, id):
    factories.customer(business)
    random = api.get("/v1/customers/cust_01m856xg30stvj9jcm4w45f70m")
    response = api.get(f"/v1/customers/{id}")
    refused(response, 404, "NOT_FOUND")
    assert same_but_for_the_request_id(random, response)


def test_an_id_is_matched_whole_and_exactly(api, business):
    customer = factories.customer(business)
    for other in (customer.public_id.upper(), customer.public_id[:-1], customer.public_id + "%0A"):
        refused(api.get(f"/v1/customers/{other}"), 404, "NOT_FOUND")
    refused(api.get(f"/v1/customers/{customer.pk}"), 404, "NOT_FOUND")


def test_it_needs_no_business_id(api, business):
    customer = factories.customer(business)
    accepted(api.call("GET", path(customer)))
    accepted(api.call("GET", path(customer) + "?businessId="))


def test_it_costs_one_query_beside_authentication(api, business):
    customer = factories.customer(business, phone="1", address="2", tin="3")
    api.get(path(customer))
    assert statements(lambda: api.get(path(customer))) == [
        "SELECT tenants_apikey",
        "SELECT customers_customer",
    ]


def test_an_unreadable_one_is_our_fault_and_shows_nothing(api, business, caplog):
    customer = factories.customer(business, address="1 Marina")
    token = factories.stored(customer, "address")
    factories.store(customer, "address", token[:-8])
    response = api.get(path(customer))
    request_id = refused(response, 500, "INTERNAL_ERROR")["requestId"]
    assert token[:20] not in response.content.decode() + caplog.text
    assert response["X-Request-Id"] == request_id
