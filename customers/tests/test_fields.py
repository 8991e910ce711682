"""Sealed model fields, as a thief, a bad restore and a careless programmer meet them."""

import copy
import pickle

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.exceptions import FieldError, ValidationError
from django.db import connection
from django.db.models import F, Value
from django.forms import modelform_factory
from encrypted_model_fields import fields as package
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from customers import normalize
from customers.fields import SealedToken
from customers.keyring import SealError
from customers.models import Business, Customer
from customers.tests import factories

SEALED = ("email", "phone", "address", "tin")
VALUES = {
    "email": "ada@example.com",
    "phone": "0803 123 4567",
    "address": "1 Marina\nLagos",
    "tin": "12345678-0001",
}
sealed = pytest.mark.parametrize("field", SEALED)


@pytest.fixture
def ada(business):
    return factories.customer(business, **VALUES)


@pytest.fixture
def bola(business):
    return factories.customer(business, phone="2", address="2", tin="2")


def loaded(customer):
    return Customer.objects.get(pk=customer.pk)


def tokens(customer):
    return {field: factories.stored(customer, field) for field in SEALED}


# --- Round trip ---------------------------------------------------------------------------------


class RoundTrip(TestCase):
    @given(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=500),
    )
    def test_any_text_comes_back_as_it_was(self, text):
        customer = factories.customer(Business.objects.create(name="B"), address=text)
        assert loaded(customer).address == (normalize.trim(text) or None)


@pytest.mark.parametrize("text", ["😀", "👩🏾‍💼" * 30, "e\u0301", "é", "\u202e", "ﷺ", "\u0000", "s1.", "gAAAA"])
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
    assert len({factories.stored(factories.customer(ada.business, phone="1"), "phone") for _ in range(3)}) == 3


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


# --- Tokens that do not belong ------------------------------------------------------------------


@sealed
def test_a_forged_or_cut_token_does_not_open(ada, field):
    token = factories.stored(ada, field)
    middle = len(token) // 2
    other = "A" if token[middle] != "A" else "B"
    forgeries = [
        token[:middle] + other + token[middle + 1 :],
        token[:-4],
        token[:10],
        "s1.",
        "",
        "s2" + token[2:],
        token.removeprefix("s1."),
        "s1.é",
        "s1.A",
        VALUES[field],
    ]
    for forged in forgeries:
        factories.store(ada, field, forged)
        with pytest.raises(SealError) as raised:
            getattr(loaded(ada), field)
        assert VALUES[field] not in str(raised.value)
        assert token[4:20] not in str(raised.value)


@sealed
def test_a_token_of_another_row_field_or_business_does_not_open(ada, bola, other_business, field):
    elsewhere = factories.customer(other_business, **VALUES)
    twin = factories.customer(other_business, public_id=ada.public_id, **VALUES | {"email": "t@b.co"})
    other_field = SEALED[SEALED.index(field) - 1]
    for source, column in ((bola, field), (elsewhere, field), (twin, field), (ada, other_field)):
        factories.store(ada, field, factories.stored(source, column))
        with pytest.raises(SealError):
            getattr(loaded(ada), field)


def test_one_bad_field_leaves_the_others_readable(ada):
    factories.store(ada, "phone", "s1.AAAA")
    again = loaded(ada)
    assert (again.email, again.address) == (VALUES["email"], VALUES["address"])


@pytest.mark.parametrize("change", ["public_id", "business"])
def test_a_row_that_is_copied_must_be_opened_first(ada, other_business, change):
    copied = loaded(ada)
    copied.pk = None
    copied._state.adding = True
    if change == "public_id":
        copied.public_id = "cust_copy"
    else:
        copied.business = other_business
    with pytest.raises(SealError):
        copied.save()
    assert Customer.objects.count() == 1


# --- Keys ---------------------------------------------------------------------------------------


def test_a_wrong_or_removed_key_opens_nothing_and_several_do(business, settings):
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.ENCRYPTION_KEYS = [old]
    customer = factories.customer(business, **VALUES)
    settings.ENCRYPTION_KEYS = [new]
    for field in SEALED:
        with pytest.raises(SealError):
            getattr(loaded(customer), field)
    settings.ENCRYPTION_KEYS = [new, Fernet.generate_key().decode(), old]
    again = loaded(customer)
    assert {field: getattr(again, field) for field in SEALED} == VALUES
    again.save()
    settings.ENCRYPTION_KEYS = [new]
    assert loaded(customer).address == VALUES["address"]


# --- Input is never opened ----------------------------------------------------------------------


def test_a_stolen_token_that_is_assigned_stays_a_text(ada, bola):
    for field in ("address",):
        stolen = factories.stored(ada, field)
        setattr(bola, field, stolen)
        bola.save()
        assert getattr(bola, field) == stolen
        assert getattr(loaded(bola), field) == stolen


def test_a_stolen_token_in_a_form_stays_a_text(ada, bola):
    stolen = factories.stored(ada, "address")
    form = modelform_factory(Customer, fields=["address"])({"address": stolen}, instance=bola)
    assert form.is_valid()
    form.save()
    assert loaded(bola).address == stolen
    assert not modelform_factory(Customer, fields=["email"])({"email": stolen}).is_valid()


def test_a_stolen_package_token_stays_a_text_too(bola, settings):
    settings.ACCEPT_PACKAGE_TOKENS = True
    stolen = package.encrypt_str("secret").decode()
    bola.address = stolen
    bola.full_clean()
    bola.save()
    assert loaded(bola).address == stolen
    assert factories.stored(bola, "address").startswith("s1.")


def test_bytes_are_not_opened_either(settings):
    settings.ACCEPT_PACKAGE_TOKENS = True
    stolen = package.encrypt_str("secret")
    field = Customer._meta.get_field("address")
    assert "secret" not in str(field.to_python(stolen))


# --- Lookups ------------------------------------------------------------------------------------


@sealed
@pytest.mark.parametrize(
    "lookup",
    ["", "exact", "iexact", "in", "contains", "icontains", "startswith", "gt", "range", "regex", "length", "nonsense"],
)
def test_a_lookup_that_would_find_nothing_raises(ada, field, lookup):
    value = [VALUES[field]] if lookup in ("in", "range") else VALUES[field]
    name = f"{field}__{lookup}".removesuffix("__")
    for method in (Customer.objects.filter, Customer.objects.exclude, Customer.objects.get):
        with pytest.raises(FieldError, match="sealed"):
            method(**{name: value})


@sealed
def test_isnull_is_the_one_lookup(ada, bola, field):
    assert Customer.objects.filter(**{f"{field}__isnull": False}).count() == 2
    assert not Customer.objects.filter(**{f"{field}__isnull": True}).exists()


def test_values_and_only_hand_out_tokens_and_no_text(ada):
    [row] = Customer.objects.values_list(*SEALED)
    assert all(isinstance(value, SealedToken) for value in row)
    assert "ada" not in repr(row)


# --- Writing past save() ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"email": "new@example.com"},
        {"phone": "1"},
        {"phone": None},
        {"tin": None},
        {"address": "x"},
        {"address": F("tin")},
        {"address": Value("x")},
        {"phone": F("address")},
        {"name": "New"},
        {"name": F("company_name")},
    ],
)
def test_update_refuses_what_it_would_do_by_halves(ada, values):
    before = tokens(ada)
    with pytest.raises(TypeError):
        Customer.objects.update(**values)
    assert tokens(ada) == before
    assert loaded(ada).name == ada.name


def test_update_may_clear_a_text_that_nothing_follows(ada):
    assert Customer.objects.update(address=None) == 1
    assert loaded(ada).address is None


@pytest.mark.parametrize("field", [*SEALED, "name"])
def test_bulk_update_refuses(ada, field):
    setattr(ada, field, "new@example.com")
    with pytest.raises(TypeError):
        Customer.objects.bulk_update([ada], [field])
    setattr(ada, field, None)
    with pytest.raises(TypeError):
        Customer.objects.bulk_update([ada], [field])


def test_bulk_create_seals(business):
    rows = [
        Customer(business=business, name=f"N{n}", **VALUES | {"email": f"N{n}@B.co"})
        for n in range(3)
    ]
    Customer.objects.bulk_create(rows)
    for n, row in enumerate(rows):
        assert all(token.startswith("s1.") for token in tokens(row).values())
        assert loaded(row).email == f"n{n}@b.co"
        assert loaded(row).phone == VALUES["phone"]
        assert Customer.objects.with_email(business.pk, f"n{n}@b.co").get() == row
    assert Customer.objects.with_phone(business.pk, "+2348031234567").count() == 3


# --- Loading lazily -----------------------------------------------------------------------------


def test_a_field_is_opened_at_the_first_read_only(ada, monkeypatch):
    opened = []
    field = Customer._meta.get_field("address")
    real = field.open
    monkeypatch.setattr(field, "open", lambda *a: opened.append(1) or real(*a))
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


def test_a_deferred_row_saves_what_it_has(ada):
    before = tokens(ada)
    again = Customer.objects.defer("phone", "phone_hash", "name_key").get(pk=ada.pk)
    again.company_name = "Acme"
    again.save()
    assert tokens(ada) == before
    assert Customer.objects.with_phone(ada.business_id, "08031234567").count() == 1


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
@pytest.mark.parametrize("copying", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
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


# --- dumpdata and loaddata ----------------------------------------------------------------------


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("form", ["json", "xml", "jsonl"])
def test_a_dump_holds_tokens_and_loads_again(ada, form, opened):
    row = loaded(ada)
    if opened:
        assert [getattr(row, field) for field in SEALED]
    dump = serializers.serialize(form, [row])
    for value in VALUES.values():
        assert value not in dump
        assert value.split("\n")[0] not in dump
    before = tokens(ada)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM customers_customer")
    for item in serializers.deserialize(form, dump):
        item.save()
    again = loaded(ada)
    assert {field: getattr(again, field) for field in SEALED} == VALUES
    assert opened or tokens(ada) == before
    assert Customer.objects.with_email(ada.business_id, VALUES["email"]).get() == again
    assert again.name == ada.name


def test_a_dump_that_was_tampered_with_does_not_load(ada, bola):
    dump = serializers.serialize("json", [loaded(ada)])
    dump = dump.replace(factories.stored(ada, "address"), factories.stored(bola, "address"))
    [item] = serializers.deserialize("json", dump)
    with pytest.raises(SealError):
        item.save()


# --- Tokens of django-encrypted-model-fields ----------------------------------------------------


@sealed
def test_package_tokens_open_only_while_they_are_accepted(ada, settings, field):
    factories.store(ada, field, package.encrypt_str(VALUES[field]).decode())
    with pytest.raises(SealError):
        getattr(loaded(ada), field)
    settings.ACCEPT_PACKAGE_TOKENS = True
    assert getattr(loaded(ada), field) == VALUES[field]


def test_package_tokens_are_sealed_anew_at_the_next_save(ada, settings):
    settings.ACCEPT_PACKAGE_TOKENS = True
    for field in SEALED:
        factories.store(ada, field, package.encrypt_str(VALUES[field]).decode())
    again = loaded(ada)
    again.company_name = "Acme"
    again.save()
    settings.ACCEPT_PACKAGE_TOKENS = False
    again = loaded(ada)
    assert {field: getattr(again, field) for field in SEALED} == VALUES


def test_package_tokens_of_other_keys_do_not_open(ada, settings):
    settings.ACCEPT_PACKAGE_TOKENS = True
    foreign = Fernet(Fernet.generate_key()).encrypt(b"secret").decode()
    for text in (foreign, "gAAAA", foreign[:-5], foreign + "\n"):
        factories.store(ada, "address", text)
        with pytest.raises(SealError):
            _ = loaded(ada).address
