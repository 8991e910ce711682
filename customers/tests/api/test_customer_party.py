"""GET /v1/customers/{id}/party."""

import pytest

from finora.tests.kit import factories
from finora.tests.kit.answers import accepted, refused, same_but_for_the_request_id

pytestmark = pytest.mark.django_db
WHOLE = {
    "name": "Ada Obi",
    "company_name": "Acme Technologies Ltd",
    "email": "finance@acme.com",
    "phone": "0801 234 5678",
    "tin": "12345678-0001",
    "address": "15 Adeola Odeku St, Victoria Island, Lagos",
}


def party(api, customer):
    return api.get(f"/v1/customers/{customer.public_id}/party")


def test_a_whole_customer_is_a_party(api, business):
    answer = party(api, factories.customer(business, **WHOLE))
    assert accepted(answer) == {
        "party_name": "Acme Technologies Ltd",
        "tin": "12345678-0001",
        "email": "finance@acme.com",
        "telephone": "+2348012345678",
        "postal_address": {
            "street_name": "15 Adeola Odeku St, Victoria Island",
            "city_name": "Lagos",
            "postal_zone": None,
            "country": "NG",
        },
    }
    assert answer.json()["meta"]["notFound"] == ["postal_zone", "country"]


def test_a_person_is_named_and_a_phone_that_is_no_number_is_as_it_is(api, business):
    whole = WHOLE | {"company_name": None, "phone": "ask at the shop"}
    data = accepted(party(api, factories.customer(business, **whole)))
    assert (data["party_name"], data["telephone"]) == ("Ada Obi", "ask at the shop")


@pytest.mark.parametrize(
    ("lacks", "named"),
    [
        (["tin"], ["tin"]),
        (["phone"], ["telephone"]),
        (["address"], ["postal_address"]),
        (["tin", "phone", "address"], ["tin", "telephone", "postal_address"]),
    ],
)
def test_each_field_that_is_missing_is_named(api, business, lacks, named):
    customer = factories.customer(business, **WHOLE | dict.fromkeys(lacks))
    refused(party(api, customer), 422, "BUSINESS_LOGIC_ERROR", named)
    # The staff's filter says the same.
    assert list(business.customers.not_ready_for_e_invoice()) == [customer]
    assert not business.customers.ready_for_e_invoice().exists()


def test_the_filter_leaves_whoever_is_a_party(business):
    customer = factories.customer(business, **WHOLE)
    assert list(business.customers.ready_for_e_invoice()) == [customer]
    assert not business.customers.not_ready_for_e_invoice().exists()


def test_another_businesss_customer_is_as_if_it_did_not_exist(api, other_api, business):
    customer = factories.customer(business, **WHOLE)
    unknown = other_api.get(f"/v1/customers/cust_{'0' * 26}/party")
    refused(unknown, 404, "NOT_FOUND")
    assert same_but_for_the_request_id(unknown, party(other_api, customer))
