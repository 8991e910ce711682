"""Customer and its constraints: what the database itself refuses, and what save() keeps true."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.db.models.signals import post_save
from django.forms import modelform_factory
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from customers.querysets import EmailInUse
from customers.search.models import SearchSegment
from finora import clock, identifiers
from finora.audit.models import AuditEvent
from finora.sealing import SealError
from finora.tenants.models import ApiKey, Business
from finora.tests.kit import factories
from finora.tests.kit.sealed import blind_hash


def stored(customer, *columns):
    return tuple(factories.stored(customer, column) for column in columns)


def broken_constraint(write):
    """The name, or on SQLite the columns, of the constraint that the database says was broken."""
    with pytest.raises(IntegrityError) as raised, transaction.atomic():
        write()
    return str(raised.value)


def told(message, name, columns):
    return name in message or (connection.vendor == "sqlite" and all(c in message for c in columns))


# --- Constraints, by name, past all of our code -------------------------------------------------


def test_one_active_customer_for_an_email_in_a_business(business):
    a, b = (factories.customer(business) for _ in range(2))
    message = broken_constraint(
        lambda: factories.store(a, "email_hash", factories.stored(b, "email_hash"))
    )
    assert told(message, "customer_active_email_unique", ["business_id", "email_hash"])


def test_equal_emails_are_no_matter_among_inactive_ones_or_two_businesses(business, other_business):
    for _ in range(3):
        factories.customer(business, email="ada@example.com").delete()
    factories.customer(business, email="ada@example.com")
    factories.customer(other_business, email="ada@example.com")
    assert Customer.objects.count() == 5


def test_a_public_id_is_unique_in_its_business(business, other_business):
    a, b = (factories.customer(business) for _ in range(2))
    message = broken_constraint(lambda: factories.store(a, "public_id", b.public_id))
    assert told(message, "customer_public_id_unique", ["business_id", "public_id"])
    factories.customer(other_business, public_id=a.public_id)


def test_a_name_is_not_blank(business):
    customer = factories.customer(business)
    message = broken_constraint(lambda: factories.store(customer, "name", ""))
    assert "customer_name_not_blank" in message
    assert "customer_name_not_blank" in broken_constraint(
        lambda: factories.customer(business, name=" \t\n")
    )


@pytest.mark.parametrize(("active", "deleted"), [(False, None), (True, clock.now())])
def test_deleted_at_says_what_is_active_says(business, active, deleted):
    customer = factories.customer(business)
    message = broken_constraint(
        lambda: Customer.objects.filter(pk=customer.pk).update(is_active=active, deleted_at=deleted)
    )
    assert "customer_deleted_at_iff_inactive" in message


def test_a_business_has_a_name_and_an_id_of_its_own(business):
    with pytest.raises(IntegrityError), transaction.atomic():
        Business.objects.create(name="")
    with pytest.raises(IntegrityError), transaction.atomic():
        Business.objects.create(name="Copy", public_id=business.public_id)


def test_a_keys_digest_is_unique(business):
    key, _ = factories.api_key(business)
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.create(business=business, name="copy", digest=bytes(key.digest))


@pytest.mark.parametrize("what", ["customer", "api_key"])
def test_a_business_with_anything_in_it_is_not_deleted(business, what):
    getattr(factories, what)(business)
    with pytest.raises(ProtectedError):
        business.delete()


def test_a_write_to_customers_keeps_at_most_fourteen_indexes(db):
    """Each costs every write: the one that a new list wants is to replace another one."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'customers_customer'")
            count = cursor.fetchone()[0]
        else:
            # Of the primary key, which is the table's own tree, SQLite lists none.
            cursor.execute("SELECT count(*) FROM pragma_index_list('customers_customer')")
            count = cursor.fetchone()[0] + 1
    assert 2 < count <= 14


# --- Validation, as forms run it ----------------------------------------------------------------


def test_an_email_in_use_is_told_beside_the_email(business):
    factories.customer(business, email="ada@example.com")
    customer = Customer(business=business, name="Ada", email=" ADA@example.com")
    for validate in (customer.full_clean, customer.validate_constraints):
        with pytest.raises(ValidationError) as raised:
            validate()
        assert raised.value.message_dict == {
            "email": ["An active customer of this business has this email."]
        }


def test_a_form_without_the_business_hears_of_it_too(business):
    factories.customer(business, email="ada@example.com")
    form_class = modelform_factory(Customer, fields=["name", "email"])
    form = form_class(
        {"name": "A", "email": "ADA@example.com"}, instance=Customer(business=business)
    )
    assert not form.is_valid()
    assert form.errors == {"email": ["An active customer of this business has this email."]}


def test_a_free_email_is_valid(business, other_business):
    mine = factories.customer(business, email="ada@example.com")
    mine.full_clean()
    factories.customer(other_business, email="bola@example.com")
    factories.customer(business, email="chidi@example.com").delete()
    for email in ("bola@example.com", "chidi@example.com"):
        Customer(business=business, name="A", email=email).full_clean()


def test_other_broken_constraints_are_told_in_general(business):
    customer = factories.customer(business)
    customer.is_active = False
    with pytest.raises(ValidationError) as raised:
        customer.validate_constraints()
    assert list(raised.value.message_dict) == ["__all__"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", " "),
        ("name", "x" * 201),
        ("name", "a\0"),
        ("email", "no"),
        ("email", "a" * 250 + "@b.co"),
        ("phone", "1" * 33),
        ("phone", "a\nb"),
        ("tin", "1_2"),
        ("address", "a\tb"),
        ("company_name", "x" * 201),
    ],
)
def test_forms_keep_the_rules_of_the_api(business, field, value):
    customer = factories.customer(business)
    setattr(customer, field, value)
    with pytest.raises(ValidationError) as raised:
        customer.full_clean()
    assert list(raised.value.message_dict) == [field]
    assert not value.strip() or value not in str(raised.value)


# --- save() -------------------------------------------------------------------------------------


def test_what_follows_a_field_is_written_with_it(business):
    customer = factories.customer(business)
    for field, value, follower, expected in [
        ("name", "Élan", "name_key", b"elan"),
        ("email", "B@b.co", "email_hash", blind_hash("email", business.pk, "b@b.co")),
        ("phone", "1", "phone_hash", blind_hash("phone", business.pk, "1")),
        ("tin", "1", "tin_hash", blind_hash("tin", business.pk, "1")),
    ]:
        setattr(customer, field, value)
        customer.save(update_fields=[field])
        assert bytes(factories.stored(customer, follower)) == expected


@pytest.mark.parametrize(
    ("field", "value", "searched"),
    [
        ("name", "New", True),
        ("email", "new@example.com", True),
        ("phone", "1", True),
        ("address", "x", False),
        ("tin", "1", False),
        ("company_name", "x", True),
    ],
)
def test_a_change_that_search_shows_is_in_the_tail_with_a_new_mark(
    business, field, value, searched
):
    factories.customer(business)
    business.search_tail.all().delete()
    customer = Customer.objects.get()
    before = customer.search_mark
    setattr(customer, field, value)
    customer.save(update_fields=[field])
    changes = business.search_tail.values_list("public_id", "renews")
    assert list(changes) == ([(customer.public_id, True)] if searched else [])
    assert (factories.stored(customer, "search_mark") != before) is searched


def test_a_new_customer_is_in_the_tail_and_makes_no_line_stale(business):
    people = [factories.customer(business), Customer(business=business, name="B", email="b@b.co")]
    Customer.objects.bulk_create(people[1:])
    changes = business.search_tail.values_list("public_id", "renews")
    assert set(changes) == {(customer.public_id, False) for customer in people}


def test_a_whole_save_and_activity_put_the_row_into_the_tail(business):
    customer = factories.customer(business)
    for change in (customer.save, customer.delete, customer.restore):
        business.search_tail.all().delete()
        before = factories.stored(customer, "search_mark")
        change()
        assert business.search_tail.get().public_id == customer.public_id
        assert factories.stored(customer, "search_mark") != before


def test_named_fields_are_all_that_is_written(business):
    customer = factories.customer(business, name="Before", company_name="Before")
    customer.name = customer.company_name = "After"
    customer.save(update_fields=["company_name"])
    customer.refresh_from_db()
    assert (customer.name, customer.company_name) == ("Before", "After")


def test_every_save_notes_the_time_and_none_changes_the_first(business):
    customer = factories.customer(business)
    long_ago = clock.now() - timedelta(days=9)
    Customer.objects.update(created_at=long_ago, updated_at=long_ago)
    customer = Customer.objects.get()
    customer.phone = "1"
    customer.save(update_fields=["phone"])
    customer.refresh_from_db()
    assert customer.created_at == long_ago
    assert customer.updated_at > long_ago + timedelta(days=8)


CHANGES = {
    "a whole save": lambda customer: customer.save(),
    "a named save": lambda customer: customer.save(update_fields=["phone"]),
    "a save of what was partly loaded": lambda customer: (
        Customer.objects.only("name").get(pk=customer.pk).save()
    ),
    "an edit": lambda customer: customer.edit(phone="2"),
    "a delete": lambda customer: customer.delete(),
    "a delete of many": lambda customer: Customer.objects.all().delete(),
    "an erasure": lambda customer: customer.erase(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("step", [-3600, -0.001, 0.001, 3600])
def test_the_time_of_a_change_goes_forward_only(business, monkeypatch, change, step):
    customer = factories.customer(business, phone="1")
    before = customer.updated_at
    now = before + timedelta(seconds=step)
    monkeypatch.setattr(clock, "now", lambda: now)
    change(Customer.objects.get(pk=customer.pk))
    assert Customer.objects.get(pk=customer.pk).updated_at == max(before, now)


def test_a_row_that_another_process_changed_later_keeps_that_time(business):
    """What was loaded is not what the row holds by now."""
    customer = factories.customer(business)
    later = clock.now() + timedelta(hours=1)
    Customer.objects.update(updated_at=later)
    customer.name = "New"
    customer.save()
    assert customer.updated_at == later
    assert Customer.objects.get().updated_at == later


def test_times_are_cut_to_the_milliseconds_that_are_shown(business):
    customer = factories.customer(business)
    assert customer.created_at.microsecond % 1000 == 0
    assert customer.updated_at.microsecond % 1000 == 0


def test_an_email_in_use_names_its_holder(business):
    holder = factories.customer(business, email="ada@example.com")
    other = factories.customer(business)
    with pytest.raises(EmailInUse) as raised:
        factories.customer(business, email="ADA@example.com")
    assert raised.value.public_id == holder.public_id
    other.email = "ada@example.com"
    for options in ({}, {"update_fields": ["email"]}):
        with pytest.raises(EmailInUse) as raised:
            other.save(**options)
        assert raised.value.public_id == holder.public_id
        assert "ada@" not in str(raised.value)
    # The transaction around it goes on.
    assert Customer.objects.count() == 2


def test_another_broken_constraint_is_not_called_an_email_in_use(business):
    customer = factories.customer(business)
    with pytest.raises(IntegrityError) as raised:
        factories.customer(business, public_id=customer.public_id)
    assert not isinstance(raised.value, EmailInUse)


def refuse(**_):
    raise RuntimeError


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"email": "ada@example.com"}, EmailInUse),
        ({"name": ""}, IntegrityError),
        ({"name": "", "is_active": False}, IntegrityError),
        ({"tin": "1"}, RuntimeError),
    ],
)
@pytest.mark.parametrize("is_new", [True, False])
def test_a_save_that_fails_leaves_the_instance_as_it_was(business, changes, error, is_new):
    factories.customer(business, email="ada@example.com")
    customer = Customer(business=business, name="Bola", email="bola@example.com", search_mark=7)
    if not is_new:
        customer.save()
        Customer.objects.filter(pk=customer.pk).update(search_mark=7)
        customer = Customer.objects.get(pk=customer.pk)
    for name, value in changes.items():
        setattr(customer, name, value)
    before, rows = vars(customer).copy(), Customer.objects.count()
    if error is RuntimeError:
        post_save.connect(refuse, sender=Customer)
    try:
        with pytest.raises(error):
            customer.save()
    finally:
        post_save.disconnect(refuse, sender=Customer)
    assert vars(customer) == before
    assert customer._state.adding is is_new
    assert Customer.objects.count() == rows
    customer.name, customer.email, customer.is_active = "B", "b@example.com", True
    customer.save()
    assert Customer.objects.get(pk=customer.pk).email == "b@example.com"


def test_a_save_that_cannot_open_its_row_leaves_the_instance_as_it_was(business):
    customer = factories.customer(business, email="ada@example.com")
    customer.delete()
    factories.store(customer, "email", "s1.AAAA")
    factories.customer(business, email="ada@example.com")
    damaged = Customer.objects.inactive().get()
    damaged.is_active, damaged.search_mark = True, 7
    before = vars(damaged).copy()
    with pytest.raises(SealError):
        damaged.save()
    assert vars(damaged) == before


def test_an_email_that_nobody_holds_any_more_is_tried_once_again(business, monkeypatch):
    factories.customer(business, email="ada@example.com")
    monkeypatch.setattr(Customer, "email_holder", lambda self: None)
    with CaptureQueriesContext(connection) as asked, pytest.raises(IntegrityError):
        factories.customer(business, email="ada@example.com")
    assert sum('INSERT INTO "customers_customer"' in query["sql"] for query in asked) == 2


def test_a_save_of_no_field_writes_and_notes_nothing(business):
    customer = factories.customer(business)
    customer.name = "New"
    events = AuditEvent.objects.count()
    customer.save(update_fields=iter(()))
    assert AuditEvent.objects.count() == events
    assert Customer.objects.get().updated_at == customer.updated_at


def test_texts_are_trimmed_and_blank_ones_null(business):
    customer = factories.customer(
        business, name=" Ada ", phone=" ", address="\n", tin="", company_name="\u3000"
    )
    assert customer.name == "Ada"
    customer.refresh_from_db()
    assert (customer.name, customer.phone, customer.address) == ("Ada", None, None)
    assert (customer.tin, customer.company_name) == (None, None)


# --- Names and ids ------------------------------------------------------------------------------


def test_str_and_repr_hold_no_personal_value(business):
    customer = factories.customer(business, name="Ada Obi", email="ada@example.com")
    assert str(customer) == customer.public_id
    assert "Ada" not in repr(customer)
    assert str(SearchSegment(business=business, size=1))


def test_ids_are_opaque_time_ordered_and_url_safe():
    for make, prefix in (
        (identifiers.business_id, "biz_"),
        (identifiers.customer_id, "cust_"),
        (identifiers.key_id, "key_"),
    ):
        made = [make() for _ in range(2000)]
        assert len(set(made)) == len(made)
        assert all(re.fullmatch(prefix + "[0-9a-hjkmnp-tv-z]{26}", id) for id in made)
        times = [id.removeprefix(prefix)[:10] for id in made]
        assert times == sorted(times)


def test_migrations_are_complete(db):
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
