"""The request path's queries, compiled once: the same rows, on whatever connection there is."""

import re
import threading

import pytest
from django.db import OperationalError, connection, models, transaction
from django.test.utils import isolate_apps

from customers import prepared_queries
from customers.models import Customer
from finora.orm import prepared
from finora.tenants.models import ApiKey, Business
from finora.tests.kit import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(business) -> Customer:
    return factories.customer(business, name="Ada", company_name="Ada Ltd", tin="12345678-0001")


def test_rows_are_those_of_the_queryset(business, ada):
    [row] = prepared_queries.one.rows(business_id=business.pk, public_id=ada.public_id)
    same = Customer.objects.with_columns_shown().get(pk=ada.pk)
    assert row.get_deferred_fields() == same.get_deferred_fields()
    for field in Customer._meta.concrete_fields:
        value = getattr(row, field.attname)
        assert value == getattr(same, field.attname)
        assert type(value) is type(getattr(same, field.attname))


def test_what_is_prepared_serves_every_thread(business, ada):
    prepared.prepare()
    found = []

    def look():
        try:
            found.append(Customer.objects.shown(business.pk, ada.public_id))
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [ada] * 3


def cut() -> None:
    """Ends the server's side of the connection, as a restart of the database does."""
    pid = connection.connection.info.backend_pid

    def terminate():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        finally:
            connection.close()

    thread = threading.Thread(target=terminate)
    thread.start()
    thread.join()


@pytest.mark.postgres
def test_a_read_on_a_connection_that_is_gone_is_asked_again_on_a_new_one(business, ada):
    for _ in range(3):
        assert Customer.objects.shown(business.pk, ada.public_id) == ada
        cut()
    assert Customer.objects.search(business.pk, "ada") == [ada]


@pytest.mark.postgres
def test_within_a_transaction_it_is_not_as_that_is_gone_too(business, ada):
    def read_twice():
        with transaction.atomic():
            Customer.objects.shown(business.pk, ada.public_id)
            cut()
            Customer.objects.shown(business.pk, ada.public_id)

    with pytest.raises(OperationalError):
        read_twice()
    connection.close()


@pytest.mark.postgres
def test_a_query_with_one_good_plan_is_prepared_and_no_other(business, ada):
    for _ in range(4):
        Customer.objects.shown(business.pk, ada.public_id)
        assert Customer.objects.search(business.pk, "ada") == [ada]
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        statements = [statement for (statement,) in cursor.fetchall()]
    tables = sorted(re.search(r'FROM "(\w+)"', one)[1] for one in statements)
    assert tables == ["customers_customer", "customers_searchsegment"]


class Keys(models.Manager):
    named = prepared.Prepared(
        lambda keys: keys.filter(name=prepared.Slot("name", models.CharField()))
    )


@isolate_apps("finora.tenants")
def test_a_managers_prepared_query_is_of_the_managers_model(business):
    class Shop(models.Model):  # noqa: DJ008 - it has nothing to say
        class Meta:
            app_label, db_table = "tenants", Business._meta.db_table

    class Key(models.Model):  # noqa: DJ008
        name = models.CharField()
        business = models.ForeignKey(Shop, models.CASCADE, related_name="keys")
        objects = Keys()

        class Meta:
            app_label, db_table = "tenants", ApiKey._meta.db_table

    key, _ = ApiKey.objects.issue(business, "Till")
    ApiKey.objects.issue(business, "Web")
    for manager in (Key.objects, Shop.objects.get(pk=business.pk).keys):
        [found] = manager.named.rows(name="Till")
        assert (type(found), found.pk) == (Key, key.pk)
        assert manager.named is Key.objects.named
