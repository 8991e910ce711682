from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import F

from finora.audit.acting import Actor
from finora.orm.tenant import BusinessField, TenantQuerySet, TenantRow


def minute_of(moment: datetime) -> datetime:
    return moment - timedelta(seconds=moment.second, microseconds=moment.microsecond)


class Tally:
    """What this process saw in the present minute, so that a flood does not write each time.

    The first EXACT of the same are written one by one, and then those of a power of two, each with
    what came since: a count above EXACT is "at least". What a minute leaves unwritten is dropped.
    """

    EXACT = 60
    MAX_KEYS = 10_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute: datetime | None = None
        self._seen: dict[tuple[Any, ...], tuple[int, int]] = {}  # how many came, and were written

    def due(
        self, minute: datetime, same: tuple[Any, ...], subjects: Iterable[str]
    ) -> dict[int, list[str]]:
        """Counts one of each subject. Answers what is to be written: how many more, of which."""
        due: dict[int, list[str]] = defaultdict(list)
        with self._lock:
            if minute != self._minute or len(self._seen) > self.MAX_KEYS:
                self._minute = minute
                self._seen.clear()
            for subject in sorted({*subjects}):
                came, written = self._seen.get((*same, subject), (0, 0))
                came += 1
                if came <= self.EXACT or came & (came - 1) == 0:
                    due[came - written].append(subject)
                    written = came
                self._seen[*same, subject] = came, written
        return due


tally = Tally()


class RefusalQuerySet(TenantQuerySet["Refusal"]):
    def count_in(
        self,
        business_id: int,
        actor: Actor,
        action: str,
        due: Mapping[int, Collection[str]],
        moment: datetime,
    ) -> list[str]:
        """Adds so many refusals of these subjects. Answers those that are the first of a minute.

        To be called in a transaction with what is written of the first ones.
        """
        same = {
            "business_id": business_id,
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "action": action,
            "minute": minute_of(moment),
        }
        subjects = {subject for those in due.values() for subject in those}
        known = self.filter(**same, subject__in=subjects).values_list("subject", flat=True)
        new = sorted(subjects.difference(known))
        first: list[str] = []
        if new:
            # Of two that are first at once, the constraint lets one in.
            rows = [Refusal(**same, subject=subject) for subject in new]
            self.bulk_create(rows, ignore_conflicts=True)
            # In two steps, as an INSERT that passes over some does not say which.
            mine = self.filter(business_id=business_id, pk__in=[row.pk for row in rows])
            first = list(mine.order_by("subject").values_list("subject", flat=True))
        for more, those in due.items():
            self.filter(**same, subject__in=those).update(count=F("count") + more)
        return first

    def prune(self, before: datetime, batch: int = 5_000) -> int:
        """Removes a batch of those of minutes before this moment. Answers how many."""
        old = self.filter(minute__lt=minute_of(before)).order_by("minute")
        return self.filter(pk__in=list(old.values_list("pk", flat=True)[:batch])).delete()[0]


class Refusal(TenantRow):
    """How often in one minute somebody was refused the same: the count beside an audit event.

    Apart from the events, as those are never changed. Who may write here could alter a count, not
    that there was a refusal.
    """

    # Known before the row is written, to tell our own from another's; see count_in().
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = BusinessField(related_name="refusals")
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
