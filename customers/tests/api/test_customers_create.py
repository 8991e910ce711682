"""POST /v1/customers."""

import json
import unicodedata
from datetime import UTC, datetime

import pytest

from customers.models import Customer
from finora.tests.kit import factories
from finora.tests.kit.answers import accepted, refused, statements
from finora.tests.kit.bodies import IGNORED, LONGEST_EMAIL, broken, kept

PATH = "/v1/customers"


def body(**fields):
    return {"name": "Ada", "email": "ada@example.com"} | fields


def test_it_answers_the_customer_and_where_it_is(api, business):
    sent = body(
        phone="+2348012345678",
        address="15 Adeola Odeku St, Victoria Island, Lagos",
        tin="12345678-0001",
        companyName="Acme Technologies Ltd",
    )
    response = api.post(PATH, sent)
    made = accepted(response, 201)
    assert made.items() >= sent.items()
    assert len(made) == 11
    assert (made["isActive"], made["accountBalanceKobo"], made["accountBalance"]) == (True, 0, 0)
    assert response["Location"] == f"/v1/customers/{made['id']}"
    assert accepted(api.get(response["Location"])) == made
    assert Customer.objects.get().business == business


def test_name_and_email_are_enough(api):
    made = accepted(api.post(PATH, body()), 201)
    assert [made[name] for name in ("phone", "address", "tin", "companyName")] == [None] * 4


def test_createdAt_is_now_in_utc_with_milliseconds(api):
    before = datetime.now(UTC)
    text = accepted(api.post(PATH, body()), 201)["createdAt"]
    at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    assert len(text) == len("2026-03-20T09:15:00.000Z")
    assert (at - before).total_seconds() == pytest.approx(0, abs=5)


@pytest.mark.parametrize("path", [PATH, PATH + "/", PATH + "?businessId="])
def test_it_needs_no_business_id(api, path):
    accepted(api.post(path, body()), 201)


@kept
def test_a_text_is_kept_as_given_apart_from_trimming(api, field, given, stored):
    made = accepted(api.post(PATH, body(**{field: given})), 201)
    assert made[field] == stored
    assert accepted(api.get(f"{PATH}/{made['id']}"))[field] == stored


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKD"])
def test_no_unicode_form_is_changed(api, form):
    text = unicodedata.normalize(form, "Adébáyọ̀ Ọláńlá ﬁ")
    made = accepted(api.post(PATH, body(name=text, companyName=text, address=text)), 201)
    assert made["name"] == made["companyName"] == made["address"] == text


@broken
def test_a_broken_rule_names_its_field(api, field, value):
    error = refused(api.post(PATH, body(**{field: value})), 400, "VALIDATION_ERROR", [field])
    assert not Customer.objects.exists()
    if isinstance(value, str) and len(value) > 8:
        assert value[:50] not in json.dumps(error, ensure_ascii=False)


def test_there_is_one_detail_for_each_broken_field(api):
    sent = {
        "name": "\0" * 300,
        "email": "\x01" * 400,
        "phone": 5,
        "address": [],
        "companyName": {},
        "tin": "_" * 99,
    }
    refused(api.post(PATH, sent), 400, "VALIDATION_ERROR", list(sent))


def test_name_and_email_are_required(api):
    refused(api.post(PATH, {}), 400, "VALIDATION_ERROR", ["name", "email"])
    refused(api.post(PATH, {"name": "Ada"}), 400, "VALIDATION_ERROR", ["email"])
    refused(api.post(PATH, {"email": "a@b.co"}), 400, "VALIDATION_ERROR", ["name"])


def test_what_a_body_cannot_set_changes_nothing(api, business):
    made = accepted(api.post(PATH, IGNORED | body()), 201)
    assert made["id"] != IGNORED["id"]
    assert made["isActive"] is True
    assert made["accountBalanceKobo"] == made["accountBalance"] == 0
    assert made["companyName"] is None
    assert not made["createdAt"].startswith("2001")
    assert Customer.objects.get().business == business


def test_of_duplicate_keys_the_last_one_counts(api):
    raw = b'{"name": "First", "email": "a@b.co", "name": "Last"}'
    assert accepted(api.post(PATH, raw), 201)["name"] == "Last"
    refused(api.post(PATH, b'{"name":"A","email":"x@y.zz","name":5}'), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@EXAMPLE.COM", " Ada@Example.com "])
def test_an_email_in_use_is_a_conflict_that_names_the_customer(api, business, email):
    holder = factories.customer(business, email="ada@example.com")
    error = refused(api.post(PATH, body(email=email)), 409, "CONFLICT", ["email"])
    assert holder.public_id in error["message"]
    assert "ada@" not in json.dumps(error).lower()
    assert Customer.objects.count() == 1


def test_the_longest_email_conflicts_with_itself(api):
    accepted(api.post(PATH, body(email=LONGEST_EMAIL)), 201)
    refused(api.post(PATH, body(email=LONGEST_EMAIL.upper())), 409, "CONFLICT", ["email"])


def test_an_email_of_an_inactive_customer_or_another_business_is_free(
    api, business, other_business
):
    factories.customer(business, email="ada@example.com").delete()
    factories.customer(other_business, email="ada@example.com")
    accepted(api.post(PATH, body()), 201)


def test_customers_may_share_all_but_the_email(api):
    for n in range(2):
        same = body(email=f"n{n}@b.co", phone="08031234567", tin="1234567890", companyName="Acme")
        accepted(api.post(PATH, same), 201)


def test_ids_are_time_ordered_and_url_safe(api):
    ids = []
    for n in range(3):
        ids.append(accepted(api.post(PATH, body(email=f"n{n}@b.co")), 201)["id"])
        assert ids[-1].startswith("cust_")
        assert ids[-1].replace("_", "").isalnum()
        assert ids[-1].isascii()
    # Ordered by the millisecond they were made in.
    assert [id[:15] for id in ids] == sorted(id[:15] for id in ids)


def test_a_stolen_token_stays_a_text(api, business):
    """Nobody reads a sealed value by handing it in."""
    victim = factories.customer(business, address="1 Marina", phone="0803 123 4567")
    token = factories.stored(victim, "address")
    phone = factories.stored(victim, "phone")
    made = accepted(api.post(PATH, body(name=token, address=token, companyName=phone)), 201)
    assert made["name"] == made["address"] == token
    assert made["companyName"] == phone
    assert accepted(api.get(f"{PATH}/{made['id']}")) == made
    refused(api.post(PATH, body(email=token)), 400, "VALIDATION_ERROR", ["email"])


def test_its_cost(api):
    api.get(PATH)
    assert statements(lambda: api.post(PATH, body())) == [
        "SELECT tenants_apikey",
        "INSERT customers_customer",
        "INSERT audit_auditevent",
        "INSERT customers_unpacked",
    ]
