"""A reference inside a tenant: both databases refuse a row of another one's."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations.writer import MigrationWriter
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from finora.orm.references import TenantForeignKey, TenantReference
from finora.orm.tenant import BusinessField, TenantQuerySet, TenantRow
from finora.tests.kit import factories

pytestmark = pytest.mark.django_db(transaction=True)
REFERENCE = {"field": "customer", "name": "note_customer"}


@pytest.fixture
def notes(business):
    """A model with a reference to a customer, and its table as migrations would make it."""

    class Note(TenantRow):
        business = BusinessField(related_name="+")
        customer = TenantForeignKey(Customer, related_name="+", null=True)
        text = models.CharField(max_length=10, default="")

        objects = TenantQuerySet.as_manager()

        class Meta:
            app_label = "customers"
            constraints = [TenantReference(**REFERENCE)]

    with connection.schema_editor() as editor:
        editor.create_model(Note)
    yield Note
    with connection.schema_editor() as editor:
        editor.delete_model(Note)
    del Note._meta.apps.all_models["customers"]["note"]
    Note._meta.apps.clear_cache()


def refused(rows, **values):
    """At once, not first by the COMMIT; but on SQLite, where tables are emptied in any order."""
    made = []
    with pytest.raises(IntegrityError), transaction.atomic():
        made.append(rows.create(**values))
    assert not made or connection.vendor == "sqlite"


def test_another_tenants_row_is_refused(notes, business, other_business):
    theirs = factories.customer(other_business)
    refused(notes.objects, business=business, customer=theirs)
    refused(notes.objects, business=business, customer_id=theirs.pk + 100)
    mine = notes.objects.create(business=business, customer=factories.customer(business))
    with pytest.raises(IntegrityError), transaction.atomic():
        mine.itself().update(customer=theirs)
    assert notes.objects.create(business=business).customer is None


def test_what_is_pointed_at_does_not_go(notes, business):
    customer = factories.customer(business)
    notes.objects.create(business=business, customer=customer)
    with pytest.raises(IntegrityError), transaction.atomic():
        customer.itself()._raw_delete("default")
    assert Customer.objects.filter(pk=customer.pk).exists()


def test_a_form_hears_of_another_tenants_row(notes, business, other_business):
    theirs, mine = factories.customer(other_business), factories.customer(business)
    notes(business=business, customer=mine, text="a").full_clean()
    with pytest.raises(ValidationError) as raised:
        notes(business=business, customer=theirs, text="a").full_clean()
    assert list(raised.value.message_dict) == ["customer"]


def test_each_look_at_it_names_the_business(notes, business):
    customer = factories.customer(business, name="Ada")
    notes.objects.create(business=business, customer=customer)
    with CaptureQueriesContext(connection) as captured:
        [note] = notes.objects.in_business(business.pk)
        assert note.customer == customer
        rows = notes.objects.in_business(business.pk)
        assert rows.select_related("customer").get().customer == customer
        assert rows.filter(customer__name="Ada").count() == 1
        assert rows.exclude(customer__name="Ada").count() == 0
    look, joined = captured[1]["sql"], captured[2]["sql"]
    assert f'"customers_customer"."business_id" = {business.pk}' in look
    own, theirs = '"customers_note"."business_id"', '"customers_customer"."business_id"'
    for query in captured[2:]:
        assert f"{theirs} = ({own})" in query["sql"] or f"{theirs} = {own}" in query["sql"]
    assert "JOIN" in joined


def test_it_comes_and_goes_with_a_migration(notes, business, other_business):
    theirs = factories.customer(other_business)
    constraint = notes._meta.constraints[0]
    written, _ = MigrationWriter.serialize(constraint)
    assert "finora.orm.references.TenantReference(" in written
    assert constraint == constraint.clone()
    notes._meta.constraints = []
    with connection.schema_editor() as editor:
        editor.remove_constraint(notes, constraint)
    row = notes.objects.create(business=business, customer=theirs)
    row.delete()
    notes._meta.constraints = [constraint]
    with connection.schema_editor() as editor:
        editor.add_constraint(notes, constraint)
    refused(notes.objects, business=business, customer=theirs)
