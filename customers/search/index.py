"""A business's search index: sealed segments in the database, and the tail of what is not packed.

Invariant: an active customer with `packed` true has its line in a segment; one with `packed`
false is in the tail, which every search reads. Lines beyond that, of names that changed or rows
that went, do no harm: every hit is checked against its live row. So packing writes a segment and
sets `packed` in one transaction, and whatever only adds lines, or drops such that are not their
row's present ones, is safe beside any traffic and after a crash at any moment.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.core.signals import setting_changed
from django.db import transaction

from customers import keyring, normalize
from customers.keyring import SealError
from customers.search.cache import SegmentCache
from customers.search.segment import Entry, Segment, build, build_many, first_matches, merge

if TYPE_CHECKING:
    from customers.managers import CustomerQuerySet
    from customers.models import Customer, SearchSegment

log = logging.getLogger("finora.search")

PACK_ROWS = 256
# Segments written by live traffic: eight of one level become one of the next, at most two times,
# so a merge is done within a write's patience. Larger ones come from repack().
MERGE_FAN = 8
MERGE_LEVELS = 2
LEVEL_0_BITS = 13
BULK_LINES = 65_536
# A process looks at the tail at its first write for a business and then at every so many.
LOOK_EVERY = 16
# Retries of a search whose segments are merged away under it; each needs a merge of its own.
ATTEMPTS = 20

@functools.cache
def _cache() -> SegmentCache:
    return SegmentCache(settings.SEARCH_CACHE_BYTES)


class _SegmentGone(Exception):
    """A segment was merged away after it was listed."""


# Reading.


def find(
    customers: CustomerQuerySet, business_id: int, query: str, limit: int
) -> list[Customer]:
    """The first `limit` active customers in list order whose name or email holds `query`."""
    for _ in range(ATTEMPTS):
        try:
            return _find(customers, business_id, query, limit)
        except _SegmentGone:
            continue
    raise RuntimeError("search segments kept being merged away")


def _find(
    customers: CustomerQuerySet, business_id: int, query: str, limit: int
) -> list[Customer]:
    # The tail first, then the segments: what is packed in between is seen twice, never missed.
    tail = build(_entries(customers.in_business(business_id).active().unpacked()))
    found: dict[str, Customer] = {}
    for segments in _opened(business_id):
        _collect(customers, business_id, query, limit, segments, found)
    if tail.nbytes:
        _collect(customers, business_id, query, limit, [tail], found)
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
    candidates = first_matches(segments, query)
    live = customers.in_business(business_id).active().with_columns_shown()
    while True:
        chunk: list[str] = []
        frontier = (b"", "")
        for frontier in candidates:
            if frontier[1] not in found:
                chunk.append(frontier[1])
                if len(chunk) == limit:
                    break
        for customer in live.filter(public_id__in=chunk) if chunk else ():
            if _holds(customer, query):
                found[customer.public_id] = customer
        if len(chunk) < limit:
            return
        if sum(_place(customer) <= frontier for customer in found.values()) >= limit:
            return


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


def _entries(customers: CustomerQuerySet) -> Iterator[Entry]:
    """Names and emails in the clear, without the cost of model instances."""
    open_email = customers.model._meta.get_field("email").open_for
    for business_id, public_id, name, token in customers.values_list(
        "business_id", "public_id", "name", "email"
    ).iterator(chunk_size=4096):
        try:
            email = open_email(token, business_id, public_id)
        except SealError as error:
            email = ""  # it stays findable by its name
            log.error(
                "email unreadable", exc_info=error, extra={"fields": {"customer": public_id}}
            )
        yield Entry(public_id, name, email)


def _segments() -> type[SearchSegment]:
    # The models import this module.
    return apps.get_model("customers", "SearchSegment")


def _opened(business_id: int) -> Iterator[list[Segment]]:
    """The business's segments, in groups that fit the cache's bound together.

    Raises _SegmentGone.
    """
    group: list[UUID] = []
    bound = room = settings.SEARCH_CACHE_BYTES
    of_business = _segments().objects.filter(business_id=business_id)
    for pk, size in of_business.order_by("id").values_list("id", "size"):
        if group and size > room:
            yield _open_group(business_id, group)
            group, room = [], bound
        group.append(pk)
        room -= size
    if group:
        yield _open_group(business_id, group)


def _open_group(business_id: int, group: list[UUID]) -> list[Segment]:
    cache = _cache()
    opened: dict[UUID, Segment] = {}
    missing = []
    for pk in group:
        segment = cache.get(pk)
        if segment is None:
            missing.append(pk)
        else:
            opened[pk] = segment
    if missing:
        rows = _segments().objects.filter(business_id=business_id, id__in=missing)
        for pk, sealed in rows.values_list("id", "sealed").iterator(chunk_size=8):
            opened[pk] = _unseal(business_id, pk, sealed)
            cache.put(pk, opened[pk])
    if len(opened) < len(group):
        raise _SegmentGone
    return list(opened.values())


def _unseal(business_id: int, pk: UUID, sealed: bytes | memoryview) -> Segment:
    return Segment.from_bytes(
        keyring.unseal(
            bytes(sealed), purpose="segment", business_id=business_id, context=pk.bytes
        )
    )


def _seal(business_id: int, pk: UUID, text: bytes) -> bytes:
    return keyring.seal(text, purpose="segment", business_id=business_id, context=pk.bytes)


# Writing.


def _write(business_id: int, segment: Segment) -> UUID:
    row = _segments()(business_id=business_id, size=segment.nbytes)
    row.sealed = _seal(business_id, row.pk, segment.to_bytes())
    row.save(force_insert=True)
    return row.pk


def add_segment(customers: Iterable[Customer]) -> None:
    """A segment for new rows of one business that were inserted as packed, in that transaction."""
    rows = list(customers)
    if rows:
        entries = (Entry(row.public_id, row.name, row.email) for row in rows)
        _write(rows[0].business_id, build(entries))


_writes: Counter[int] = Counter()
_writes_lock = threading.Lock()


def after_write(customers: CustomerQuerySet, business_id: int) -> None:
    """To be called after each committed change of a name, email or activity: keeps the tail short.

    The tail stays below PACK_ROWS plus LOOK_EVERY for each process that writes.
    """
    with _writes_lock:
        _writes[business_id] += 1
        look = _writes[business_id] % LOOK_EVERY == 1
    if look and customers.in_business(business_id).unpacked()[:PACK_ROWS].count() >= PACK_ROWS:
        pack(customers, business_id)


def pack(customers: CustomerQuerySet, business_id: int) -> int:
    """Packs at most PACK_ROWS of the tail into a segment. Answers how many rows it took."""
    with transaction.atomic():
        rows = (
            customers.in_business(business_id)
            .unpacked()
            .order_by("id")
            # Two packers take different rows, and neither waits.
            .select_for_update(skip_locked=True)
        )
        pks = list(rows.values_list("id", flat=True)[:PACK_ROWS])
        if pks:
            taken = customers.filter(business_id=business_id, id__in=pks)
            segment = build(_entries(taken.active()))
            if segment.nbytes:
                _write(business_id, segment)
            taken.update(packed=True)
    _merge_levels(business_id)
    return len(pks)


def _level(size: int) -> int:
    return max(0, size.bit_length() - LEVEL_0_BITS) // 3


def _merge_levels(business_id: int) -> None:
    sizes = _segments().objects.filter(business_id=business_id).values_list("id", "size")
    levels: dict[int, list[UUID]] = {}
    for pk, size in sizes:
        levels.setdefault(_level(size), []).append(pk)
    for level in range(MERGE_LEVELS):
        if len(levels.get(level, ())) >= MERGE_FAN:
            _merge(business_id, levels[level][:MERGE_FAN])


def _merge(business_id: int, pks: list[UUID]) -> None:
    """Makes one segment of several, unless another process has one of them in hand."""
    with transaction.atomic():
        rows = _segments().objects.filter(business_id=business_id, id__in=pks)
        locked = list(rows.select_for_update(skip_locked=True).values_list("id", flat=True))
        if len(locked) < len(pks):
            return
        _write(business_id, merge(_open_group(business_id, locked)))
        rows.delete()


def reseal(business_id: int, *, dry_run: bool = False) -> int:
    """Seals segments of older encryption keys anew. Answers how many."""
    count = 0
    rows = _segments().objects.filter(business_id=business_id)
    for pk in list(rows.values_list("id", flat=True)):
        with transaction.atomic():
            row = rows.filter(id=pk).select_for_update()
            sealed = row.values_list("sealed", flat=True).first()
            # Merged away meanwhile: what came of it was sealed with the first key.
            if sealed is None or keyring.key_id_of(bytes(sealed[:8])) == keyring.sealing_key_id():
                continue
            count += 1
            if not dry_run:
                text = _unseal(business_id, pk, sealed).to_bytes()
                row.update(sealed=_seal(business_id, pk, text))
    return count


def repack(
    customers: CustomerQuerySet,
    business_id: int,
    progress: Callable[[int], Any] = lambda rows: None,
) -> int:
    """Writes all segments of a business anew from its live rows. Answers how many rows they hold.

    Safe beside live traffic and when cut off: first the new segments are there besides the old
    ones, then the old ones go. Rows that change meanwhile are in the tail, or in a segment
    younger than the list of the old ones.
    """
    old = list(_segments().objects.filter(business_id=business_id).values_list("id", flat=True))
    count = 0

    def entries() -> Iterable[Entry]:
        nonlocal count
        for entry in _entries(customers.in_business(business_id).active()):
            yield entry
            count += 1
            if count % 10_000 == 0:
                progress(count)

    for segment in build_many(entries(), BULK_LINES):
        _write(business_id, segment)
    for pk in old:
        _segments().objects.filter(business_id=business_id, id=pk).delete()
    while pack(customers, business_id) == PACK_ROWS:
        pass
    return count


def _resize(*, setting: str, **_: Any) -> None:
    if setting == "SEARCH_CACHE_BYTES":
        _cache.cache_clear()


setting_changed.connect(_resize)
