"""What an import would do: everything but the writing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from struct import Struct
from typing import Any

from customers.models import Customer
from customers.rules import RULES
from customers.transfer.findings import UNREADABLE_CUSTOMER, Finding
from customers.transfer.models import Import, OnDuplicate
from customers.transfer.portions import Counts, Portion, portions
from customers.transfer.reading import Reading
from customers.transfer.rows import Candidate
from finora.sealing import SealError


class Preview:
    """Counts what a run would do with the directory as it is now."""

    def __init__(self, import_: Import, reading: Reading) -> None:
        self.import_, self.reading = import_, reading
        self.counts = Counts()
        self.customers: Any = import_.business.customers
        self._index: Any = Customer._meta.get_field("email_hash")
        self._updates = import_.on_duplicate == OnDuplicate.UPDATE
        # By eight bytes of the hash of each email met, what its customer would hold by then, where
        # that is asked for (see _PACKED). A million take 100 MB, or 170.
        self._seen: dict[int, bytes | None] = {}

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
        asked = self.customers.of_emails if self._updates else self.customers.keys_of_emails
        there = asked(list(chain.from_iterable(digests.values())))
        for row in portion.new:
            first, *_ = digests[row.line]
            key = int.from_bytes(first[:8])
            met = next((there[d] for d in digests[row.line] if d in there), None)
            if key not in self._seen and met is None:
                counts.created += 1
                marks = [_mark(row.values.get(name)) for name in RULES] if self._updates else None
                self._seen[key] = _PACKED.pack(*marks) if marks else None
                continue
            changed = self._changes(key, row, met) if self._updates else False
            if changed is None:
                portion.findings.append(Finding(row.line, "", "", UNREADABLE_CUSTOMER, True))
                counts.rejected += 1
                continue
            counts.updated += changed
            counts.skipped += not changed
            counts.in_directory += met is not None
            counts.in_file += met is None
        self.counts += counts

    def _changes(self, key: int, row: Candidate, met: Any) -> bool | None:
        """Whether a row changes a customer, as the rows before have left it; None where it would
        and the customer cannot be opened.
        """
        held = self._seen.get(key)
        before = _PACKED.unpack(held) if held else _marks(met)
        after = tuple(
            before[n] if name == "email" or name not in row.given else _mark(row.given[name])
            for n, name in enumerate(RULES)
        )
        if after == before:
            return False
        if _UNREADABLE in after:
            return None
        self._seen[key] = _PACKED.pack(*after)
        return True


# What a customer's fields hold, in as few bytes as tell one text from another.
_PACKED = Struct(f"{len(RULES)}I")
_UNREADABLE = 0


def _mark(value: str | None) -> int:
    return hash(value) & 0xFFFFFFFF


def _marks(customer: Any) -> tuple[int, ...]:
    marks = []
    for name in RULES:
        try:
            marks.append(_mark(getattr(customer, name)))
        except SealError:
            marks.append(_UNREADABLE)
    return tuple(marks)
