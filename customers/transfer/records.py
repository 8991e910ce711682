"""Lines to records: cells of CSV as spreadsheets write it, and one object a line of JSON lines."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from customers.transfer.decoding import Lines, LineTooLong, QuoteNotClosed

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}

# csv's own bound would end the whole file at one long cell; Lines has a bound for each record.
csv.field_size_limit(min(sys.maxsize, 2**31 - 1))

_CLOSING = {"count", "unreadable"}
_TOO_LONG = "The line is too long to be read."
_NOT_CLOSED = "A quote opens here and is not closed."


class Record(NamedTuple):
    """What stands on a line: cells, or what an object names; or why it cannot be read."""

    line: int
    content: Any
    problem: str = ""


def of_csv(lines: Lines, delimiter: str) -> Iterator[Record]:
    """Each record's cells, as texts; blank lines are none."""
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except LineTooLong:
            yield Record(lines.start, None, _TOO_LONG)
        except QuoteNotClosed:
            yield Record(lines.start, None, _NOT_CLOSED)
        except csv.Error:
            yield Record(lines.start, None, "The line is no CSV.")
        else:
            if cells and (len(cells) > 1 or cells[0].strip()):
                yield Record(lines.start, cells)


def of_json(lines: Lines) -> Iterator[Record]:
    """Each line's object. What ends an export, the others' number and who could not be opened, is
    none."""
    while True:
        lines.begin()
        try:
            line = next(lines)
        except StopIteration:
            return
        except LineTooLong:
            yield Record(lines.start, None, _TOO_LONG)
            continue
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            yield Record(lines.start, None, "The line is no JSON object.")
        elif "count" not in content or not content.keys() <= _CLOSING:
            yield Record(lines.start, content)
