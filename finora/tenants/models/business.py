from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models, transaction

from finora import clock, identifiers
from finora.audit.models import AuditEvent
from finora.orm.loading import LightlyLoaded
from finora.orm.scope import ScopedQuerySet


class BusinessQuerySet(ScopedQuerySet["Business"]):
    business_field = "pk"

    def with_public_id(self, public_id: str) -> BusinessQuerySet:
        """The one with this id, or none; also for a text that no id can be."""
        possible = identifiers.is_possible(public_id)
        return self.filter(public_id=public_id) if possible else self.none()

    def active(self) -> BusinessQuerySet:
        return self.filter(is_suspended=False)

    def suspended(self) -> BusinessQuerySet:
        return self.filter(is_suspended=True)

    def one_at_a_time(self, business_id: int) -> None:
        """Until the transaction's end, nobody else in this business does what asks for this.

        Others go on, and insert rows that point at the business.
        """
        self.select_for_update(no_key=True).get(pk=business_id)


class Business(LightlyLoaded):
    """A tenant: one accounting customer of ours, with a directory of its own."""

    public_id = models.CharField("id", max_length=64, default=identifiers.business_id)
    name = models.CharField(max_length=200)
    is_suspended = models.BooleanField(
        "suspended", default=False, help_text="Its keys are refused with BUSINESS_SUSPENDED."
    )
    created_at = models.DateTimeField("created", default=clock.now, editable=False)

    objects = BusinessQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "businesses"
        constraints = [
            # The API names businesses by it; create_business --id takes one from outside.
            models.UniqueConstraint(fields=["public_id"], name="business_public_id_unique"),
            # Staff find businesses by name; a blank one cannot be found or clicked.
            models.CheckConstraint(condition=~models.Q(name=""), name="business_name_not_blank"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Django's save(), with the audit event in the same transaction."""
        actions = AuditEvent.Action
        named = set(update_fields or ())
        action = actions.CREATED if self._state.adding else actions.UPDATED
        if "is_suspended" in named:
            action = actions.SUSPENDED if self.is_suspended else actions.RESUMED
        with transaction.atomic():
            super().save(*args, update_fields=update_fields, **kwargs)
            AuditEvent.objects.record(action, self.pk, [self.public_id], named)
