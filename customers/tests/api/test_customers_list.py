"""GET /v1/customers: order, pages, and what it costs."""

import re
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from customers.models import Customer
from finora import text
from finora.tests.kit import factories
from finora.tests.kit.answers import accepted, names, refused, statements

LIST = "/v1/customers"
DAY = datetime(2026, 3, 20, 9, 15, tzinfo=UTC)


def walk(api, query):
    """The ids that a walk over all pages gives, and how many pages it took."""
    seen, pages = [], 0
    while True:
        response = api.get(LIST, query)
        seen += [customer["id"] for customer in accepted(response)["customers"]]
        pages += 1
        cursor = response.json()["meta"].get("nextCursor")
        if cursor is None:
            return seen, pages
        query = {**query, "cursor": cursor}


# --- What it holds, and in which order ------------------------------------------------------------


def test_an_empty_directory_is_an_empty_list(api):
    assert accepted(api.get(LIST)) == {"customers": [], "count": 0}


def test_the_answer_holds_customers_and_count_only(api, business):
    factories.customer(business)
    response = api.get(LIST)
    assert set(accepted(response)) == {"customers", "count"}
    assert set(response.json()["meta"]) == {"requestId", "timestamp", "rateLimit"}


def test_a_listed_customer_is_what_get_one_shows(api, business):
    customer = factories.customer(business, phone="n/a", tin="1234567890", address="a\nb")
    listed = accepted(api.get(LIST))["customers"]
    assert listed == [accepted(api.get(f"{LIST}/{customer.public_id}"))]


def test_inactive_ones_are_left_out(api, business):
    factories.customer(business, name="Stays")
    factories.customer(business, name="Gone").delete()
    assert names(api.get(LIST)) == ["Stays"]


def test_names_sort_without_case_or_accents(api, business):
    for name in ("zoe", "Émile", "emeka", "Ádé", "ada", "Zainab", "ADE ola", "Ọla", "ola b"):
        factories.customer(business, name=name)
    expected = ["ada", "Ádé", "ADE ola", "emeka", "Émile", "Ọla", "ola b", "Zainab", "zoe"]
    assert names(api.get(LIST)) == expected


def test_equal_names_sort_by_id(api, business):
    made = [factories.customer(business, name=n) for n in ("Adé", "ade", "ADE", "ade\u0301") * 3]
    ids = [customer["id"] for customer in accepted(api.get(LIST))["customers"]]
    assert ids == sorted(customer.public_id for customer in made)
    assert walk(api, {"limit": 1})[0] == ids


def test_a_page_in_the_middle_of_equal_names_goes_on_with_the_next_one(api, business):
    for name in ("A", "Same", "Same", "same", "SAME", "Z"):
        factories.customer(business, name=name)
    everything, _ = walk(api, {})
    assert walk(api, {"limit": 2}) == (everything, 3)


# --- limit and cursor -----------------------------------------------------------------------------


def test_fifty_are_shown_by_default(api, business):
    Customer.objects.bulk_create(
        Customer(business=business, name=f"N{n}", email=f"n{n}@example.com") for n in range(51)
    )
    response = api.get(LIST)
    assert accepted(response)["count"] == 50
    assert "nextCursor" in response.json()["meta"]


@pytest.mark.parametrize("limit", [1, 2, 99, 100])
def test_a_limit_from_1_to_100_is_kept(api, business, limit):
    Customer.objects.bulk_create(
        Customer(business=business, name=f"N{n}", email=f"n{n}@example.com") for n in range(101)
    )
    assert accepted(api.get(LIST, {"limit": limit}))["count"] == limit


@pytest.mark.parametrize(
    "limit",
    [
        "",
        "0",
        "101",
        "-1",
        "1.5",
        "1e1",
        "ten",
        " 5",
        "5 ",
        "+5",
        "05",
        "٥",
        "5\n",
        "9" * 5000,
        "null",
        "\0",
    ],
)
def test_any_other_limit_is_refused(api, limit):
    refused(api.get(LIST, {"limit": limit}), 400, "INVALID_REQUEST", ["limit"])


def test_the_last_page_has_no_cursor_even_when_it_is_full(api, business):
    for _ in range(4):
        factories.customer(business)
    assert walk(api, {"limit": 2})[1] == 2
    assert "nextCursor" not in api.get(LIST, {"limit": 4}).json()["meta"]


def test_a_walk_gives_every_row_once_while_rows_are_inserted_and_renamed(api, business):
    rows = [factories.customer(business, name=f"Name {n:02}") for n in range(20)]
    renamed_back, renamed_ahead = rows[1], rows[18]
    seen, query = [], {"limit": 3}
    for page in range(100):
        response = api.get(LIST, query)
        seen += [customer["id"] for customer in accepted(response)["customers"]]
        if "nextCursor" not in response.json()["meta"]:
            break
        query["cursor"] = response.json()["meta"]["nextCursor"]
        factories.customer(business, name=f"A{page}")  # behind the walk
        if page < 5:
            factories.customer(business, name=f"Name 1{page}")  # ahead of it
        if page == 1:
            # One that was shown moves back to the start, one still to come moves to the end.
            accepted(api.put(f"{LIST}/{renamed_back.public_id}", {"name": "Aa"}))
            accepted(api.put(f"{LIST}/{renamed_ahead.public_id}", {"name": "Zz"}))
    assert len(seen) == len(set(seen))
    assert {row.public_id for row in rows} <= set(seen)
    assert seen[-1] == renamed_ahead.public_id


def test_a_walk_goes_on_when_the_row_it_stands_on_is_deleted(api, business):
    for name in "ABCD":
        factories.customer(business, name=name)
    first = api.get(LIST, {"limit": 2})
    accepted(api.delete(f"{LIST}/{accepted(first)['customers'][1]['id']}"))
    cursor = first.json()["meta"]["nextCursor"]
    assert names(api.get(LIST, {"cursor": cursor})) == ["C", "D"]


def test_a_cursor_goes_with_filters(api, business):
    for n in range(5):
        factories.customer(business, name=f"N{n}").delete()
        factories.customer(business, name=f"N{n}")
    everyone, pages = walk(api, {"limit": 3, "status": "all"})
    assert (len(set(everyone)), pages) == (10, 4)
    gone, _ = walk(api, {"limit": 2, "status": "inactive"})
    assert len(set(gone)) == 5


def test_a_cursor_shows_nothing_of_the_name_it_stands_on(api, business):
    factories.customer(business, name="Adebayo")
    factories.customer(business, name="Bola")
    cursor = api.get(LIST, {"limit": 1}).json()["meta"]["nextCursor"]
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
    assert "adebayo" not in cursor.lower()


@pytest.mark.parametrize(
    "cursor", ["", " ", "x", "0", "AAAA", "a" * 60, "ä", "\0", "A" * 9000, "=="]
)
def test_a_cursor_the_list_never_gave_is_refused(api, cursor):
    refused(api.get(LIST, {"cursor": cursor}), 400, "INVALID_REQUEST", ["cursor"])


def test_a_changed_cursor_is_refused(api, business):
    for name in "AB":
        factories.customer(business, name=name)
    cursor = api.get(LIST, {"limit": 1}).json()["meta"]["nextCursor"]
    # Not the last character: some of its bits say nothing.
    for at in (0, 10, 30, len(cursor) - 2):
        other = "B" if cursor[at] == "A" else "A"
        forged = cursor[:at] + other + cursor[at + 1 :]
        refused(api.get(LIST, {"cursor": forged}), 400, "INVALID_REQUEST", ["cursor"])
    refused(api.get(LIST, {"cursor": cursor[:-4]}), 400, "INVALID_REQUEST", ["cursor"])


def test_a_sealed_value_is_no_cursor(api, business):
    token = factories.stored(factories.customer(business), "email").removeprefix("s1.")
    cursor = token.replace("+", "-").replace("/", "_").rstrip("=")
    refused(api.get(LIST, {"cursor": cursor}), 400, "INVALID_REQUEST", ["cursor"])


def test_the_longest_names_have_a_place_in_the_list(api, business):
    """Each of these characters folds to eighteen: the sort key is cut to what an index takes."""
    long = "ﷺ" * 200
    assert len(text.fold(long).encode()) > 6000
    for n in range(3):
        body = {"name": long, "email": f"n{n}@example.com"}
        assert accepted(api.post(LIST, body), 201)["name"] == long
    ids, pages = walk(api, {"limit": 1})
    assert (len(set(ids)), pages) == (3, 3)


# --- Cost, and one bad row ------------------------------------------------------------------------


def test_a_list_costs_one_query_beside_authentication(api, business):
    for _ in range(3):
        factories.customer(business, phone="0803 123 4567")
    api.get(LIST)  # the key's use is written, at most once a minute
    queries = ["SELECT tenants_apikey", "SELECT customers_customer"]
    cursor = api.get(LIST, {"limit": 1}).json()["meta"]["nextCursor"]
    for query in ({}, {"cursor": cursor}, {"phone": "08031234567", "status": "all"}):
        assert statements(lambda query=query: api.get(LIST, query)) == queries


def test_one_unreadable_row_leaves_the_list_standing(api, business, caplog):
    rows = [factories.customer(business, name=name) for name in "ABC"]
    secret = factories.stored(rows[1], "email")
    factories.store(rows[1], "email", factories.stored(rows[0], "email"))
    response = api.get(LIST)
    assert names(response) == ["A", "C"]
    assert response.json()["meta"]["unreadable"] == [rows[1].public_id]
    assert rows[1].public_id in str([getattr(r, "fields", "") for r in caplog.records])
    assert secret not in caplog.text


def test_an_unreadable_row_does_not_end_a_walk(api, business):
    rows = [factories.customer(business, name=name) for name in "ABCDE"]
    for row in rows[1:3]:
        factories.store(row, "phone", "s1.AAAA")
    ids, pages = walk(api, {"limit": 2})
    assert ids == [rows[0].public_id, rows[3].public_id, rows[4].public_id]
    assert pages == 3


def test_the_order_is_the_same_in_every_page(api, business):
    for n in range(12):
        factories.customer(business, name="ABCdefÉ"[n % 7] * 2)
    keys = {c.public_id: (text.name_key(c.name), c.public_id) for c in Customer.objects.all()}
    ids, _ = walk(api, {"limit": 5})
    assert all(keys[a] < keys[b] for a, b in pairwise(ids))
