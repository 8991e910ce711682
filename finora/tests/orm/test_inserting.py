"""A row and its notes, by one statement: what Django's own INSERTs would have written."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from finora.audit.models import AuditEvent
from finora.orm.inserting import insert
from finora.tests.kit import factories

pytestmark = pytest.mark.django_db(transaction=True)

FULL = {
    "name": " Adébáyọ̀ ",
    "company_name": "Ada Ltd",
    "email": " Ada@Example.com",
    "phone": "0803 123 4567",
    "address": "1 Marina\nLagos",
    "tin": "12345678-0001",
    "account_balance_kobo": 2**40,
}
BARE = {"name": "Ada", "email": "ada@example.com"}


def columns(customer):
    """All that the table holds of a row; its tokens opened, as no two are alike."""
    row = Customer.objects.get(pk=customer.pk)
    names = {field.attname for field in Customer._meta.concrete_fields}
    apart = {"id", "business_id", "public_id", "search_mark"}
    apart |= {"email_hash", "phone_hash", "tin_hash"}
    return {name: getattr(row, name) for name in names - apart}


@pytest.mark.parametrize("fields", [FULL, BARE], ids=["full", "bare"])
def test_the_row_is_the_one_that_djangos_insert_writes(business, other_business, fields):
    saved = Customer(business=business, **fields)
    saved.save()
    same = {"created_at": saved.created_at, "updated_at": saved.updated_at}
    twin = Customer(business=other_business, **fields, **same)
    Customer.objects.bulk_create([twin])
    assert columns(saved) == columns(twin)
    for name in ("email", "phone", "tin"):
        stored = factories.stored(saved, f"{name}_hash")
        made = getattr(Customer.objects.get(pk=saved.pk), f"{name}_hash")
        assert (stored and bytes(stored)) == made


def test_the_note_is_the_one_that_record_writes(business):
    customer = factories.customer(business)
    AuditEvent.objects.record("created", business.pk, [customer.public_id])
    by_insert, by_record = AuditEvent.objects.filter(subject=customer.public_id).order_by("id")
    for field in AuditEvent._meta.concrete_fields:
        if field.name not in ("id", "at"):
            assert getattr(by_insert, field.attname) == getattr(by_record, field.attname)


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a transaction"])
def test_of_a_row_that_is_refused_there_is_no_note(business, inside):
    factories.customer(business, email="ada@example.com")
    before = AuditEvent.objects.count()

    def again():
        if not inside:
            return factories.customer(business, email="ada@example.com")
        with transaction.atomic():
            return factories.customer(business, email="ada@example.com")

    with pytest.raises(IntegrityError):
        again()
    assert Customer.objects.count() == 1
    assert AuditEvent.objects.count() == before


def test_a_row_whose_note_is_refused_is_not_there(business, monkeypatch):
    event = AuditEvent.of

    def of_nobody(action, business_id, *args):
        return event(action, business_id + 10**6, *args)

    monkeypatch.setattr(AuditEvent, "of", of_nobody)
    customer = Customer(business=business, **BARE)
    with pytest.raises(IntegrityError):
        customer.save()
    assert customer.pk is None
    assert customer._state.adding
    assert not Customer.objects.exists()


def test_it_is_one_statement_and_no_transaction_around_it(business):
    factories.customer(business)
    with CaptureQueriesContext(connection) as captured:
        factories.customer(business)
    sent = [query["sql"].partition(" ")[0] for query in captured]
    assert sent == (["WITH"] if connection.vendor == "postgresql" else sent)
    assert len(sent) <= 5


def test_a_row_that_brings_its_key_is_noted_once(business):
    customer = Customer(pk=7_000_000, business=business, **BARE)
    customer.save(force_insert=True)
    assert Customer.objects.get().pk == 7_000_000
    assert AuditEvent.objects.filter(subject=customer.public_id, action="created").count() == 1


def test_the_answer_is_the_rows_key(business):
    customer = Customer(business=business, **BARE)
    event = AuditEvent.of("created", business.pk, customer.public_id)
    with transaction.atomic():
        rows = insert("default", customer, event)
    assert rows == [(Customer.objects.get().pk,)]
