"""What a format is: by which columns it is recognised, and what becomes of each of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from finora import text

# A number in a column's name, as of several emails: `E-mail 1 - Value`.
NUMBERED = "#"
_SPACES = re.compile(r"\s+")


def named(column: str) -> str:
    """A column's name as it is matched: letter case, spaces, a mark of what is required aside."""
    return _SPACES.sub(" ", text.trim(column.lstrip("\ufeff"))).strip("* ").casefold()


@dataclass(frozen=True)
class Source:
    """Columns whose cells, joined in this order, are a field's value.

    One that stands in only is used where those before it say nothing. What it says beside them is
    no loss where another field takes it, or the same words stand there.
    """

    columns: tuple[str, ...]
    by: str = " "
    stands_in: bool = False


def column(*names: str) -> tuple[Source, ...]:
    """One of these columns: the first that says something; another's other value is reported."""
    return tuple(Source((name,)) for name in names)


def joined(*names: str, by: str = " ") -> Source:
    return Source(names, by)


def stand_in(*names: str) -> Source:
    return Source(names, stands_in=True)


def address(*names: str) -> Source:
    """Parts in the order in which they stand on an envelope."""
    return Source(names, ", ")


@dataclass(frozen=True)
class Format:
    """How a tool writes its customers. Columns are named as `named()` has them."""

    name: str
    title: str
    # Recognised where a header has all columns of one of these.
    marks: tuple[frozenset[str], ...]
    # By the customer's field, what says it, the first first.
    fields: Mapping[str, tuple[Source, ...]]
    # The file's own name for a customer: of the first of these that says something.
    ids: tuple[str, ...] = ()
    # Dropped before anything looks at them.
    unread: frozenset[str] = frozenset()
    # What a tool writes around a value, by field (or `id`), taken off again.
    cleaned: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    # How several values in one cell are told apart, by field.
    split: Mapping[str, Callable[[str], list[str]]] = field(default_factory=dict)
    # Cells of a record that is none of a customer.
    is_footer: Callable[[Collection[str]], bool] = lambda cells: False
    # Columns that say whether a customer is active.
    active: tuple[str, ...] = ()

    def is_of(self, columns: Collection[str]) -> bool:
        there = set(columns)
        return any(mark <= there for mark in self.marks)


def marks(*each: str) -> tuple[frozenset[str], ...]:
    """Alternatives, each a list of columns with commas between them."""
    return tuple(frozenset(names.split(",")) for names in each)


_NUMBER_KEPT = re.compile(r"\A\s*'(?=[+\d])")
_SEVERAL = re.compile(r"\s*(?:[,;]|:::)\s*")


def several_emails(cell: str) -> list[str]:
    """`a@x.ng, b@y.ng`: where each part is one, else the cell as it is."""
    parts = [part for part in _SEVERAL.split(text.trim(cell)) if part]
    return parts if len(parts) > 1 and all("@" in part for part in parts) else [cell]


def one_line(cell: str) -> str:
    """What a report breaks into lines, on one."""
    return " ".join(cell.split())


def without_apostrophe(cell: str) -> str:
    """Shopify writes one ahead of ids, phones and zips, so that spreadsheets leave them alone."""
    return _NUMBER_KEPT.sub("", cell)
