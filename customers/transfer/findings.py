"""What is to be told of a file: where, and which rule; never what the cell held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from finora import text

# Of a column's name, as a file has it.
MOST_SHOWN = 60
NO_PLACE = "no place here"
UNICODE = ("UTF-8", "UTF-16")
UNREADABLE_CUSTOMER = "The customer is there already, and its stored values cannot be opened."


class Finding(NamedTuple):
    """`line` is that of the file on which the row begins, 0 of all of it; `field` the customer's,
    as the API names it, or empty. `rejects` says whether the row was left out for it; None where it
    speaks of no row.
    """

    line: int
    column: str
    field: str
    message: str
    rejects: bool | None


def of_file(facts: Mapping[str, Any]) -> Iterator[Finding]:
    """What of a recognised file (see Reading.told()) is to be told besides its rows, once."""
    if (encoding := facts.get("encoding", "UTF-8")) not in UNICODE:
        yield Finding(0, "", "", f"Its letters were read as {encoding}.", None)
    for name, becomes in facts.get("columns", ()):
        if becomes == NO_PLACE:
            told = f"The column “{name}” has no place here."
            yield Finding(facts.get("header_line", 0), name, "", told, None)


def shown(column: str) -> str:
    """A column's name for people to read: short, of one line."""
    name = "".join(" " if text.has_unprintable(char) else char for char in column).strip()
    return name if len(name) <= MOST_SHOWN else f"{name[: MOST_SHOWN - 1]}…"
