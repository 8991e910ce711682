"""Blind index: equal values of one business and field, and nothing else."""

import hashlib

import pytest
from django.core.exceptions import ImproperlyConfigured

from customers.models import Customer
from finora.sealing import blind_index
from finora.tests.kit import factories
from finora.tests.kit.sealed import blind_hash


def digest(field="email", business_id=1, value="ada@example.com"):
    return None if value is None else blind_hash(field, business_id, value)


def test_it_is_a_full_length_keyed_hash(settings):
    made = digest()
    assert len(made) == 32
    assert made == digest()
    assert made != hashlib.sha256(b"ada@example.com").digest()
    settings.BLIND_INDEX_KEYS = ["another key " * 4]
    assert digest() != made


def test_it_is_not_made_with_an_encryption_key(settings):
    made = digest()
    settings.ENCRYPTION_KEYS = ["another"]
    assert digest() == made


def test_businesses_and_fields_have_keys_of_their_own():
    same = [
        digest(field, business_id, "12345678901")
        for field in ("email", "phone", "tin")
        for business_id in (1, 2, 11, 111)
    ]
    assert len(set(same)) == len(same)


@pytest.mark.parametrize(
    ("field", "spellings"),
    [
        ("email", ["ada@example.com", "ADA@Example.com", " ada@example.com\n"]),
        ("phone", ["0803 123 4567", "+2348031234567", "0803-123-4567"]),
        ("tin", ["12345678-0001", "123456780001", "1234 5678 0001"]),
    ],
)
def test_spellings_of_one_value_are_one(field, spellings):
    assert len({digest(field, value=value) for value in spellings}) == 1


@pytest.mark.parametrize("value", [None, "", "—", " / "])
def test_a_phone_with_nothing_to_match_has_no_digest(value):
    assert digest("phone", value=value) is None


def test_the_first_key_is_written_and_all_are_looked_up(settings):
    settings.BLIND_INDEX_KEYS = ["old " * 10]
    old = digest()
    settings.BLIND_INDEX_KEYS = ["new " * 10, "old " * 10]
    assert blind_index.digests("customer.email", 1, "ada@example.com") == [digest(), old]
    assert digest() != old


def test_without_a_key_it_refuses(settings):
    settings.BLIND_INDEX_KEYS = []
    with pytest.raises(ImproperlyConfigured, match="BLIND_INDEX_KEY"):
        digest()


# --- The columns --------------------------------------------------------------------------------


def test_the_columns_follow_their_sources(business):
    customer = factories.customer(
        business, email="ada@example.com", phone="0803 123 4567", tin="123"
    )
    for field, value in (("email", "B@b.co"), ("phone", "n/a"), ("tin", "4-5"), ("tin", "x")):
        setattr(customer, field, value)
        expected = digest(field, business.pk, value)
        assert getattr(customer, f"{field}_hash") == expected
        customer.save(update_fields=[field])
        assert bytes(factories.stored(customer, f"{field}_hash")) == expected


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_cleared_value_clears_its_hash(business, value):
    customer = factories.customer(business, phone="0803 123 4567", tin="123")
    customer.phone = customer.tin = value
    customer.save()
    assert factories.stored(customer, "phone_hash") is None
    assert factories.stored(customer, "tin_hash") is None
    assert business.customers.with_phone("08031234567").count() == 0


def test_a_phone_with_nothing_to_match_is_stored_and_matches_nothing(business):
    customer = factories.customer(business, phone="—")
    assert factories.stored(customer, "phone_hash") is None
    assert business.customers.with_phone("—").count() == 0
    assert business.customers.with_phone("").count() == 0


def test_a_source_that_was_not_opened_keeps_its_hash(business):
    factories.customer(business, phone="0803 123 4567")
    customer = Customer.objects.get()
    before = bytes(factories.stored(customer, "phone_hash"))
    customer.save()
    assert bytes(factories.stored(customer, "phone_hash")) == before
    assert bytes(customer.phone_hash) == before


def test_a_hash_cannot_be_set_apart_from_its_source(business):
    customer = factories.customer(business, email="ada@example.com")
    customer.email_hash = b"\0" * 32
    customer.save()
    expected = digest("email", business.pk)
    assert bytes(factories.stored(customer, "email_hash")) == expected


def test_lookups_stay_in_the_business(business, other_business):
    mine = factories.customer(business, email="ada@example.com", phone="1", tin="2")
    factories.customer(other_business, email="ada@example.com", phone="1", tin="2")
    assert [business.customers.with_email("ADA@example.com").get()] == [mine]
    assert [business.customers.with_phone("1").get()] == [mine]
    assert [business.customers.with_tin("2").get()] == [mine]


def test_rows_of_an_older_key_are_found(business, settings):
    settings.BLIND_INDEX_KEYS = ["old " * 10]
    customer = factories.customer(business, email="ada@example.com")
    settings.BLIND_INDEX_KEYS = ["new " * 10, "old " * 10]
    assert business.customers.with_email("ada@example.com").get() == customer
