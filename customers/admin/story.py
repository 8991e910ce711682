"""What happened to a customer: when, what and by whom; names of fields, never a value."""

from __future__ import annotations

from django.db.models import OuterRef, Subquery

from customers.models import Customer
from finora.audit.models import AuditEvent
from finora.tenants.models import ApiKey

EVENTS_SHOWN = 50


def story(customer: Customer) -> list[AuditEvent]:
    """The latest events first, each with the name of the key that did it, in one query."""
    keys = ApiKey.objects.filter(
        business_id=OuterRef("business_id"), public_id=OuterRef("actor_id")
    )
    events = AuditEvent.objects.about(customer.business_id, customer.public_id)
    return list(events.annotate(key_name=Subquery(keys.values("name")[:1]))[:EVENTS_SHOWN])
