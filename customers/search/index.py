"""A business's search index: sealed segments in the database, and the tail of what is not packed.

Invariant: a line with the row's name and email and with its mark (`packed`) is in a segment for
each customer who is not erased; one whose mark is 0 is in the tail, which every search reads. Lines
beyond that, of names that changed or rows that went, do no harm: every hit is checked against its
live row. So packing writes a segment and the marks in one transaction, and whatever only adds
lines, or drops such that do not bear their row's mark, is safe beside any traffic and after a crash
at any moment.

Segments are derived. One that is damaged is left out by everybody, what it held is taken from the
rows meanwhile (see stand_in), and the next pack or repack writes it anew. One whose key a process
lacks is left out there alone, and left to those that have the key.

Of who is erased no line is written by a transaction that commits afterwards: packing holds the
rows that it packs, sweeping and merging the segments that they read, and what is made of rows read
before is written one at a time with erasures, by who looks for them first (stand_in.write_read).
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import compress
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.dispatch import receiver

from customers.search import lines, stand_in, store
from customers.search.reading import find
from customers.search.segment import Entry, Segment, build, build_many, merge
from customers.search.store import SegmentUnreadable
from finora import clock, metrics, text
from finora.sealing import erasing, normal_forms
from finora.tenants.models import Business

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from customers.search.models import SearchSegment

__all__ = ["add_segment", "after_write", "find", "forget", "new_mark", "pack", "repack"]

log = logging.getLogger("finora.search")

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

_upkeep = metrics.Histogram(
    "finora_search_upkeep_duration_seconds",
    "Packing the search tail, merging small segments, replacing damaged ones.",
    step=("pack", "merge", "mend"),
)


def new_mark() -> int:
    """What tells the lines of one packing from those of others: never 0."""
    return 1 + secrets.randbelow(2**31 - 1)


def add_segment(business: Business, customers: Iterable[Any]) -> None:
    """A segment for new rows, inserted with a mark in the same transaction."""
    store.write(business.pk, build(map(_entry, customers)))


def _entry(customer: Any) -> Entry:
    return Entry(
        customer.public_id,
        customer.name,
        customer.email,
        customer.packed,
        company=customer.company_name or "",
        phone_end=normal_forms.phone_end(customer.phone or ""),
        is_active=customer.is_active,
    )


_writes: Counter[int] = Counter()
_writes_lock = threading.Lock()


def after_write(business: Business, changes: int = 1) -> None:
    """To be called after each committed change of names, emails or activity: keeps the tail short.

    It stays below PACK_ROWS plus LOOK_EVERY for each process that writes.
    """
    with _writes_lock:
        before = _writes[business.pk]
        _writes[business.pk] += changes
    # The writes 1, 17, 33, … look. A change of many rows at once takes as many steps as needed.
    for _ in range((before - 1) // LOOK_EVERY, (before + changes - 1) // LOOK_EVERY):
        if not step(business):
            break


def step(business: Business) -> bool:
    """Replaces damaged segments, or packs a full tail, or merges small segments; says whether there
    was anything to do.

    One of these, as the write that does it has somebody waiting.
    """
    if _mend(business):
        return True
    if business.customers.unpacked()[:PACK_ROWS].count() >= PACK_ROWS:
        return pack(business) > 0
    return _merge_some(business)


def pack(business: Business) -> int:
    """Packs at most PACK_ROWS of the tail into a segment. Answers how many rows it took."""
    with _upkeep.time("pack"):
        count = _pack(business)
    _mend(business)
    return count


def _pack(business: Business) -> int:
    tail = business.customers.unpacked()
    with transaction.atomic():
        pks = _to_pack(tail)
        if pks:
            # Asked for as a part of the tail, whose index is small: the other ones of a business
            # tempt a planner that knows no better into reading all of it.
            taken = tail.filter(id__in=pks)
            mark = new_mark()
            rows = taken.not_erased().values_list(*lines.ALL_COLUMNS)
            fresh = build(lines.entries(rows, mark, noting=True))
            taken.update(packed=mark)
            store.write(business.pk, merge([fresh, *_swept(business)]))
    return len(pks)


def _to_pack(tail: QuerySet[Any]) -> list[int]:
    """The first PACK_ROWS of the tail, locked; but those of a key that this process lacks."""
    # Two packers take different rows, and neither waits.
    tail = tail.order_by("id").select_for_update(skip_locked=True)
    rows = tail.values_list("id", "email", "phone")
    pks: list[int] = []
    page = list(rows[:PACK_ROWS])
    while page:
        pks += [pk for pk, *tokens in page if not lines.needs_other_key(*tokens)]
        page = list(rows.filter(id__gt=page[-1][0])[: PACK_ROWS - len(pks)])
    return pks


def _mend(business: Business) -> bool:
    """Replaces the segments that this process found damaged. Says whether it did."""
    known = store.damaged(business.pk)
    if not known:
        return False
    damaged = set(store.rows(business.pk).filter(id__in=known).values_list("id", flat=True))
    store.replaced(known - damaged)
    if not damaged:
        return False
    try:
        with _upkeep.time("mend"):
            stand_in.replace(business, damaged)
    except lines.OtherKeyNeeded:
        store.leave_to_others(damaged)
        return False
    store.replaced(damaged)
    log.info(
        "damaged search segments were replaced",
        extra={"fields": {"business": business.pk, "segments": len(damaged)}},
    )
    return True


def _swept(business: Business) -> list[Segment]:
    """Lines for a new segment that an old one loses: so stale ones go by and by."""
    of_business = store.rows(business.pk)
    rows = of_business.order_by("looked_at", "id").select_for_update(skip_locked=True)
    oldest = rows.only("id", "swept").first()
    if oldest is None:
        return []
    row = of_business.filter(id=oldest.pk)
    try:
        segment = store.open_one(business.pk, oldest.pk)
    except SegmentUnreadable:
        row.update(looked_at=clock.now())
        return []
    live = business.customers.not_erased()
    if not oldest.swept:
        stride = segment.lines // SAMPLE_LINES + 1
        sample = lines.current(live, segment.marks(range(0, segment.lines, stride)))
        if sum(sample) * 4 > len(sample) * 3:
            row.update(looked_at=clock.now())
            return []
    end = min(oldest.swept + SWEEP_LINES, segment.lines)
    these = range(oldest.swept, end)
    carried = segment.part(compress(these, lines.current(live, segment.marks(these))))
    if end == segment.lines:
        row.delete()
    else:
        row.update(swept=end)
    return [carried]


def _unswept(business: Business) -> QuerySet[SearchSegment]:
    """Those that may be merged: the first lines of a swept one are in another already."""
    return store.rows(business.pk).filter(swept=0).exclude(id__in=store.unreadable(business.pk))


def _merge_some(business: Business) -> bool:
    """Makes one segment of several small ones, if there are enough. Says whether it did."""
    sizes = sorted(_unswept(business).values_list("size", "id"))
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
            with _upkeep.time("merge"):
                return _merge(business, group)
        lower = upper
    return False


def _merge(business: Business, pks: list[UUID]) -> bool:
    """Says whether there was anything to do: not when another process has one of them in hand."""
    with transaction.atomic():
        rows = _unswept(business).filter(id__in=pks)
        locked = list(rows.select_for_update(skip_locked=True).values_list("id", flat=True))
        if len(locked) < len(pks):
            return False
        try:
            segments = [store.open_one(business.pk, pk) for pk in locked]
        except SegmentUnreadable:
            return True  # the next step replaces it
        store.write(business.pk, merge(segments))
        store.rows(business.pk).filter(id__in=locked).delete()
    return True


@receiver(erasing)
def forget(*, business_id: int, public_id: str, **_: Any) -> None:
    """Takes a customer's lines out of all segments, in the transaction of the erasure itself.

    Locks them all, and lists them until nothing is new: what another process is making of one,
    it has to finish before that lock is given, and the next list shows it. One at a time in a
    business: two would meet the other's new ones, and each wait for the other. Segments that
    cannot be opened are replaced. Raises OtherKeyNeeded where only a process with more keys can.
    """
    Business.objects.one_at_a_time(business_id)
    rows = store.rows(business_id).order_by("id")
    seen: set[UUID] = set()
    missing: set[UUID] = set()
    while new := set(rows.values_list("id", flat=True)) - seen:
        seen |= new
        for pk in list(rows.filter(id__in=new).select_for_update().values_list("id", flat=True)):
            try:
                others = store.open_one(business_id, pk).without([public_id])
            except SegmentUnreadable:
                missing.add(pk)
                continue
            if others is not None:
                store.write(business_id, others)
                rows.filter(id=pk).delete()
    if missing:
        stand_in.replace(Business(pk=business_id), missing)


def repack(business: Business, progress: Callable[[int], Any] = lambda rows: None) -> int:
    """Writes all segments of a business anew from its live rows. Answers how many rows they hold.

    Safe beside live traffic and when cut off: first the new segments are there besides the old
    ones, then the old ones go. Rows that change meanwhile are in the tail, or in a segment
    younger than the list of the old ones. Raises OtherKeyNeeded, and leaves the old ones, when
    this process lacks the key of more than a few rows.
    """
    while _pack(business) == PACK_ROWS:
        pass
    old = set(store.rows(business.pk).values_list("id", flat=True))
    rows = business.customers.not_erased().in_list_order()
    count = 0
    to_others: list[str] = []

    def entries() -> Iterator[Entry]:
        nonlocal count
        # Page by page, each a query of its own: while a query is open, SQLite lets nobody write
        # behind whom another process wrote. In list order, as that is an index of one business.
        page = list(rows.values_list(*lines.ALL_COLUMNS)[:PAGE_ROWS])
        while page:
            to_others.extend(row[1] for row in page if row[4] and lines.row_needs_other_key(row))
            if len(to_others) > PACK_ROWS:
                raise lines.OtherKeyNeeded
            mine = [row for row in page if row[4] and not lines.row_needs_other_key(row)]
            yield from lines.entries(mine, noting=True)
            count += len(page)
            progress(count)
            if len(page) < PAGE_ROWS:
                return  # what comes behind the last row now looks after itself
            _, public_id, name, *_ = page[-1]
            after = rows.after(text.name_key(name), public_id)
            page = list(after.values_list(*lines.ALL_COLUMNS)[:PAGE_ROWS])

    for segment in build_many(entries(), BULK_LINES):
        stand_in.write_read(business, segment)
    # One damaged key id looks like a key that is lacking: such rows do not keep all the rest.
    business.customers.filter(public_id__in=to_others).update(packed=0)
    for pk in old:
        store.rows(business.pk).filter(id=pk).delete()
    store.replaced(old)
    return count
