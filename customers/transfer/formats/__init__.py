"""One reader for each tool, recognised by the columns that its header line names."""

from __future__ import annotations

from collections.abc import Collection

from customers.transfer.formats.ours import OURS
from customers.transfer.formats.shape import Format
from customers.transfer.formats.tools import TOOLS

# Ours last: its few columns are in most of the others.
FORMATS: dict[str, Format] = {each.name: each for each in (*TOOLS, OURS)}
JSON_LINES = "jsonl"


def recognised(columns: Collection[str]) -> Format | None:
    """Whose header names these columns (see shape.named())."""
    return next((each for each in FORMATS.values() if each.is_of(columns)), None)
