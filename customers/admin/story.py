"""What happened to a customer: when, what and by whom; names of fields, never a value."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import OuterRef, Subquery

from customers.models import Customer
from finora import identifiers
from finora.audit.models import AuditEvent, AuditEventQuerySet
from finora.tenants.models import ApiKey, Business

EVENTS_SHOWN = 50


# A customer is made and imported in one go: the import is noted so soon after it got its id.
IMPORTED_WITHIN = timedelta(hours=1)


def story(customer: Customer) -> list[AuditEvent]:
    """The latest events first, each with the name of the key that did it, in one query.

    Who came by an import has no event of its own: then it ends with the business's, in another.
    """
    keys = ApiKey.objects.filter(
        business_id=OuterRef("business_id"), public_id=OuterRef("actor_id")
    )
    events = AuditEvent.objects.about(customer.business_id, customer.public_id)
    shown = list(events.annotate(key_name=Subquery(keys.values("name")[:1]))[:EVENTS_SHOWN])
    if len(shown) < EVENTS_SHOWN and AuditEvent.Action.CREATED not in {e.action for e in shown}:
        shown += _import_of(customer)
    return shown


def _import_of(customer: Customer) -> AuditEventQuerySet:
    """The import that brought the customer, of those of its business, if it came by one."""
    made_at = identifiers.made_at(customer.public_id)
    business = Business.objects.filter(pk=customer.business_id)
    return AuditEvent.objects.filter(
        business_id=customer.business_id,
        subject__in=business.values("public_id"),
        action=AuditEvent.Action.IMPORTED,
        at__range=(made_at, made_at + IMPORTED_WITHIN),
    ).order_by("id")[:1]
