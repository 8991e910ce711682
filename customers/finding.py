"""The staff's one search box: what it finds among rows that filters leave, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from customers.querysets import BY_NAME
from customers.search import by_words
from customers.search.by_words import Words
from finora.tenants.models import Business

if TYPE_CHECKING:
    from customers.models import Customer
    from customers.querysets import CustomerQuerySet

# Of so many businesses each one's segments are read; beyond, only who is named exactly is found.
READ_FOR_WORDS = 20
# Businesses named in one query.
AT_ONCE = 200
# Rows held while all that match are looked for.
PAGE = 1000

# A business's id, a name_key and a public id: see BY_NAME.
Place = tuple[int, bytes, str]


class Search:
    """Who has exactly this email, phone, TIN or id in any spelling, in however many businesses;
    and who holds every word of it (see customers/search/by_words.py), in READ_FOR_WORDS of them.
    """

    def __init__(self, rows: CustomerQuerySet, typed: str, businesses: Sequence[Business]) -> None:
        """`rows` are those that filters leave; `businesses` those in scope, or the chosen one."""
        self._rows = rows
        self._typed = typed
        self._businesses = sorted(businesses, key=lambda business: business.pk)

    @property
    def reads_words(self) -> bool:
        """Whether it looks for words, or there are too many businesses for that."""
        return len(self._businesses) <= READ_FOR_WORDS

    def page(self, count: int, behind: Place | None = None) -> list[Customer]:
        """The first `count` in the order of BY_NAME, of those behind a place if one is given."""
        found = self._named(count, behind)
        if self.reads_words:
            found += self._with_words(count, behind)
        once = {row.pk: row for row in found}
        return sorted(once.values(), key=_place)[:count]

    def pages(self) -> Iterator[list[Customer]]:
        """All that match, PAGE at a time: each is looked for when it is asked for."""
        place = None
        while rows := self.page(PAGE, place):
            yield rows
            if len(rows) < PAGE:
                return
            place = _place(rows[-1])

    def first_pks(self, count: int) -> list[int]:
        """The keys of the first `count`."""
        found = (row.pk for page in self.pages() for row in page)
        return list(islice(found, count))

    def _named(self, count: int, behind: Place | None) -> list[Customer]:
        found: list[Customer] = []
        for group, place in self._groups(behind, AT_ONCE):
            for rows in self._rows.named_exactly(self._typed, [each.pk for each in group]):
                rows = rows.order_by(*BY_NAME)
                found += (rows.after(*place) if place else rows)[:count]
            if len(found) >= count:
                break
        return found

    def _with_words(self, count: int, behind: Place | None) -> list[Customer]:
        words = Words(self._typed)
        found: list[Customer] = []
        for [business], place in self._groups(behind, 1):
            found += by_words.find(business, self._rows, words, count - len(found), place)
            if len(found) >= count:
                break
        return found

    def _groups(
        self, behind: Place | None, size: int
    ) -> Iterator[tuple[list[Business], tuple[bytes, str] | None]]:
        """The businesses in their order; that of the place alone, with the place in it."""
        rest = self._businesses
        if behind is not None:
            business_id, name_key, public_id = behind
            for business in rest:
                if business.pk == business_id:
                    yield [business], (bytes(name_key), public_id)
            rest = [each for each in rest if each.pk > business_id]
        for start in range(0, len(rest), size):
            yield rest[start : start + size], None


def _place(row: Customer) -> Place:
    return row.business_id, bytes(row.name_key), row.public_id
