"""Rows to portions: some thousand rows at a time, held to the rules and to each other.

Asks no database, so that a portion can be made while the one before is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from customers.transfer.findings import Finding
from customers.transfer.models import Import, MissingEmail, OnDuplicate
from customers.transfer.reading import Reading
from customers.transfer.rows import Candidate, NoEmail, checked
from finora.sealing import normal_forms

ROWS = 2_000


@dataclass
class Counts:
    """What became of rows. Adds up."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    skipped: int = 0
    rejected: int = 0
    in_file: int = 0
    in_directory: int = 0
    without_email: int = 0
    cells_left: int = 0

    def __iadd__(self, other: Counts) -> Counts:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        return self


@dataclass
class Portion:
    """`new` are rows that may become customers, each email once; `counts` what the others were."""

    counts: Counts = field(default_factory=Counts)
    findings: list[Finding] = field(default_factory=list)
    new: list[Candidate] = field(default_factory=list)
    read_bytes: int = 0


def portions(reading: Reading, options: Import, done: int = 0) -> Iterator[Portion]:
    """All rows of a file but the first `done`."""
    rows = islice(reading.rows(), done, None)
    placeholder = options.missing_email == MissingEmail.PLACEHOLDER
    updates = options.on_duplicate == OnDuplicate.UPDATE
    while True:
        portion = Portion()
        by_email: dict[str, Candidate] = {}
        counts = portion.counts
        for row in islice(rows, ROWS):
            counts.rows += 1
            candidate, findings = checked(row, reading.format, placeholder=placeholder)
            portion.findings += findings
            if candidate is None:
                counts.rejected += 1
                continue
            counts.cells_left += len(findings)
            if isinstance(candidate, NoEmail):
                counts.skipped += 1
                counts.without_email += 1
                continue
            email = normal_forms.email_key(candidate.given["email"])
            first = by_email.get(email)
            if first is None:
                by_email[email] = candidate
                continue
            counts.in_file += 1
            # The match is by email: its spelling stays as it was.
            later = {name: text for name, text in candidate.given.items() if name != "email"}
            if not updates or later.items() <= first.given.items():
                counts.skipped += 1
                continue
            counts.updated += 1
            values, given = {**first.values, **later}, {**first.given, **later}
            by_email[email] = Candidate(first.line, values, given)
        # In one order in every process, so that two that write the same emails never each wait
        # for the other.
        portion.new = [by_email[email] for email in sorted(by_email)]
        portion.read_bytes = reading.read_bytes
        if not counts.rows:
            return
        yield portion
