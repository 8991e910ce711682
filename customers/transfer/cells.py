"""Cells that no spreadsheet runs: an apostrophe stands ahead of what it would take for a formula.

Behind a separator too, or a line break: who opens the file with another separator, or without
regard to quotes, has a new cell there. What is read back is what was written, whatever it held.
"""

from __future__ import annotations

import re

# In place of a value that could not be opened. It is nobody's, and no import takes it for one.
UNREADABLE = "(unreadable)"

_BEGINS = r"""(?:^|[,;|\t\r\n])(?:[^\S\t\r\n]|['"])*"""  # a cell, but for blanks and quotes
_RUNS = "[=+\\-@\t\r＝＋－＠]"
_TO_GUARD = re.compile(f"{_BEGINS}(?={_RUNS})")
_GUARDED = re.compile(f"({_BEGINS})'(?={_RUNS})")


def guard(text: str) -> str:
    return _TO_GUARD.sub(r"\g<0>'", text)


def unguard(cell: str) -> str:
    """What was written before it was made harmless."""
    return _GUARDED.sub(r"\1", cell)
