"""Segments that cannot be opened: a search stays right, and they are replaced as soon as may be."""

import json
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from customers.models import Customer
from customers.search import index, stand_in, store
from customers.search.lines import OtherKeyNeeded
from customers.search.models import SearchSegment
from customers.search.segment import encode_id
from finora.sealing import rotation
from finora.sealing.tokens import SealedToken
from finora.tests.kit import factories
from finora.tests.kit.directories import (
    directory,
    flip,
    found,
    matches,
    pack_all,
    segment_lines,
    segments,
    small_steps,
)

pytestmark = pytest.mark.django_db

QUERIES = "ada", "ọlá", "@", "3@", "zz", "tail"


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    small_steps(monkeypatch)


@pytest.fixture
def crowd(business):
    """Customers in several segments, some of which hold stale lines, and a tail."""
    people = [Customer(business=business, name=f"Ada {n}", email=f"ada{n}@b.co") for n in range(20)]
    business.customers.import_packed(people)
    for n in range(12):
        people.append(factories.customer(business, name=f"Ọlá {n}", email=f"ola{n}@b.co"))
    pack_all(business)
    for customer in people[3:8]:
        customer.name = f"Ada again {customer.pk}"
        customer.save()
    people[9].delete()
    pack_all(business)
    factories.customer(business, name="Ada of the tail")
    store.cache().clear()
    return people


def pks_of(business):
    return sorted(store.rows(business.pk).values_list("pk", flat=True))


def is_right(business):
    rows = directory(business)
    for query in QUERIES:
        for limit in (50, 3):
            assert found(business, query, limit) == matches(rows, query, limit), query


def all_lines(business):
    """Who has a line with the row's mark, by the segments alone."""
    return {line for segment in segments(business) for line in segment.marks(range(segment.lines))}


def is_whole(business):
    """Every packed row has its line again, in segments that all open."""
    tail = business.search_tail.values("public_id")
    rows = business.customers.not_erased().exclude(public_id__in=tail)
    assert set(rows.values_list("public_id", "search_mark")) <= all_lines(business)
    assert all(mark for _, mark in all_lines(business))


def flipped(byte):
    return lambda business, pk: flip(pk, byte)


def stored_as(make):
    def damage(business, pk):
        row = SearchSegment.objects.filter(pk=pk)
        sealed = row.values_list("sealed", flat=True).get().stored
        row.update(sealed=SealedToken(make(business, pk, sealed)))

    return damage


def of_another_frame(business, pk, sealed):
    return SEALED.seal(b"nothing", SearchSegment(business=business, id=pk)).stored


def of_another_place(business, pk, sealed):
    blob = segments(business)[0].to_bytes()
    return SEALED.seal(blob, SearchSegment(business=business)).stored


SEALED = SearchSegment._meta.get_field("sealed")

DAMAGES = {
    "version": flipped(0),
    "key id": flipped(2),
    "nonce": flipped(7),
    "inside": flipped(60),
    "tag": flipped(-1),
    "cut": stored_as(lambda business, pk, sealed: sealed[:-5]),
    "cut short": stored_as(lambda business, pk, sealed: sealed[:3]),
    "empty": stored_as(lambda business, pk, sealed: b""),
    "frame": stored_as(of_another_frame),
    "place": stored_as(of_another_place),
}


@pytest.mark.parametrize("which", ["one", "all"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_search_stays_right_and_a_repack_replaces_it(business, crowd, damage, which):
    pks = pks_of(business)
    for pk in pks if which == "all" else pks[:1]:
        DAMAGES[damage](business, pk)
    store.cache().clear()
    for _ in range(2):
        is_right(business)
    index.repack(business)
    assert not set(pks) & set(pks_of(business))
    is_whole(business)
    is_right(business)


@pytest.mark.parametrize("which", ["one", "all"])
@pytest.mark.parametrize("damage", sorted(DAMAGES.keys() - {"key id"}))
@pytest.mark.parametrize("work", [index.pack, index.step])
def test_the_next_pack_replaces_what_was_found_damaged(business, crowd, damage, which, work):
    bad = pks_of(business) if which == "all" else pks_of(business)[:1]
    for pk in bad:
        DAMAGES[damage](business, pk)
    store.cache().clear()
    is_right(business)
    work(business)
    assert not set(bad) & set(pks_of(business))
    is_whole(business)
    is_right(business)


def test_upkeep_finds_a_damaged_one_by_itself(business, crowd):
    """As nobody searches, each pack of changes that make lines stale looks at one."""
    bad = pks_of(business)[1]
    flip(bad, 60)
    customer = factories.customer(business)
    # One that is being swept is looked at several times.
    for n in range(4 * len(pks_of(business))):
        customer.edit(name=f"Ada {n}")
        index.pack(business)
    assert bad not in pks_of(business)
    is_whole(business)
    is_right(business)


def test_a_merge_that_meets_a_damaged_one_has_it_replaced_first(business):
    for n in range(index.MERGE_FAN):
        factories.customer(business, name=f"Ada {n}")
        pack_all(business)
    bad = pks_of(business)[0]
    flip(bad, 60)
    store.cache().clear()
    assert index.step(business)
    assert bad in pks_of(business)
    assert index.step(business)
    assert bad not in pks_of(business)
    assert index.step(business)
    assert len(pks_of(business)) == 1
    is_whole(business)
    is_right(business)


def test_no_line_is_written_twice_for_a_damaged_one(business, crowd):
    index.repack(business)
    before = segment_lines(business)
    flip(pks_of(business)[0], 60)
    store.cache().clear()
    found(business, "ada")
    index.pack(business)
    is_whole(business)
    assert segment_lines(business) <= before + 1  # and one of the tail


@pytest.mark.parametrize("bound", [0, 400, 1 << 20])
def test_what_stands_in_keeps_to_the_memory_bound(business, crowd, settings, bound):
    settings.SEARCH_CACHE_BYTES = bound
    for pk in pks_of(business)[::2]:
        flip(pk, 60)
    for _ in range(2):
        is_right(business)
        assert store.cache().nbytes <= bound


def test_it_is_made_once_and_then_costs_no_more_than_segments(
    business, crowd, django_assert_num_queries
):
    flip(pks_of(business)[0], 60)
    found(business, "ada")
    with django_assert_num_queries(2):
        assert found(business, "nobody") == []


def test_the_log_names_a_damaged_one_once_and_without_a_value(business, crowd, log):
    bad = pks_of(business)[0]
    flip(bad, 60)
    for _ in range(5):
        found(business, "ada")
        store.cache().clear()
    [line] = [json.loads(line) for line in log.getvalue().splitlines()]
    assert line["segment"] == str(bad)
    assert line["business"] == business.pk
    assert line["level"] == "error"
    assert "Ada" not in log.getvalue()
    assert "b.co" not in log.getvalue()


def test_it_is_tried_again_by_and_by(business, crowd, log, monkeypatch):
    bad = pks_of(business)[0]
    flip(bad, 60)
    found(business, "ada")
    monkeypatch.setattr(store, "TRIED_AGAIN", -1.0)
    flip(bad, 60)  # as it was: somebody had brought the right one back
    store.cache().clear()
    missing = set()
    assert sum(len(group) for group in store.opened(business.pk, missing)) == len(pks_of(business))
    assert not missing


@pytest.mark.parametrize("which", range(4))
def test_upkeep_beside_a_damaged_one_is_not_seen_by_a_search(business, crowd, which):
    """Whatever is changed and replaced between two statements of a search."""
    ada = Customer.objects.get(pk=crowd[0].pk)
    # Those of the most lines, by which most could be missed.
    largest = store.rows(business.pk).order_by("-size").values_list("pk", flat=True)
    flip(largest[which], 60)
    rows = directory(business)

    def change():
        ada.company_name = "Ada & Sons"
        ada.save()
        store.damaged(business.pk)
        index.step(business)

    class Between:
        def __init__(self, statement):
            self.before, self.seen = statement, 0

        def __call__(self, execute, *args):
            self.seen += 1
            if self.seen == self.before:
                change()
            return execute(*args)

    statement = 0
    while True:
        statement += 1
        for kept in (True, False):
            store.cache().clear()
            store._unreadable.clear()
            if kept:
                found(business, "zz")
            savepoint = transaction.savepoint()
            between = Between(statement)
            with connection.execute_wrapper(between):
                assert found(business, "ada", 8) == matches(rows, "ada", 8), statement
            transaction.savepoint_rollback(savepoint)
        if between.seen < statement:
            break
    assert statement > 5


def test_cut_off_while_it_is_replaced_nothing_is_lost(business, crowd, monkeypatch):
    for pk in pks_of(business):
        flip(pk, 60)
    is_right(business)
    write, calls = store.write, []

    def cut_off(*args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        write(*args)

    with monkeypatch.context() as patched:
        patched.setattr(store, "write", cut_off)
        with pytest.raises(KeyboardInterrupt):
            index._mend(business)
    store.cache().clear()
    is_right(business)
    index._mend(business)
    is_whole(business)
    is_right(business)
    # Of the tail's, whose lines nobody counts on for long, the first run may have written one too.
    assert 0 <= segment_lines(business) - business.customers.count() <= 1


def test_who_is_erased_while_it_is_replaced_does_not_come_back(business, crowd, monkeypatch):
    for pk in pks_of(business):
        flip(pk, 60)
    found(business, "ada")
    write_read, left = stand_in.write_read, crowd[12:20]

    def erased_behind_it(business_id, segment):
        if left:
            Customer.objects.get(pk=left.pop().pk).erase()
        write_read(business_id, segment)

    monkeypatch.setattr(stand_in, "write_read", erased_behind_it)
    index._mend(business)
    gone = set(Customer.objects.erased().values_list("public_id", flat=True))
    assert gone
    assert not gone & {public_id for public_id, _ in all_lines(business)}
    is_right(business)


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_erasure_drops_and_replaces_it(business, crowd, damage):
    bad = pks_of(business)[:2]
    for pk in bad:
        DAMAGES[damage](business, pk)
    store.cache().clear()
    for customer in crowd[::6]:
        customer.erase()
        raw = encode_id(customer.public_id)
        assert not [s for s in segments(business) if raw in s.to_bytes()]
    assert not set(bad) & set(pks_of(business))
    is_whole(business)
    is_right(business)


def test_an_erasure_finds_what_a_packer_had_in_hand(business, crowd, monkeypatch):
    """A line that is written after the erasure listed the segments, before it locked them."""
    ada = crowd[0]
    raw = encode_id(ada.public_id)
    open_one, late = store.open_one, []

    def written_meanwhile(business_id, pk):
        segment = open_one(business_id, pk)
        if not late and raw in segment.to_bytes():
            late.append(pk)
            store.write(business_id, segment)
        return segment

    monkeypatch.setattr(store, "open_one", written_meanwhile)
    ada.erase()
    assert late
    assert not [s for s in segments(business) if raw in s.to_bytes()]


# --- A key that this process lacks --------------------------------------------------------------


@pytest.fixture
def keys(settings):
    """Puts another key in front, as a process that has it; or takes it away again."""
    old = settings.ENCRYPTION_KEYS[0]
    new = Fernet.generate_key().decode()

    def hold(*which):
        settings.ENCRYPTION_KEYS = [{"new": new, "old": old}[name] for name in which]
        store.cache().clear()

    return hold


def test_a_segment_of_a_lacking_key_is_left_to_those_who_have_it(business, crowd, keys, log):
    keys("new", "old")
    for n in range(5):
        factories.customer(business, name=f"Newer {n}", email=f"newer{n}@b.co")
    pack_all(business)
    list(rotation.reseal(SearchSegment))
    pks, expected = pks_of(business), {q: found(business, q) for q in (*QUERIES, "newer")}
    assert found(business, "newer")
    keys("old")
    for query in QUERIES[:2]:  # by name
        assert found(business, query) == expected[query]
    assert found(business, "newer") == expected["newer"]
    assert found(business, "newer3@") == []
    for n in range(5):
        index.step(business)
        index.pack(business)
    assert set(pks) <= set(pks_of(business))
    assert "needs a key not held here" in log.getvalue()
    keys("new", "old")
    assert {q: found(business, q) for q in expected} == expected
    pack_all(business)
    is_whole(business)
    is_right(business)


def test_a_row_of_a_lacking_key_stays_in_the_tail(business, keys):
    keys("new", "old")
    newer = [factories.customer(business, name=f"Newer {n}") for n in range(9)]
    keys("old")
    older = [factories.customer(business, name=f"Older {n}") for n in range(9)]
    pack_all(business)
    assert set(business.customers.unpacked(business.pk)) == set(newer)
    assert len(found(business, "older")) == len(older)
    keys("new", "old")
    for customer in newer:
        assert found(business, customer.email) == [customer.public_id]
    pack_all(business)
    assert not business.search_tail.exists()
    is_right(business)


def test_a_repack_without_the_key_of_many_leaves_all_as_it_is(business, other_business, keys):
    keys("new", "old")
    for n in range(9):
        factories.customer(business, name=f"Newer {n}")
    pack_all(business)
    before = pks_of(business)
    keys("old")
    factories.customer(other_business)
    with pytest.raises(OtherKeyNeeded):
        index.repack(business)
    with pytest.raises(CommandError) as said:
        call_command("repack_search", stdout=StringIO(), stderr=StringIO())
    assert "Packed 1 customers of 1 businesses." in str(said.value)
    assert business.public_id in str(said.value)
    assert set(before) <= set(pks_of(business))
    keys("new", "old")
    is_right(business)


def test_a_damaged_key_id_of_one_email_does_not_keep_the_rest_from_being_repacked(business):
    people = [factories.customer(business, name=f"Ada {n}") for n in range(9)]
    pack_all(business)
    before = pks_of(business)
    token = factories.stored(people[0], "email")
    factories.store(people[0], "email", token[:5] + ("A" if token[5] != "A" else "B") + token[6:])
    flip(before[0], 2)
    store.cache().clear()
    index.repack(business)
    assert not set(before) & set(pks_of(business))
    assert [c.pk for c in business.customers.unpacked(business.pk)] == [people[0].pk]
    assert len(found(business, "ada")) == 9
    is_right(business)


def test_an_erasure_in_a_process_without_the_key_of_the_others_erases_nothing(
    business, crowd, keys
):
    keys("new", "old")
    newer = [factories.customer(business, name=f"Newer {n}") for n in range(3)]
    pack_all(business)
    list(rotation.reseal(SearchSegment))
    before = pks_of(business)
    keys("old")
    with pytest.raises(OtherKeyNeeded):
        newer[0].erase()
    assert Customer.objects.get(pk=newer[0].pk).erased_at is None
    assert pks_of(business) == before


# --- Changing keys ------------------------------------------------------------------------------


# One that opens and is no segment is found by whoever reads it.
@pytest.mark.parametrize("damage", [name for name in DAMAGES if name != "frame"])
def test_rotation_counts_it_and_goes_on(business, other_business, crowd, keys, damage):
    bad = pks_of(business)[0]
    DAMAGES[damage](business, bad)
    for n in range(3):
        factories.customer(other_business, name=f"Ada {n}")
    pack_all(other_business)
    keys("new", "old")
    with pytest.raises(CommandError) as said:
        call_command("rotate_encryption", stdout=StringIO(), stderr=StringIO())
    total = len(pks_of(business)) + len(pks_of(other_business))
    assert f" {total - 1} of {total} search segments" in str(said.value)
    assert f"1 search segments could not be opened, which repack_search replaces: {bad}." in str(
        said.value
    )
    call_command("repack_search", stdout=StringIO(), stderr=StringIO())
    call_command("rotate_encryption", stdout=StringIO(), stderr=StringIO())
    keys("new")
    is_right(business)
    is_right(other_business)
