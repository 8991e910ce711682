"""Cells that no spreadsheet runs: an apostrophe stands ahead of what looks like a formula."""

from __future__ import annotations

import re

_GUARDED = re.compile("'+[=+\\-@\t\r＝＋－＠]")


def unguard(cell: str) -> str:
    """What was written before it was made harmless."""
    return cell[1:] if cell.startswith("'") and _GUARDED.match(cell) else cell
