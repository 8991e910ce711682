"""Customers as a file, made as it is read: a page of rows is in memory, however many there are."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any, Literal

import orjson

from customers.masks import MASKS
from customers.models import Customer
from customers.transfer.cells import UNREADABLE, guard
from finora.audit import acting
from finora.audit.models import AuditEvent
from finora.clock import iso
from finora.sealing import SealError
from finora.tenants.models import Business

Form = Literal["csv", "jsonl"]
# As the API calls them; the first six are what an import reads.
FIELDS = {
    "name": "name",
    "email": "email",
    "phone": "phone",
    "address": "address",
    "tin": "tin",
    "companyName": "company_name",
}
SEPARATE = ("id", "isActive", "createdAt", "accountBalanceKobo", "businessId")
CONTENT_TYPES: dict[Form, str] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
}


class _Line:
    """What csv writes to: it hands the line back, so that it can be sent at once."""

    def write(self, line: str) -> str:
        return line


class Export:
    """What goes out of these customers, in their order.

    Without `reveal` personal values are masked, and their columns say so: `email (masked)`, which
    no import takes for an email. What cannot be opened is left out, and noted at the end, of who
    acts now. `count` is how many customers went out so far.
    """

    def __init__(self, customers: Iterable[Customer], *, reveal: bool) -> None:
        self.count = 0
        self.unreadable: dict[int, list[str]] = {}
        self._customers = customers
        self._reveal = reveal
        self._actor = acting.actor()

    @property
    def columns(self) -> list[str]:
        masked = {} if self._reveal else MASKS
        fields = (f"{n} (masked)" if f in masked else n for n, f in FIELDS.items())
        return [*fields, *SEPARATE]

    def lines(self, form: Form) -> Iterator[str]:
        return self.csv() if form == "csv" else self.json_lines()

    def csv(self) -> Iterator[str]:
        """Cells that no spreadsheet runs; the mark ahead tells Excel that it is UTF-8."""
        writer = csv.writer(_Line())
        yield "\ufeff" + writer.writerow(self.columns)
        for values in self._rows():
            yield writer.writerow(map(_cell, values))

    def json_lines(self) -> Iterator[str]:
        """An object a line; what cannot be opened is named in its `unreadable`."""
        columns = self.columns
        for values in self._rows():
            line = dict(zip(columns, values, strict=True))
            if bad := [name for name, value in line.items() if value is SealError]:
                line |= {**dict.fromkeys(bad), "unreadable": bad}
            yield orjson.dumps(line).decode() + "\n"

    def _rows(self) -> Iterator[list[Any]]:
        try:
            for customer in self._customers:
                values = [self._value(customer, field) for field in FIELDS.values()]
                if SealError in values:
                    self.unreadable.setdefault(customer.business_id, []).append(customer.public_id)
                self.count += 1
                yield [
                    *values,
                    customer.public_id,
                    customer.is_active,
                    iso(customer.created_at),
                    customer.account_balance_kobo,
                    customer.business.public_id,
                ]
        finally:
            if isinstance(self._customers, Generator):
                self._customers.close()  # it notes what went out
            self._note_unreadable()

    def _value(self, customer: Customer, field: str) -> Any:
        """SealError itself for what cannot be opened."""
        try:
            value = getattr(customer, field)
        except SealError:
            return SealError
        mask = None if self._reveal else MASKS.get(field)
        return mask(value) if mask and value is not None else value

    def _note_unreadable(self) -> None:
        with acting.acting(lambda: self._actor):
            for business_id, public_ids in self.unreadable.items():
                AuditEvent.objects.record_refused(
                    AuditEvent.Action.UNREADABLE, business_id, public_ids
                )


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return guard(value)
    return UNREADABLE if value is SealError else value


def noted(customers: Iterable[Customer], *, reveal: bool) -> Iterator[Customer]:
    """The same, business by business, of whom nobody knows yet how many they are: it is noted that
    they begin to go out, and then, also where they are cut off, as one line how many went. By who
    acts when this is called.
    """
    actor = acting.actor()

    def note_(business: Business, count: int) -> None:
        with acting.acting(lambda: actor):
            note(business, count, reveal=reveal)

    def each() -> Iterator[Customer]:
        for business, theirs in groupby(customers, key=attrgetter("business")):
            note_(business, 0)
            count = 0
            try:
                for count, customer in enumerate(theirs, start=1):  # noqa: B007 - for the end
                    yield customer
            finally:
                note_(business, count)

    return each()


def note(business: Business, count: int, *, reveal: bool) -> None:
    """Notes that so many of a business's customers go out: one line, however many. Of 0, as it is
    before they are counted, it is a note without a line of the trail.
    """
    AuditEvent.objects.record_line(
        AuditEvent.Action.EXPORTED,
        business.pk,
        business.public_id,
        count,
        MASKS if reveal else (),
    )
