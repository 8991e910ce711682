"""Every acknowledged answer, and whether what it said is true afterwards."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import Any

from finora.text import fold, holds, name_key

Row = dict[str, Any]  # a customer as the API shows it
SEARCH_LIMIT = 50


class Ledger:
    """For each customer and field the values it may have by the answers that were given.

    An acknowledged change leaves one; one without an answer leaves both, as nobody knows.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, set[Any]]] = {}
        self._asked: set[str] = set()
        self._open: set[tuple[str, str, Any]] = set()
        self.acknowledged = 0
        self.unanswered = 0
        self.refused = 0
        # Calls that got no answer, and were done: seen as their repetition was a replay.
        self.done_unanswered: list[str] = []

    def asks(self, email: str) -> None:
        """A customer with this email is about to be asked for."""
        with self._lock:
            self._asked.add(email)

    def told(self, customer: Row) -> None:
        """An answer showed this customer. What is known of it already is younger, and stays."""
        with self._lock:
            self.acknowledged += 1
            known = self._known.setdefault(customer["id"], {})
            for field in customer.keys() & {"name", "email", "phone", "isActive"}:
                known.setdefault(field, {customer[field]})

    def changed(self, public_id: str, changes: Row, *, sure: bool) -> None:
        """A change that was acknowledged (`sure`), or that may have been done."""
        with self._lock:
            self.acknowledged += sure
            known = self._known.setdefault(public_id, {})
            for field, value in changes.items():
                if field == "email":
                    self._asked.add(value)
                change = (public_id, field, value)
                if sure:
                    known[field] = {value}
                    # Somebody was told so: of an earlier call nothing can be said any more.
                    self._open.discard(change)
                elif value not in known.get(field, ()):
                    self._open.add(change)
                    if field in known:
                        known[field].add(value)

    def no_answer(self, *, refused: bool = False) -> None:
        """A call broke, or (`refused`) was answered that it could not be served."""
        with self._lock:
            self.unanswered += not refused
            self.refused += refused

    def allows(self, row: Row) -> list[str]:
        """What a customer as it was read contradicts."""
        with self._lock:
            known = {field: set(may) for field, may in self._known.get(row["id"], {}).items()}
        return [
            f"{row['id']}: {field} is {row[field]!r}, and answers said {sorted(may, key=str)}"
            for field, may in known.items()
            if row[field] not in may
        ]

    def check(self, rows: Iterable[Row]) -> list[str]:
        """What is wrong with all customers of the business, as they are when the load is over."""
        rows = list(rows)
        there = {row["id"]: row for row in rows}
        problems = [f"{row}: listed more than once" for row in _repeated(r["id"] for r in rows)]
        for public_id in self._known.keys() - there.keys():
            problems.append(f"{public_id}: acknowledged, and lost")
        for row in there.values():
            problems += self.allows(row)
            if row["id"] not in self._known and row["email"] not in self._asked:
                problems.append(f"{row['id']}: nobody asked for it")
        return problems + doubled(rows)

    def done_without_an_answer(self, rows: Iterable[Row]) -> list[str]:
        """The changes that are there although their answer never came."""
        there = {row["id"]: row for row in rows}
        done = [
            f"{public_id}: {field} was changed, and its answer lost"
            for public_id, field, value in sorted(self._open, key=str)
            if public_id in there and there[public_id][field] == value
        ]
        done += [
            f"{row['id']}: created, and its answer lost"
            for row in there.values()
            if row["id"] not in self._known
        ]
        return done + self.done_unanswered


def _repeated(values: Iterable[str]) -> list[str]:
    return [value for value, times in Counter(values).items() if times > 1]


def doubled(rows: Iterable[Row]) -> list[str]:
    """Emails that more than one active customer has."""
    emails = _repeated(row["email"] for row in rows if row["isActive"])
    return [f"{email}: more than one active customer has it" for email in emails]


def place(row: Row) -> tuple[bytes, str]:
    """Where a customer stands in a list."""
    return name_key(row["name"]), row["id"]


def unsorted(rows: Sequence[Row]) -> list[str]:
    """Neighbours of a list that stand the wrong way round."""
    return [
        f"{after['id']}: listed behind {before['id']}"
        for before, after in pairwise(rows)
        if place(before) > place(after)
    ]


def matches(rows: Iterable[Row], query: str) -> list[str]:
    """Brute force: the ids that a search must answer."""
    if not fold(query):
        return []
    found = [
        row
        for row in rows
        if row["isActive"] and (holds(row["name"], query) or holds(row["email"], query))
    ]
    return [row["id"] for row in sorted(found, key=place)[:SEARCH_LIMIT]]


def wrong_search(rows: Iterable[Row], query: str, found: Collection[str]) -> list[str]:
    """What a search answered beside what brute force finds among all customers."""
    wanted = matches(rows, query)
    if list(found) == wanted:
        return []
    missing = [public_id for public_id in wanted if public_id not in found]
    extra = [public_id for public_id in found if public_id not in wanted]
    return [f"search {query!r}: {len(missing)} missing {missing[:3]}, {len(extra)} too many"]
