"""The staff's search: every word somewhere in a customer, in any order; inactive ones too.

A word is found in the name, the email and the company as text.holds says, or is the last four
digits of the phone. As in the API's search the lines say where to look, and the live row is what
is compared; here whoever asks brings the rows, filtered before anything is cut off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

from customers.search import lines, stand_in, store
from customers.search.segment import Candidate, Segment, build, lines_holding
from customers.search.store import SegmentGone
from finora.sealing import SealError, normal_forms
from finora.tenants.models import Business
from finora.text import accents, fold, has_unprintable, holds

if TYPE_CHECKING:
    from django.db.models import QuerySet

Place = tuple[bytes, str]

# So few rows are read one by one: a filter may leave a handful of a million, and then whatever a
# word leads to would be looked at in vain.
FEW_ROWS = 1000
# Rows asked for at a time, at most.
MOST_AT_ONCE = 3200


class Words:
    """What was typed, word by word. Without a letter or digit there is none, and nothing is found.

    Control characters find nothing either.
    """

    def __init__(self, typed: str) -> None:
        words = [] if has_unprintable(typed) else typed.split()
        self._words = [word for word in words if fold(word)]

    def __bool__(self) -> bool:
        return bool(self._words)

    @property
    def needles(self) -> list[bytes]:
        """What a line holds, there or aside, if its customer holds the words."""
        needles: list[str] = []
        for word in self._words:
            wanted = accents(word)
            needles += [*(wanted.marks if wanted else ()), fold(word)]
        return [needle.encode() for needle in dict.fromkeys(needles)]

    def held_by(self, customer: Any) -> bool:
        """Whether this customer is one that the words find."""
        return all(_holds(customer, word) for word in self._words)


def _holds(customer: Any, word: str) -> bool:
    return (
        holds(customer.name, word)
        or holds(customer.company_name or "", word)
        or holds(_opened(customer, "email"), word)
        or fold(word) == normal_forms.phone_end(_opened(customer, "phone"))
    )


def _opened(customer: Any, field: str) -> str:
    try:
        return getattr(customer, field) or ""
    except SealError:
        return ""  # nothing says that it is a match


def find(
    business: Business, rows: QuerySet[Any], words: Words, count: int, behind: Place | None
) -> list[Any]:
    """The first `count` of these rows of the business that hold the words, in list order.

    Of those behind a name_key and public_id, if one is given. An erased one is nobody.
    """
    rows = rows.filter(business_id=business.pk, erased_at=None).order_by()
    for _ in range(store.ATTEMPTS):
        try:
            found = _find(business, rows, words, count, behind)
        except SegmentGone:
            continue
        return sorted(found, key=_place)[:count]
    raise RuntimeError("search segments kept being merged away")


def _find(
    business: Business, rows: QuerySet[Any], words: Words, count: int, behind: Place | None
) -> Collection[Any]:
    if not words:
        return []
    if len(rows.values_list("pk")[: FEW_ROWS + 1]) <= FEW_ROWS:
        return [row for row in rows if _is_behind(row, behind) and words.held_by(row)]
    # The tail first, then the segments: what is packed in between is seen twice, never missed.
    tail = business.customers.unpacked(business.pk).not_erased().values_list(*lines.ALL_COLUMNS)
    first = build(lines.entries(tail))
    found: dict[str, Any] = {}
    missing: set[UUID] = set()

    def collect(segments: list[Segment]) -> None:
        candidates = lines_holding(segments, words.needles, behind)
        _collect(rows, words, count, behind, candidates, found)

    read: list[UUID] = []
    for segments in store.opened(business.pk, missing):
        collect([first, *segments.values()])
        read += segments
    if missing:
        for segment in stand_in.segments(business, missing, read):
            collect([segment])
    return found.values()


def _collect(
    rows: QuerySet[Any],
    words: Words,
    count: int,
    behind: Place | None,
    candidates: Iterator[Candidate],
    found: dict[str, Any],
) -> None:
    """Adds to `found` until it holds the first `count` that these candidates lead to."""
    size = count
    while chunk := list(islice(candidates, size)):
        unseen = {candidate.public_id for candidate in chunk} - found.keys()
        for row in rows.filter(public_id__in=unseen):
            if _is_behind(row, behind) and words.held_by(row):
                found[row.public_id] = row
        frontier = chunk[-1].name_key, chunk[-1].public_id
        if sum(_place(row) <= frontier for row in found.values()) >= count:
            return
        size = min(4 * size, MOST_AT_ONCE)


def _place(row: Any) -> Place:
    return bytes(row.name_key), row.public_id


def _is_behind(row: Any, behind: Place | None) -> bool:
    return behind is None or _place(row) > behind
