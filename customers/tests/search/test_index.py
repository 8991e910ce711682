"""The index keeps itself, in small steps: packs, merges, sweeps, finds its way past the rest."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from customers.models import Customer
from customers.search import index, store, sweeping
from customers.search.segment import Entry, build, encode_id
from finora.tenants.models import Business
from finora.tests.kit import factories
from finora.tests.kit.directories import (
    directory,
    found,
    matches,
    pack_all,
    segment_lines,
    segments,
    small_steps,
)

pytestmark = pytest.mark.django_db


def crowd(business, count, name="Ada {:05}", email="ada{:05}@example.com"):
    """Imported in one go: packed, in a segment of their own."""
    people = [
        Customer(business=business, name=name.format(n), email=email.format(n))
        for n in range(count)
    ]
    business.customers.import_packed(people)
    return people


def tail(business):
    return business.search_tail.count()


def settle(business):
    """As many steps as there are to do; how many that were."""
    pack_all(business)
    steps = 0
    while index.step(business):
        steps += 1
    return steps


@pytest.fixture
def small(monkeypatch):
    small_steps(monkeypatch)


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """Runs a change and what follows its commit."""

    def run(change, *args, **kwargs):
        with django_capture_on_commit_callbacks(execute=True):
            return change(*args, **kwargs)

    return run


# --- What a search costs ------------------------------------------------------------------------


def test_a_search_reads_the_tail_the_list_of_segments_and_what_it_shows(
    business, django_assert_num_queries
):
    crowd(business, 120)
    factories.customer(business, name="Ada in the tail")
    found(business, "ada")
    with django_assert_num_queries(3):
        assert len(found(business, "ada")) == 50
    with django_assert_num_queries(2):
        assert found(business, "nobody") == []
    store.cache().clear()
    with django_assert_num_queries(4):
        assert len(found(business, "ada")) == 50


@pytest.mark.parametrize("change", [{"name": "Bola", "name_key": b"bola"}, None])
def test_thousands_of_stale_lines_cost_few_queries(business, change, django_assert_max_num_queries):
    people = crowd(business, 4000)
    gone = [customer.pk for customer in people[:3900]]
    if change:
        Customer.objects.filter(pk__in=gone).update(**change)
        pack_all(business)
    else:
        Customer.objects.filter(pk__in=gone).delete()
    expected = [customer.public_id for customer in people[3900:3950]]
    found(business, "nobody")  # opens the segments
    with django_assert_max_num_queries(12):
        assert found(business, "ada 0") == expected


def test_a_search_opens_no_more_than_the_bound_at_once(business, settings, monkeypatch):
    for batch in range(6):
        crowd(business, 30, name=f"Ada {batch} {{}}", email=f"a{batch}-{{}}@b.co")
    sizes = list(store.rows(business.pk).values_list("size", flat=True))
    settings.SEARCH_CACHE_BYTES = bound = 2 * max(sizes)
    groups = []
    opened = store.opened

    def watched(business_id, missing):
        for group in opened(business_id, missing):
            groups.append(len(group))
            yield group

    monkeypatch.setattr(store, "opened", watched)
    rows = directory(business)
    for query in "5", "a3", "ada", "zz":
        groups.clear()
        assert found(business, query) == matches(rows, query)
        assert groups == [2, 2, 2]
        assert store.cache().nbytes <= bound
    settings.SEARCH_CACHE_BYTES = 0
    groups.clear()
    assert found(business, "5") == matches(rows, "5")
    assert groups == [1] * 6
    assert store.cache().nbytes == 0


# --- Beside a merge -----------------------------------------------------------------------------


def test_a_search_lists_again_when_a_segment_is_gone(business, monkeypatch):
    people = crowd(business, 3)
    store.cache().clear()
    opened = store.opened

    def opened_late(business_id, missing):
        listed = list(store.rows(business_id).values_list("id", flat=True))
        monkeypatch.setattr(store, "opened", opened)
        index.repack(Business(pk=business_id))
        yield {pk: store.open_one(business_id, pk) for pk in listed}

    monkeypatch.setattr(store, "opened", opened_late)
    assert found(business, "ada") == [customer.public_id for customer in people]


def test_a_search_gives_up_when_segments_keep_going(business, monkeypatch):
    def gone(business_id, missing):
        raise store.SegmentGone

    monkeypatch.setattr(store, "opened", gone)
    with pytest.raises(RuntimeError, match="merged away"):
        found(business, "ada")


def test_what_is_packed_between_tail_and_list_is_found_once(business, monkeypatch):
    customer = factories.customer(business, name="Ada")
    opened = store.opened

    def packed_first(business_id, missing):
        index.pack(Business(pk=business_id))
        return opened(business_id, missing)

    monkeypatch.setattr(store, "opened", packed_first)
    assert found(business, "ada") == [customer.public_id]
    assert tail(business) == 0


def sweep(business):
    """Carries some lines over, as a pack does."""
    if (sweep := sweeping.look(business)) is None:
        return
    with transaction.atomic():
        for segment in sweeping.take(business, sweep):
            store.write(business.pk, segment)


def sweep_all(business):
    for _ in range(20):
        sweep(business)


def keep_up(business):
    while index.step(business):
        pass


@pytest.mark.parametrize("work", [index.pack, keep_up, sweep_all, index.repack])
@pytest.mark.parametrize("bound", [0, 1 << 20])
def test_upkeep_between_any_two_statements_of_a_search_is_not_seen(
    business, small, settings, work, bound
):
    """One that reads the segments first would miss what is packed before it reads the tail."""
    settings.SEARCH_CACHE_BYTES = bound
    people = crowd(business, 40)
    for n, customer in enumerate(people[:30]):
        renamed(customer, n)
        if n % 4 == 0:
            index.step(business)
    Customer.objects.filter(pk__in=[c.pk for c in people[3:20:2]]).delete()
    for n in range(5):
        factories.customer(business, name=f"Ada of the tail {n}")
    rows = directory(business)
    expected = matches(rows, "ada", 8)

    class Between:
        """Works once, ahead of one statement."""

        def __init__(self, statement):
            self.before, self.seen = statement, 0

        def __call__(self, execute, *args):
            self.seen += 1
            if self.seen == self.before:
                work(business)
            return execute(*args)

    statement = moments = 0
    while True:
        statement += 1
        store.cache().clear()
        savepoint = transaction.savepoint()
        between = Between(statement)
        with connection.execute_wrapper(between):
            assert found(business, "ada", 8) == expected, f"ahead of statement {statement}"
        transaction.savepoint_rollback(savepoint)
        if between.seen < statement:
            break
        moments += 1
    assert moments >= 4


def test_what_is_packed_between_tail_and_screening_is_found(business, monkeypatch):
    people = [factories.customer(business, name=f"Ada {n}") for n in range(10)]
    opened = store.opened

    def packed_first(business_id, missing):
        Customer.objects.filter(pk__in=[customer.pk for customer in people[:5]]).delete()
        pack_all(business)
        return iter([{}])

    monkeypatch.setattr(store, "opened", packed_first)
    expected = [customer.public_id for customer in people[5:8]]
    assert found(business, "ada", 3) == expected
    monkeypatch.setattr(store, "opened", opened)
    assert found(business, "ada", 3) == expected


def test_a_row_that_changed_after_the_tail_was_read_is_still_found(business, monkeypatch):
    """By what stayed as it was, also when its segment is swept in that moment."""
    ada, *others = crowd(business, 10)
    # As if they had been packed anew: their lines here are stale.
    Customer.objects.filter(pk__in=[c.pk for c in others]).update(search_mark=index.new_mark())
    opened = store.opened

    def changed_first(business_id, missing):
        Customer.objects.filter(pk=ada.pk).update(name="Zoe", name_key=b"zoe")
        sweep(Business(pk=business_id))
        assert sum(s.lines for group in opened(business_id, missing) for s in group.values()) == 1
        return opened(business_id, missing)

    monkeypatch.setattr(store, "opened", changed_first)
    assert found(business, ada.email) == [ada.public_id]


# --- What changes while it is packed -------------------------------------------------------------


def erased(customer):
    customer.erase()


def edited(customer):
    customer.edit(name=f"Zoe {customer.pk}")


def removed(customer):
    customer.delete()


def fresh_email(customer):
    customer.edit(email=f"zoe{customer.pk}@b.co")


def merged(business):
    return index._merge(business, list(store.rows(business.pk).values_list("id", flat=True)))


@pytest.mark.parametrize("work", [index.pack, merged, sweep, index.merge_all])
@pytest.mark.parametrize("change", [erased, edited, removed, fresh_email])
def test_a_change_between_any_two_statements_of_upkeep_is_not_lost(business, small, change, work):
    people = crowd(business, 6)
    people += [factories.customer(business, name=f"Ada of the tail {n}") for n in range(5)]
    Customer.objects.filter(pk__in=[c.pk for c in people[:2]]).delete()
    crowd(business, 3, email="more{}@b.co")
    changed = [people[4], people[7]]  # one of a segment, one of the tail

    def between(execute, *args):
        nonlocal seen
        # Within its own transaction it has them locked.
        if len(connection.savepoint_ids) == depth:
            seen += 1
            if seen == statement:
                for customer in changed:
                    change(Customer.objects.get(pk=customer.pk))
        return execute(*args)

    statement, seen, depth = 1, 1, len(connection.savepoint_ids)
    while seen >= statement:
        savepoint, seen = transaction.savepoint(), 0
        with connection.execute_wrapper(between):
            work(business)
        store.cache().clear()
        rows = directory(business)
        for query in "ada", "zoe", "@":
            assert found(business, query) == matches(rows, query), statement
        if change is erased and seen >= statement:
            for customer in changed:
                raw = encode_id(customer.public_id)
                assert not [s for s in segments(business) if raw in s.to_bytes()], statement
        transaction.savepoint_rollback(savepoint)
        statement += 1
    assert statement > 3


# --- The tail -----------------------------------------------------------------------------------


def test_single_writes_keep_the_tail_short(business, small, committed):
    bound = index.PACK_ROWS + index.LOOK_EVERY
    people = []
    for n in range(60):
        people.append(committed(factories.customer, business))
        assert tail(business) <= bound
        if n % 3 == 0:
            committed(people[n // 2].save)
        if n % 5 == 0:
            committed(people[n // 3].delete)
        assert tail(business) <= bound
    assert store.rows(business.pk).count() > 1


def test_a_change_of_many_rows_is_packed_at_once(business, small, committed):
    people = crowd(business, 100)
    committed(Customer.objects.filter(pk__in=[c.pk for c in people[:90]]).delete)
    assert tail(business) < index.PACK_ROWS
    # Each has its line as an inactive one, and of those from before most are gone already.
    assert segment_lines(business) < 2 * len(people)
    assert found(business, "ada") == [c.public_id for c in people[90:]]


def test_a_look_finds_a_full_tail_only(business, small, monkeypatch):
    monkeypatch.setattr(index, "LOOK_EVERY", 4)
    monkeypatch.setattr(index, "_writes", type(index._writes)())
    steps = []
    monkeypatch.setattr(index, "step", lambda pk: steps.append(written))
    for written in range(1, 11):
        index.after_write(business.pk)
    assert steps == [1, 5, 9]
    index.after_write(business.pk + 1)
    assert steps == [1, 5, 9, 10]


def test_a_failing_pack_leaves_the_tail_and_the_write_as_they_are(
    business, small, committed, monkeypatch, log
):
    write = store.write

    def fail(business_id, segment):
        write(business_id, segment)
        raise OSError("disk full")

    monkeypatch.setattr(store, "write", fail)
    for _ in range(20):
        committed(factories.customer, business)
    monkeypatch.undo()
    assert "keep_short" in log.getvalue()
    assert not store.rows(business.pk).exists()
    assert tail(business) == Customer.objects.count() == 20
    assert len(found(business, "customer")) == 20


@pytest.mark.parametrize("field", ["name", "email", "is_active"])
def test_whatever_search_shows_sends_the_row_to_the_tail(business, field):
    customer = factories.customer(business, name="Ada", email="ada@b.co")
    if field == "is_active":
        customer.delete()
        pack_all(business)
        customer.restore()
    else:
        pack_all(business)
        setattr(customer, field, "zoe@b.co")
        customer.save(update_fields=[field])
    assert tail(business) == 1


def test_an_update_of_names_sends_rows_to_the_tail(business):
    crowd(business, 3)
    Customer.objects.update(name="Zoe", name_key=b"zoe")
    assert len(found(business, "zoe")) == tail(business) == 3
    pack_all(business)
    Customer.objects.update(account_balance_kobo=1)
    assert tail(business) == 0


def test_an_update_of_activity_sends_rows_to_the_tail(business):
    """As when a script brings back whom a sweep has left out meanwhile."""
    people = crowd(business, 3)
    Customer.objects.filter(pk__in=[c.pk for c in people]).delete()
    pack_all(business)
    assert found(business, "ada") == []
    Customer.objects.update(is_active=True, deleted_at=None)
    assert found(business, "ada") == [c.public_id for c in people]
    assert tail(business) == 3


def test_loaded_customers_are_in_the_tail_whatever_their_dump_says(business, tmp_path, committed):
    crowd(business, 3)
    dump = tmp_path / "dump.json"
    call_command("dumpdata", "tenants.business", "customers.customer", output=dump, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM customers_customer")
    store.rows(business.pk).delete()
    committed(call_command, "loaddata", dump, verbosity=0)
    assert len(found(business, "ada")) == tail(business) == 3


# --- Merging ------------------------------------------------------------------------------------


def test_small_segments_become_few(business, small):
    for n in range(120):
        factories.customer(business, name=f"Ada {n:03}")
        index.step(business)
    settle(business)
    segments = store.rows(business.pk)
    assert segments.count() <= 120 * 100 / index.LEVEL_BYTES[1] + 2 * index.MERGE_FAN
    assert max(segments.values_list("size", flat=True)) <= index.MERGE_BYTES
    assert segment_lines(business) == 120
    rows = directory(business)
    for query in "ada", "ada 10", "9@", "zz":
        assert found(business, query) == matches(rows, query)


def test_segments_of_long_lines_are_merged_by_their_size(business, small):
    for n in range(40):
        factories.customer(business, name="ß" * 190 + f" {n}")
        index.step(business)
    settle(business)
    sizes = sorted(store.rows(business.pk).values_list("size", flat=True))
    assert all(a + b > index.MERGE_BYTES for a, b in zip(sizes[1::2], sizes[2::2], strict=False))


def test_upkeep_comes_to_rest(business, small):
    crowd(business, 40)
    for n in range(30):
        factories.customer(business, name=f"Ada {n}")
    assert settle(business) < 20
    before = list(store.rows(business.pk).order_by("id").values_list("id", "size"))
    assert settle(business) == 0
    assert list(store.rows(business.pk).order_by("id").values_list("id", "size")) == before


def test_a_merge_that_fails_leaves_the_segments(business, small, monkeypatch):
    for _ in range(4):
        crowd(business, 2, email=f"{len(store.rows(business.pk))}-{{}}@b.co")
    before = set(store.rows(business.pk).values_list("id", flat=True))

    def fail(segments):
        raise MemoryError

    monkeypatch.setattr(index, "merge", fail)
    with pytest.raises(MemoryError):
        index.step(business)
    assert set(store.rows(business.pk).values_list("id", flat=True)) == before


def test_a_business_is_kept_up_by_its_own_writes(business, other_business, small):
    for _ in range(5):
        crowd(other_business, 2, email=f"{len(store.rows(other_business.pk))}-{{}}@b.co")
        factories.customer(other_business)
    before = list(store.rows(other_business.pk).values_list("id", "looked_at"))
    for _ in range(40):
        factories.customer(business)
        index.step(business)
    index.repack(business)
    assert list(store.rows(other_business.pk).values_list("id", "looked_at")) == before
    assert tail(other_business) == 5


# --- Stale lines go by and by -------------------------------------------------------------------


def renamed(customer, n):
    customer.name = f"Ada {n} {customer.pk}"
    customer.save()


def saved_as_it_is(customer, n):
    customer.save()


def deleted_and_restored(customer, n):
    customer.delete()
    customer.restore()


@pytest.mark.parametrize("change", [renamed, saved_as_it_is, deleted_and_restored])
def test_edits_without_end_do_not_swell_the_segments(business, small, change):
    people = crowd(business, 40)
    most = 0
    for n in range(200):
        change(people[n * 7 % 40], n)
        index.step(business)
        if n % 10 == 0:
            most = max(most, segment_lines(business))
    assert most <= 3 * 40  # of 240 lines that were written
    rows = directory(business)
    for query in "ada", "ada 39", "7@":
        assert found(business, query) == matches(rows, query)


def test_segments_without_stale_lines_are_left_alone(business, small, monkeypatch):
    crowd(business, 60)
    [large] = store.rows(business.pk).values_list("id", flat=True)
    for n in range(30):
        factories.customer(business, name=f"Ada {n}")
        index.step(business)
    assert store.rows(business.pk).get(pk=large).swept == 0


def test_a_sweep_goes_on_where_it_stopped_and_is_never_merged_away(business, small):
    people = crowd(business, 40)
    store.rows(business.pk).update(size=1)  # as if it were one for the next merge
    Customer.objects.filter(pk__in=[c.pk for c in people[::2]]).delete()
    swept = []
    while (row := store.rows(business.pk).order_by("looked_at").first()).size == 1:
        swept.append(row.swept)
        index.pack(business)
        index._merge_some(business)
        assert len(found(business, "ada")) == 20
    assert swept == list(range(0, 40, sweeping.SWEEP_LINES))


# --- Rows that are not as they should be --------------------------------------------------------


def test_a_row_with_an_unreadable_email_is_found_by_its_name(business, log):
    good, bad = factories.customer(business, name="Ada"), factories.customer(business, name="Adam")
    factories.store(bad, "email", "s1.AAAA")
    assert found(business, "ada") == [good.public_id, bad.public_id]
    assert index.pack(business) == 2
    assert found(business, "ada") == [good.public_id, bad.public_id]
    assert found(business, "customer") == [good.public_id]
    assert "email unreadable" in log.getvalue()
    assert bad.public_id in log.getvalue()


@pytest.mark.parametrize("control", ["\n", "\x1f", "\x7f", "\x85"])
def test_a_name_that_no_form_would_take_breaks_nothing(business, control):
    """Such as one that a script wrote past all validation."""
    names = ["Ada", f"Ada{control}Obi", f"{control}Ada", "Adam", "Zoe"]
    for name in names:
        factories.customer(business, name="x")
        customer = Customer.objects.latest("pk")
        customer.name = name
        customer.save()
    rows = directory(business)
    for _ in range(2):
        for query in "ada", "obi", "zoe", "a", "@", "m":
            assert sorted(found(business, query)) == sorted(matches(rows, query))
        pack_all(business)


# --- Repacking ----------------------------------------------------------------------------------


def test_a_repack_leaves_one_line_a_row_in_few_segments(business, small):
    people = crowd(business, 30)
    for n in range(20):
        renamed(people[n], n)
    for customer in people[25:]:
        customer.delete()
    pages = []
    people[0].erase()
    assert index.repack(business, pages.append) == 29
    assert pages == [5, 10, 15, 20, 25, 29]
    assert store.rows(business.pk).count() == 5  # of 7 lines
    assert segment_lines(business) == 29
    assert tail(business) == 0
    assert index.repack(business) == 29
    assert store.rows(business.pk).count() == 5


def test_a_repack_of_nothing_leaves_nothing(business):
    factories.customer(business).erase()
    crowd(business, 1)[0].erase()
    assert index.repack(business) == 0
    assert not store.rows(business.pk).exists()


def test_without_segments_a_repack_needs_the_tail(business):
    """Derived data: dropped, they are made again from the rows."""
    crowd(business, 20)
    store.rows(business.pk).delete()
    assert index.repack(business) == 20
    assert len(found(business, "ada")) == 20


def test_more_rows_are_imported_than_one_statement_takes(business):
    crowd(business, 4_000)
    assert Customer.objects.count() == 4_000
    assert len(found(business, "ada 03999")) == 1


def test_a_repack_ends_beside_somebody_who_never_stops_adding(business, small):
    crowd(business, 9)
    added = []

    def behind_the_last_one(rows):
        assert len(added) < 50
        added.append(factories.customer(business, name=f"Zoe {len(added):03}"))

    index.repack(business, behind_the_last_one)
    assert found(business, "zoe") == [customer.public_id for customer in added]
    assert len(found(business, "ada")) == 9


# --- Beside other connections -------------------------------------------------------------------


@pytest.fixture
def elsewhere():
    """Runs work in a thread, on a connection of its own."""
    with ThreadPoolExecutor(1) as thread:
        yield lambda *work: thread.submit(*work).result()
        thread.submit(connections.close_all).result()


@pytest.mark.django_db(transaction=True)
def test_a_repack_writes_while_others_write(business, small, elsewhere):
    """SQLite would refuse it, if a query were still open from before the others wrote."""
    people = crowd(business, 25)

    def meanwhile(rows):
        elsewhere(factories.customer, business)
        elsewhere(people[rows % 24].delete)
        elsewhere(renamed, people[-rows % 25], rows)

    index.repack(business, meanwhile)
    rows = directory(business)
    for query in "ada", "ada 0", "customer", "@", "3":
        assert found(business, query) == matches(rows, query)
    marks = [
        mark for segment in segments(business) for _, mark in segment.marks(range(segment.lines))
    ]
    assert all(marks)  # one without would be taken for a line of the tail


@pytest.mark.postgres
def test_opening_a_segment_takes_its_own_memory_and_little_beside_it(business):
    large = build([Entry("cust_" + "0" * 26, "a" * (2 << 20), "")])
    store.write(business.pk, large)
    ((pk, _),) = store._sizes.rows(business_id=business.pk)
    tracemalloc.start()
    try:
        opened = store.open_one(business.pk, pk)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert opened.to_bytes() == large.to_bytes()
    assert most < 1.4 * large.nbytes
