"""A business's search index: sealed segments in the database, and the tail of what is not packed.

Invariant: a line with the row's name and email and with its mark is in a segment for each customer
who is not erased and has no change in the tail, which every search reads. Lines beyond that, of
names that changed or rows that went, do no harm: every hit is checked against its live row. A
change draws a new mark and is noted in the tail in its own transaction; packing writes a segment
and takes the changes away in one. So whatever only adds lines, or drops such that do not bear their
row's mark, is safe beside any traffic and after a crash at any moment.

Segments are derived. One that is damaged is left out by everybody, what it held is taken from the
rows meanwhile (see stand_in), and the next pack or repack writes it anew. One whose key a process
lacks is left out there alone, and left to those that have the key.

Nobody waits for what takes time: lines are made of what was read before, and a short transaction
writes them where that still is as it was read, a row by its values, a segment by its being there.

Of who is erased no line is written by a transaction that commits afterwards: packing holds the
changes that it packs, sweeping and merging the segments that they read, and what is made of rows
read long before is written one at a time with erasures, by who looks for them first
(stand_in.write_read).
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.db.models import BigIntegerField
from django.dispatch import receiver

from customers.search import lines, stand_in, store, sweeping
from customers.search.lines import new_mark
from customers.search.models import Unpacked
from customers.search.reading import find
from customers.search.segment import Entry, Segment, build, build_many, merge
from customers.search.store import SegmentGone, SegmentUnreadable
from finora import background, metrics, text
from finora.orm.prepared import Prepared, Slot
from finora.sealing import erasing, normal_forms
from finora.tenants.models import Business

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from customers.search.models import SearchSegment

__all__ = [
    "add_segment",
    "after_write",
    "find",
    "forget",
    "new_mark",
    "pack",
    "repack",
    "segment_of",
]

log = logging.getLogger("finora.search")

PACK_ROWS = 128  # half as many as sweeping.SWEEP_LINES
# Segments written by live traffic grow in two steps: so many below the first size become one, and
# so do those below the second; fewer, where they make MERGE_BYTES together. That is what a merge
# can do within a write's patience; larger ones come from repack().
MERGE_FAN = 16
LEVEL_BYTES = (64 << 10, 512 << 10)
MERGE_BYTES = 1 << 20
BULK_LINES = 65_536
BULK_BYTES = 5 << 20  # about as many lines
PAGE_ROWS = 4096
# A process looks after the segments at its first write for a business and then at every so many.
LOOK_EVERY = 16

_upkeep = metrics.Histogram(
    "finora_search_upkeep_duration_seconds",
    "Packing the search tail, merging small segments, replacing damaged ones.",
    step=("pack", "merge", "mend"),
)


def segment_of(business_id: int, customers: Iterable[Any]) -> SearchSegment:
    """The lines of new rows, which bear a mark: sealed, and not stored yet."""
    return store.sealed(business_id, build(map(_entry, customers)))


def add_segment(row: SearchSegment, without: Collection[str] = ()) -> None:
    """Stores the segment of rows that are inserted in the same transaction: `without` those of them
    that are not, by public id.
    """
    if not without:
        row.save(force_insert=True)
    elif (others := Segment.from_bytes(row.sealed).without(without)) is not None:
        store.write(row.business_id, others)


def _entry(customer: Any) -> Entry:
    return Entry(
        customer.public_id,
        customer.name,
        customer.email,
        customer.search_mark,
        company=customer.company_name or "",
        phone_end=normal_forms.phone_end(customer.phone or ""),
        is_active=customer.is_active,
    )


_writes: Counter[int] = Counter()
_writes_lock = threading.Lock()


def after_write(business_id: int, changes: int = 1) -> None:
    """To be called after each committed change of names, emails or activity: keeps the tail short.

    A request does not wait for that (see finora/background.py). The tail stays below PACK_ROWS plus
    LOOK_EVERY for each process that writes, and what is written while it is packed.
    """
    with _writes_lock:
        before = _writes[business_id]
        _writes[business_id] += changes
    # The writes 1, 17, 33, … look. A change of many rows at once takes as many steps as needed.
    looks = range((before - 1) // LOOK_EVERY, (before + changes - 1) // LOOK_EVERY)
    if looks:

        def look() -> None:
            for _ in looks:
                if not step(Business(pk=business_id)):
                    break

        background.run(look)


def _nth(count: int) -> QuerySet[Unpacked, Any]:
    tail = Unpacked.objects.filter(business_id=Slot("business_id", BigIntegerField()))
    return tail.values_list("id")[count - 1 : count]


_nth_of_tail: Prepared[Any] = Prepared(_nth, (PACK_ROWS,), planned_once=True)


def step(business: Business) -> bool:
    """Replaces damaged segments, or packs a full tail, or merges small segments; says whether there
    was anything to do.
    """
    if _mend(business):
        return True
    if _nth_of_tail.rows(PACK_ROWS, business_id=business.pk):
        return pack(business) > 0
    return _merge_some(business)


def pack(business: Business) -> int:
    """Packs at most PACK_ROWS of the tail into a segment. Answers how many rows it took."""
    with _upkeep.time("pack"):
        count = _pack(business)
    _mend(business)
    return count


def _pack(business: Business) -> int:
    changes, rows = _to_pack(business)
    if not changes:
        return 0
    segment = build(lines.entries(rows, noting=True))
    # A new customer makes no line stale.
    renewed = any(renews for _, _, renews in changes)
    sweep = sweeping.look(business, {public_id for _, public_id, _ in changes}) if renewed else None
    with transaction.atomic():
        tail = business.search_tail
        those = tail.filter(public_id__in=sorted({public_id for _, public_id, _ in changes}))
        locked = those.select_for_update(skip_locked=True).values_list("public_id", "id")
        now = _by_customer(locked)
        read = _by_customer((public_id, pk) for pk, public_id, _ in changes)
        taken = {public_id for public_id, pks in read.items() if now.get(public_id) == pks}
        if len(taken) < len(read):
            # They stay in the tail, and keep their old lines: somebody else has them in hand.
            segment = segment.without(read.keys() - taken) or segment
            sweep = None
        tail.filter(id__in=[pk for pk, public_id, _ in changes if public_id in taken]).delete()
        store.write(
            business.pk, merge([segment, *(sweeping.take(business, sweep) if sweep else [])])
        )
    return len(taken)


def _by_customer(changes: Iterable[tuple[str, UUID]]) -> dict[str, set[UUID]]:
    found: dict[str, set[UUID]] = {}
    for public_id, pk in changes:
        found.setdefault(public_id, set()).add(pk)
    return found


def _to_pack(
    business: Business,
) -> tuple[list[tuple[UUID, str, bool]], list[tuple[Any, ...]]]:
    """All changes in the tail of its first PACK_ROWS customers, and of these who is not erased, as
    lines.ALL_COLUMNS; without those of a key that this process lacks.

    The changes are read first: what is not in the rows is a later one, which is in the tail then.
    """
    tail, room, last = business.search_tail, PACK_ROWS, ""
    changes: list[tuple[UUID, str, bool]] = []
    rows: list[tuple[Any, ...]] = []
    of_customers = tail.order_by("public_id").values_list("public_id", flat=True).distinct()
    while page := list(of_customers.filter(public_id__gt=last)[:room]):
        read = list(tail.filter(public_id__in=page).values_list("id", "public_id", "renews"))
        theirs = business.customers.not_erased().filter(public_id__in=page)
        found = list(theirs.values_list(*lines.ALL_COLUMNS))
        others = lines.of_other_keys(found)
        changes += [change for change in read if change[1] not in others]
        rows += [row for row in found if row[1] not in others]
        room, last = room - len(page) + len(others), page[-1]
    return changes, rows


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


def _unswept(business: Business) -> QuerySet[SearchSegment]:
    """Those that may be merged: the first lines of a swept one are in another already."""
    return store.rows(business.pk).filter(swept=0).exclude(id__in=store.unreadable(business.pk))


def _merge_some(business: Business) -> bool:
    """Makes one segment of several small ones, if there are enough. Says whether it did."""
    leave = store.unreadable(business.pk)
    sizes = sorted(each for each in store.unswept_sizes(business.pk) if each[1] not in leave)
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
                try:
                    return _merge(business, group) > 0
                except SegmentUnreadable:
                    return True  # the next step replaces it
        lower = upper
    return False


def _merge(business: Business, pks: list[UUID]) -> int:
    """Answers how many lines these came to; 0 when another process has one of them in hand.

    Raises SegmentUnreadable.
    """
    try:
        segment = merge([store.open_one(business.pk, pk) for pk in pks])
    except SegmentGone:
        return 0
    with transaction.atomic():
        rows = _unswept(business).filter(id__in=pks)
        locked = rows.select_for_update(skip_locked=True).values_list("id", flat=True)
        if len(locked) < len(pks):
            return 0
        store.write(business.pk, segment)
        store.rows(business.pk).filter(id__in=pks).delete()
    return segment.lines


def merge_all(business: Business, progress: Callable[[int], Any] = lambda lines: None) -> None:
    """Makes few large segments of many small ones, as loads leave them; opens no row.

    Safe beside live traffic and when cut off: each one's transaction also takes those away that it
    was made of.
    """
    sizes = _unswept(business).filter(size__lt=BULK_BYTES).order_by("id")
    groups: list[list[UUID]] = []
    room = 0
    for pk, size in sizes.values_list("id", "size"):
        if size > room:
            groups.append([])
            room = BULK_BYTES
        groups[-1].append(pk)
        room -= size
    merged = 0
    for group in groups:
        if len(group) > 1:
            # A step replaces one that is damaged; the others wait for the next load.
            with suppress(SegmentUnreadable):
                merged += _merge(business, group)
            progress(merged)


@receiver(erasing)
def forget(*, business_id: int, public_id: str, **_: Any) -> None:
    """Takes a customer out of the tail and all segments, in the transaction of the erasure itself.

    Whoever packs such a change is waited for. Locks the segments, and lists them until nothing is
    new: what another process is making of one, it has to finish before that lock is given, and the
    next list shows it. One at a time in a business: two would meet the other's new ones, and each
    wait for the other. Segments that cannot be opened are replaced. Raises OtherKeyNeeded where
    only a process with more keys can.
    """
    Business.objects.one_at_a_time(business_id)
    Unpacked.objects.filter(business_id=business_id, public_id=public_id).delete()
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
            others = lines.of_other_keys(page)
            to_others.extend(lines.not_in_tail(business, others))
            if len(to_others) > PACK_ROWS:
                raise lines.OtherKeyNeeded
            yield from lines.entries([row for row in page if row[1] not in others], noting=True)
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
    Unpacked.objects.add(business.pk, to_others)
    for pk in old:
        store.rows(business.pk).filter(id=pk).delete()
    store.replaced(old)
    return count
