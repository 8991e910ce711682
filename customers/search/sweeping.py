"""Stale lines go by and by: each pack takes some of an old segment along, the live ones alone."""

from __future__ import annotations

from collections.abc import Collection
from itertools import compress
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db import transaction

from customers.search import lines, store
from customers.search.segment import Segment
from customers.search.store import SegmentGone, SegmentUnreadable
from finora import clock
from finora.tenants.models import Business

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from customers.search.models import SearchSegment

# Each pack carries the live lines among so many out of an old segment, once one in four of a
# sample is stale. As a pack makes at most half as many lines stale, they stay below the live ones.
SWEEP_LINES = 256
SAMPLE_LINES = 64


class Sweep(NamedTuple):
    """Lines for a new segment that an old one loses: so stale ones go by and by."""

    pk: UUID
    start: int
    end: int
    carried: Segment
    is_last: bool


def look(business: Business, packing: Collection[str] = ()) -> Sweep | None:
    """What to carry out of the segment that was not looked at for longest, if it is worth it.

    Not the lines of those that are being packed, who get new ones.
    """
    of_business = store.rows(business.pk)
    oldest = of_business.order_by("looked_at", "id").only("id", "swept").first()
    if oldest is None:
        return None
    row = of_business.filter(id=oldest.pk)
    try:
        segment = store.open_one(business.pk, oldest.pk)
    except SegmentGone:
        return None
    except SegmentUnreadable:
        _put_back(row)
        return None
    live = business.customers.not_erased()

    def needed(numbers: range) -> list[bool]:
        told = segment.marks(numbers)
        going = (public_id in packing for public_id, _ in told)
        current = lines.current(live, told)
        return [is_current and not goes for is_current, goes in zip(current, going, strict=True)]

    if not oldest.swept:
        stride = segment.lines // SAMPLE_LINES + 1
        sample = needed(range(0, segment.lines, stride))
        if sum(sample) * 4 > len(sample) * 3:
            _put_back(row)
            return None
    end = min(oldest.swept + SWEEP_LINES, segment.lines)
    these = range(oldest.swept, end)
    carried = segment.part(compress(these, needed(these)))
    return Sweep(oldest.pk, oldest.swept, end, carried, end == segment.lines)


def _put_back(row: QuerySet[SearchSegment]) -> None:
    """So that the others are looked at first; unless somebody has it in hand."""
    with transaction.atomic():
        if row.select_for_update(skip_locked=True).values_list("id").first():
            row.update(looked_at=clock.now())


def take(business: Business, sweep: Sweep) -> list[Segment]:
    """The lines, taken out; none when somebody else has that segment in hand, or had meanwhile."""
    row = store.rows(business.pk).filter(id=sweep.pk, swept=sweep.start)
    if not row.select_for_update(skip_locked=True).values_list("id").first():
        return []
    if sweep.is_last:
        row.delete()
    else:
        row.update(swept=sweep.end)
    return [sweep.carried]
