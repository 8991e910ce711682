"""The request path's queries, compiled once: the same rows, on whatever connection there is."""

import re
import threading
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import OperationalError, connection, models, transaction
from django.test.utils import isolate_apps

from customers.models import Customer
from customers.search.models import SearchSegment
from finora.orm import prepared
from finora.orm.loading import LightlyLoaded
from finora.orm.pieces import PIECE_BYTES, Pieces
from finora.sealing import SealError
from finora.sealing.tokens import SealedToken
from finora.tenants.models import ApiKey, Business
from finora.tests.kit import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(business) -> Customer:
    return factories.customer(business, name="Ada", company_name="Ada Ltd", tin="12345678-0001")


@pytest.fixture(autouse=True)
def prepared_here_alone(monkeypatch):
    """A server prepares what the product asks, not what these tests do."""
    monkeypatch.setattr(prepared.Prepared, "every", list(prepared.Prepared.every))


SHOWN = Customer.objects.with_columns_shown
KEYS = ApiKey.objects.order_by("id")
QUERYSETS = {
    "all": Customer.objects.all(),
    "columns shown": SHOWN(),
    "only": Customer.objects.only("name"),
    "only what is sealed": Customer.objects.only("email"),
    "defer": Customer.objects.defer("email", "name_key"),
    "select_related": KEYS.select_related("business"),
    "select_related, only": KEYS.select_related("business").only("digest", "business__name"),
    "values_list": Customer.objects.values_list("name_key", "id", "created_at", "tin_hash"),
    "annotated values_list": KEYS.annotate(n=models.Count("business")).values_list("n", "name"),
    "sliced": KEYS[:1],
    "none there": Customer.objects.filter(name="Nobody"),
}


def held(row) -> object:
    """A tuple as it is; of an instance everything: its deferred columns, values and their types."""
    if row is None:
        return None
    if isinstance(row, tuple):
        return [(type(value), value) for value in row]
    deferred = row.get_deferred_fields()
    names = [f.attname for f in row._meta.concrete_fields if f.attname not in deferred]
    values = [(name, type(getattr(row, name)), getattr(row, name)) for name in names]
    related = {name: held(one) for name, one in row._state.fields_cache.items()}
    return type(row), deferred, values, related, row._state.adding, row._state.db


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("queryset", QUERYSETS.values(), ids=QUERYSETS)
def test_rows_are_those_of_the_queryset(business, ada, queryset, opened):
    factories.api_key(business)
    factories.api_key(business)
    rows = prepared.Prepared(queryset.all, opened=opened).rows()
    assert [held(row) for row in rows] == [held(row) for row in queryset.all()]


def test_what_is_opened_at_once_is_what_is_opened_one_by_one(business, other_business):
    """One row with all, one with few, one whose address is another row's, one damaged."""
    customer = factories.customer
    full = {"phone": "0803 123 4567", "tin": "12345678-0001", "address": "1 Marina\nLagos"}
    rows = [customer(business, name="Adébáyọ̀", **full), customer(other_business)]
    rows += [customer(business, **full), customer(business, **full)]
    moved, damaged = rows[2:]
    stored = SHOWN().get(pk=rows[0].pk).__dict__["address"]
    SHOWN().filter(pk=moved.pk).update(address=stored)
    for text in "s1.!", "s1.AQ", "gAAAAAB", "plain":
        SHOWN().filter(pk=damaged.pk).update(address=SealedToken(text))
        found = prepared.Prepared(SHOWN().order_by("id").all, opened=True).rows()
        sealed = ("email", "phone", "tin", "address")
        tokens = [name for row in found for name in sealed if not is_opened(row, name)]
        assert tokens == ["address", "address"]
        for row, whole in zip(found, rows, strict=True):
            for name in sealed:
                if row.pk in (moved.pk, damaged.pk) and name == "address":
                    with pytest.raises(SealError) as raised:
                        getattr(row, name)
                    assert raised.value.row == row.public_id
                else:
                    assert getattr(row, name) == getattr(whole, name)


def is_opened(row, name):
    return not isinstance(row.__dict__[name], SealedToken)


def test_values_go_where_the_slots_are(business, ada):
    row = business.customers.get_shown(ada.public_id)
    assert held(row) == held(SHOWN().get(pk=ada.pk))
    with pytest.raises(Customer.DoesNotExist):
        Business(pk=business.pk + 1).customers.get_shown(ada.public_id)


@pytest.mark.parametrize(
    "queryset",
    [
        Customer.objects.values("name"),
        Customer.objects.values_list("name", flat=True),
        Customer.objects.values_list("name", named=True),
        Customer.objects.annotate(n=models.Value(1)),
        Customer.objects.prefetch_related("business"),
        Business(pk=1).customers.all(),
    ],
    ids=["values", "flat", "named", "annotate", "prefetch_related", "of a related manager"],
)
def test_what_its_rows_would_lack_is_refused(db, queryset):
    with pytest.raises(TypeError, match="A prepared query"):
        prepared.Prepared(queryset.all).rows()


@pytest.fixture
def wide():
    """A table with a column of every kind, on which nobody has hung a converter of their own."""
    with isolate_apps("finora"):

        class Wide(LightlyLoaded):
            data = models.JSONField(null=True)
            number = models.DecimalField(max_digits=9, decimal_places=2, null=True)
            real = models.FloatField(null=True)
            flag = models.BooleanField(null=True)
            day = models.DateField(null=True)
            moment = models.DateTimeField(null=True)
            hour = models.TimeField(null=True)
            lasts = models.DurationField(null=True)
            unique = models.UUIDField(null=True)
            address = models.GenericIPAddressField(null=True)
            blob = models.BinaryField(null=True)
            small = models.SmallIntegerField(null=True)
            text = models.TextField(null=True)  # noqa: DJ001
            parent = models.ForeignKey("self", models.CASCADE, null=True)

            class Meta:
                app_label = "finora"

    with connection.schema_editor() as editor:
        editor.create_model(Wide)
    yield Wide
    with connection.schema_editor() as editor:
        editor.delete_model(Wide)


JSON = [{"a": [1, None, {"b": "é"}], "c": 1.5}, [], "text", 7, True, None]


def test_columns_of_every_kind_are_converted_as_ever(wide):
    full = wide.objects.create(
        data=JSON[0],
        number=Decimal("12.50"),
        real=0.1,
        flag=True,
        day=date(2026, 3, 20),
        moment=datetime(2026, 3, 20, 9, 15, tzinfo=UTC),
        hour=time(9, 15, 1, 250),
        lasts=timedelta(days=1, microseconds=3),
        unique=UUID(int=7),
        address="10.0.0.7",
        blob=b"\0\xff",
        small=3,
        text="Adébáyọ̀",
    )
    wide.objects.create(parent=full)
    columns = [field.name for field in wide._meta.concrete_fields]
    kinds = {field.name: field.get_internal_type() for field in wide._meta.concrete_fields}
    in_binary = [name for name, kind in kinds.items() if kind in prepared.READ_IN_BINARY]
    assert len(in_binary) == 9
    for queryset in (
        wide.objects.order_by("id"),
        wide.objects.order_by("id").select_related("parent"),
        wide.objects.order_by("id").values_list(*columns),
        wide.objects.order_by("id").only(*in_binary),
        wide.objects.order_by("id").values_list("data__a", "data__c", "data"),
    ):
        rows = prepared.Prepared(queryset.all).rows()
        assert [held(row) for row in rows] == [held(row) for row in queryset.all()]


@pytest.mark.parametrize("data", JSON, ids=repr)
def test_json_is_read_and_asked_for_as_ever(wide, data):
    row = wide.objects.create(data=data)
    wide.objects.create(data={"another": 1})
    query = prepared.Prepared(lambda: wide.objects.filter(pk=prepared.Slot("pk", wide._meta.pk)))
    assert query.rows(pk=row.pk)[0].data == data
    if data is not None:
        slot = prepared.Slot("data", wide._meta.get_field("data"))
        same = prepared.Prepared(lambda: wide.objects.filter(data=slot))
        assert same.rows(data=data) == list(wide.objects.filter(data=data)) == [row]


def test_what_is_prepared_serves_every_thread(business, ada):
    prepared.prepare()
    found = []

    def look():
        try:
            found.append(business.customers.get_shown(ada.public_id))
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
        assert business.customers.get_shown(ada.public_id) == ada
        cut()
    assert business.customers.search("ada") == [ada]


@pytest.mark.postgres
def test_within_a_transaction_it_is_not_as_that_is_gone_too(business, ada):
    def read_twice():
        with transaction.atomic():
            business.customers.get_shown(ada.public_id)
            cut()
            business.customers.get_shown(ada.public_id)

    with pytest.raises(OperationalError):
        read_twice()
    connection.close()


@pytest.mark.postgres
def test_a_query_with_one_good_plan_is_prepared_and_no_other(business, ada):
    for _ in range(4):
        business.customers.get_shown(ada.public_id)
        assert business.customers.search("ada") == [ada]
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        statements = [statement for (statement,) in cursor.fetchall()]
    tables = [re.match(r'SELECT .* FROM "(\w+)"', one) for one in statements]
    asked = sorted(table[1] for table in tables if table)
    # One row by its id, the rows that a search found; its segments and its tail, and for upkeep
    # whether these are to be merged or packed.
    assert asked == [
        *["customers_customer"] * 2,
        *["customers_searchsegment"] * 2,
        *["customers_unpacked"] * 2,
    ]


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


def test_rows_stream_as_they_are_fetched(ada):
    one = prepared.Prepared(lambda: KEYS.values_list("name", "created_at", "business"))
    ApiKey.objects.issue(ada.business, "a key")
    ApiKey.objects.issue(ada.business, "another")
    assert len(one.rows()) == 2
    assert [held(row) for row in one.stream()] == [held(row) for row in one.rows()]


def test_instances_do_not_stream(ada):
    with pytest.raises(TypeError, match="values_list"):
        next(prepared.Prepared(lambda: SHOWN().all()).stream())


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, 3 * PIECE_BYTES + 7])
def test_a_large_column_comes_in_pieces(business, size):
    large = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    SearchSegment.objects.create(business=business, size=1, sealed=b"")
    SearchSegment.objects.update(sealed=SealedToken(large))
    pieces = prepared.Prepared(lambda: SearchSegment.objects.values_list(Pieces("sealed")))
    came = [piece for (piece,) in pieces.stream()]
    assert b"".join(came) == large
    if connection.vendor == "postgresql":
        assert len(came) == max(1, -(-size // PIECE_BYTES))
