"""Sealed segments of a business: in the database, and opened in this process's cache."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.signals import setting_changed
from django.db.models import BigIntegerField, UUIDField
from django.db.models.functions import Length

from customers.search.cache import SegmentCache
from customers.search.models import SearchSegment
from customers.search.segment import Segment
from finora import metrics
from finora.orm.pieces import Pieces
from finora.orm.prepared import Prepared, Slot
from finora.sealing import SealError, keyring

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from customers.search.models import SearchSegment


log = logging.getLogger("finora.search")
_field: Any = SearchSegment._meta.get_field("sealed")

_looked_up = metrics.Counter(
    "finora_search_segments",
    "Search segments asked for, and whether the process kept them open.",
    cache=("hit", "miss"),
)

# Retries of what meets segments that are merged away under it; each needs a merge of its own.
ATTEMPTS = 20
# A segment that cannot be opened is read again, and named in the log again, after so long.
TRIED_AGAIN = 600.0  # seconds


# The size of all that is sealed, and a piece of it.
Piece = tuple[int, bytes]


class SegmentGone(Exception):
    """A segment was merged away, or swept out, after it was listed."""


class SegmentUnreadable(SealError):
    """A segment does not open here: it is damaged, or its key is none of this process's."""


class _Unreadable(NamedTuple):
    business_id: int
    key_held: bool
    tried: float  # monotonic time


_unreadable: dict[UUID, _Unreadable] = {}


@functools.cache
def cache() -> SegmentCache:
    """What this process keeps open."""
    return SegmentCache(settings.SEARCH_CACHE_BYTES)


def rows(business_id: int) -> QuerySet[SearchSegment]:
    """The segments of one business, as the database holds them."""
    return SearchSegment.objects.filter(business_id=business_id)


def write(business_id: int, segment: Segment) -> None:
    """Stores a segment, unless it is empty."""
    if segment.lines:
        sealed(business_id, segment).save(force_insert=True)


def sealed(business_id: int, segment: Segment) -> SearchSegment:
    """A segment as it will be stored, with nothing plain; to be saved by the caller."""
    row = SearchSegment(business_id=business_id, size=segment.nbytes)
    row.sealed = _field.seal(segment.to_bytes(), row)
    return row


def unswept_sizes(business_id: int) -> list[tuple[int, UUID]]:
    """Sizes and ids of the segments of which no line was carried into another one."""
    return _unswept.rows(business_id=business_id)


def opened(business_id: int, missing: set[UUID]) -> Iterator[dict[UUID, Segment]]:
    """The business's segments by id, in groups that fit the cache's bound; at least one group.

    Those that cannot be opened are left out and added to `missing`. Raises SegmentGone.
    """
    group: list[UUID] = []
    bound = room = settings.SEARCH_CACHE_BYTES
    for pk, size in _sizes.rows(business_id=business_id):
        if group and size > room:
            yield _open_group(business_id, group, missing)
            group, room = [], bound
        group.append(pk)
        room -= size
    yield _open_group(business_id, group, missing)


def _open_group(business_id: int, group: list[UUID], missing: set[UUID]) -> dict[UUID, Segment]:
    segments = {}
    for pk in group:
        try:
            segments[pk] = open_one(business_id, pk)
        except SegmentUnreadable:
            missing.add(pk)
    return segments


def open_one(business_id: int, pk: UUID) -> Segment:
    """This segment. Raises SegmentGone, SegmentUnreadable."""
    segment = cache().get(pk)
    _looked_up.add("miss" if segment is None else "hit")
    if segment is None:
        known = _unreadable.get(pk)
        if known and time.monotonic() - known.tried < TRIED_AGAIN:
            raise SegmentUnreadable
        with closing(_sealed.stream(business_id=business_id, id=pk)) as pieces:
            first = next(pieces, None)
            if first is None:
                raise SegmentGone
            segment = _unseal(business_id, pk, first, pieces)
        cache().put(pk, segment)
    return segment


def unreadable(business_id: int) -> set[UUID]:
    """The segments of a business that this process could not open."""
    return {pk for pk, known in _unreadable.copy().items() if known.business_id == business_id}


def damaged(business_id: int) -> set[UUID]:
    """Those among them that no other key opens either."""
    return {pk for pk in unreadable(business_id) if _unreadable[pk].key_held}


def replaced(pks: Iterable[UUID]) -> None:
    """These are gone, and others in their place."""
    for pk in pks:
        _unreadable.pop(pk, None)


def leave_to_others(pks: Iterable[UUID]) -> None:
    """Only a process with more keys can replace these."""
    for pk in pks:
        _unreadable[pk] = _unreadable[pk]._replace(key_held=False)


def _unseal(business_id: int, pk: UUID, first: Piece, others: Iterator[Piece]) -> Segment:
    """Raises SegmentUnreadable, noted and logged."""
    size, head = first
    pieces = chain([head], (piece for _, piece in others))
    try:
        return Segment.from_bytes(_field.open_pieces(pieces, size, business_id, pk))
    except (SealError, ValueError):
        key_held = not keyring.lacks_key(head)
    _unreadable[pk] = _Unreadable(business_id, key_held, time.monotonic())
    fields = {"business": business_id, "segment": str(pk)}
    if not key_held:
        fields["encryptionKey"] = keyring.key_id_of(head).hex()
    log.error(
        "a search segment is damaged" if key_held else "a search segment needs a key not held here",
        extra={"fields": fields},
    )
    raise SegmentUnreadable


def _of_business() -> QuerySet[SearchSegment]:
    return rows(Slot("business_id", BigIntegerField()))  # type: ignore[arg-type]


def _list_sizes() -> QuerySet[SearchSegment, Any]:
    return _of_business().order_by("id").values_list("id", "size")


def _one_sealed() -> QuerySet[SearchSegment, Any]:
    this = _of_business().filter(id=Slot("id", UUIDField()))
    return this.values_list(Length("sealed"), Pieces("sealed"))


def _unswept_sizes() -> QuerySet[SearchSegment, Any]:
    return _of_business().filter(swept=0).values_list("size", "id")


_unswept: Prepared[Any] = Prepared(_unswept_sizes, planned_once=True)
_sizes: Prepared[Any] = Prepared(_list_sizes, planned_once=True)
_sealed: Prepared[Any] = Prepared(_one_sealed)


def _resize(*, setting: str, **_: Any) -> None:
    if setting == "SEARCH_CACHE_BYTES":
        cache.cache_clear()
    if setting == "ENCRYPTION_KEYS":
        _unreadable.clear()


setting_changed.connect(_resize)
