"""A file as a whole: encoding, delimiter, header line and tool, and then its rows one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from customers.rules import RULES
from customers.transfer.decoding import UTF_8, WINDOWS, Encoding, Lines, Pieces, encoding_of
from customers.transfer.findings import NO_PLACE
from customers.transfer.formats import FORMATS, JSON_LINES, recognised
from customers.transfer.formats.ours import OURS
from customers.transfer.formats.plan import ObjectPlan, Plan, Row
from customers.transfer.formats.shape import Format, named
from customers.transfer.records import DELIMITERS, Record, of_csv, of_json
from customers.transfer.refused import FileRefused
from finora.sealing import normal_forms

# Reports have their titles above the header, on no more lines than this.
HEADER_WITHIN = 20
MOST_COLUMNS = 2_000
MAP_FIELDS = ("id", *(rule.api_name for rule in RULES.values()))


class _Header(NamedTuple):
    record: Record
    delimiter: str
    format: Format


class Reading:
    """A recognised file. Raises FileRefused where it is none, when it is made.

    `format` is the name of one of FORMATS or `jsonl`; empty, it is recognised. `mapped` names
    fields (MAP_FIELDS) for columns.
    """

    def __init__(
        self, pieces: Pieces, format: str = "", mapped: Mapping[str, str] | None = None
    ) -> None:
        self._pieces = pieces
        self.encoding: Encoding = encoding_of(pieces)
        first = next(of_any_line(Lines(pieces, self.encoding)), "")
        self._lines: Lines | None = None
        self.plan: Plan | ObjectPlan
        self.header_line, self.delimiter = 0, ""
        if format == JSON_LINES or (not format and first.lstrip("\ufeff \t").startswith("{")):
            if self.encoding == WINDOWS:
                self.encoding = UTF_8  # as all JSON is: a broken letter is named
            self.plan = ObjectPlan()
            self.format, self.title = JSON_LINES, "JSON lines"
            return
        header = self._header(format, mapped or {})
        self.plan = Plan(header.format, header.record.content, mapped)
        self.header_line, self.delimiter = header.record.line, header.delimiter
        self.format, self.title = header.format.name, header.format.title

    @property
    def read_bytes(self) -> int:
        """How far the rows have come, about."""
        return self._lines.read_bytes if self._lines else 0

    def rows(self) -> Iterator[Row]:
        """All rows, from the first one on."""
        self._lines = Lines(self._pieces, self.encoding)
        if not self.delimiter:
            records = of_json(self._lines)
        else:
            records = of_csv(self._lines, self.delimiter)
            for record in records:
                if record.line >= self.header_line:
                    break
        row_of = self.plan.row
        for record in records:
            row = row_of(record)
            if row is not None:
                yield row

    def told(self) -> dict[str, Any]:
        """What was recognised, for people to look at."""
        return {
            "format": self.format,
            "title": self.title,
            "encoding": self.encoding.told,
            "delimiter": DELIMITERS.get(self.delimiter, ""),
            "header_line": self.header_line,
            "columns": self.plan.becomes(),
        }

    # The header.

    def _header(self, format: str, mapped: Mapping[str, str]) -> _Header:
        wanted = set(map(named, mapped))
        best: tuple[int, Sequence[str]] = (0, ())
        for delimiter in DELIMITERS:
            for record in islice(
                of_csv(Lines(self._pieces, self.encoding), delimiter), HEADER_WITHIN
            ):
                cells = record.content or ()
                columns = [named(cell) for cell in cells]
                if not wanted <= set(columns):
                    continue
                found = FORMATS[format] if format else recognised(columns)
                if found and format and not wanted and not found.is_of(columns):
                    found = None
                if found is None and wanted:
                    found = OURS
                if found is not None:
                    if len(cells) > MOST_COLUMNS:
                        raise FileRefused(f"The header has more than {MOST_COLUMNS:,} columns.")
                    return _Header(record, delimiter, found)
                known = sum(column in _KNOWN_COLUMNS for column in columns)
                if (known, len(cells)) > (best[0], len(best[1])):
                    best = known, cells
        raise self._unknown(format, wanted, best[1])

    def _unknown(self, format: str, wanted: set[str], cells: Sequence[str]) -> FileRefused:
        if wanted:
            return FileRefused("No line among the first has all the columns that are mapped.")
        if format:
            title = FORMATS[format].title
            return FileRefused(f"This is no file of {title}: its header lacks their columns.")
        if not cells or any(map(_is_value, cells)):
            # What stands there may be a person's.
            return FileRefused(
                "No line among the first is a header: none names columns that are known."
            )
        columns = Plan(OURS, cells).becomes()
        names = ", ".join(f"“{name}”" for name, becomes in columns[:50] if becomes == NO_PLACE)
        told = f" Columns without a place: {names}." if names else ""
        return FileRefused(
            f"The header is of no tool that is known, and has not both name and email.{told}",
            columns,
        )


def of_any_line(lines: Lines) -> Iterator[str]:
    """The texts of the first lines that hold anything."""
    for record in islice(of_csv(lines, "\0"), 1):
        yield "".join(record.content or ())


_KNOWN_COLUMNS = {named(rule.api_name) for rule in RULES.values()}


def _is_value(cell: str) -> bool:
    """Whether a cell is rather a person's than a column's name."""
    return (
        "@" in cell
        or sum(char.isdecimal() for char in cell) >= 5
        or bool(normal_forms.phone_end(cell))
    )
