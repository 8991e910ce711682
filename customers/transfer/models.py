"""Imports: who brought which file, what became of its rows, and the file until it is done."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q

from customers.transfer.findings import Finding, of_file
from customers.transfer.made import Made
from customers.transfer.refused import FileRefused
from finora import clock, identifiers
from finora.audit import acting
from finora.orm.references import TenantForeignKey, TenantReference
from finora.orm.related import managed_by
from finora.orm.tenant import BusinessField, TenantQuerySet, TenantRow
from finora.request import new_request_id
from finora.sealing import SealError
from finora.sealing.fields import SealedBytesField
from finora.tenants.models.business import Business

# Of a file, as it is sealed: a browser sends pieces of this size, within a page's body.
CHUNK_BYTES = 192 << 10
REPORTED = 1_000


class OnDuplicate(models.TextChoices):
    """What becomes of a row whose email a customer has already."""

    SKIP = "skip", "Leave the customer as it is"
    UPDATE = "update", "Fill and change what the row says, clear nothing"


class MissingEmail(models.TextChoices):
    """What becomes of a row without an email."""

    SKIP = "skip", "Leave the row out"
    PLACEHOLDER = "placeholder", "Give it an address at import.invalid"


class State(models.TextChoices):
    SENDING = "sending", "Not started"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"


class PieceRefused(ValueError):
    """A part of a file that is none: another one comes before it, or the file is whole."""


class ImportQuerySet(TenantQuerySet["Import"]):
    def with_public_id(self, public_id: str) -> ImportQuerySet:
        """The one with this id, or none; also for a text that no id can be."""
        possible = identifiers.is_possible(public_id)
        return self.filter(public_id=public_id) if possible else self.none()

    def started(self) -> ImportQuerySet:
        """Those that were asked for, not files that somebody only looked at."""
        return self.exclude(state=State.SENDING)

    def by_requests(self, request_ids: Iterable[str]) -> ImportQuerySet:
        """Those that these requests began, and whose work is noted with them."""
        return self.filter(request_id__in=list(request_ids))

    def running_at(self, moment: datetime) -> ImportQuerySet:
        """Those that had begun by then, and not ended."""
        going = Q(finished_at=None) | Q(finished_at__gte=moment)
        return self.filter(going, started_at__lte=moment)

    def abandoned(self, moment: datetime) -> ImportQuerySet:
        """Files that were sent before this moment and never imported."""
        return self.filter(state=State.SENDING, created_at__lt=moment)


class ImportManager(models.Manager.from_queryset(ImportQuerySet)):  # type: ignore[misc]
    """`business.imports`: the way in."""

    def open(self, **options: Any) -> Any:
        """A new one, to be sent its file. The present actor is who imports."""
        managed_by(self, Business)
        actor = acting.actor()
        # Of a command too, which comes by no request: what the import does is known by it.
        request_id = actor.request_id or new_request_id()
        return self.create(
            actor_kind=actor.kind, actor_id=actor.id, request_id=request_id, **options
        )


class Import(TenantRow):
    """A file of customers that somebody brings in."""

    business = BusinessField(related_name="imports")
    public_id = models.CharField("id", max_length=40, default=identifiers.import_id, editable=False)
    state = models.CharField(max_length=8, choices=State, default=State.SENDING)
    # Who brought it, as the audit trail names them: its task acts as they do.
    actor_kind = models.CharField(max_length=6)
    actor_id = models.CharField("by", max_length=150, blank=True)
    request_id = models.CharField("request", max_length=20)
    # As it was asked for, then as it was recognised.
    format = models.CharField(max_length=20, blank=True)
    on_duplicate = models.CharField(
        "who is there already", max_length=6, choices=OnDuplicate, default=OnDuplicate.SKIP
    )
    missing_email = models.CharField(
        "rows without an email", max_length=11, choices=MissingEmail, default=MissingEmail.SKIP
    )
    created_at = models.DateTimeField("sent", default=clock.now, editable=False)
    started_at = models.DateTimeField("started", null=True, editable=False)
    finished_at = models.DateTimeField("finished", null=True, editable=False)
    # In bytes: of the file, what of it is here, in so many chunks, and how far a run has come.
    size = models.PositiveBigIntegerField(default=0)
    arrived = models.PositiveBigIntegerField(default=0)
    chunks = models.PositiveIntegerField(default=0)
    read = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    # Among those: whose email an earlier row had, or a customer; who had none.
    in_file = models.PositiveIntegerField("twice in the file", default=0)
    in_directory = models.PositiveIntegerField("there already", default=0)
    without_email = models.PositiveIntegerField("without an email", default=0)
    # Cells that no customer has a place for, of rows that went in.
    cells_left = models.PositiveIntegerField(default=0)
    # JSON: what was recognised, the mapping, the preview, why it failed. Names of columns may be
    # anything.
    told = SealedBytesField(place="import.told", context="public_id", default=b"{}")

    objects = ImportManager()

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("import_customers", "Can import customers"),
            ("undo_import", "Can undo an import"),
        ]
        constraints = [
            # The API and the commands name it so, together with the business.
            models.UniqueConstraint(fields=["business", "public_id"], name="import_id_unique"),
            # Its chunks and batches point at it so.
            models.UniqueConstraint(fields=["business", "id"], name="import_key_unique"),
            # One request begins one import: so undo and a person's history tell its changes from
            # everybody else's.
            models.UniqueConstraint(fields=["business", "request_id"], name="import_of_request"),
            # No part of a file is left out silently: none runs before all of it is here.
            models.CheckConstraint(
                condition=Q(state__in=[State.SENDING, State.UNDONE], arrived__lte=F("size"))
                | Q(arrived=F("size")),
                name="import_file_whole",
            ),
            # The report adds up: no row is lost.
            models.CheckConstraint(
                condition=Q(rows=F("created") + F("updated") + F("skipped") + F("rejected")),
                name="import_rows_add_up",
            ),
        ]
        indexes = [
            # The list of a business's, the latest first.
            models.Index(fields=["business", "-id"], name="import_of_business"),
        ]

    def __str__(self) -> str:
        return self.public_id

    # What is told.

    @property
    def facts(self) -> dict[str, Any]:
        """What `told` says. Raises SealError."""
        told: dict[str, Any] = json.loads(self.told)
        return told

    def tell(self, **facts: Any) -> None:
        """Adds to them; None takes one away. Saved by the caller."""
        try:
            told = self.facts | facts
        except SealError:
            told = facts  # what does not open is of no use any more
        known = {name: fact for name, fact in told.items() if fact is not None}
        self.told = json.dumps(known).encode()

    def made_customer(self, key: int) -> bool:
        """Whether it made the customer with this integer id."""
        of_each = self.batches().values_list("made", flat=True)
        return any(key in Made(ranges) for ranges in of_each)

    def batches(self) -> Any:
        """What its transactions did, in order."""
        return self._of(ImportBatch).order_by("number")

    def findings(self) -> Iterator[Finding]:
        """The whole report, in the file's order; a batch at a time. Raises SealError."""
        yield from of_file(self.facts)
        batches = self.batches()
        number = -1
        while batch := batches.filter(number__gt=number).first():
            yield from batch.findings()
            number = batch.number

    def locked(self) -> Any:
        """Its row as it is now, until the transaction's end nobody else's to change."""
        return self.itself().select_for_update().get()

    # The file.

    def _of(self, model: type[Any]) -> Any:
        """The rows of another table that are this one's; of its business, as all are."""
        return model.objects.filter(business_id=self.business_id, of_id=self.pk)

    @property
    def is_whole(self) -> bool:
        """Whether all of the file is here."""
        return self.arrived == self.size

    def send(self, pieces: Iterable[bytes]) -> None:
        """Keeps a whole file, sealed, in chunks of whatever size it comes in."""
        with transaction.atomic():
            for piece in pieces:
                self.size += len(piece)
                self.save(update_fields=["size"])
                self.send_chunk(self.chunks, piece)

    def send_chunk(self, number: int, piece: bytes) -> None:
        """Keeps the next part of a file of `size` bytes, numbered from 0; one that is kept already
        changes nothing. Raises PieceRefused.
        """
        with transaction.atomic():
            now = self.locked()
            if number < now.chunks:
                return
            if not piece or number > now.chunks or now.arrived + len(piece) > now.size:
                raise PieceRefused
            ImportChunk.objects.create(
                business_id=self.business_id, of_id=self.pk, number=number, sealed=piece
            )
            self.chunks, self.arrived = number + 1, now.arrived + len(piece)
            self.save(update_fields=["chunks", "arrived"])

    def pieces(self) -> Iterator[bytes]:
        """The file again, opened chunk by chunk. Raises SealError, FileRefused."""
        chunks = self._of(ImportChunk)
        for number in range(self.chunks):
            if (chunk := chunks.filter(number=number).first()) is None:
                raise FileRefused("A part of the file is gone.")  # as where somebody undoes it
            yield chunk.sealed

    def drop_file(self) -> None:
        """Nothing of it is kept."""
        self._of(ImportChunk).delete()


class ImportChunk(TenantRow):
    """A part of a file that waits to be imported; gone when that is done."""

    # Known before the row is written, as the sealed bytes are bound to it.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = BusinessField(related_name="import_chunks")
    of = TenantForeignKey(Import, related_name="+")
    number = models.PositiveIntegerField()
    sealed = SealedBytesField(place="import.chunk", context="id")

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            # A browser that sends a part again sends no second one; and they are read in order.
            models.UniqueConstraint(fields=["business", "of", "number"], name="import_chunk_once"),
            TenantReference(field="of", name="import_chunk_of"),
        ]

    def __str__(self) -> str:
        return f"chunk {self.number}"


class ImportBatch(TenantRow):
    """What one transaction of an import did: whom it made, and what there is to tell."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = BusinessField(related_name="import_batches")
    of = TenantForeignKey(Import, related_name="+")
    number = models.PositiveIntegerField()
    # Integer ids of the customers that it made, as [first, how many] of those that follow each
    # other: mostly one such pair.
    made = models.JSONField(default=list)
    # Once it is undone: how many of those became inactive then, and the ids of those that stayed.
    gone = models.PositiveIntegerField(null=True)
    stayed = models.JSONField(default=list)
    # JSON: the findings, without a value, but with names of columns.
    told = SealedBytesField(place="import.findings", context="id")

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "import batches"
        constraints = [
            # Two runs of one import do no batch twice; and they are read in order.
            models.UniqueConstraint(fields=["business", "of", "number"], name="import_batch_once"),
            TenantReference(field="of", name="import_batch_of"),
        ]

    def __str__(self) -> str:
        return f"batch {self.number}"

    def findings(self) -> list[Finding]:
        """Raises SealError."""
        return [Finding(*each) for each in json.loads(self.told)]
