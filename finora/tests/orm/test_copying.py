"""Many rows at once: what bulk_create() would have written, on whatever database."""

from dataclasses import asdict

import pytest
from django.db import IntegrityError, models, transaction
from django.test.utils import isolate_apps

from customers.management.people import people
from customers.models import Customer
from finora import identifiers
from finora.orm import copying
from finora.sealing import SealError
from finora.tests.kit import factories

pytestmark = pytest.mark.django_db
DATABASES_OWN = {"id", "business_id", "public_id", "created_at", "updated_at"}
OF_THEIR_BUSINESS = {"email_hash", "phone_hash", "tin_hash"}


def crowd(business, count=40):
    return [Customer(business=business, **asdict(person)) for person in people(count)]


def stored(business):
    """All that the rows hold, opened; in the order in which they were made."""
    names = [f.attname for f in Customer._meta.concrete_fields if f.attname not in DATABASES_OWN]
    rows = Customer.objects.in_business(business.pk).order_by("pk")
    return [{name: getattr(row, name) for name in names} for row in rows]


def raw(business, *columns):
    rows = Customer.objects.in_business(business.pk).order_by("pk")
    return list(rows.values_list(*columns))


def test_what_is_written_is_what_bulk_create_writes(business, other_business):
    rows = crowd(business)
    copying.NewRows(rows).insert()
    Customer.objects.bulk_create(crowd(other_business))
    assert stored(business) == [
        theirs | {name: ours[name] for name in OF_THEIR_BUSINESS}
        for ours, theirs in zip(stored(business), stored(other_business), strict=True)
    ]
    columns = ("pk", "public_id", "created_at", "updated_at", *sorted(OF_THEIR_BUSINESS))
    given = [tuple(getattr(row, name) for name in columns) for row in rows]
    assert raw(business, *columns) == given
    assert all(not row._state.adding and row._state.db == "default" for row in rows)


def test_columns_are_what_a_save_writes_also_of_loaded_rows_and_of_several_businesses(
    business, other_business
):
    ada = factories.customer(business, name="Ada", email="ada@example.com", phone="0803 123 4567")
    loaded = Customer.objects.get(pk=ada.pk)  # nothing of it is opened yet
    Customer.objects.filter(pk=ada.pk)._raw_delete("default")
    theirs = Customer(business=other_business, name=" Ada ", email=" Ada@Example.com ", phone=" ")
    copying.NewRows([theirs, loaded]).insert()
    for row, phone in (theirs, None), (loaded, "0803 123 4567"):
        found = row.business.customers.with_email("ADA@example.com").get()
        assert (found.pk, found.name, found.email) == (row.pk, "Ada", "ada@example.com")
        assert found.phone == phone
    moved = Customer.objects.get(pk=ada.pk)
    moved.pk, moved.public_id = None, identifiers.customer_id()
    with pytest.raises(SealError):
        copying.NewRows([moved])


def test_a_row_saved_afterwards_gets_a_key_of_its_own(business):
    copying.NewRows(crowd(business)).insert()
    factories.customer(business)
    assert Customer.objects.count() == 41


def test_a_conflict_is_djangos_and_writes_nothing(business):
    mine = factories.customer(business, email="ada@example.com")
    rows = crowd(business)
    rows[30].email = "ada@example.com"
    with pytest.raises(IntegrityError, match="email") as raised, transaction.atomic():
        copying.NewRows(rows).insert()
    assert "ada@" not in str(raised.value)
    assert rows[30].name not in str(raised.value)
    assert [row.pk for row in Customer.objects.all()] == [mine.pk]
    copying.NewRows(crowd(business)[:3]).insert()  # the connection is as good as before
    assert Customer.objects.count() == 4


def test_of_nothing_nothing_is_written(business, django_assert_num_queries):
    with django_assert_num_queries(0):
        copying.NewRows([]).insert()


@pytest.mark.postgres
@isolate_apps("finora.tests.orm")
def test_a_column_that_copy_is_not_known_to_write_is_refused():
    class Noted(models.Model):
        note = models.GenericIPAddressField()

        class Meta:
            app_label = "finora"

        def __str__(self):
            return "noted"

    with pytest.raises(TypeError, match="COPY"):
        copying.NewRows([Noted(note="127.0.0.1")]).insert()
