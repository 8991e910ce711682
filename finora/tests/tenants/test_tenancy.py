"""One business never sees, changes or even notices another."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from finora.tests.kit import factories
from finora.tests.kit.answers import accepted, names, refused, same_but_for_the_request_id

LIST = "/v1/customers"
RANDOM = "cust_01m856xg30stvj9jcm4w45f70m"
TEXTS = {
    "name": "Victim",
    "email": "victim@example.com",
    "phone": "0803 123 4567",
    "tin": "12345678-0001",
    "address": "1 Marina",
}


@pytest.fixture
def victim(other_business):
    return factories.customer(other_business, **TEXTS)


def rows():
    return list(Customer.objects.values_list("pk", "name", "is_active", "updated_at", "email_hash"))


CALLS = [
    ("GET", "", None),
    ("GET", "/", None),
    ("HEAD", "", None),
    ("PUT", "", {"name": "Mine"}),
    ("PUT", "", {}),
    ("PUT", "", {"email": "victim@example.com"}),
    ("PUT", "", {"name": None}),
    ("PUT", "", b"{broken"),
    ("DELETE", "", None),
    ("PATCH", "", None),
    ("POST", "", {}),
    ("OPTIONS", "", None),
]


@pytest.mark.parametrize(("method", "end", "body"), CALLS)
def test_anothers_customer_answers_as_a_random_id_does(api, victim, method, end, body):
    before = rows()
    answers = [api.call(method, f"{LIST}/{id}{end}", body) for id in (victim.public_id, RANDOM)]
    assert same_but_for_the_request_id(*answers)
    assert answers[0].status_code >= 400
    assert rows() == before


def test_so_does_one_that_is_inactive(api, victim):
    victim.delete()
    for method, end, body in CALLS:
        answers = [api.call(method, f"{LIST}/{id}{end}", body) for id in (victim.public_id, RANDOM)]
        assert same_but_for_the_request_id(*answers)


def test_lists_filters_and_searches_stay_inside(api, victim):
    for query in ({}, {"status": "all"}, *({k: TEXTS[k]} for k in ("email", "phone", "tin"))):
        assert names(api.get(LIST, query)) == []
    for q in ("victim", "Victim", "@example", "i"):
        assert names(api.get(f"{LIST}/search", {"q": q})) == []


def test_anothers_email_is_no_conflict_and_is_not_found(api, victim):
    made = accepted(api.post(f"{LIST}/find-or-create", {"email": TEXTS["email"]}), 201)
    assert made["created"] is True
    assert made["id"] != victim.public_id
    victim.refresh_from_db()
    assert victim.name == "Victim"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", LIST, None),
        ("GET", f"{LIST}/search", None),
        ("POST", LIST, {"name": "A", "email": "a@b.co"}),
        ("POST", f"{LIST}/find-or-create", {"email": "a@b.co"}),
        ("GET", f"{LIST}/{RANDOM}", None),
        ("PUT", f"{LIST}/{RANDOM}", {"name": "A"}),
        ("DELETE", f"{LIST}/{RANDOM}", None),
        ("PATCH", LIST, None),
        ("GET", "/v1/nothing", None),
        ("GET", "/v2/customers", None),
    ],
)
def test_another_business_is_forbidden_whether_or_not_it_exists(
    api, other_business, method, path, body
):
    other_business.is_suspended = True
    other_business.save()
    ids = (other_business.public_id, "biz_01m856xg30stvj9jcm4w45f70m", "x", "%00", " ", "1")
    answers = [api.call(method, f"{path}?q=a&businessId={id}", body) for id in ids]
    if method != "HEAD":
        refused(answers[0], 403, "FORBIDDEN")
    assert same_but_for_the_request_id(*answers)
    assert not Customer.objects.exists()


def test_ones_own_business_is_told_exactly(api, business):
    for id in (business.public_id.upper(), business.public_id[:-1], str(business.pk)):
        refused(api.get(LIST, {"businessId": id}), 403, "FORBIDDEN")


def test_of_several_business_ids_none_may_be_anothers(api, business, other_business):
    mine, other = business.public_id, other_business.public_id
    for query in (f"businessId={mine}&businessId={other}", f"businessId={other}&businessId={mine}"):
        refused(api.call("GET", f"{LIST}?{query}"), 403, "FORBIDDEN")
    accepted(api.call("GET", f"{LIST}?businessId={mine}&businessId={mine}"))


def test_a_cursor_of_another_business_is_refused(api, other_api, business, other_business):
    for each in (business, other_business):
        for name in "AB":
            factories.customer(each, name=name)
    cursor = other_api.get(LIST, {"limit": 1}).json()["meta"]["nextCursor"]
    accepted(other_api.get(LIST, {"cursor": cursor}))
    answer = api.get(LIST, {"cursor": cursor})
    refused(answer, 400, "INVALID_REQUEST", ["cursor"])
    assert same_but_for_the_request_id(answer, api.get(LIST, {"cursor": "never-given"}))


def test_a_token_of_another_business_opens_nothing_here(api, business, victim):
    """Even where a thief can write to the table."""
    mine = factories.customer(business, address="mine")
    factories.store(mine, "address", factories.stored(victim, "address"))
    response = api.get(f"{LIST}/{mine.public_id}")
    refused(response, 500, "INTERNAL_ERROR")
    assert "Marina" not in response.content.decode()


def test_two_businesses_may_hold_the_same_public_id(api, business, victim):
    """Ids are looked up with the business, so an import may bring its own."""
    mine = factories.customer(business, public_id=victim.public_id, name="Mine")
    assert accepted(api.get(f"{LIST}/{victim.public_id}"))["name"] == "Mine"
    accepted(api.delete(f"{LIST}/{mine.public_id}"))
    victim.refresh_from_db()
    assert victim.is_active


def test_every_query_of_a_request_carries_the_business(api, business):
    customer = factories.customer(business)
    path = f"{LIST}/{customer.public_id}"
    calls = [
        lambda: api.get(LIST),
        lambda: api.get(f"{LIST}/search", {"q": "a"}),
        lambda: api.get(path),
        lambda: api.put(path, {"name": "New"}),
        lambda: api.post(LIST, {"name": "A", "email": "a@b.co"}),
        lambda: api.post(f"{LIST}/find-or-create", {"email": "f@b.co"}),
        lambda: api.delete(path),
    ]
    with CaptureQueriesContext(connection) as captured:
        for call in calls:
            call()
    touching = [q["sql"] for q in captured if '"customers_customer"' in q["sql"]]
    assert len(touching) >= len(calls)
    # Only a save names its row by the primary key alone.
    for sql in touching:
        assert '"business_id"' in sql or sql.startswith("UPDATE"), sql
