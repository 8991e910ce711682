"""Sealed segments of a business: in the database, and opened in this process's cache."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.core.signals import setting_changed
from django.db.models import BigIntegerField, UUIDField

from customers import keyring
from customers.compiled import Compiled, Slot
from customers.search.cache import SegmentCache
from customers.search.segment import Segment

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from customers.models import SearchSegment


class SegmentGone(Exception):
    """A segment was merged away, or swept out, after it was listed."""


@functools.cache
def cache() -> SegmentCache:
    """What this process keeps open."""
    return SegmentCache(settings.SEARCH_CACHE_BYTES)


def rows(business_id: int) -> QuerySet[SearchSegment]:
    """The segments of one business, as the database holds them."""
    # The models import this module.
    model: type[SearchSegment] = apps.get_model("customers", "SearchSegment")
    return model.objects.filter(business_id=business_id)


def write(business_id: int, segment: Segment) -> None:
    """Stores a segment, unless it is empty."""
    if segment.lines:
        row = rows(business_id).model(business_id=business_id, size=segment.nbytes)
        row.sealed = _seal(business_id, row.pk, segment)
        row.save(force_insert=True)


def opened(business_id: int) -> Iterator[list[Segment]]:
    """The business's segments, in groups that fit the cache's bound together; at least one group.

    Raises SegmentGone.
    """
    group: list[UUID] = []
    bound = room = settings.SEARCH_CACHE_BYTES
    for pk, size in _sizes.rows(business_id=business_id):
        if group and size > room:
            yield open_group(business_id, group)
            group, room = [], bound
        group.append(pk)
        room -= size
    yield open_group(business_id, group)


def open_group(business_id: int, group: list[UUID]) -> list[Segment]:
    """These segments. Raises SegmentGone."""
    return [_opened(business_id, pk) for pk in group]


def _opened(business_id: int, pk: UUID) -> Segment:
    segment = cache().get(pk)
    if segment is None:
        # One at a time: sealed and opened, all of a business would be in memory twice.
        found = _sealed.rows(business_id=business_id, id=pk)
        if not found:
            raise SegmentGone
        segment = _unseal(business_id, pk, found[0][0])
        cache().put(pk, segment)
    return segment


def resealed(business_id: int, pk: UUID, sealed: bytes | memoryview) -> bytes | None:
    """The same under the sealing key; None where it is so already."""
    if keyring.key_id_of(bytes(sealed[:8])) == keyring.sealing_key_id():
        return None
    return _seal(business_id, pk, _unseal(business_id, pk, sealed))


def _seal(business_id: int, pk: UUID, segment: Segment) -> bytes:
    return keyring.seal(
        segment.to_bytes(), purpose="segment", business_id=business_id, context=pk.bytes
    )


def _unseal(business_id: int, pk: UUID, sealed: bytes | memoryview) -> Segment:
    return Segment.from_bytes(
        keyring.unseal(bytes(sealed), purpose="segment", business_id=business_id, context=pk.bytes)
    )


def _of_business() -> QuerySet[SearchSegment]:
    return rows(Slot("business_id", BigIntegerField()))  # type: ignore[arg-type]


def _list_sizes() -> QuerySet[SearchSegment, Any]:
    return _of_business().order_by("id").values_list("id", "size")


def _one_sealed() -> QuerySet[SearchSegment, Any]:
    return _of_business().filter(id=Slot("id", UUIDField())).values_list("sealed")


_sizes: Compiled[Any] = Compiled(_list_sizes, planned_once=True)
_sealed: Compiled[Any] = Compiled(_one_sealed, planned_once=True)


def _resize(*, setting: str, **_: Any) -> None:
    if setting == "SEARCH_CACHE_BYTES":
        cache.cache_clear()


setting_changed.connect(_resize)
