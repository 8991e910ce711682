"""GET /v1/customers: its filters, and delta sync by them."""

from datetime import UTC, datetime, timedelta

import pytest

from customers.api import answers
from customers.models import Customer
from finora.tests.kit import factories
from finora.tests.kit.answers import accepted, names, refused

LIST = "/v1/customers"
DAY = datetime(2026, 3, 20, 9, 15, tzinfo=UTC)


def created(business, name, at, **fields):
    return factories.customer(business, name=name, created_at=at, **fields)


# --- Filters --------------------------------------------------------------------------------------


@pytest.fixture
def ada(business):
    ada = created(
        business, "Ada", DAY, email="ada@example.com", phone="0803 123 4567", tin="12345678-0001"
    )
    created(business, "Bola", DAY + timedelta(days=1), phone="0803 123 4568", tin="1234567890")
    created(business, "Chidi", DAY + timedelta(days=2)).delete()
    return ada


@pytest.mark.parametrize(
    "query",
    [
        {"email": "ada@example.com"},
        {"email": " ADA@Example.COM "},
        {"phone": "+2348031234567"},
        {"phone": "08031234567"},
        {"phone": "0803-123-4567"},
        {"phone": "234 803 123 4567"},
        {"tin": "123456780001"},
        {"tin": "12345678 0001"},
        {"tin": "1234-5678-0001"},
        {"createdTo": "2026-03-20T09:15:00.000Z"},
        {"createdTo": "2026-03-20T10:15:00+01:00"},
        {"createdFrom": "2026-03-20T09:15:00Z", "createdTo": "2026-03-21T09:14:59.999Z"},
        {"email": "ada@example.com", "phone": "08031234567", "tin": "12345678-0001"},
        {"email": "ada@example.com", "createdFrom": "2026-03-20", "status": "all", "limit": "1"},
    ],
)
def test_filters_find_one_in_any_spelling(api, ada, query):
    assert names(api.get(LIST, query)) == ["Ada"]


@pytest.mark.parametrize(
    "query",
    [
        {"email": "nobody@example.com"},
        {"phone": "0803 123 4569"},
        {"phone": "—"},
        {"tin": "12345678-0002"},
        {"createdTo": "2026-03-20T09:14:59.999Z"},
        {"createdFrom": "2026-03-23T00:00:00Z", "status": "all"},
        {"email": "ada@example.com", "phone": "0803 123 4568"},
        {"email": "ada@example.com", "status": "inactive"},
        {"updatedSince": "9999-12-31T23:59:59Z"},
    ],
)
def test_filters_that_nobody_meets_give_an_empty_list(api, ada, query):
    assert names(api.get(LIST, query)) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Ada", "Bola"]),
        ({"status": "active"}, ["Ada", "Bola"]),
        ({"status": "inactive"}, ["Chidi"]),
        ({"status": "all"}, ["Ada", "Bola", "Chidi"]),
        ({"createdFrom": "2026-03-21T09:15:00.000Z"}, ["Bola"]),
        ({"createdFrom": "2026-03-21T09:15:00.000Z", "status": "all"}, ["Bola", "Chidi"]),
        ({"createdFrom": "0001-01-01T00:00:00Z"}, ["Ada", "Bola"]),
        ({"updatedSince": "2026-03-20T00:00:00Z", "status": "inactive"}, ["Chidi"]),
        ({"unknown": "x", "page": "7", "is_active": "false", "name": "Z"}, ["Ada", "Bola"]),
    ],
)
def test_status_and_times_choose(api, ada, query, expected):
    assert names(api.get(LIST, query)) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("email", "not an address"),
        ("email", "a@b@c.de"),
        ("email", "a\0@example.com"),
        ("email", f"{'a' * 250}@example.com"),
        ("phone", "0" * 33),
        ("phone", "0803\0"),
        ("tin", "TIN_1"),
        ("tin", "---"),
        ("tin", "1" * 33),
        ("status", "deleted"),
        ("status", "ACTIVE"),
        *[
            (name, value)
            for name in ("createdFrom", "createdTo", "updatedSince")
            for value in (
                "yesterday",
                "2026-13-01T00:00:00Z",
                "2026-02-30T00:00:00Z",
                "1774000000",
                "2026-03-20T25:00:00Z",
                "0001-01-01T00:00:00+14:00",
                "9999-12-31T23:59:59-14:00",
                "2026-03-20T09:15:00.000Z\0",
            )
        ],
        *[
            (name, value)
            for name in (
                "email",
                "phone",
                "tin",
                "createdFrom",
                "createdTo",
                "updatedSince",
                "status",
            )
            for value in ("", "  ")
        ],
    ],
)
def test_a_wrong_or_empty_filter_is_refused_by_its_name(api, business, name, value):
    factories.customer(business)
    refused(api.get(LIST, {name: value}), 400, "INVALID_REQUEST", [name])


def test_filters_stay_in_the_business(api, other_business):
    factories.customer(
        other_business, email="ada@example.com", phone="08031234567", tin="1234567890"
    )
    for query in ({"email": "ada@example.com"}, {"phone": "08031234567"}, {"tin": "1234567890"}):
        assert names(api.get(LIST, query)) == []


def test_equal_names_sort_by_id_whatever_found_them(api, business):
    """No index on the way holds them in this order."""
    for n in range(9, 0, -1):
        factories.customer(business, name="Ada", phone="n/a", public_id=f"cust_{n}")
    found = accepted(api.get(LIST, {"phone": "N/A", "createdFrom": "2020-01-01"}))["customers"]
    assert [customer["id"] for customer in found] == [f"cust_{n}" for n in range(1, 10)]


# --- Delta sync -----------------------------------------------------------------------------------


def test_a_sync_gets_what_changed_since_the_last_answer(api, business):
    stays = factories.customer(business, name="Stays")
    changes = factories.customer(business, name="Changes")
    goes = factories.customer(business, name="Goes")
    long_ago = DAY - timedelta(days=30)
    Customer.objects.update(updated_at=long_ago)
    since = api.get(LIST, {"status": "all"}).json()["meta"]["timestamp"]

    accepted(api.put(f"{LIST}/{changes.public_id}", {"phone": "n/a"}))
    accepted(api.delete(f"{LIST}/{goes.public_id}"))
    accepted(api.post(LIST, {"name": "New", "email": "new@example.com"}), 201)
    delta = api.get(LIST, {"status": "all", "updatedSince": since})
    assert names(delta) == ["Changes", "Goes", "New"]
    assert [c["isActive"] for c in accepted(delta)["customers"]] == [True, False, True]
    stays.delete()
    stays.restore()
    assert "Stays" in names(api.get(LIST, {"updatedSince": since}))


def test_a_change_made_while_the_list_was_answered_is_in_the_next_delta(api, business, monkeypatch):
    """The timestamp of an answer is from before its rows were read."""
    factories.customer(business, name="First")
    show = answers.customer_data

    def show_late(customer):
        monkeypatch.setattr(answers, "customer_data", show)
        factories.customer(business, name="Late")
        return show(customer)

    monkeypatch.setattr(answers, "customer_data", show_late)
    answer = api.get(LIST)
    assert names(answer) == ["First"]
    Customer.objects.filter(name="First").update(updated_at=DAY - timedelta(days=30))
    since = answer.json()["meta"]["timestamp"]
    assert names(api.get(LIST, {"updatedSince": since})) == ["Late"]


def test_a_customers_own_createdAt_selects_it(api, business):
    customer = factories.customer(business)
    at = accepted(api.get(f"{LIST}/{customer.public_id}"))["createdAt"]
    assert accepted(api.get(LIST, {"createdFrom": at, "createdTo": at}))["count"] == 1
