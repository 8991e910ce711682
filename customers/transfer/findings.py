"""What is to be told of a file: where, and which rule; never what the cell held."""

from __future__ import annotations

from typing import NamedTuple

from finora import text

# Of a column's name, as a file has it.
MOST_SHOWN = 60
UNREADABLE_CUSTOMER = "The customer is there already, and its stored values cannot be opened."


class Finding(NamedTuple):
    """`line` is that of the file on which the row begins; `field` the customer's, as the API names
    it, or empty. `rejects` says whether the row was left out for it.
    """

    line: int
    column: str
    field: str
    message: str
    rejects: bool


def shown(column: str) -> str:
    """A column's name for people to read: short, of one line."""
    name = "".join(" " if text.has_unprintable(char) else char for char in column).strip()
    return name if len(name) <= MOST_SHOWN else f"{name[: MOST_SHOWN - 1]}…"
