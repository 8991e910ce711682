"""The directory's rules as queries: whom they select, and how rows change."""

import re
from dataclasses import asdict
from functools import partial

import pytest
from django.db import connection, transaction

from customers.management.people import people
from customers.managers import CustomerManager
from customers.models import Customer
from customers.querysets import BY_NAME, ERASED_NAME, NEWEST_FIRST, CustomerInactive, EmailInUse
from customers.search import index
from finora import clock, text
from finora.audit.models import AuditEvent
from finora.sealing import SealError
from finora.tests.kit import factories
from finora.tests.kit.answers import statements

objects = Customer.objects


# --- Whom ---------------------------------------------------------------------------------------


def test_objects_sees_the_inactive_ones_too(business):
    active, gone = (factories.customer(business) for _ in range(2))
    gone.delete()
    assert set(objects.all()) == {active, gone}
    assert list(objects.active()) == [active]
    assert list(objects.inactive()) == [gone]
    assert set(business.customers.all()) == {active, gone}
    assert Customer._base_manager.count() == 2


@pytest.mark.parametrize(("status", "count"), [("active", 1), ("inactive", 2), ("all", 3)])
def test_status(business, status, count):
    for n in range(3):
        customer = factories.customer(business)
        if n:
            customer.delete()
    assert objects.with_status(status).count() == count


def test_in_business(business, other_business):
    mine = factories.customer(business)
    factories.customer(other_business)
    assert list(objects.in_business(business.pk)) == [mine]


@pytest.mark.parametrize("id", ["", "x", "\0", "é", "😀", "\ud800", "a\nb", "x" * 10_000])
def test_no_text_breaks_the_lookup_by_id(business, id):
    factories.customer(business)
    assert not objects.with_public_id(id).exists()


def test_after_goes_on_behind_a_place(business):
    for name in ("b", "a", "B", "c", "á"):
        factories.customer(business, name=name)
    rows = list(objects.in_list_order())
    assert [text.fold(row.name) for row in rows] == ["a", "a", "b", "b", "c"]
    for n, row in enumerate(rows):
        assert list(objects.after(row.name_key, row.public_id).in_list_order()) == rows[n + 1 :]
    assert list(objects.after(b"", "").in_list_order()) == rows


# --- Find or create -----------------------------------------------------------------------------


def test_find_or_create(business, other_business):
    made, created = business.customers.find_or_create(" Ada@Example.com", phone="1")
    assert (created, made.name, made.email, made.phone) == (True, "ada", "ada@example.com", "1")
    found, created = business.customers.find_or_create("ADA@example.com", name="X", phone="2")
    assert (created, found) == (False, made)
    assert found.name == "ada"
    other, created = other_business.customers.find_or_create("ada@example.com")
    assert created
    assert other != made


def test_find_or_create_inside_a_transaction_that_goes_on(business, monkeypatch):
    """The one who was faster shows only in the conflict; the transaction must survive that."""
    look = CustomerManager.active_with_email
    faster = []

    def late(self, email):
        found = look(self, email)
        if not faster:
            faster.append(factories.customer(business, email="ada@example.com"))
        return found

    monkeypatch.setattr(CustomerManager, "active_with_email", late)
    with transaction.atomic():
        found, created = business.customers.find_or_create("ada@example.com")
        assert (found, created) == (faster[0], False)
        assert objects.count() == 1


# --- Edit ---------------------------------------------------------------------------------------


def test_edit_keeps_the_other_fields(business):
    customer = factories.customer(business, name="Ada", phone="1", address="x", tin="2")
    edited = business.customers.edit(customer.public_id, {"phone": "3", "company_name": "Acme"})
    assert (edited.phone, edited.company_name) == ("3", "Acme")
    customer.refresh_from_db()
    assert (customer.name, customer.phone, customer.address, customer.tin) == ("Ada", "3", "x", "2")


def test_edit_changes_a_row_as_it_is_now_not_as_it_was_loaded(business):
    customer = factories.customer(business, name="Ada", phone="1")
    stale = objects.get()
    business.customers.edit(customer.public_id, {"name": "Bola"})
    business.customers.edit(stale.public_id, {"phone": "2"})
    customer.refresh_from_db()
    assert (customer.name, customer.phone) == ("Bola", "2")


def test_edit_refuses_the_inactive_the_unknown_and_a_taken_email(business, other_business):
    customer = factories.customer(business)
    holder = factories.customer(business)
    with pytest.raises(EmailInUse) as raised:
        business.customers.edit(customer.public_id, {"email": holder.email, "name": "New"})
    assert raised.value.public_id == holder.public_id
    customer.refresh_from_db()
    assert customer.name != "New"
    with pytest.raises(Customer.DoesNotExist):
        other_business.customers.edit(customer.public_id, {"name": "New"})
    customer.delete()
    with pytest.raises(CustomerInactive):
        business.customers.edit(customer.public_id, {"name": "New"})


def test_an_edit_that_changes_nothing_writes_nothing(business):
    values = {"name": "Ada", "email": "ada@example.com", "phone": "0803", "company_name": None}
    customer = factories.customer(business, **values)
    before = customer.updated_at, AuditEvent.objects.count()
    spelt = {"name": " Ada", "email": "ADA@example.com ", "phone": "0803\n", "company_name": " "}
    for changes in ({}, values, spelt, {"phone": "0803"}):
        edit = partial(business.customers.edit, customer.public_id, changes)
        assert statements(edit) == ["SELECT customers_customer"]
        assert edit() == customer
    assert (objects.get().updated_at, AuditEvent.objects.count()) == before


def test_an_edit_notes_what_it_changed_alone(business):
    customer = factories.customer(business, name="Ada", phone="0803")
    business.customers.edit(
        customer.public_id, {"name": "Ada", "phone": "0803 ", "address": "Lagos"}
    )
    assert AuditEvent.objects.latest("id").fields == ["address"]
    business.customers.edit(customer.public_id, {"phone": "08 03"})
    assert AuditEvent.objects.latest("id").fields == ["phone"]
    assert objects.get().phone == "08 03"


# --- Delete and restore -------------------------------------------------------------------------


def test_delete_on_a_row_is_soft(business):
    customer = factories.customer(business, email="ada@example.com")
    assert customer.delete() == (1, {"customers.Customer": 1})
    assert not customer.is_active
    assert customer.deleted_at is not None
    again = objects.get()
    assert (again.is_active, again.deleted_at) == (False, customer.deleted_at)
    assert again.email == "ada@example.com"


def test_delete_on_a_queryset_is_soft_and_stays_inside_it(business, other_business):
    for _ in range(3):
        factories.customer(business)
    stays = factories.customer(other_business)
    assert objects.in_business(business.pk).delete() == (3, {"customers.Customer": 3})
    assert objects.count() == 4
    assert list(objects.active()) == [stays]
    assert business.customers.all().delete() == (0, {"customers.Customer": 0})


def test_deleting_again_changes_nothing(business):
    customer = factories.customer(business)
    customer.delete()
    at = customer.deleted_at
    assert customer.delete()[0] == 0
    assert objects.all().delete()[0] == 0
    assert objects.get().deleted_at == at
    assert objects.get().updated_at == at


def test_deleting_what_was_never_saved_raises_as_in_django(business):
    for customer in (Customer(), Customer(business=business, name="A", email="a@b.co")):
        with pytest.raises(ValueError, match="saved"):
            customer.delete()


def test_update_of_is_active_unpacks_the_rows_and_search_is_right_at_once(business):
    ada, bola = (factories.customer(business, name=name) for name in ("Ada", "Bola"))
    index.repack(business)
    assert business.customers.search("bola") == [bola]
    objects.filter(pk=bola.pk).update(is_active=False, deleted_at=clock.now())
    assert business.customers.unpacked(business.pk).get() == bola
    assert business.customers.search("bola") == []
    index.repack(business)
    objects.filter(pk=bola.pk).update(is_active=True, deleted_at=None)
    assert business.customers.search("bola") == [bola]
    assert business.customers.unpacked(business.pk).get() == bola
    objects.filter(pk=ada.pk).update(account_balance_kobo=1)
    assert business.customers.unpacked(business.pk).get() == bola
    objects.filter(pk=ada.pk).update(company_name="Acme")
    assert ada in business.customers.unpacked(business.pk)


def test_the_manager_itself_has_no_delete(db):
    assert not hasattr(objects, "delete")


def test_restore_makes_it_active_again(business):
    customer = factories.customer(business, name="Ada", phone="1")
    customer.delete()
    for row in (customer, objects.get()):
        row.restore()
        row.restore()
    again = objects.get()
    assert (again.is_active, again.deleted_at) == (True, None)
    assert (again.name, again.phone) == ("Ada", "1")
    assert business.customers.with_email(again.email).active().get() == again


def test_restore_of_an_active_customer_writes_nothing(business):
    customer = factories.customer(business)
    stale = objects.get()
    customer.delete()
    inactive = objects.get()
    customer.restore()
    before = objects.get().updated_at, AuditEvent.objects.count()
    for row in (customer, stale, inactive):
        row.restore()
        assert (row.is_active, row.deleted_at) == (True, None)
    assert (objects.get().updated_at, AuditEvent.objects.count()) == before


def test_a_restore_that_fails_leaves_the_instance_inactive(business):
    customer = factories.customer(business, email="ada@example.com")
    customer.delete()
    deleted_at = customer.deleted_at
    factories.store(customer, "email", "s1.AAAA")
    holder = factories.customer(business, email="ada@example.com")
    damaged = objects.inactive().get()
    with pytest.raises(SealError):
        damaged.restore()
    assert (damaged.is_active, damaged.deleted_at) == (False, deleted_at)
    assert objects.active().get() == holder


def test_restore_of_a_taken_email_names_the_holder_and_changes_nothing(business):
    customer = factories.customer(business, email="ada@example.com")
    customer.delete()
    holder = factories.customer(business, email="ada@example.com")
    with pytest.raises(EmailInUse) as raised:
        customer.restore()
    assert raised.value.public_id == holder.public_id
    again = objects.get(pk=customer.pk)
    assert (again.is_active, again.deleted_at) == (False, customer.deleted_at)
    assert not customer.is_active
    holder.delete()
    customer.restore()
    assert objects.active().get() == customer


# --- Plans: each list is a stretch of an index, without statistics too ----------------------------


@pytest.mark.parametrize(
    ("select", "index"),
    [
        (lambda rows: rows.active(), "customer_list_active"),
        (lambda rows: rows.inactive(), "customer_list_inactive"),
        (lambda rows: rows, "customer_list_all"),
        (lambda rows: rows.with_email("a@b.ng"), "customer_email_hash"),
        (lambda rows: rows.with_phone("0803"), "customer_phone_hash"),
        (lambda rows: rows.with_tin("12345678-0001"), "customer_tin_hash"),
    ],
)
@pytest.mark.parametrize("further", [False, True])
def test_a_list_is_read_by_its_index(business, select, index, further):
    factories.customer(business, phone="0803", tin="12345678-0001")
    rows = select(business.customers).in_list_order()
    if further:
        rows = rows.after(b"m", "cust_")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE customers_customer")
            # It would read so few rows as they lie, or sort them.
            for way in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
    plan = rows[:50].explain()
    assert index in plan
    assert "sort" not in plan.lower()
    assert "ORDER BY" not in plan


@pytest.mark.parametrize("is_ready", [True, False])
def test_who_is_ready_for_an_e_invoice_is_told_by_the_index_of_the_list(business, is_ready):
    whole = {"phone": "0803", "tin": "12345678-0001", "address": "1 Marina, Lagos"}
    others = {} if is_ready else whole
    business.customers.import_packed(
        [
            Customer(business=business, name=f"C {n}", email=f"{n}@c.ng", **others)
            for n in range(400)
        ]
    )
    rows = business.customers.active()
    rows = rows.ready_for_e_invoice() if is_ready else rows.not_ready_for_e_invoice()
    assert not rows.exists()
    wanted = factories.customer(business, **(whole if is_ready else {}))
    assert list(rows) == [wanted]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE customers_customer")
            for way in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
        plan = rows.in_list_order()[:50].explain()
        assert "customer_list_all" in plan
        assert "Filter: is_active\n" in f"{plan}\n"


@pytest.mark.parametrize(
    ("status", "index"),
    [("inactive", "customer_created_inactive"), ("all", "customer_created")],
)
def test_the_newest_are_read_by_their_index(business, status, index):
    factories.customer(business)
    rows = business.customers.with_status(status).filter(created_at__gte=business.created_at)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE customers_customer")
            for way in ("seqscan", "bitmapscan"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
    assert re.search(rf"\b{index}\b", rows.order_by(*NEWEST_FIRST)[:50].explain())


def test_the_erased_are_read_by_their_name_among_the_inactive(business):
    gone, named_so = (factories.customer(business) for _ in range(2))
    gone.erase()
    named_so.edit(name=ERASED_NAME)
    named_so.delete()
    for _ in range(200):  # to one planner all indexes of a few rows are alike
        factories.customer(business)
    business.customers.active().delete()
    rows = business.customers.erased()
    assert list(rows) == [gone]
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE customers_customer")
                for way in ("seqscan", "bitmapscan"):
                    cursor.execute(f"SET LOCAL enable_{way} = off")
        plan = rows.explain()
    assert "customer_list_inactive" in plan
    assert re.search(r"Index Cond: .*name_key|business_id=\? AND name_key=\?", plan)


@pytest.mark.parametrize(
    ("typed", "indexes"),
    [
        ("a@b.ng", ["customer_phone_hash", "customer_email_hash"]),
        ("12345678-0001", ["customer_phone_hash", "customer_tin_hash"]),
        ("cust_0", ["customer_phone_hash", "customer_public_id_unique"]),
    ],
)
def test_who_is_named_exactly_is_found_by_an_index_in_each_of_many_businesses(
    business, other_business, typed, indexes
):
    for each in (business, other_business):
        each.customers.import_packed(
            [Customer(business=each, **asdict(person)) for person in people(1500)]
        )
    ids = [business.pk, other_business.pk, *range(10**6, 10**6 + 198)]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE customers_customer")
    for rows, index_ in zip(objects.named_exactly(typed, ids), indexes, strict=True):
        plan = rows.order_by(*BY_NAME)[:50].explain()
        # SQLite has no name for the index of a constraint.
        assert index_ in plan or "business_id=? AND public_id=?" in plan
        assert not re.search(r"SCAN customers_customer$|Seq Scan", plan, re.MULTILINE)
