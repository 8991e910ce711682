"""The history finds what is wrong: a directory is broken while it runs."""

from math import inf

import pytest
from django.db import connection

from bench.drills import history_steps
from bench.drills.history_steps import History
from bench.drills.model import Model
from customers.managers import CustomerManager
from customers.models import Customer
from customers.querysets import CustomerQuerySet
from customers.search import index
from finora.sealing import erasing

STEPS = 400


@pytest.fixture
def history(db, settings, monkeypatch):
    monkeypatch.setattr(history_steps, "EMAILS", 60)
    # The history changes keys: afterwards they are as they were.
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS
    settings.BLIND_INDEX_KEYS = settings.BLIND_INDEX_KEYS
    return History(STEPS, seed=1)


def test_a_history_of_the_directory_as_it_is_finds_nothing(history):
    history.run()
    assert history.wrong == []
    assert sum(history.did.values()) == STEPS + 1  # and the change of keys
    assert history.comparisons == history_steps.COMPARISONS
    for kind, _ in history.kinds[:7]:
        assert history.did[kind.__name__], kind


def test_a_lost_customer_is_found(history, monkeypatch):
    erase = History.erase

    def lose(self):
        erase(self)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM customers_customer WHERE public_id = %s", [self.last()])

    monkeypatch.setattr(History, "last", lambda self: list(self.model.rows)[-1], raising=False)
    history.kinds[6] = (lose.__get__(history), 5)
    history.run()
    assert any("acknowledged, and lost" in line for line in history.wrong)


def test_a_doubled_email_is_found(history):
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX customer_active_email_unique")
    history.run()
    assert any("create of" in line and "beside" in line for line in history.wrong)


def test_a_wrong_search_answer_is_found(history, monkeypatch):
    search = CustomerManager.search
    monkeypatch.setattr(CustomerManager, "search", lambda *args: search(*args)[1:])
    history.run()
    assert any("1 missing" in line for line in history.wrong)


def test_an_erased_line_in_a_segment_is_found(history):
    history.kinds += [(history.erase, 10), (history.pack, 5)]
    erasing.disconnect(index.forget)
    try:
        history.run()
    finally:
        erasing.connect(index.forget)
    assert any("erased, and in a search segment" in line for line in history.wrong)


def test_the_model_finds_each_difference():
    model = Model()
    model.add("cust_1", "Ada", "ADA@example.ng", None)
    model.add("cust_2", "Bola", "bola@example.ng", "0803")
    right = [dict(row) for row in model.rows.values()]
    assert model.differences(right) == []
    assert model.differences(right[:1]) == ["cust_2: acknowledged, and lost"]
    for field in ("name", "email", "phone", "isActive", "erased"):
        wrong = [right[0], right[1] | {field: "another"}]
        assert len(model.differences(wrong)) == 1
    doubled = [right[0], right[1] | {"email": "ada@example.ng"}]
    assert "ada@example.ng: more than one active customer has it" in model.differences(doubled)
    assert "cust_3: nobody made it" in model.differences([*right, right[0] | {"id": "cust_3"}])


def test_a_customer_whose_hash_stayed_behind_is_found(history):
    def save(self, **_):
        rows = Customer.objects.filter(pk=self.pk)
        super(CustomerQuerySet, rows).update(email=self.email)

    history.kinds = [kind for kind in history.kinds if kind[0] != history.save_partly_loaded]

    def edit():
        if (row := history.model.any(history.chance)) and row["isActive"]:
            email = history.email()
            if history.model.may_take(email, row["id"]):
                save(Customer.objects.get(public_id=row["id"]))
                history.model.change(row["id"], {"email": email})

    history.kinds.append((edit, 10))
    history.run()
    assert history.wrong


def test_a_history_ends_when_its_time_is_over(db):
    history = History(inf, seed=1, seconds=0.5)
    history.run()
    assert history.wrong == []
    assert 0 < sum(history.did.values()) < history_steps.LIFE
    assert history.comparisons == 1
