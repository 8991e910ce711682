"""A business's search index: sealed segments in the database, and the tail of what is not packed.

Invariant: a line with the row's name and email and with its mark (`packed`) is in a segment for
each active customer; one whose mark is 0 is in the tail, which every search reads. Lines beyond
that, of names that changed or rows that went, do no harm: every hit is checked against its live
row. So packing writes a segment and the marks in one transaction, and whatever only adds lines,
or drops such that do not bear their row's mark, is safe beside any traffic and after a crash at
any moment.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import compress, islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.db.models import BigIntegerField

from customers import clock, normalize
from customers.compiled import Compiled, Slot
from customers.keyring import SealError
from customers.search import store
from customers.search.segment import (
    Candidate,
    Entry,
    Segment,
    build,
    build_many,
    first_matches,
    merge,
)
from customers.search.store import SegmentGone

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from customers.managers import CustomerQuerySet
    from customers.models import Customer, SearchSegment

log = logging.getLogger("finora.search")

COLUMNS = ("business_id", "public_id", "name", "email", "packed")
PACK_ROWS = 128
# Segments written by live traffic grow in two steps: so many below the first size become one, and
# so do those below the second; fewer, where they make MERGE_BYTES together. That is what a merge
# can do within a write's patience; larger ones come from repack().
MERGE_FAN = 16
LEVEL_BYTES = (64 << 10, 512 << 10)
MERGE_BYTES = 1 << 20
# Each pack carries the live lines among so many out of an old segment, once one in four of a
# sample is stale. As a pack makes at most half as many lines stale, they stay below the live ones.
SWEEP_LINES = 2 * PACK_ROWS
SAMPLE_LINES = 64
BULK_LINES = 65_536
PAGE_ROWS = 4096
# A process looks after the segments at its first write for a business and then at every so many.
LOOK_EVERY = 16
# Candidates whose marks a search compares at a time, at most.
SCREEN_ROWS = 3200
# An erasure that a repack may not have seen began this long before it, at most.
ERASED_MEANWHILE = timedelta(hours=1)
# Retries of a search whose segments are merged away under it; each needs a merge of its own.
ATTEMPTS = 20


# Reading.


def find(customers: CustomerQuerySet, business_id: int, query: str, limit: int) -> list[Customer]:
    """The first `limit` active customers in list order whose name or email holds `query`."""
    for _ in range(ATTEMPTS):
        try:
            return _find(customers, business_id, query, limit)
        except SegmentGone:
            continue
    raise RuntimeError("search segments kept being merged away")


def _find(customers: CustomerQuerySet, business_id: int, query: str, limit: int) -> list[Customer]:
    # The tail first, then the segments: what is packed in between is seen twice, never missed.
    tail = build(_open_entries(customers, _tail.rows(business_id=business_id)))
    found: dict[str, Customer] = {}
    for segments in store.opened(business_id):
        _collect(customers, business_id, query, limit, [tail, *segments], found)
    return sorted(found.values(), key=_place)[:limit]


def _collect(
    customers: CustomerQuerySet,
    business_id: int,
    query: str,
    limit: int,
    segments: list[Segment],
    found: dict[str, Customer],
) -> None:
    """Adds to `found` until it holds the first `limit` matches that these segments know of.

    A line tells where its row stood when it was packed. A row that moved meanwhile is found all
    the same, and counts at the place where it stands now.
    """
    live = customers.in_business(business_id).active()
    candidates = _screened(live, first_matches(segments, query), limit)
    while chunk := list(islice(candidates, limit)):
        unseen = {candidate.public_id for candidate in chunk} - found.keys()
        for customer in customers.active_among(business_id, unseen):
            if _holds(customer, query):
                found[customer.public_id] = customer
        frontier = chunk[-1].name_key, chunk[-1].public_id
        if sum(_place(customer) <= frontier for customer in found.values()) >= limit:
            return


def _screened(
    live: CustomerQuerySet, candidates: Iterator[Candidate], limit: int
) -> Iterator[Candidate]:
    """The first `limit` candidates as they are; of the rest only those that bear their row's mark.

    Where lines of thousands that went or were renamed come first, that is soon behind them.
    """
    yield from islice(candidates, limit)
    size = 4 * limit
    while chunk := list(islice(candidates, size)):
        yield from compress(chunk, _current(live, [candidate[1:] for candidate in chunk]))
        size = min(4 * size, SCREEN_ROWS)


def _place(customer: Customer) -> tuple[bytes, str]:
    return customer.name_key, customer.public_id


def _holds(customer: Customer, query: str) -> bool:
    if normalize.holds(customer.name, query):
        return True
    try:
        return normalize.holds(customer.email, query)
    except SealError:
        # Its name was not a match, and its email cannot be read: nothing says that it is one.
        return False


def _current(live: CustomerQuerySet, lines: Sequence[tuple[str, int]]) -> list[bool]:
    """Which of these lines, given by id and mark, a search may still need.

    While a row is in the tail, its older lines lead to it whoever read the tail just before. And
    who did read it has lines without a mark, of rows that may be packed by now.
    """
    rows = live.filter(public_id__in={public_id for public_id, _ in lines})
    marks = dict(rows.values_list("public_id", "packed"))
    return [not mark or marks.get(public_id) in (mark, 0) for public_id, mark in lines]


def _entries(rows: CustomerQuerySet, mark: int | None = None) -> Iterator[Entry]:
    """Names and emails in the clear, without the cost of model instances; with their own marks,
    unless one is given.
    """
    return _open_entries(rows, rows.values_list(*COLUMNS), mark)


def _open_entries(
    customers: CustomerQuerySet, rows: Iterable[tuple[Any, ...]], mark: int | None = None
) -> Iterator[Entry]:
    open_email = customers.model._meta.get_field("email").open_for
    for business_id, public_id, name, token, own_mark in rows:
        try:
            email = open_email(token, business_id, public_id)
        except SealError as error:
            email = ""  # it stays findable by its name
            log.error("email unreadable", exc_info=error, extra={"fields": {"customer": public_id}})
        yield Entry(public_id, name, email, own_mark if mark is None else mark)


def _tail_rows() -> QuerySet[Customer, Any]:
    customers: CustomerQuerySet = apps.get_model("customers", "Customer").objects.all()
    business_id = Slot("business_id", BigIntegerField())
    return customers.filter(business_id=business_id).active().unpacked().values_list(*COLUMNS)


_tail: Compiled[Any] = Compiled(_tail_rows)


# Writing.


def _customers(business_id: int) -> CustomerQuerySet:
    # The models import this module.
    rows: CustomerQuerySet = apps.get_model("customers", "Customer").objects.all()
    return rows.in_business(business_id)


def new_mark() -> int:
    """What tells the lines of one packing from those of others: never 0."""
    return 1 + secrets.randbelow(2**31 - 1)


def add_segment(customers: Iterable[Customer]) -> None:
    """A segment for new rows of one business, inserted with a mark in the same transaction."""
    rows = list(customers)
    if rows:
        entries = (Entry(row.public_id, row.name, row.email, row.packed) for row in rows)
        store.write(rows[0].business_id, build(entries))


_writes: Counter[int] = Counter()
_writes_lock = threading.Lock()


def after_write(business_id: int, changes: int = 1) -> None:
    """To be called after each committed change of names, emails or activity: keeps the tail short.

    It stays below PACK_ROWS plus LOOK_EVERY for each process that writes.
    """
    with _writes_lock:
        before = _writes[business_id]
        _writes[business_id] += changes
    # The writes 1, 17, 33, … look. A change of many rows at once takes as many steps as needed.
    for _ in range((before - 1) // LOOK_EVERY, (before + changes - 1) // LOOK_EVERY):
        if not step(business_id):
            break


def step(business_id: int) -> bool:
    """Packs a full tail, or else merges small segments; says whether there was anything to do.

    One or the other, as the write that does it has somebody waiting.
    """
    if _customers(business_id).unpacked()[:PACK_ROWS].count() >= PACK_ROWS:
        return pack(business_id) > 0
    return _merge_some(business_id)


def pack(business_id: int) -> int:
    """Packs at most PACK_ROWS of the tail into a segment. Answers how many rows it took."""
    tail = _customers(business_id).unpacked()
    with transaction.atomic():
        # Two packers take different rows, and neither waits.
        locked = tail.order_by("id").select_for_update(skip_locked=True)
        pks = list(locked.values_list("id", flat=True)[:PACK_ROWS])
        if pks:
            # Asked for as a part of the tail, whose index is small: the other ones of a business
            # tempt a planner that knows no better into reading all of it.
            taken = tail.filter(id__in=pks)
            mark = new_mark()
            fresh = build(_entries(taken.active(), mark))
            taken.update(packed=mark)
            store.write(business_id, merge([fresh, *_swept(business_id)]))
    return len(pks)


def _swept(business_id: int) -> list[Segment]:
    """Lines for a new segment that an old one loses: so stale ones go by and by."""
    of_business = store.rows(business_id)
    rows = of_business.order_by("looked_at", "id").select_for_update(skip_locked=True)
    oldest = rows.only("id", "swept").first()
    if oldest is None:
        return []
    row = of_business.filter(id=oldest.pk)
    [segment] = store.open_group(business_id, [oldest.pk])
    live = _customers(business_id).active()
    if not oldest.swept:
        stride = segment.lines // SAMPLE_LINES + 1
        sample = _current(live, segment.marks(range(0, segment.lines, stride)))
        if sum(sample) * 4 > len(sample) * 3:
            row.update(looked_at=clock.now())
            return []
    end = min(oldest.swept + SWEEP_LINES, segment.lines)
    lines = range(oldest.swept, end)
    carried = segment.part(compress(lines, _current(live, segment.marks(lines))))
    if end == segment.lines:
        row.delete()
    else:
        row.update(swept=end)
    return [carried]


def _unswept(business_id: int) -> QuerySet[SearchSegment]:
    """Those that may be merged: the first lines of a swept one are in another already."""
    return store.rows(business_id).filter(swept=0)


def _merge_some(business_id: int) -> bool:
    """Makes one segment of several small ones, if there are enough. Says whether it did."""
    sizes = sorted(_unswept(business_id).values_list("size", "id"))
    lower = 0
    for upper in LEVEL_BYTES:
        level = [(size, pk) for size, pk in sizes if lower <= size < upper]
        group: list[UUID] = []
        room = MERGE_BYTES
        for size, pk in level[:MERGE_FAN]:
            room -= size
            if room >= 0:
                group.append(pk)
        if len(group) == MERGE_FAN or len(group) < len(level):
            return _merge(business_id, group)
        lower = upper
    return False


def _merge(business_id: int, pks: list[UUID]) -> bool:
    """Says whether it did: not when another process has one of them in hand."""
    with transaction.atomic():
        rows = _unswept(business_id).filter(id__in=pks)
        locked = list(rows.select_for_update(skip_locked=True).values_list("id", flat=True))
        if len(locked) < len(pks):
            return False
        store.write(business_id, merge(store.open_group(business_id, locked)))
        rows.delete()
    return True


def forget(business_id: int, public_id: str) -> None:
    """Takes a customer's lines out of all segments, in the transaction of the erasure itself.

    Locks them all, and lists them until nothing is new: what another process is making of one,
    it has to finish before that lock is given, and the next list shows it. One at a time in a
    business: two would meet the other's new ones, and each wait for the other.
    """
    apps.get_model("customers", "Business").objects.one_at_a_time(business_id)
    rows = store.rows(business_id).order_by("id")
    seen: set[UUID] = set()
    while new := set(rows.values_list("id", flat=True)) - seen:
        seen |= new
        for pk in list(rows.filter(id__in=new).select_for_update().values_list("id", flat=True)):
            [segment] = store.open_group(business_id, [pk])
            others = segment.without(public_id)
            if others is not None:
                store.write(business_id, others)
                rows.filter(id=pk).delete()


def reseal(business_id: int, *, dry_run: bool = False) -> int:
    """Seals segments of older encryption keys anew. Answers how many."""
    count = 0
    rows = store.rows(business_id)
    for pk in list(rows.values_list("id", flat=True)):
        with transaction.atomic():
            row = rows.filter(id=pk).select_for_update()
            sealed = row.values_list("sealed", flat=True).first()
            # Merged away meanwhile: what came of it was sealed with the first key.
            anew = None if sealed is None else store.resealed(business_id, pk, sealed)
            if anew is not None:
                count += 1
                if not dry_run:
                    row.update(sealed=anew)
    return count


def repack(business_id: int, progress: Callable[[int], Any] = lambda rows: None) -> int:
    """Writes all segments of a business anew from its live rows. Answers how many rows they hold.

    Safe beside live traffic and when cut off: first the new segments are there besides the old
    ones, then the old ones go. Rows that change meanwhile are in the tail, or in a segment
    younger than the list of the old ones.
    """
    began = clock.now() - ERASED_MEANWHILE
    while pack(business_id) == PACK_ROWS:
        pass
    old = list(store.rows(business_id).values_list("id", flat=True))
    count = 0

    def entries() -> Iterator[Entry]:
        nonlocal count
        # Page by page, each a query of its own: while a query is open, SQLite lets nobody write
        # behind whom another process wrote. In list order, as that is an index of one business.
        rows = _customers(business_id).active().in_list_order()
        page = list(_entries(rows[:PAGE_ROWS]))
        while page:
            yield from (entry for entry in page if entry.mark)
            count += len(page)
            progress(count)
            last = page[-1]
            after = rows.after(normalize.name_key(last.name), last.public_id)
            page = list(_entries(after[:PAGE_ROWS]))

    for segment in build_many(entries(), BULK_LINES):
        store.write(business_id, segment)
    for pk in old:
        store.rows(business_id).filter(id=pk).delete()
    # Who was erased after its page was read is in a new segment again.
    erased = _customers(business_id).filter(erased_at__gte=began)
    for public_id in list(erased.values_list("public_id", flat=True)):
        with transaction.atomic():
            forget(business_id, public_id)
    return count
