"""Light loading beside Django's own: the same queries, once with its from_db and once with ours."""

from __future__ import annotations

import pickle

import pytest
from django.apps import apps
from django.db import models
from django.db.models.signals import post_init, pre_init

from customers.models import Customer
from finora import clock
from finora.orm.loading import LightlyLoaded
from finora.tenants.models import ApiKey
from finora.tests.kit import factories
from finora.tests.kit.answers import statements

LIGHT = [model for model in apps.get_models() if issubclass(model, LightlyLoaded)]


@pytest.fixture
def ada(business) -> Customer:
    return factories.customer(
        business, name="Ada", phone="0803 123 4567", tin="12345678-0001", address="1 Marina\nLagos"
    )


@pytest.fixture
def both(monkeypatch):
    """What a question is answered with rows that Django loaded, and with light ones."""

    def ask(question):
        light = question()
        with monkeypatch.context() as without:
            without.delattr(LightlyLoaded, "from_db")
            return question(), light

    return ask


def told(row: models.Model, *, follow: bool = True) -> dict:
    """Everything that a row holds: what is deferred, which rows are beside it, every value."""
    related = {
        name: told(value, follow=False)
        for name, value in row._state.fields_cache.items()
        if follow and value is not None
    }
    deferred = row.get_deferred_fields()
    values = {
        field.attname: (type(value), value)
        for field in row._meta.concrete_fields
        if field.attname not in deferred
        for value in [getattr(row, field.attname)]
    }
    state = (row._state.adding, row._state.db)
    return {"deferred": deferred, "related": related, "values": values, "state": state}


def test_a_new_row_is_what_the_model_makes(business):
    made = {"public_id": "cust_1", "created_at": clock.now(), "updated_at": clock.now()}
    given = {"business_id": business.pk, "name": " Ada ", "email": "a@example.com", "phone": None}
    ours, djangos = Customer.new(**given, **made), Customer(**given, **made)
    assert told(ours) == told(djangos)
    assert {**vars(ours), "_state": 0} == {**vars(djangos), "_state": 0}
    assert not ours.__dict__.keys() - vars(djangos)
    first, second = Customer.new(**given), Customer.new(**given)
    assert first.public_id != second.public_id
    assert first.created_at.tzinfo
    for wrong in "nickname", "business":
        with pytest.raises(TypeError, match=wrong):
            Customer.new(**given, **{wrong: "Ada"})


ALL = Customer.objects.all
QUERIES = {
    "all": ALL,
    "only": lambda: ALL().only("name", "email"),
    "only, of a related row": lambda: (
        ALL().select_related("business").only("name", "business__name")
    ),
    "defer": lambda: ALL().defer("address", "name_key"),
    "select_related": lambda: ALL().select_related("business"),
    "annotate": lambda: ALL().annotate(twice=models.F("account_balance_kobo") * 2),
    "prefetch_related": lambda: ALL().prefetch_related("business"),
    "related to null": lambda: ApiKey.objects.select_related("business"),
    "raw": lambda: Customer.objects.raw("SELECT id, name FROM customers_customer"),
    "iterator": lambda: ALL().iterator(),
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_rows_hold_what_djangos_hold(ada, both, query):
    factories.api_key(ada.business)
    plain, light = both(lambda: [told(row) for row in query()])
    assert plain == light
    assert len(plain) == 1


def test_annotations_are_beside_the_columns(ada, both):
    plain, light = both(lambda: QUERIES["annotate"]().get().twice)
    assert plain == light == 0


@pytest.mark.parametrize("name", [field.attname for field in Customer._meta.concrete_fields])
def test_a_deferred_column_is_loaded_when_it_is_asked_for(ada, both, name):
    def ask():
        row = ALL().only("pk").get()
        asked = statements(lambda: [getattr(row, name), getattr(row, name)])
        value = getattr(row, name)
        return asked, value, row.get_deferred_fields()

    plain, light = both(ask)
    assert plain == light


def test_refresh_from_db_takes_what_the_database_holds(ada, both):
    def ask():
        # With the columns that follow a name or an email read before: none may stay behind.
        row = ALL().defer("address").get()
        row.email  # noqa: B018
        Customer.objects.filter(pk=row.pk).update(account_balance_kobo=500)
        first = told(row)
        row.refresh_from_db(fields=["account_balance_kobo"])
        second = told(row)
        Customer.objects.filter(pk=row.pk).update(account_balance_kobo=0)
        row.refresh_from_db()
        row.refresh_from_db(from_queryset=ALL().select_related("business"))
        return first, second, told(row)

    plain, light = both(ask)
    assert plain == light


def test_a_loaded_row_is_written_as_djangos_is(ada, both):
    def ask():
        row = ALL().only("name", "email").get()
        row.company_name = "Ada Ltd"
        asked = statements(lambda: row.save(update_fields=["company_name"]))
        whole = ALL().get()
        whole.company_name = "Ada & Sons"
        return asked, statements(whole.save), ALL().get().company_name

    plain, light = both(ask)
    assert plain == light


@pytest.mark.parametrize("query", [ALL, QUERIES["only"], QUERIES["select_related"]])
def test_a_row_is_pickled_and_comes_back(ada, both, query):
    def ask():
        # Before a sealed value is read: opening one loads what it is sealed by.
        again = pickle.loads(pickle.dumps(query().get()))
        same = query().get()
        assert told(again) == told(same)
        assert again == same
        return told(again), told(pickle.loads(pickle.dumps(query()))[0])

    plain, light = both(ask)
    assert plain == light


def test_two_rows_share_no_state(ada):
    first, second = ALL().get(), ALL().get()
    first._state.fields_cache["business"] = None
    assert first == second
    assert "business" not in second._state.fields_cache


def test_loading_sends_no_signal_and_none_is_waited_for(ada):
    """What Django does besides; the test below says that nothing leans on it."""
    heard = []

    def hear(sender, **_):
        heard.append(sender)

    for signal in (pre_init, post_init):
        signal.connect(hear, sender=Customer)
    try:
        ALL().get()
        assert heard == []
        Customer()
        assert heard == [Customer, Customer]
    finally:
        for signal in (pre_init, post_init):
            signal.disconnect(hear, sender=Customer)


@pytest.mark.parametrize("model", LIGHT)
def test_no_lightly_loaded_model_leans_on_what_is_left_out(model):
    # An ImageField hears of post_init to read its file's dimensions.
    assert not pre_init.has_listeners(model)
    assert not post_init.has_listeners(model)
    assert model.__init__ is models.Model.__init__
    assert model.from_db.__func__ is LightlyLoaded.from_db.__func__
