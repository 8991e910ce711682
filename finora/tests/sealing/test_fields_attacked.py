"""Sealed model fields, as a thief, a bad restore and a careless programmer meet them."""

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError
from django.db.models import F, Value
from django.forms import modelform_factory
from encrypted_model_fields import fields as package

from customers.models import Customer
from finora.sealing import SealError
from finora.sealing.tokens import SealedToken
from finora.tests.kit import factories
from finora.tests.kit.sealed import SEALED, VALUES, loaded, tokens

sealed = pytest.mark.parametrize("field", SEALED)


@pytest.fixture
def ada(business):
    return factories.customer(business, **VALUES)


@pytest.fixture
def bola(business):
    return factories.customer(business, phone="2", address="2", tin="2")


# --- Tokens that do not belong --------------------------------------------------------------------


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
    twin = factories.customer(
        other_business, public_id=ada.public_id, **VALUES | {"email": "t@b.co"}
    )
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


# --- Keys -----------------------------------------------------------------------------------------


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


# --- Input is never opened ------------------------------------------------------------------------


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


# --- Lookups --------------------------------------------------------------------------------------


@sealed
@pytest.mark.parametrize(
    "lookup",
    [
        "",
        "exact",
        "iexact",
        "in",
        "contains",
        "icontains",
        "startswith",
        "gt",
        "range",
        "regex",
        "length",
        "nonsense",
    ],
)
def test_a_lookup_that_would_find_nothing_raises(ada, field, lookup):
    value = [VALUES[field]] if lookup in ("in", "range") else VALUES[field]
    name = f"{field}__{lookup}".removesuffix("__")
    for method in (Customer.objects.filter, Customer.objects.exclude, Customer.objects.get):
        with pytest.raises(FieldError, match="sealed"):
            method(**{name: value})


@sealed
def test_no_expression_carries_a_plain_value_into_a_statement(ada, field):
    plain = Value(VALUES[field], output_field=Customer._meta.get_field(field))
    with pytest.raises(TypeError, match="sealed"):
        Customer.objects.annotate(plain=plain).first()


@sealed
def test_isnull_is_the_one_lookup(ada, bola, field):
    assert Customer.objects.filter(**{f"{field}__isnull": False}).count() == 2
    assert not Customer.objects.filter(**{f"{field}__isnull": True}).exists()


def test_values_and_only_hand_out_tokens_and_no_text(ada):
    [row] = Customer.objects.values_list(*SEALED)
    assert all(isinstance(value, SealedToken) for value in row)
    assert "ada" not in repr(row)


# --- Writing past save() --------------------------------------------------------------------------


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
        assert business.customers.with_email(f"n{n}@b.co").get() == row
    assert business.customers.with_phone("+2348031234567").count() == 3


# --- Tokens of django-encrypted-model-fields ------------------------------------------------------


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
