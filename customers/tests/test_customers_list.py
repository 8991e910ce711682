"""GET /v1/customers: order, pages, filters, delta sync, and what it costs."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from customers import normalize
from customers.api import views
from customers.models import Customer
from customers.tests import factories
from customers.tests.answers import accepted, names, refused, statements

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


def created(business, name, at, **fields):
    return factories.customer(business, name=name, created_at=at, **fields)


# --- What it holds, and in which order ----------------------------------------------------------


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


# --- limit and cursor ---------------------------------------------------------------------------


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
    ["", "0", "101", "-1", "1.5", "1e1", "ten", " 5", "5 ", "+5", "05", "٥", "5\n", "9" * 5000, "null", "\0"],
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


@pytest.mark.parametrize("cursor", ["", " ", "x", "0", "AAAA", "a" * 60, "ä", "\0", "A" * 9000, "=="])
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
    assert len(normalize.fold(long).encode()) > 6000
    for n in range(3):
        body = {"name": long, "email": f"n{n}@example.com"}
        assert accepted(api.post(LIST, body), 201)["name"] == long
    ids, pages = walk(api, {"limit": 1})
    assert (len(set(ids)), pages) == (3, 3)


# --- Filters ------------------------------------------------------------------------------------


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
            for name in ("email", "phone", "tin", "createdFrom", "createdTo", "updatedSince", "status")
            for value in ("", "  ")
        ],
    ],
)
def test_a_wrong_or_empty_filter_is_refused_by_its_name(api, business, name, value):
    factories.customer(business)
    refused(api.get(LIST, {name: value}), 400, "INVALID_REQUEST", [name])


def test_filters_stay_in_the_business(api, other_business):
    factories.customer(other_business, email="ada@example.com", phone="08031234567", tin="1234567890")
    for query in ({"email": "ada@example.com"}, {"phone": "08031234567"}, {"tin": "1234567890"}):
        assert names(api.get(LIST, query)) == []


# --- Delta sync ---------------------------------------------------------------------------------


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
    stays.restore()
    assert "Stays" in names(api.get(LIST, {"updatedSince": since}))


def test_a_change_made_while_the_list_was_answered_is_in_the_next_delta(api, business, monkeypatch):
    """The timestamp of an answer is from before its rows were read."""
    factories.customer(business, name="First")
    show = views.customer_data

    def show_late(customer):
        monkeypatch.setattr(views, "customer_data", show)
        factories.customer(business, name="Late")
        return show(customer)

    monkeypatch.setattr(views, "customer_data", show_late)
    answer = api.get(LIST)
    assert names(answer) == ["First"]
    Customer.objects.filter(name="First").update(updated_at=DAY - timedelta(days=30))
    since = answer.json()["meta"]["timestamp"]
    assert names(api.get(LIST, {"updatedSince": since})) == ["Late"]


def test_a_customers_own_createdAt_selects_it(api, business):
    customer = factories.customer(business)
    at = accepted(api.get(f"{LIST}/{customer.public_id}"))["createdAt"]
    assert accepted(api.get(LIST, {"createdFrom": at, "createdTo": at}))["count"] == 1


# --- Cost, and one bad row ----------------------------------------------------------------------


def test_a_list_costs_one_query_beside_authentication(api, business):
    for _ in range(3):
        factories.customer(business, phone="0803 123 4567")
    api.get(LIST)  # the key's use is written, at most once a minute
    queries = ["SELECT customers_apikey", "SELECT customers_customer"]
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
    ids, pages = walk(api, {"limit": 1})
    assert ids == [rows[0].public_id, rows[3].public_id, rows[4].public_id]
    assert pages == 5


def test_the_order_is_the_same_in_every_page(api, business):
    for n in range(12):
        factories.customer(business, name="ABCdefÉ"[n % 7] * 2)
    keys = {c.public_id: (normalize.name_key(c.name), c.public_id) for c in Customer.objects.all()}
    ids, _ = walk(api, {"limit": 5})
    assert all(keys[a] < keys[b] for a, b in pairwise(ids))
