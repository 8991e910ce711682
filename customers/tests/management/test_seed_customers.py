"""manage.py seed_customers: the same people for the same seed, however often it was cut off."""

from dataclasses import asdict
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from customers.management.commands import seed_customers as module
from customers.management.people import people
from customers.models import Customer
from customers.search import index
from customers.search.models import Unpacked
from finora.orm import copying
from finora.tests.kit import factories
from finora.tests.kit.directories import directory, found, matches, segment_lines

pytestmark = pytest.mark.django_db

FIELDS = ("name", "email", "phone", "address", "tin", "company_name")


def seed(business, count, **options):
    """Runs it: what it says at the end, and what it said on the way."""
    out, err = StringIO(), StringIO()
    # The module's own: what stands above customers adds to it.
    command = module.Command()
    call_command(command, business.public_id, count=count, stdout=out, stderr=err, **options)
    return out.getvalue().strip(), err.getvalue()


def seeded(business):
    """What the business's customers hold, in the order in which they were made."""
    rows = Customer.objects.filter(business=business).order_by("pk")
    return [{field: getattr(customer, field) for field in FIELDS} for customer in rows]


def stood(business):
    return list(
        Customer.objects.filter(business=business).values_list("pk", "updated_at", "search_mark")
    )


def expected(count, number=0):
    return [asdict(person) for person in people(count, number)]


def test_the_same_seed_makes_the_same_people(business, other_business):
    assert seed(business, 50)[0] == "Made 50 customers; 0 were there."
    seed(other_business, 50, seed=0)
    assert seeded(business) == seeded(other_business) == expected(50)
    another = factories.business()
    seed(another, 50, seed=1)
    assert seeded(another) == expected(50, 1) != expected(50)


def test_a_complete_run_adds_nothing_and_a_longer_one_the_rest(business):
    seed(business, 30)
    before = stood(business)
    assert seed(business, 30)[0] == "Made 0 customers; 30 were there."
    assert stood(business) == before
    assert seed(business, 45)[0] == "Made 15 customers; 30 were there."
    assert seeded(business) == expected(45)


def test_who_is_there_already_is_left_alone(business):
    mine = factories.customer(business, name="Mine", email=expected(5)[3]["email"])
    assert seed(business, 5)[0] == "Made 4 customers; 1 were there."
    assert Customer.objects.get(pk=mine.pk).name == "Mine"
    assert Customer.objects.count() == 5


@pytest.mark.parametrize("fails_at", ["insert", "add_segment", "merge_all"])
def test_cut_off_it_leaves_a_beginning_and_goes_on_from_there(business, monkeypatch, fails_at):
    monkeypatch.setattr(module, "BATCH", 10)
    owner = copying.NewRows if fails_at == "insert" else index
    work, calls = getattr(owner, fails_at), []

    def cut_off(*args, **kwargs):
        calls.append(1)
        if len(calls) == (1 if fails_at == "merge_all" else 3):
            raise KeyboardInterrupt
        return work(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(owner, fails_at, cut_off)
        with pytest.raises(KeyboardInterrupt):
            seed(business, 42)
    made = seeded(business)
    assert made == expected(42)[: len(made)]
    assert len(made) == (42 if fails_at == "merge_all" else 20)
    assert all(customer["email"] for customer in made)
    assert len(found(business, "@", 100)) == len(made)
    assert seed(business, 42)[0] == f"Made {42 - len(made)} customers; {len(made)} were there."
    assert seeded(business) == expected(42)
    assert segment_lines(business) == 42
    assert index.store.rows(business.pk).count() == 1


def test_they_are_found_at_once_and_in_one_segment_at_the_end(business, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 50)
    seed(business, 300)
    assert not Unpacked.objects.exists()
    assert index.store.rows(business.pk).count() == 1
    rows = directory(business)
    for query in "ade", "gmail", "ọ", "zz", "@", "ltd":
        assert found(business, query) == matches(rows, query)


def test_it_says_how_far_it_is(business, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 10)
    assert seed(business, 30)[1] == ""  # over in no time
    monkeypatch.setattr(module, "EVERY", 0)
    _, progress = seed(business, 60)
    lines = progress.splitlines()
    assert lines[0].startswith("10 of 60, ")
    assert lines[5].startswith("60 of 60, ")
    assert lines[6] == "60 packed for search"


@pytest.mark.parametrize("count", [0, -1])
def test_a_wrong_count_is_refused(business, count):
    with pytest.raises(CommandError, match="1 or more"):
        seed(business, count)


def test_an_unknown_business_is_refused(db):
    with pytest.raises(CommandError, match="no business"):
        call_command(module.Command(), "biz_none", count=1)


def test_another_business_stays_as_it_is(business, other_business):
    factories.customer(other_business)
    before = stood(other_business)
    seed(business, 20)
    assert stood(other_business) == before
