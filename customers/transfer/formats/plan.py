"""A format laid upon one file's header: from a record's cells to a customer's fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from customers.rules import RULES
from customers.transfer.findings import NO_PLACE, Finding, shown
from customers.transfer.formats.shape import NUMBERED, Format, Source, named
from customers.transfer.records import Record
from finora import text
from finora.sealing import normal_forms

_NO = frozenset({"no", "false", "0"})
_SAME = {"email": normal_forms.email_key, "phone": normal_forms.phone, "tin": normal_forms.tin}

_WORD = re.compile(r"\w+")

UNREAD = "left unread"
FILE_ID = "the file's own id"
ONE_ONLY = "A customer has one; another value of this row was taken."
MORE_CELLS = "The row has more cells than the header has columns."
INACTIVE = "The customer is inactive in the file."


class Row(NamedTuple):
    """A record's values by the customer's field, as the file has them. `file_id` is the file's own
    name for the customer, or empty. With a finding that rejects it there are no values.
    """

    line: int
    values: Mapping[str, Any]
    file_id: str
    findings: Sequence[Finding]
    # Of a field the columns that it came from, to be named beside a rule that it breaks.
    columns: Mapping[str, str]


class _Made(NamedTuple):
    """A source laid upon the header."""

    places: tuple[int, ...]
    by: str
    stands_in: bool
    # It stands in, and another field takes its columns.
    is_elsewhere: bool
    columns: str
    # What takes off what the tool writes around a value.
    clean: Callable[[str], str] | None

    def value(self, cells: list[str]) -> str:
        clean = self.clean
        if len(self.places) == 1:
            value = cells[self.places[0]]
            return clean(value) if clean and value else value
        parts = [cells[place] for place in self.places]
        if clean:
            parts = [clean(part) for part in parts if part]
        return self.by.join([part for part in map(text.trim, parts) if part])


class Plan:
    """What each column of a CSV becomes. `mapped` names fields for columns, before the format's.

    A field is the API's name of one, or `id` for the file's own.
    """

    def __init__(
        self, format: Format, header: Sequence[str], mapped: Mapping[str, str] | None = None
    ) -> None:
        self.format, self.header = format, [shown(name) for name in header]
        self._places: dict[str, list[int]] = {}
        for place, name in enumerate(map(named, header)):
            self._places.setdefault(name, []).append(place)
        of_field = {rule.api_name: rule.field for rule in RULES.values()}
        given: dict[str, list[str]] = {}
        for name, field in (mapped or {}).items():
            given.setdefault(of_field.get(field, field), []).append(named(name))
        taken = {name for names in given.values() for name in names}
        sources = chain.from_iterable(format.fields.values())
        self._first = {name for each in sources if not each.stands_in for name in each.columns}
        self.fields: dict[str, list[_Made]] = {}
        for field in RULES:
            made = [*self._mapped(field, given.get(field, []))]
            for source in format.fields.get(field, ()):
                if taken.isdisjoint(source.columns):
                    made += self._made(field, source)
            if made:
                self.fields[field] = made
        # Most fields of a row are what one column says.
        self._plain = [
            (field, sources[0])
            for field, sources in self.fields.items()
            if len(sources) == 1 and field not in format.split
        ]
        plain = dict(self._plain)
        self._other = [each for each in self.fields.items() if each[0] not in plain]
        self._columns = {field: sources[0].columns for field, sources in self.fields.items()}
        ids = (*given.get("id", ()), *(name for name in format.ids if name not in taken))
        self._ids = [place for name in ids for place in self._places.get(name, ())]
        active = (place for name in format.active for place in self._places.get(name, ()))
        self._active = next(active, None)
        self._clean_id = format.cleaned.get("id", str)

    def _mapped(self, field: str, names: list[str]) -> Iterator[_Made]:
        """What several columns are mapped to is joined, as name and address are written."""
        if names:
            yield from self._made(field, Source(tuple(names), ", " if field == "address" else " "))

    def _made(self, field: str, source: Source) -> Iterator[_Made]:
        for columns in self._numbered(source.columns):
            each = [self._places.get(name, []) for name in columns]
            # Of columns with one name each is a source of its own, where nothing is joined to it.
            ways = [[place] for place in each[0]] if len(each) == 1 else [list(chain(*each))]
            for places in ways:
                if places:
                    told = ", ".join(self.header[place] for place in places)
                    clean = self.format.cleaned.get(field)
                    elsewhere = source.stands_in and self._first.issuperset(source.columns)
                    yield _Made(tuple(places), source.by, source.stands_in, elsewhere, told, clean)

    def _numbered(self, columns: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if NUMBERED not in columns[0]:
            yield columns
            return
        pattern = re.compile(re.escape(columns[0]).replace(re.escape(NUMBERED), r"(\d{1,4})"))
        found = (pattern.fullmatch(name) for name in self._places)
        for match in sorted((m for m in found if m), key=lambda match: int(match[1])):
            yield (match[0],)

    # What is told of it.

    def becomes(self) -> list[tuple[str, str]]:
        """Each column, and what its cells become."""
        becomes: dict[int, list[str]] = {}
        for field, sources in self.fields.items():
            for source in sources:
                said = RULES[field].api_name
                said += ", where no other says it" if source.stands_in else ""
                for place in source.places:
                    becomes.setdefault(place, []).append(said)
        for place in self._ids:
            becomes.setdefault(place, []).append(FILE_ID)
        for name in self.format.unread:
            for place in self._places.get(name, ()):
                becomes.setdefault(place, []).append(UNREAD)
        if self._active is not None:
            becomes.setdefault(self._active, []).append("whether it is imported")
        return [
            (name or f"column {place + 1}", "; ".join(becomes.get(place, [NO_PLACE])))
            for place, name in enumerate(self.header)
        ]

    # Rows.

    def row(self, record: Record) -> Row | None:
        """What a record says; None for one that is none of a customer's, as a report's footer."""
        line, cells, problem = record
        if problem:
            return _rejected(line, problem)
        width = len(self.header)
        if len(cells) != width:
            if len(cells) > width and any(map(text.trim, cells[width:])):
                return _rejected(line, MORE_CELLS)
            if self.format.is_footer(cells):
                return None
            cells = [*cells[:width], *[""] * (width - len(cells))]
        elif not cells[-1] and self.format.is_footer(cells):
            return None
        if self._active is not None and text.trim(cells[self._active]).lower() in _NO:
            return _rejected(line, INACTIVE, self.header[self._active])
        values: dict[str, str] = {}
        columns = self._columns
        findings: list[Finding] = []
        for field, source in self._plain:
            if value := source.value(cells):
                values[field] = value
        for field, sources in self._other:
            if told := self._told(field, sources, cells):
                (first, name), *others = told
                values[field] = first
                columns = {**columns, field: name}
                same = _SAME.get(field, str)
                findings += [
                    Finding(line, name, RULES[field].api_name, ONE_ONLY, False)
                    for value, name in others
                    if same(value) != same(first)
                ]
        file_id = next((cells[place] for place in self._ids if cells[place].strip()), "")
        return Row(line, values, text.trim(self._clean_id(file_id)), findings, columns)

    def _told(
        self, field: str, sources: Iterable[_Made], cells: list[str]
    ) -> list[tuple[str, str]]:
        """All values of a field, each with its columns; the first is taken."""
        split = self.format.split.get(field)
        told: list[tuple[str, str]] = []
        for source in sources:
            if source.is_elsewhere and told:
                continue
            value = source.value(cells)
            if source.stands_in and told and _words(value) <= _words(told[0][0]):
                continue
            for each in split(value) if split else [value]:
                if text.trim(each):
                    told.append((each, source.columns))
        return told


def _words(value: str) -> set[str]:
    return set(_WORD.findall(value.casefold()))


def _rejected(line: int, message: str, column: str = "") -> Row:
    return Row(line, {}, "", [Finding(line, column, "", message, True)], {})


class ObjectPlan:
    """The same for JSON lines, whose objects have the API's names."""

    header: Sequence[str] = ()

    def __init__(self) -> None:
        self._fields = {rule.api_name: rule.field for rule in RULES.values()}
        self.others: dict[str, None] = {}

    def becomes(self) -> list[tuple[str, str]]:
        """The fields that are known, and the other names that were met so far."""
        return [(name, name) for name in self._fields] + [(name, NO_PLACE) for name in self.others]

    def row(self, record: Record) -> Row | None:
        line, content, problem = record
        if problem:
            return _rejected(line, problem)
        if content.get("isActive") is False:
            return _rejected(line, INACTIVE, "isActive")
        values: dict[str, Any] = {}
        for name, value in content.items():
            field = self._fields.get(name)
            if field is not None:
                values[field] = value
            elif name not in _KNOWN and len(self.others) < _MOST_OTHERS:
                self.others[shown(name)] = None
        file_id = content.get("id")
        if type(file_id) is int:  # no boolean
            file_id = str(file_id)
        return Row(line, values, file_id if isinstance(file_id, str) else "", [], _JSON_COLUMNS)


_MOST_OTHERS = 100
_KNOWN = frozenset(
    {"id", "isActive", "createdAt", "accountBalanceKobo", "accountBalance", "businessId"}
)
_JSON_COLUMNS = {rule.field: rule.api_name for rule in RULES.values()}
