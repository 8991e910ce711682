"""One run of an import: its portions written one by one, each whole or not at all.

A portion's customers, its findings and how far the import has come are one transaction, in which
the import's row is locked: so a run that was cut off goes on behind the last one, and two runs of
one import do nothing twice. Two imports, or one and live traffic, meet at the constraint on emails,
which refuses a portion as a whole; whoever is there by then is a duplicate, and it is tried again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import chain
from typing import Any, NamedTuple

from django.db import IntegrityError, connection, transaction

from customers.batch import Batch
from customers.managers import Edited
from customers.rules import RULES
from customers.search import index
from customers.transfer.findings import UNREADABLE_CUSTOMER, Finding
from customers.transfer.made import Made
from customers.transfer.models import Import, ImportBatch, OnDuplicate, State
from customers.transfer.portions import Counts, Portion, portions
from customers.transfer.reading import Reading
from finora import clock, loads
from finora.audit import acting
from finora.audit.models import AuditEvent

# From so many new rows on PostgreSQL's planner is told at once that the table has grown.
ANALYZED = 10_000


class Overtaken(Exception):
    """Somebody else runs this import, or has undone it."""


class Ready(NamedTuple):
    """A portion as it is written: no plain value of its new rows is left, only what the tables will
    hold. `columns` are what became of the file's, as far as it was read.
    """

    portion: Portion
    batch: Batch
    # By email hash: on which line a row begins, and whether it says the name itself.
    rows: Mapping[bytes, tuple[int, bool]]
    columns: list[tuple[str, str]]


Progress = Callable[[Import], Any]


class Run:
    """Runs an import from where it stands. Raises Overtaken, and what the database raises."""

    def __init__(self, import_: Import, reading: Reading) -> None:
        self.import_, self.reading = import_, reading
        self.customers: Any = import_.business.customers
        # Of the runs before, if this one goes on where they were cut off.
        done = list(import_.batches().values_list("made", flat=True))
        self.number, self.made = len(done), Made(chain(*done))

    def all(self, progress: Progress = lambda import_: None, *, ahead: bool = False) -> None:
        """Writes what is left. `ahead`: the next portion is made by a process of its own meanwhile,
        where the file does not lie in the database, and this one has no threads.
        """
        columns = self.reading.plan.becomes()
        beside = loads.ahead if ahead else nullcontext
        with loads.in_bulk() as collect, beside(self.ready()) as ready:
            for each in ready:
                self.write(each)
                columns = each.columns
                progress(self.import_)
                collect()
        index.merge_all(self.import_.business)
        if self.import_.created >= ANALYZED and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE customers_customer")
        self._finish(columns)

    def ready(self) -> Iterator[Ready]:
        """The portions that are left, sealed."""
        for portion in portions(self.reading, self.import_, self.import_.rows):
            # Made and changed at one moment: of a customer of whom that stays nobody changed
            # anything.
            now = clock.now()
            new, portion.new = portion.new, []
            batch = self.customers.sealed(
                [self.customers.new(created_at=now, updated_at=now, **row.values) for row in new]
            )
            told = [(row.line, "name" in row.given) for row in new]
            rows = dict(zip(batch.email_hashes, told, strict=True))
            yield Ready(portion, batch, rows, self.reading.plan.becomes())

    def write(self, ready: Ready) -> None:
        """Writes a portion. Raises Overtaken, having changed nothing but customers that are there
        already, to what the file says."""
        counts, findings = Counts(), list(ready.portion.findings)
        counts += ready.portion.counts
        batch = ready.batch
        refused: IntegrityError | None = None
        while True:
            fresh = self.customers.without_known_emails(batch)
            if refused and len(fresh) == len(batch):
                raise refused  # not for an email
            if len(fresh) < len(batch):
                known = batch.without(set(fresh.email_hashes))
                met = self._meet(known, ready.rows, counts, findings)
                if len(met) < len(known):
                    # Of the known one went meanwhile: it is new, or known again.
                    batch, refused = batch.without(met), None
                    continue
            batch = fresh
            try:
                self._commit(batch, counts, findings, ready.portion.read_bytes)
            except IntegrityError as error:
                refused = error  # somebody was faster
                continue
            return

    # Who is there already.

    def _meet(
        self,
        known: Batch,
        rows: Mapping[bytes, tuple[int, bool]],
        counts: Counts,
        findings: list[Finding],
    ) -> set[bytes]:
        """Handles rows whose emails customers have, as far as these are there. Answers the hashes
        of those."""
        own = known.looked_up_by()
        edited: dict[bytes, Edited] = {}
        if self.import_.on_duplicate == OnDuplicate.UPDATE:
            found = {own[each]: row for each, row in self.customers.of_emails(own).items()}
            edited = self._update(known, rows, found)
            keys = {hash_: each.pk for hash_, each in found.items()}
        else:
            keys = {own[each]: pk for each, pk in self.customers.keys_of_emails(own).items()}
        met = set()
        for hash_, pk in keys.items():
            became = edited.get(hash_, Edited.UNCHANGED)
            if became == Edited.GONE:
                continue
            met.add(hash_)
            if became == Edited.UNREADABLE:
                findings.append(Finding(rows[hash_][0], "", "", UNREADABLE_CUSTOMER, True))
                counts.rejected += 1
                continue
            counts.updated += became == Edited.CHANGED
            counts.skipped += became == Edited.UNCHANGED
            if pk in self.made:
                counts.in_file += 1
            else:
                counts.in_directory += 1
        return met

    def _update(
        self, known: Batch, rows: Mapping[bytes, tuple[int, bool]], there: Mapping[bytes, Any]
    ) -> dict[bytes, Edited]:
        """Fills and changes, and clears nothing. What became of those that hold something else."""
        changes, of_id = {}, {}
        for hash_, customer in zip(known.email_hashes, known, strict=True):
            if (row := there.get(hash_)) is None:
                continue
            _, is_named = rows[hash_]
            given = {name: getattr(customer, name) for name in RULES if name != "email"}
            changed = {
                name: text
                for name, text in given.items()
                if text is not None and (is_named or name != "name") and row.differs(name, text)
            }
            if changed:
                changes[row.public_id], of_id[row.public_id] = changed, hash_
        edited = self.customers.edit_all(changes)
        return {hash_: edited[public_id] for public_id, hash_ in of_id.items()}

    # The transaction.

    def _commit(
        self, fresh: Batch, counts: Counts, findings: list[Finding], read_bytes: int
    ) -> None:
        with transaction.atomic():
            mine = self._locked()
            if len(fresh):
                self.customers.import_packed(fresh, subject=mine.public_id)
            counts.created = len(fresh)
            made = Made.of(fresh.keys)
            ImportBatch.objects.create(
                business_id=mine.business_id,
                of_id=mine.pk,
                number=self.number,
                made=made.ranges,
                told=json.dumps(sorted(findings, key=lambda finding: finding.line)).encode(),
            )
            for name, value in vars(counts).items():
                setattr(mine, name, getattr(mine, name) + value)
            mine.read = max(mine.read, read_bytes)
            mine.save(update_fields=[*vars(counts), "read"])
        self.import_, self.number = mine, self.number + 1
        self.made.update(made)

    def _locked(self) -> Any:
        """The import's row, for the transaction. Raises Overtaken."""
        mine = self.import_.locked()
        if mine.state != State.RUNNING or mine.rows != self.import_.rows:
            raise Overtaken
        mine.business = self.import_.business
        return mine

    def _finish(self, columns: Sequence[tuple[str, str]]) -> None:
        with transaction.atomic():
            mine = self._locked()
            mine.state, mine.finished_at = State.DONE, clock.now()
            mine.tell(columns=columns)
            mine.save(update_fields=["state", "finished_at", "told"])
            mine.drop_file()
            AuditEvent.objects.record(
                AuditEvent.Action.IMPORTED, mine.business_id, [mine.public_id], counted(mine)
            )
        self.import_ = mine


def counted(import_: Import) -> list[str]:
    """`1,234 created`: what became of the rows."""
    names = ("created", "updated", "skipped", "rejected")
    return [f"{getattr(import_, name):,} {name}" for name in names if getattr(import_, name)]


def start(import_: Import, reading: Reading) -> Run:
    """A run of an import that waits, or was cut off. Raises Overtaken where it is neither."""
    with transaction.atomic():
        mine = import_.locked()
        if mine.state not in (State.SENDING, State.WAITING, State.RUNNING):
            raise Overtaken
        mine.business = import_.business
        mine.state, mine.started_at = State.RUNNING, mine.started_at or clock.now()
        mine.format = reading.format
        mine.tell(**reading.told())
        mine.save(update_fields=["state", "started_at", "format", "told"])
    return Run(mine, reading)


def acting_as(import_: Import) -> Any:
    """Whatever is changed inside was changed by who brought the file."""
    who = acting.Actor(import_.actor_kind, import_.actor_id, import_.request_id)
    return acting.acting(lambda: who)
