from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, models, transaction
from django.dispatch import receiver

from finora import clock
from finora.orm.tenant import BusinessField, TenantQuerySet, TenantRow
from finora.sealing import SealError, blind_index, erasing
from finora.sealing.derived import BlindKeyIdField
from finora.sealing.fields import SealedBytesField
from finora.tenants.models.business import Business

KEPT = timedelta(hours=24)
PURGED_AT_ONCE = 50


class StoredAnswerQuerySet(TenantQuerySet["StoredAnswer"]):
    def expired(self) -> StoredAnswerQuerySet:
        return self.filter(created_at__lt=clock.now() - KEPT)

    def prune(self, business_id: int) -> int:
        """Removes some expired answers of a business; says how many, 0 when none is left.

        Beside live traffic: those that another process is removing are left to it.
        """
        mine = self.in_business(business_id)
        some = mine.expired().order_by("created_at").values_list("pk", flat=True)
        if not (old := list(some[:PURGED_AT_ONCE])):
            return 0
        with transaction.atomic(savepoint=False):
            old = list(some.filter(pk__in=old).select_for_update(skip_locked=True))
            return mine.filter(pk__in=old).delete()[0]

    def make_room(self, business_id: int, hashes: list[tuple[bytes, bytes]]) -> None:
        """Removes the answer under this key if it has expired, and some others that have.

        To be called ahead of the transaction that claims: it would hold them while it waits for a
        customer, and an erasure that holds this one would wait for them.
        """
        of_key = [key_hash for key_hash, _ in hashes]
        mine = self.filter(business_id=business_id, key_hash__in=of_key).expired()
        if mine.exists():
            mine.delete()
        self.prune(business_id)

    def claim(
        self, business_id: int, hashes: list[tuple[bytes, bytes]]
    ) -> tuple[StoredAnswer, bytes, bool]:
        """The answer under this key, the body's hash to hold against it, and whether the caller
        has just claimed it and must give it.

        `hashes` are of the key and of the body: a pair for each blind index key, the one that is
        written first. To be called inside the transaction of the work itself, behind make_room(): a
        simultaneous twin waits here until that is committed, and takes over if it is undone.
        """
        if len(hashes) > 1:
            # Processes that write with different keys claim under different hashes, which the
            # constraint cannot compare: one at a time, and each looks under all.
            Business.objects.one_at_a_time(business_id)
        body_of = dict(hashes)
        of_business = self.filter(business_id=business_id)
        mine = of_business.filter(key_hash__in=body_of)
        key_hash, body_hash = hashes[0]
        while (found := mine.first()) is None:
            claim = self.model(
                business_id=business_id,
                key_hash=key_hash,
                body_hash=body_hash,
                index_key=blind_index.key_ids()[0],
            )
            try:
                with transaction.atomic():
                    claim.save(force_insert=True)
            except IntegrityError:
                continue  # the twin has just answered
            return claim, body_hash, True
        return found, body_of[bytes(found.key_hash)], False

    def forget(self, business_id: int, *public_ids: str) -> None:
        """Removes the answers that tell of any of these, and those that nobody can open."""
        # One erasure after the other: two that wait for each other's answers would for ever.
        Business.objects.one_at_a_time(business_id)
        of_business = self.filter(business_id=business_id, sealed__isnull=False)
        told = [row.pk for row in of_business.iterator() if row.tells_of(public_ids)]
        of_business.filter(pk__in=told).delete()


class StoredAnswer(TenantRow):
    """The first answer to a POST with an Idempotency-Key, sealed, kept for 24 hours."""

    business = BusinessField(related_name="stored_answers")
    key_hash = models.BinaryField(max_length=32)
    body_hash = models.BinaryField(max_length=32)
    # Which blind index key made the hashes: it is needed as long as they are looked up.
    index_key = BlindKeyIdField(max_length=4, default=b"", needed_for=KEPT, since="created_at")
    status = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    sealed = SealedBytesField(place="api.stored_answer", context="key_hash", null=True)

    objects = StoredAnswerQuerySet.as_manager()

    class Meta:
        constraints = [
            # Simultaneous twins: one inserts, the other waits and replays.
            models.UniqueConstraint(
                fields=["business", "key_hash"], name="stored_answer_key_unique"
            ),
        ]
        indexes = [
            # Expired answers of a business go as new ones come; and once a day.
            models.Index(fields=["business", "created_at"], name="stored_answer_age"),
        ]

    def __str__(self) -> str:
        return f"answer {self.pk}"

    def keep(self, status: int, data: bytes) -> None:
        """Seals the answer under the claim."""
        self.status = status
        self.sealed = data
        self.save(update_fields=["status", "sealed"])

    def tells_of(self, public_ids: Iterable[str]) -> bool:
        try:
            kept = self.kept()
            return any(public_id.encode() in kept for public_id in public_ids)
        except SealError:
            return True

    def kept(self) -> bytes:
        """What keep() was given. Raises SealError."""
        data: bytes = self.sealed
        return data


@receiver(erasing)
def _forget(*, business_id: int, public_id: str, **_: Any) -> None:
    StoredAnswer.objects.forget(business_id, public_id)
