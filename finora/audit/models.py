from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, Self

from django.db import models, transaction
from django.db.models import Max, OuterRef, Q, Subquery
from django.db.models.functions import TruncMinute
from django.utils.text import get_text_list

from finora import clock, metrics
from finora.audit import acting
from finora.audit.refusal import Refusal, Tally, minute_of, tally
from finora.orm.loading import LightlyLoaded
from finora.orm.scope import Scope
from finora.orm.tenant import BusinessField, TenantQuerySet, TenantRow

# How far back the latest about some businesses are looked for: what is kept has no bound.
RECENT = 50_000
# How far apart an event's time and its place among the ids may be: longer than any transaction.
APART = timedelta(hours=1)
# Events of one INSERT: PostgreSQL takes 65,535 parameters.
AT_ONCE = 5_000
# What is the same, when somebody is refused it again.
SAME = ("actor_kind", "actor_id", "action", "subject")


# For staff to read, where the action's own name is no sentence; and with the fields, where they say
# more.
_SAID = {
    "updated": "Changed",
    "deleted": "Deactivated",
    "resumed": "Suspension ended",
    "handed over": "All data handed over",
}
_SAID_OF = {
    "updated": "Changed {}",
    "revealed": "Revealed {}",
    "key changed": "Changed the key's {}",
    "imported": "Imported: {}",
    "import undone": "Import undone: {}",
    "reveal refused": "Reveal of {} refused",
    "unreadable": "Unreadable {}",
}


def said(action: str) -> str:
    """The action for staff to read: `Deactivated`."""
    return _SAID.get(action, action.capitalize())


class Frozen(TypeError):
    """The audit trail is append-only."""


_unreadable = metrics.Counter(
    "finora_unreadable_rows",
    "Times that a row was asked for and could not be opened.",
)


class AuditEventQuerySet(TenantQuerySet["AuditEvent"]):
    """Events can be added and read; only prune() removes, and only whole old ones."""

    name_field = "subject"

    def record(
        self,
        action: str,
        business_id: int,
        subjects: Iterable[str],
        fields: Iterable[str] = (),
        at: datetime | None = None,
    ) -> None:
        """Notes that the present actor did this. To be called in the change's own transaction.

        `subjects` are public ids, `fields` are names: there is no place for a value. Of many the
        last one's event is the trail's line, with their count; see AuditEvent.count.
        """
        names = sorted(fields)
        moment = at or clock.now()
        events = [AuditEvent.of(action, business_id, each, names, moment) for each in subjects]
        for event in events[:-1]:
            event.count = 0
        for event in events[-1:]:
            event.count = len(events)
        self.bulk_create(events, batch_size=AT_ONCE)

    def record_line(
        self, action: str, business_id: int, subject: str, count: int, fields: Iterable[str] = ()
    ) -> None:
        """Notes that it was done to so many at once, of whom `subject` is not one: the business, or
        the import that they came by. Whom, is not noted of each."""
        line = AuditEvent.of(action, business_id, subject, sorted(fields))
        line.count = count
        line.save()

    def record_refused(
        self, action: str, business_id: int, subjects: Iterable[str], fields: Iterable[str] = ()
    ) -> None:
        """Notes that the present actor was refused this, or that it failed: once a minute each.

        What is refused again within the minute is counted (see Refusal), so a flood of refusals
        adds no rows, and few writes. To be called outside a transaction that the refusal undoes.
        """
        actor, moment = acting.actor(), clock.now()
        same = (business_id, actor.kind, actor.id, action)
        if action == AuditEvent.Action.UNREADABLE:
            subjects = [*subjects]
            _unreadable.add(count=len(subjects))
        due = tally.due(minute_of(moment), same, subjects)
        if not due:
            return
        with transaction.atomic():
            first = Refusal.objects.count_in(business_id, actor, action, due, moment)
            self.record(action, business_id, first, fields, moment)

    def with_times(self, business_id: int | None = None) -> AuditEventQuerySet:
        """Each with `times`: of a refusal, how often it came in its minute.

        `business_id`, where they are of one: named for both, so that one shard is asked.
        """
        counts = Refusal.objects.filter(
            **{name: OuterRef(name) for name in ("business_id", *SAME)}, minute=OuterRef("minute")
        )
        if business_id is not None:
            counts = counts.in_business(business_id)
        events = self.annotate(minute=TruncMinute("at", tzinfo=UTC))
        return events.annotate(times=Subquery(counts.values("count")[:1]))

    def about(self, business_id: int, subject: str) -> AuditEventQuerySet:
        """The story of one customer, key or business, the latest first."""
        of_it = self.filter(business_id=business_id, subject=subject)
        return of_it.with_times(business_id).order_by("-id")

    def lines(self) -> AuditEventQuerySet:
        """The lines of the trail: of what was noted of many together, one."""
        return self.filter(count__gt=0)

    def together_with(self, line: AuditEvent) -> AuditEventQuerySet:
        """What a line stands for, itself among it."""
        same = ("business_id", "at", "actor_kind", "actor_id", "request_id", "action")
        return self.filter(**{name: getattr(line, name) for name in same})

    def by_staff(self, name: str) -> AuditEventQuerySet:
        """What the account with this user name did."""
        return self.filter(actor_kind="staff", actor_id=name)

    def since(self, moment: datetime) -> AuditEventQuerySet:
        """From this moment on."""
        # Told by ids too, as a list is read in their order and would look at all before it.
        older = AuditEvent.objects.filter(at__lt=moment - APART).order_by("-at", "-id")
        last = older.values_list("id", flat=True).first()
        return self.filter(at__gte=moment, **({"id__gt": last} if last else {}))

    def until(self, moment: datetime) -> AuditEventQuerySet:
        """Before this moment."""
        younger = AuditEvent.objects.filter(at__gte=moment + APART).order_by("at", "id")
        first = younger.values_list("id", flat=True).first()
        return self.filter(at__lt=moment, **({"id__lt": first} if first else {}))

    def latest_in(self, scope: Scope, count: int) -> AuditEventQuerySet:
        """The latest in scope, looked for among the latest about any business."""
        newest = self.aggregate(newest=Max("id", default=0))["newest"]
        recent = self.lines().filter(id__gt=newest - RECENT).in_scope(scope)
        return recent.with_times().select_related("business").order_by("-id")[:count]

    def older_than(self, moment: datetime) -> AuditEventQuerySet:
        return self.filter(at__lt=moment)

    def prune(self, batch: int = 5_000) -> int:
        """Removes these events, a batch at most. Answers how many."""
        pks = list(self.order_by("id").values_list("pk", flat=True)[:batch])
        return self.filter(pk__in=pks)._raw_delete(self.db)

    def update(self, **_: Any) -> NoReturn:
        raise Frozen("An audit event is never changed.")

    def delete(self) -> NoReturn:
        raise Frozen("An audit event is never deleted; prune_audit removes old ones.")

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        raise Frozen("An audit event is never changed.")


class AuditEvent(TenantRow, LightlyLoaded):
    """Who did what to which customer, key or business, and when; never a value.

    Append-only: here, and by privilege in the database (docs/deploying.md).
    """

    class Action(models.TextChoices):
        CREATED = "created"
        UPDATED = "updated"
        DELETED = "deleted"
        RESTORED = "restored"
        REVEALED = "revealed"
        EXPORTED = "exported"
        ERASED = "erased"
        HANDED_OVER = "handed over"  # all that is held about one customer
        IMPORTED = "imported"
        IMPORT_UNDONE = "import undone"
        VOIDED = "voided"
        KEY_ISSUED = "key issued"
        KEY_CHANGED = "key changed"
        KEY_REVOKED = "key revoked"
        SUSPENDED = "suspended"
        RESUMED = "resumed"
        # Refused, or failed: at most one a minute of the same; see record_refused().
        REVEAL_REFUSED = "reveal refused"
        EXPORT_REFUSED = "export refused"
        ERASE_REFUSED = "erase refused"
        HAND_OVER_REFUSED = "hand over refused"
        ACCESS_REFUSED = "access refused"  # to another business than one's own
        UNREADABLE = "unreadable"

    business = BusinessField(related_name="audit_events")
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=6)
    actor_id = models.CharField("actor", max_length=150, blank=True)
    request_id = models.CharField("request", max_length=20, blank=True)
    action = models.CharField(max_length=20, choices=Action.choices)
    # A public id, not a foreign key: the note outlives what it is about.
    subject = models.CharField(max_length=64)
    fields = models.JSONField(default=list)
    # Of how many the trail's line tells that this event is; 0 of one for which another's tells.
    count = models.PositiveIntegerField(default=1)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        indexes = [
            # A customer's story on its page.
            models.Index(fields=["business", "subject", "id"], name="audit_subject"),
            # The latest of a business, and pruning by age.
            models.Index(fields=["business", "id"], name="audit_business"),
            models.Index(fields=["at"], name="audit_at"),
            # What one member of staff did; and what is rare: so no call of the API pays for these.
            models.Index(
                fields=["actor_id", "id"], condition=Q(actor_kind="staff"), name="audit_staff"
            ),
            models.Index(
                fields=["action", "id"],
                condition=~Q(action__in=["created", "updated", "deleted"]),
                name="audit_rare",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.action}"

    @classmethod
    def of(
        cls,
        action: str,
        business_id: int,
        subject: str,
        fields: Sequence[str] = (),
        at: datetime | None = None,
    ) -> Self:
        """What record() notes of one subject, not stored yet: for who writes it with the change."""
        actor = acting.actor()
        return cls.new(
            business_id=business_id,
            at=at or clock.now(),
            actor_kind=actor.kind,
            actor_id=actor.id,
            request_id=actor.request_id,
            action=action,
            subject=subject,
            fields=list(fields),
        )

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Frozen("An audit event is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Frozen("An audit event is never deleted; prune_audit removes old ones.")

    @property
    def summary(self) -> str:
        """What was done, for staff to read: `Changed company name and TIN`."""
        names = ["TIN" if name == "tin" else name.replace("_", " ") for name in self.fields]
        if names and self.action in _SAID_OF:
            what = _SAID_OF[self.action].format(get_text_list(names, "and"))
        else:
            what = said(self.action)
        times: int | None = getattr(self, "times", None)
        if not times or times < 2:
            return what
        return f"{what} ({'at least ' if times > Tally.EXACT else ''}{times} times)"

    @property
    def line(self) -> str:
        """The summary, of all that this line of the trail tells of: `Exported: 1,234 together`."""
        return f"{self.summary}: {self.count:,} together" if self.count > 1 else self.summary
