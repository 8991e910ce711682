"""Whatever was loaded and however it is written: no derived column lags behind its source."""

import pytest
from django.db import DatabaseError, connection, models
from django.test.utils import isolate_apps

from customers.models import Customer
from customers.search.models import Unpacked
from finora import text
from finora.orm.scope import ScopedQuerySet
from finora.orm.tenant import RowGone
from finora.sealing import SealError, blind_index, normal_forms
from finora.sealing.derived import BlindIndexField
from finora.sealing.fields import SealedEmailField
from finora.sealing.rows import SealedRow, SealedRowQuerySet, sealed_rows
from finora.sealing.tokens import SealedToken
from finora.tests.kit import factories
from finora.tests.kit.answers import statements
from finora.tests.kit.sealed import SEALED, VALUES, blind_hash, tokens

objects = Customer.objects
HASH = {"of": "email", "place": "supplier.email", "normal_form": normal_forms.email_key}
DERIVED = {
    "name": "name_key",
    "email": "email_hash",
    "phone": "phone_hash",
    "tin": "tin_hash",
}
NEW = {
    "name": "Ọlá",
    "email": "new@example.com",
    "phone": "+44 20 7183 8750",
    "tin": "98765432-0001",
}


def shown(customer):
    return customer.business.customers.get_shown(customer.public_id)


LOADED = {
    "all": lambda pk: objects.get(pk=pk),
    "shown": lambda pk: shown(objects.get(pk=pk)),
    "only the source": lambda pk: objects.only(*DERIVED).get(pk=pk),
    "only the id": lambda pk: objects.only("pk").get(pk=pk),
    "without the source": lambda pk: objects.defer(*DERIVED).get(pk=pk),
    "only the derived": lambda pk: objects.only(*DERIVED.values()).get(pk=pk),
    "without the mark": lambda pk: objects.defer("search_mark", "updated_at").get(pk=pk),
}
loaded = pytest.mark.parametrize("load", LOADED.values(), ids=LOADED)
changed = pytest.mark.parametrize("field", DERIVED)


@pytest.fixture
def ada(business):
    customer = factories.customer(business, **{"name": "Ada"} | VALUES)
    business.search_tail.all().delete()
    return customer


def in_step(customer):
    """Whether each derived column is that of its source, by the table alone."""
    row = objects.get(pk=customer.pk)
    for source, column in DERIVED.items():
        value = getattr(row, source)
        if source == "name":
            true = text.name_key(value)
        else:
            true = None if value is None else blind_hash(source, row.business_id, value)
        kept = factories.stored(row, column)
        assert (None if kept is None else bytes(kept)) == true, column
    return True


# --- save() ---------------------------------------------------------------------------------------


@changed
@loaded
@pytest.mark.parametrize("named", [False, True], ids=["whole", "named"])
def test_a_derived_column_is_written_whenever_its_source_is(ada, load, field, named):
    customer = load(ada.pk)
    setattr(customer, field, NEW[field])
    customer.save(**({"update_fields": [field]} if named else {}))
    assert getattr(objects.get(pk=ada.pk), field) == NEW[field]
    assert in_step(ada)
    searched = field in ("name", "email", "phone")
    assert Unpacked.objects.exists() is (searched or not named)


@pytest.mark.parametrize("field", ["phone", "tin"])
@loaded
def test_what_is_cleared_leaves_no_hash(ada, load, field):
    customer = load(ada.pk)
    setattr(customer, field, None)
    customer.save()
    assert factories.stored(ada, DERIVED[field]) is None
    assert in_step(ada)


@loaded
def test_the_new_email_is_found_and_the_old_one_is_free(ada, business, load):
    customer = load(ada.pk)
    customer.email = NEW["email"]
    customer.save()
    assert business.customers.find_or_create(NEW["email"]) == (ada, False)
    other, created = business.customers.find_or_create(VALUES["email"])
    assert created
    assert other != ada


@loaded
def test_a_save_without_a_change_changes_no_value(ada, load):
    before = tokens(ada)
    load(ada.pk).save()
    assert tokens(ada) == before
    assert in_step(ada)


@loaded
@changed
def test_a_save_beside_another_change_keeps_both_in_step(ada, load, field):
    """Django writes back what was loaded; half of it must not be of then, half of now."""
    customer = load(ada.pk)
    ada.business.customers.edit(ada.public_id, {field: NEW[field]})
    customer.company_name = "Acme"
    customer.save()
    assert in_step(ada)


@pytest.mark.parametrize("load", [LOADED["only the source"], LOADED["shown"]])
def test_a_hash_that_is_read_late_is_that_of_the_value_on_the_instance(ada, load):
    customer = load(ada.pk)
    ada.business.customers.edit(ada.public_id, {"email": NEW["email"]})
    assert customer.email_hash == blind_hash("email", ada.business_id, VALUES["email"])


@changed
def test_a_derived_column_that_is_read_without_its_source_is_the_stored_one(ada, field):
    column = DERIVED[field]
    row = objects.only(column).get(pk=ada.pk)
    assert bytes(getattr(row, column)) == bytes(factories.stored(ada, column))
    assert field not in vars(row)


def test_a_source_that_does_not_open_is_not_saved_without_its_hash(ada):
    factories.store(ada, "phone", "s1.AAAA")
    customer = LOADED["shown"](ada.pk)
    customer.company_name = "Acme"
    with pytest.raises(SealError):
        customer.save()
    assert objects.get(pk=ada.pk).company_name is None
    customer.save(update_fields=["company_name"])
    assert objects.get(pk=ada.pk).company_name == "Acme"


@changed
def test_a_derived_column_is_not_written_alone(ada, field):
    customer = objects.get(pk=ada.pk)
    setattr(customer, field, NEW[field])
    customer.save(update_fields=[DERIVED[field]])
    assert in_step(ada)
    assert getattr(objects.get(pk=ada.pk), field) != NEW[field]


# --- The querysets --------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [[n] for n in DERIVED] + [[n, d] for n, d in DERIVED.items()])
def test_no_insert_changes_a_row_that_is_there(ada, business, names):
    """A value sealed for the new row would not open in the old one, hash or not."""
    row = Customer(
        business=business, public_id=ada.public_id, **{"name": "New"} | VALUES | {"email": "n@b.co"}
    )
    options = {"update_fields": names, "unique_fields": ["business", "public_id"]}
    with pytest.raises(TypeError, match="save"):
        objects.bulk_create([row], update_conflicts=True, **options)
    with pytest.raises(TypeError, match="save"):
        objects.bulk_create([row], None, False, True, *options.values())
    assert in_step(ada)
    assert objects.get().name == "Ada"


def test_an_insert_may_leave_out_what_is_there(ada, business):
    rows = [Customer(business=business, name="New", email=email) for email in ("n@b.co", ada.email)]
    objects.bulk_create(rows, ignore_conflicts=True)
    assert set(objects.values_list("name", flat=True)) == {"Ada", "New"}


@changed
def test_many_at_once_are_not_updated_by_halves(ada, field):
    customer = objects.get(pk=ada.pk)
    setattr(customer, field, NEW[field])
    column = DERIVED[field]
    for names in ([field], [column], [field, column]):
        with pytest.raises(TypeError, match="save"):
            objects.bulk_update([customer], names)
    assert in_step(ada)


@changed
def test_update_leaves_nothing_behind(ada, field):
    with pytest.raises(TypeError, match="save"):
        objects.update(**{field: None})
    assert in_step(ada)


def test_a_bulk_update_of_other_columns_works(ada):
    ada.company_name = "Acme"
    assert objects.bulk_update([ada], ["company_name"]) == 1
    assert objects.get().company_name == "Acme"


def test_what_django_is_told_of_a_write_is_told_on(ada, business):
    rows = [ada, factories.customer(business)]
    in_two = statements(lambda: objects.bulk_update(rows, ["company_name"], 1))
    assert in_two.count("UPDATE customers_customer") == 2
    objects.filter(pk=ada.pk)._raw_delete("default")
    with pytest.raises(DatabaseError, match="Forced update"):
        ada.save(force_update=True)
    assert not objects.filter(pk=ada.pk).exists()


# --- The business and the id, under which a row is sealed -----------------------------------------


@loaded
@pytest.mark.parametrize("how", ["business", "business_id", "public_id"])
def test_a_row_keeps_its_business_and_its_id(ada, other_business, load, how):
    customer = load(ada.pk)
    value = {"business": other_business, "business_id": other_business.pk, "public_id": "cust_x"}
    refused = (TypeError, SealError, RowGone, Customer.DoesNotExist)
    if how != "public_id" and "business_id" in vars(customer):
        with pytest.raises(TypeError, match="keeps its business"):
            setattr(customer, how, value[how])
    else:
        setattr(customer, how, value[how])
        customer.name = "New"
        for options in ({}, {"update_fields": ["name"]}, {"update_fields": [how, "name"]}):
            with pytest.raises(refused) as raised:
                customer.save(**options)
            assert VALUES["email"] not in str(raised.value)
    row = objects.get(pk=ada.pk)
    assert (row.business_id, row.public_id, row.name) == (ada.business_id, ada.public_id, "Ada")
    assert {field: getattr(row, field) for field in SEALED} == VALUES


@pytest.mark.parametrize("how", ["business", "business_id", "public_id"])
def test_no_update_moves_a_row(ada, other_business, how):
    value = {"business": other_business, "business_id": other_business.pk, "public_id": "cust_x"}
    with pytest.raises(TypeError, match="seal"):
        objects.update(**{how: value[how]})
    with pytest.raises(TypeError, match="seal"):
        objects.bulk_update([ada], [how])
    assert objects.get(pk=ada.pk).email == VALUES["email"]


def test_a_save_names_the_business_and_costs_one_statement_a_table(ada):
    customer = objects.get(pk=ada.pk)
    customer.name = "New"
    assert statements(lambda: customer.save(update_fields=["name"])) == [
        "UPDATE customers_customer",
        "INSERT audit_auditevent",
        "INSERT customers_unpacked",
    ]


# --- Another module's -----------------------------------------------------------------------------


@pytest.fixture
def supplier(business):
    """A row of a model that knows nothing of these rules but its base classes."""
    with isolate_apps("customers"):

        class Supplier(SealedRow):
            business_id = models.BigIntegerField()
            public_id = models.CharField(max_length=40)
            email = SealedEmailField(place="supplier.email", max_length=254, erased="")
            email_hash = BlindIndexField(**HASH)
            note = models.CharField(max_length=40, default="")

            objects = SealedRowQuerySet.as_manager()

            class Meta:
                app_label = "customers"

        with connection.cursor() as cursor:
            blob = "bytea" if connection.vendor == "postgresql" else "blob"
            key = "serial" if connection.vendor == "postgresql" else "integer"
            cursor.execute(
                f"CREATE TABLE customers_supplier (id {key} PRIMARY KEY, business_id bigint,"
                f" public_id varchar(40), email text, email_hash {blob}, note varchar(40))"
            )
        yield Supplier.objects.create(
            business_id=business.pk, public_id="sup_1", email="ada@example.com"
        )


@pytest.mark.parametrize("columns", [["email"], ["note"], ["email_hash"], ["email", "email_hash"]])
def test_a_new_modules_sealed_field_gets_all_of_it(supplier, columns):
    rows = type(supplier).objects
    row = rows.only("business_id", "public_id", *columns).get()
    row.email = "new@example.com"
    row.save()
    again = rows.get()
    assert again.email == "new@example.com"
    stored = rows.values_list("email_hash", flat=True).get()
    assert (
        bytes(stored)
        == blind_index.digests("supplier.email", row.business_id, "new@example.com")[0]
    )
    with pytest.raises(TypeError):
        rows.bulk_create([row], update_conflicts=True, update_fields=["email"])
    with pytest.raises(TypeError):
        rows.update(email=SealedToken("s1.x"), business_id=2)
    row.business_id += 1
    with pytest.raises(RowGone):
        row.save()


def test_a_model_that_would_not_keep_the_rules_does_not_start():
    with isolate_apps("customers") as apps:

        class Base:
            class Meta:
                app_label = "customers"

        class Kept(Base, SealedRow):
            email_hash = BlindIndexField(**HASH)
            objects = SealedRowQuerySet.as_manager()

        class NoSealedRow(Base, models.Model):  # noqa: DJ008
            email = SealedEmailField(place="supplier.email", erased="")
            objects = SealedRowQuerySet.as_manager()

        class OtherManager(Base, SealedRow):
            email_hash = BlindIndexField(**HASH)
            objects = SealedRowQuerySet.as_manager()
            others = ScopedQuerySet.as_manager()

        class NothingSealed(Base, models.Model):  # noqa: DJ008
            pass

        found = list(sealed_rows(app_configs=apps.get_app_configs()))
        assert [(error.id, error.obj) for error in found] == [
            ("finora.E030", NoSealedRow),
            ("finora.E030", OtherManager),
        ]
    assert list(sealed_rows()) == []
