from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, models, transaction

from customers import clock, keyring
from customers.keyring import SealError
from customers.models.business import Business

KEPT = timedelta(hours=24)
PURGED_AT_ONCE = 50


class StoredAnswerQuerySet(models.QuerySet["StoredAnswer"]):
    def expired(self) -> StoredAnswerQuerySet:
        return self.filter(created_at__lt=clock.now() - KEPT)

    def claim(
        self, business_id: int, key_hash: bytes, body_hash: bytes
    ) -> tuple[StoredAnswer, bool]:
        """The answer under this key, and whether the caller has just claimed it and must give it.

        To be called inside the transaction of the work itself: a simultaneous twin waits here
        until that is committed, and takes over if it is undone.
        """
        of_business = self.filter(business_id=business_id)
        old = of_business.expired().values_list("pk", flat=True)[:PURGED_AT_ONCE]
        of_business.filter(pk__in=list(old)).delete()
        of_business.filter(key_hash=key_hash).expired().delete()
        try:
            with transaction.atomic():
                claimed = self.create(
                    business_id=business_id, key_hash=key_hash, body_hash=body_hash
                )
            return claimed, True
        except IntegrityError:
            return of_business.get(key_hash=key_hash), False

    def forget(self, business_id: int, public_id: str) -> None:
        """Removes the answers that tell of a customer, and those that nobody can open."""
        of_business = self.filter(business_id=business_id).exclude(sealed=b"")
        told = [row.pk for row in of_business.iterator() if row.tells_of(public_id)]
        of_business.filter(pk__in=told).delete()


class StoredAnswer(models.Model):
    """The first answer to a POST with an Idempotency-Key, sealed, kept for 24 hours."""

    business = models.ForeignKey(
        Business, on_delete=models.PROTECT, related_name="stored_answers", db_index=False
    )
    key_hash = models.BinaryField(max_length=32)
    body_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    sealed = models.BinaryField(default=b"")

    objects = StoredAnswerQuerySet.as_manager()

    class Meta:
        constraints = [
            # Simultaneous twins: one inserts, the other waits and replays.
            models.UniqueConstraint(
                fields=["business", "key_hash"], name="stored_answer_key_unique"
            ),
        ]
        indexes = [
            # Expired answers go as new ones come.
            models.Index(fields=["business", "created_at"], name="stored_answer_age"),
        ]

    def __str__(self) -> str:
        return f"answer {self.pk}"

    def keep(self, status: int, data: bytes) -> None:
        """Seals the answer under the claim."""
        self.status = status
        self.sealed = keyring.seal(
            data, purpose="answer", business_id=self.business_id, context=bytes(self.key_hash)
        )
        self.save(update_fields=["status", "sealed"])

    def tells_of(self, public_id: str) -> bool:
        try:
            return public_id.encode() in self.kept()
        except SealError:
            return True

    def kept(self) -> bytes:
        """What keep() was given. Raises SealError."""
        return keyring.unseal(
            bytes(self.sealed),
            purpose="answer",
            business_id=self.business_id,
            context=bytes(self.key_hash),
        )
