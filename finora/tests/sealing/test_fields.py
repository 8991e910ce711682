"""Sealed model fields in daily use: round trip, loading, copies, dumps."""

import copy
import pickle

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from customers.models import Customer
from finora.sealing import SealError
from finora.sealing.tokens import SealedToken
from finora.tenants.models import Business
from finora.tests.kit import factories
from finora.tests.kit.sealed import SEALED, VALUES, loaded, tokens
from finora.text import trim

sealed = pytest.mark.parametrize("field", SEALED)


@pytest.fixture
def ada(business):
    return factories.customer(business, **VALUES)


@pytest.fixture
def bola(business):
    return factories.customer(business, phone="2", address="2", tin="2")


# --- Round trip -----------------------------------------------------------------------------------


class RoundTrip(TestCase):
    @given(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=500),
    )
    def test_any_text_comes_back_as_it_was(self, text):
        customer = factories.customer(Business.objects.create(name="B"), address=text)
        assert loaded(customer).address == (trim(text) or None)


@pytest.mark.parametrize(
    "text", ["😀", "👩🏾‍💼" * 30, "e\u0301", "é", "\u202e", "ﷺ", "\u0000", "s1.", "gAAAA"]
)
def test_odd_texts_come_back_as_they_were(business, text):
    customer = factories.customer(business, address=text)
    assert loaded(customer).address == text


def test_an_unpaired_surrogate_is_refused_by_validation_and_never_stored(ada):
    ada.address = "1 \ud800 Marina"
    with pytest.raises(ValidationError) as raised:
        ada.full_clean()
    assert list(raised.value.error_dict) == ["address"]
    with pytest.raises(UnicodeEncodeError):
        ada.save()
    assert loaded(ada).address == VALUES["address"]


@sealed
def test_the_table_holds_a_token_and_no_value(ada, field):
    token = factories.stored(ada, field)
    assert token.startswith("s1.")
    assert VALUES[field] not in token
    assert (
        len(
            {
                factories.stored(factories.customer(ada.business, phone="1"), "phone")
                for _ in range(3)
            }
        )
        == 3
    )


@sealed
def test_null_is_null_in_the_table(business, field):
    if field == "email":
        return
    customer = factories.customer(business)
    assert factories.stored(customer, field) is None
    assert getattr(loaded(customer), field) is None


def test_an_email_is_stored_in_lower_case_and_a_blank_text_as_null(ada):
    ada.email, ada.phone, ada.address = " NEW@Example.com ", "  ", ""
    ada.save()
    for each in (ada, loaded(ada)):
        assert (each.email, each.phone, each.address) == ("new@example.com", None, None)


# --- Loading lazily -------------------------------------------------------------------------------


def test_a_field_is_opened_at_the_first_read_only(ada, monkeypatch):
    opened = []
    field = Customer._meta.get_field("address")
    real = field.open_for
    monkeypatch.setattr(field, "open_for", lambda *a: opened.append(1) or real(*a))
    again = loaded(ada)
    assert opened == []
    for _ in range(3):
        assert again.address == VALUES["address"]
    assert opened == [1]


def test_what_was_not_read_is_written_back_byte_for_byte(ada):
    before = tokens(ada)
    again = loaded(ada)
    again.name = "New"
    again.save()
    assert tokens(ada) == before


def test_what_cannot_be_opened_is_written_back_byte_for_byte(ada):
    factories.store(ada, "phone", "s1.damaged")
    again = loaded(ada)
    with pytest.raises(SealError):
        _ = again.phone
    again.name = "New"
    again.save()
    assert factories.stored(ada, "phone") == "s1.damaged"


@pytest.mark.parametrize("rows", [Customer.objects.defer(*SEALED), Customer.objects.only("name")])
def test_deferred_fields_open_and_save(ada, rows):
    before = tokens(ada)
    again = rows.get(pk=ada.pk)
    assert {field: getattr(again, field) for field in SEALED} == VALUES
    again = rows.get(pk=ada.pk)
    again.address = "2 Marina"
    again.save(update_fields=["address"])
    assert loaded(ada).address == "2 Marina"
    assert tokens(ada) | {"address": ""} == before | {"address": ""}


@sealed
def test_a_deferred_field_that_a_save_names_keeps_its_value(ada, field):
    Customer.objects.defer(field).get(pk=ada.pk).save(update_fields=[field])
    assert getattr(loaded(ada), field) == VALUES[field]


def test_a_deferred_row_saves_what_it_has(ada):
    before = tokens(ada)
    again = Customer.objects.defer("phone", "phone_hash", "name_key").get(pk=ada.pk)
    again.company_name = "Acme"
    again.save()
    assert tokens(ada) == before
    assert ada.business.customers.with_phone("08031234567").count() == 1


def test_refresh_from_db_reads_anew(ada):
    again = loaded(ada)
    ada.phone, ada.address = "555", None
    ada.save()
    again.refresh_from_db(fields=["phone"])
    assert (again.phone, again.address) == ("555", VALUES["address"])
    again = loaded(ada)
    again.address = "unsaved"
    again.refresh_from_db()
    assert again.address is None


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize(
    "copying", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_open_and_save_as_the_original(ada, opened, copying):
    before = tokens(ada)
    again = loaded(ada)
    if opened:
        assert again.address
    copied = copying(again)
    assert {field: getattr(copied, field) for field in SEALED} == VALUES
    copying(loaded(ada)).save()
    assert tokens(ada) == before


def test_a_pickle_of_an_unopened_row_holds_no_value(ada):
    pickled = pickle.dumps(loaded(ada))
    assert not any(value.encode() in pickled for value in VALUES.values())


def test_a_repr_holds_no_value(ada):
    again = loaded(ada)
    shown = repr(vars(again)) + repr(again) + repr(SealedToken(factories.stored(ada, "phone")))
    assert not any(value in shown for value in VALUES.values())
    assert factories.stored(ada, "phone") not in shown


# --- dumpdata and loaddata ------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "xml", "jsonl"])
def test_a_dump_holds_tokens_and_loads_again(ada, form):
    dump = serializers.serialize(form, [loaded(ada)])
    for value in VALUES.values():
        assert value not in dump
        assert value.split("\n")[0] not in dump
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM customers_customer")
    for item in serializers.deserialize(form, dump):
        item.save()
        assert item.object.address == VALUES["address"]
    assert all(token in dump for token in tokens(ada).values())
    again = loaded(ada)
    assert {field: getattr(again, field) for field in SEALED} == VALUES
    assert ada.business.customers.with_email(VALUES["email"]).get() == again
    assert again.name == ada.name


def test_a_dump_of_another_blind_index_key_is_found_by_this_one(ada, settings):
    dump = serializers.serialize("json", [loaded(ada)])
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM customers_customer")
    settings.BLIND_INDEX_KEYS = ["another key of at least 32 characters"]
    for item in serializers.deserialize("json", dump):
        item.save()
    customers = ada.business.customers
    assert customers.with_email(VALUES["email"]).get() == ada
    assert customers.with_phone(VALUES["phone"]).get() == ada
    assert customers.with_tin(VALUES["tin"]).get() == ada


def test_a_dump_that_was_tampered_with_does_not_load(ada, bola):
    [dumped] = serializers.serialize("python", [loaded(ada)])
    for address in (factories.stored(bola, "address"), "1 Marina"):
        dumped["fields"]["address"] = address
        [item] = serializers.deserialize("python", [dumped])
        with pytest.raises(SealError):
            item.save()
    assert loaded(ada).address == VALUES["address"]


def test_dumpdata_and_loaddata_bring_everything_back(ada, tmp_path):
    dump = tmp_path / "dump.json"
    call_command("dumpdata", "tenants.business", "customers.customer", output=dump, verbosity=0)
    assert not any(value.split("\n")[0] in dump.read_text() for value in VALUES.values())
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM customers_customer")
    call_command("loaddata", dump, verbosity=0)
    again = loaded(ada)
    assert {field: getattr(again, field) for field in SEALED} == VALUES
