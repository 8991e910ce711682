"""Searching: the tail, then the segments, then the live rows of what was found there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import compress, islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

from customers.search import lines, stand_in, store
from customers.search.segment import Candidate, Segment, build, first_matches
from customers.search.store import SegmentGone
from finora import text
from finora.sealing import SealError
from finora.tenants.models import Business

if TYPE_CHECKING:
    from django.db.models import QuerySet

# Customers by public id, each behind its place in list order.
Found = dict[str, tuple[tuple[bytes, str], Any]]

# Candidates whose marks a search compares at a time, at most.
SCREEN_ROWS = 3200


def find(business: Business, query: str, limit: int) -> list[Any]:
    """The first `limit` active customers in list order whose name or email holds `query`."""
    for _ in range(store.ATTEMPTS):
        try:
            return _find(business, query, limit)
        except SegmentGone:
            continue
    raise RuntimeError("search segments kept being merged away")


def _find(business: Business, query: str, limit: int) -> list[Any]:
    # The tail first, then the segments: what is packed in between is seen twice, never missed.
    tail = build(lines.entries(business.customers.tail()))
    found: Found = {}
    missing: set[UUID] = set()
    read: list[UUID] = []
    for segments in store.opened(business.pk, missing):
        _collect(business, query, limit, [tail, *segments.values()], found)
        read += segments
    if missing:
        for segment in stand_in.segments(business, missing, read):
            _collect(business, query, limit, [segment], found)
    return [customer for _, customer in sorted(found.values())[:limit]]


def _collect(
    business: Business,
    query: str,
    limit: int,
    segments: list[Segment],
    found: Found,
) -> None:
    """Adds to `found` until it holds the first `limit` matches that these segments know of.

    A line tells where its row stood when it was packed. A row that moved meanwhile is found all
    the same, and counts at the place where it stands now.
    """
    customers = business.customers
    candidates = _screened(customers.active, first_matches(segments, query), limit)
    while chunk := list(islice(candidates, limit)):
        unseen = {candidate.public_id for candidate in chunk} - found.keys()
        for customer in customers.among(unseen):
            if _holds(customer, query):
                # Where the row stands; asked for its key, it would make that anew of its name.
                place = bytes(customer.__dict__["name_key"]), customer.public_id
                found[customer.public_id] = place, customer
        frontier = chunk[-1].name_key, chunk[-1].public_id
        if sum(place <= frontier for place, _ in found.values()) >= limit:
            return


def _screened(
    live: Callable[[], QuerySet[Any]], candidates: Iterator[Candidate], limit: int
) -> Iterator[Candidate]:
    """The first `limit` candidates as they are; of the rest only those that bear their row's mark.

    Where lines of thousands that went or were renamed come first, that is soon behind them.
    """
    yield from islice(candidates, limit)
    size = 4 * limit
    while chunk := list(islice(candidates, size)):
        yield from compress(chunk, lines.current(live(), [candidate[1:] for candidate in chunk]))
        size = min(4 * size, SCREEN_ROWS)


def _holds(customer: Any, query: str) -> bool:
    try:
        # Most are found by it, and it is folded in no time.
        if text.holds(customer.email, query):
            return True
    except SealError:
        pass  # it cannot be read: nothing says that it is one
    return text.holds(customer.name, query)
