"""One run of an import: its portions written one by one, each whole or not at all.

A portion's customers, its findings and how far the import has come are one transaction, in which
the import's row is locked: so a run that was cut off goes on behind the last one, and two runs of
one import do nothing twice. Two imports, or one and live traffic, meet at the constraint on emails,
which refuses a portion as a whole; whoever is there by then is a duplicate, and it is tried again.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from django.db import IntegrityError, connection, transaction

from customers.batch import Batch
from customers.models import Customer
from customers.querysets import CustomerInactive
from customers.search import index
from customers.transfer.findings import Finding
from customers.transfer.models import Import, ImportBatch, OnDuplicate, State
from customers.transfer.portions import Counts, Portion, portions
from customers.transfer.reading import Reading
from customers.transfer.rows import Candidate
from finora import clock, loads
from finora.audit import acting
from finora.audit.models import AuditEvent
from finora.sealing import SealError

# From so many new rows on PostgreSQL's planner is told at once that the table has grown.
ANALYZED = 10_000
_UNREADABLE = "The customer is there already, and its stored values cannot be opened."


class Overtaken(Exception):
    """Somebody else runs this import, or has undone it."""


class Made:
    """Integer ids, as [first, how many] of those that follow each other."""

    def __init__(self, ranges: Iterable[Sequence[int]] = ()) -> None:
        self.ranges: list[list[int]] = []
        for first, count in sorted(map(tuple, ranges)):
            self._add(first, count)

    @classmethod
    def of(cls, keys: Iterable[int]) -> Made:
        return cls((key, 1) for key in keys)

    def _add(self, first: int, count: int) -> None:
        if self.ranges and sum(self.ranges[-1]) == first:
            self.ranges[-1][1] += count
        else:
            self.ranges.append([first, count])

    def update(self, other: Made) -> None:
        if self.ranges and other.ranges and other.ranges[0][0] < self.ranges[-1][0]:
            self.ranges = Made([*self.ranges, *other.ranges]).ranges
            return
        for first, count in other.ranges:
            self._add(first, count)

    def __contains__(self, key: int) -> bool:
        at = bisect_right(self.ranges, [key, 2**63])
        return at > 0 and key < sum(self.ranges[at - 1])

    def keys(self) -> list[int]:
        return [key for first, count in self.ranges for key in range(first, first + count)]


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
        """Writes what is left. `ahead`: the next portion is made on a thread of its own meanwhile,
        where the file does not lie in the database.
        """
        with loads.in_bulk() as collect:
            ready = self.ready()
            for portion, batch in loads.ahead(ready) if ahead else ready:
                self.write(portion, batch)
                progress(self.import_)
                collect()
        index.merge_all(self.import_.business)
        if self.import_.created >= ANALYZED and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE customers_customer")
        self._finish()

    def ready(self) -> Iterator[tuple[Portion, Batch]]:
        """The portions that are left, each with its new customers sealed."""
        for portion in portions(self.reading, self.import_, self.import_.rows):
            # Made and changed at one moment: of a customer of whom that stays nobody changed
            # anything.
            now = clock.now()
            yield (
                portion,
                self.customers.sealed(
                    [
                        self.customers.new(created_at=now, updated_at=now, **row.values)
                        for row in portion.new
                    ]
                ),
            )

    def write(self, portion: Portion, batch: Batch) -> None:
        """Writes a portion. Raises Overtaken, having changed nothing but customers that are there
        already, to what the file says."""
        counts, findings = Counts(), list(portion.findings)
        counts += portion.counts
        rows = dict(zip(map(id, batch), portion.new, strict=True))
        refused: IntegrityError | None = None
        while True:
            fresh = self.customers.without_known_emails(batch)
            if refused and len(fresh) == len(batch):
                raise refused  # not for an email
            new = set(map(id, fresh))
            known = [customer for customer in batch if id(customer) not in new]
            met = set(map(id, self._meet(known, rows, counts, findings)))
            if len(met) < len(known):
                # Of the known one went meanwhile: it is new, or known again.
                left = [customer for customer in batch if id(customer) not in met]
                batch, refused = self.customers.sealed(left), None
                continue
            batch = fresh
            try:
                self._commit(batch, counts, findings, portion.read_bytes)
            except IntegrityError as error:
                refused = error  # somebody was faster
                for customer in batch:
                    customer.pk = None  # on SQLite it may be somebody else's by now
                continue
            return

    # Who is there already.

    def _meet(
        self,
        known: Sequence[Any],
        rows: dict[int, Candidate],
        counts: Counts,
        findings: list[Finding],
    ) -> list[Any]:
        """Handles rows whose emails customers have, as far as these are there. Answers those."""
        if not known:
            return []
        updates = self.import_.on_duplicate == OnDuplicate.UPDATE
        met = []
        for customer, there in self._there(known, whole=updates):
            row = rows[id(customer)]
            if updates:
                try:
                    changed = self._update(there, row)
                except (CustomerInactive, Customer.DoesNotExist):
                    continue
                except SealError:
                    findings.append(Finding(row.line, "", "", _UNREADABLE, True))
                    counts.rejected += 1
                    met.append(customer)
                    continue
            else:
                changed = False
            met.append(customer)
            counts.updated += changed
            counts.skipped += not changed
            if there.pk in self.made:
                counts.in_file += 1
            else:
                counts.in_directory += 1
        return met

    def _there(self, known: Sequence[Any], *, whole: bool) -> list[tuple[Any, Any]]:
        """Each of these with the active customer that has its email, if one has."""
        index_: Any = Customer._meta.get_field("email_hash")
        of_digest = {
            digest: customer
            for customer in known
            for digest in index_.digests(self.import_.business_id, customer.email)
        }
        there = self.customers.active().filter(email_hash__in=list(of_digest))
        if not whole:
            there = there.only("id", "business_id", "email_hash")
        return [(of_digest[bytes(row.__dict__["email_hash"])], row) for row in there]

    def _update(self, there: Any, row: Candidate) -> bool:
        """Fills and changes, and clears nothing. Says whether anything changed."""
        values = {name: text for name, text in row.given.items() if name != "email"}
        changes = {name: text for name, text in values.items() if there.differs(name, text)}
        if changes:
            self.customers.edit(there.public_id, changes)
        return bool(changes)

    # The transaction.

    def _commit(self, fresh: Any, counts: Counts, findings: list[Finding], read_bytes: int) -> None:
        with transaction.atomic():
            mine = self._locked()
            if len(fresh):
                self.customers.import_packed(fresh, subject=mine.public_id)
            counts.created = len(fresh)
            made = Made.of(customer.pk for customer in fresh)
            ImportBatch.objects.create(
                business_id=mine.business_id,
                of_id=mine.pk,
                number=self.number,
                made=made.ranges,
                told=json.dumps(findings).encode(),
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

    def _finish(self) -> None:
        with transaction.atomic():
            mine = self._locked()
            mine.state, mine.finished_at = State.DONE, clock.now()
            mine.tell(columns=self.reading.plan.becomes())
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
