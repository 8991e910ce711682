"""manage.py repack_search: few and fresh segments again, beside whatever else goes on."""

import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from customers.models import Customer
from customers.search import index, store
from finora.tests.kit import factories
from finora.tests.kit.directories import (
    directory,
    found,
    matches,
    pack_all,
    segment_lines,
    small_steps,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small(monkeypatch):
    small_steps(monkeypatch)


def repack(*arguments):
    """Runs it: what it says at the end, and what it said on the way."""
    out, err = StringIO(), StringIO()
    call_command("repack_search", *arguments, stdout=out, stderr=err)
    return out.getvalue().strip(), err.getvalue()


def crowd(business, count=12):
    """Customers with as many stale lines as true ones, in many segments."""
    for n in range(count):
        factories.customer(business, name=f"Ada {n}")
        pack_all(business)
    Customer.objects.filter(business=business).update(name="Bola", name_key=b"bola")
    pack_all(business)


def test_it_repacks_every_business_and_says_so(business, other_business):
    crowd(business)
    crowd(other_business, 3)
    assert repack()[0] == "Packed 15 customers of 2 businesses."
    assert (segment_lines(business), segment_lines(other_business)) == (12, 3)
    assert store.rows(business.pk).count() == 2  # of 7 lines
    assert repack()[0] == "Packed 15 customers of 2 businesses."


def test_it_repacks_one_business_and_leaves_the_others(business, other_business):
    crowd(business)
    crowd(other_business)
    before = set(store.rows(other_business.pk).values_list("id", flat=True))
    assert repack(business.public_id)[0] == "Packed 12 customers of 1 businesses."
    assert set(store.rows(other_business.pk).values_list("id", flat=True)) == before
    assert segment_lines(business) == 12


def test_it_says_how_far_it_is(business):
    crowd(business)
    assert repack()[1].splitlines() == [
        f"{business.public_id}: {rows} customers read" for rows in (5, 10, 12)
    ]


def test_without_a_business_there_is_nothing_to_do(db):
    assert repack()[0] == "Packed 0 customers of 0 businesses."


def test_an_unknown_business_is_refused(db):
    with pytest.raises(CommandError, match="no business"):
        repack("biz_none")


@pytest.mark.parametrize("moment", ["first", "last", "delete"])
def test_cut_off_it_loses_nothing_and_is_run_again(business, monkeypatch, moment):
    crowd(business)
    rows = directory(business)
    owner, name = (store, "rows") if moment == "delete" else (store, "write")
    work, calls = getattr(owner, name), []

    def cut_off(*args):
        calls.append(1)
        if len(calls) == {"first": 1, "last": 2, "delete": 4}[moment]:
            raise KeyboardInterrupt
        return work(*args)

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, cut_off)
        with pytest.raises(KeyboardInterrupt):
            repack()
    for query in "ada", "bola", "@":
        assert found(business, query) == matches(rows, query)
    repack()
    assert segment_lines(business) == 12
    for query in "ada", "bola", "@":
        assert found(business, query) == matches(rows, query)


@pytest.mark.django_db(transaction=True)
def test_searches_and_writes_go_on_beside_it(business):
    crowd(business, 40)
    stop, problems = threading.Event(), []
    stays = [c.public_id for c in Customer.objects.filter(business=business).order_by("public_id")]

    def beside(work):
        try:
            while not stop.is_set():
                work()
        except Exception as error:
            problems.append(error)
        finally:
            connections.close_all()

    def search():
        assert found(business, "bola", 100) == stays

    def write():
        customer = factories.customer(business, name="Zoe")
        customer.name = "Zoe Ade"
        customer.save()
        customer.delete()

    threads = [threading.Thread(target=beside, args=[work]) for work in (search, write)]
    for thread in threads:
        thread.start()
    for _ in range(6):
        repack()
    stop.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert found(business, "bola", 100) == stays
    assert index.repack(business) == segment_lines(business) == business.customers.count()
