from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F

from customers.acting import Actor
from customers.models.business import Business


def minute_of(moment: datetime) -> datetime:
    return moment - timedelta(seconds=moment.second, microseconds=moment.microsecond)


class RefusalQuerySet(models.QuerySet["Refusal"]):
    def count_in(
        self,
        business_id: int,
        actor: Actor,
        action: str,
        subjects: Collection[str],
        moment: datetime,
    ) -> list[str]:
        """Counts one refusal of each subject. Answers those whose first of this minute it is.

        To be called in a transaction with what is written of the first ones.
        """
        same = {
            "business_id": business_id,
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "action": action,
            "minute": minute_of(moment),
        }
        those = self.filter(**same, subject__in=subjects)
        new = sorted({*subjects}.difference(those.values_list("subject", flat=True)))
        first: list[str] = []
        if new:
            # Of two that are first at once, the constraint lets one in.
            rows = [Refusal(**same, subject=subject) for subject in new]
            self.bulk_create(rows, ignore_conflicts=True)
            # In two steps, as an INSERT that passes over some does not say which.
            mine = self.filter(business_id=business_id, pk__in=[row.pk for row in rows])
            first = list(mine.order_by("subject").values_list("subject", flat=True))
        those.update(count=F("count") + 1)
        return first

    def prune(self, before: datetime, batch: int = 5_000) -> int:
        """Removes a batch of those of minutes before this moment. Answers how many."""
        old = self.filter(minute__lt=minute_of(before)).order_by("minute")
        return self.filter(pk__in=list(old.values_list("pk", flat=True)[:batch])).delete()[0]


class Refusal(models.Model):
    """How often in one minute somebody was refused the same: the count beside an audit event.

    Apart from the events, as those are never changed. Who may write here could alter a count, not
    that there was a refusal.
    """

    # Known before the row is written, to tell our own from another's; see count_in().
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(
        Business, on_delete=models.PROTECT, related_name="refusals", db_index=False
    )
    actor_kind = models.CharField(max_length=6)
    actor_id = models.CharField(max_length=150, blank=True)
    action = models.CharField(max_length=20)
    subject = models.CharField(max_length=64)
    minute = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    objects = RefusalQuerySet.as_manager()

    class Meta:
        constraints = [
            # One event a minute however many ask at once; and the event finds its count by it.
            models.UniqueConstraint(
                fields=["business", "actor_kind", "actor_id", "action", "subject", "minute"],
                name="refusal_minute_unique",
            ),
        ]
        indexes = [
            # prune_audit.
            models.Index(fields=["minute"], name="refusal_minute"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.action}"
