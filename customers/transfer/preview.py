"""What an import would do: everything but the writing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from customers.models import Customer
from customers.transfer.models import Import, OnDuplicate
from customers.transfer.portions import Counts, Portion, portions
from customers.transfer.reading import Reading
from customers.transfer.rows import Candidate
from finora.sealing import SealError

# Emails that are asked for at once.
ASKED = 500


class Preview:
    """Counts what a run would do with the directory as it is now."""

    def __init__(self, import_: Import, reading: Reading) -> None:
        self.import_, self.reading = import_, reading
        self.counts = Counts()
        self.customers: Any = import_.business.customers
        self._index: Any = Customer._meta.get_field("email_hash")
        # Of each email met, eight bytes of its hash: a million take 90 MB.
        self._seen: set[int] = set()

    def portions(self) -> Iterator[Portion]:
        """Goes through the file; each portion is counted when it comes."""
        for portion in portions(self.reading, self.import_):
            self._count(portion)
            yield portion

    def _count(self, portion: Portion) -> None:
        counts = portion.counts
        digests = {
            row.line: self._index.digests(self.import_.business_id, row.values["email"])
            for row in portion.new
        }
        there = self._there([digest for each in digests.values() for digest in each])
        updates = self.import_.on_duplicate == OnDuplicate.UPDATE
        for row in portion.new:
            first, *_ = digests[row.line]
            key = int.from_bytes(first[:8])
            met = next((there[d] for d in digests[row.line] if d in there), None)
            if key in self._seen:
                counts.in_file += 1
                counts.updated += updates
                counts.skipped += not updates
            elif met is not None:
                counts.in_directory += 1
                changed = updates and _changes(met, row)
                counts.updated += changed
                counts.skipped += not changed
            else:
                counts.created += 1
            self._seen.add(key)
        self.counts += counts

    def _there(self, digests: list[bytes]) -> dict[bytes, Any]:
        """The active customers with these emails, by hash."""
        mine = self.customers.active()
        if self.import_.on_duplicate == OnDuplicate.SKIP:
            mine = mine.only("id", "business_id", "email_hash")
        return {
            bytes(row.__dict__["email_hash"]): row
            for at in range(0, len(digests), ASKED)
            for row in mine.filter(email_hash__in=digests[at : at + ASKED])
        }


def _changes(there: Any, row: Candidate) -> bool:
    try:
        return any(there.differs(n, text) for n, text in row.given.items() if n != "email")
    except SealError:
        return True
