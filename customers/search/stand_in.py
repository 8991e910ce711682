"""What stands in for segments that cannot be opened: lines made anew from the live rows.

Nobody knows which lines were in them; so it is each row's line that no other segment holds. To
find those takes seconds for a million customers. A search keeps what it found, as it keeps opened
segments: it stays right for as long as the same ones are missing, since lines of rows that change
afterwards are in the tail or in younger segments.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction

from customers.search import lines, store
from customers.search.segment import Segment, build, line_id
from customers.search.store import SegmentGone
from finora.tenants.models import Business

# Customers looked at, and lines held, at a time.
ROWS = 65_536
ASKED_AT_ONCE = 500


def segments(
    business: Business, missing: Collection[UUID], read: Collection[UUID]
) -> Iterator[Segment]:
    """For a search that read the others: what is in one of these alone counts as found, as what
    somebody wrote meanwhile was not read. Lines of rows in the tail are there too, for a search
    that read it before.

    Raises SegmentGone.
    """
    key, kept = frozenset(missing), store.cache()
    known: list[Segment] = []
    while (segment := kept.get((key, len(known)))) is not None:
        if not segment.lines:  # behind the last one
            yield from known
            return
        known.append(segment)
    number = 0
    for rows in _uncovered(business, missing, read):
        segment = build(lines.entries(rows))
        if segment.lines:
            kept.put((key, number), segment)
            number += 1
            yield segment
    kept.put((key, number), build([]))


def replace(business: Business, missing: Collection[UUID]) -> None:
    """Writes segments that do for the missing ones from now on, and deletes those.

    Cut off, it is begun anew, and finds less to do. Raises OtherKeyNeeded, deleting nothing, when
    a row that they may have held cannot be opened here and can elsewhere.
    """
    for rows in _uncovered(business, missing):
        elsewhere = lines.of_other_keys(rows)
        if lines.not_in_tail(business, elsewhere):
            raise lines.OtherKeyNeeded
        mine = (row for row in rows if row[1] not in elsewhere)
        write_read(business, build(lines.entries(mine)))
    store.rows(business.pk).filter(id__in=missing).delete()


def write_read(business: Business, segment: Segment) -> None:
    """Stores a segment of rows that were read some time ago: without who was erased since.

    An erasure that this does not see waits for it, and finds the segment.
    """
    with transaction.atomic():
        Business.objects.one_at_a_time(business.pk)
        erased = business.customers.erased().values_list("public_id", flat=True)
        store.write(business.pk, segment.without(erased) or segment)


def _uncovered(
    business: Business, missing: Collection[UUID], read: Collection[UUID] | None = None
) -> Iterator[list[tuple[Any, ...]]]:
    """The rows (as lines.ALL_COLUMNS) whose line is in no segment but the missing ones: in none of
    those `read`, where that is given. Raises SegmentGone.
    """
    rows = business.customers.not_erased().in_list_order()
    page = list(rows.values_list("name_key", "public_id", "search_mark")[:ROWS])
    while page:
        ids = {line_id(public_id, mark): public_id for _, public_id, mark in page}
        wanted = _not_held(set(ids), business, missing, read)
        asked = iter([ids[id_] for id_ in wanted])
        found: list[tuple[Any, ...]] = []
        while some := list(islice(asked, ASKED_AT_ONCE)):
            found += rows.order_by().filter(public_id__in=some).values_list(*lines.ALL_COLUMNS)
        yield found
        if len(page) < ROWS:
            return  # what comes behind the last row now is in the tail, or in segments of its own
        name_key, public_id, _ = page[-1]
        behind = rows.after(bytes(name_key), public_id)
        page = list(behind.values_list("name_key", "public_id", "search_mark")[:ROWS])


def _not_held(
    ids: set[bytes],
    business: Business,
    missing: Collection[UUID],
    read: Collection[UUID] | None,
) -> set[bytes]:
    if read is not None:
        for pk in read:
            ids.difference_update(store.open_one(business.pk, pk).ids())
        return ids
    for _ in range(store.ATTEMPTS):
        left = set(ids)
        try:
            for group in store.opened(business.pk, set(missing)):
                for segment in group.values():
                    left.difference_update(segment.ids())
        except SegmentGone:
            continue  # its lines are in another one by now
        return left
    raise SegmentGone
