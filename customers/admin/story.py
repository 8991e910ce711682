"""What happened to a customer: when, what and by whom; names of fields, never a value."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q

from customers.models import Customer
from finora import identifiers
from finora.audit.models import AuditEvent, AuditEventQuerySet
from finora.tenants.models import ApiKey, Business

EVENTS_SHOWN = 50


# A customer is made and imported in one go: the import is noted so soon after it got its id.
IMPORTED_WITHIN = timedelta(hours=1)


def story(customer: Customer) -> list[AuditEvent]:
    """The latest events first, each with `key_name`, what the key that did it is called.

    Who came by an import has no event of its own: then it ends with the business's, in a query of
    its own.
    """
    shown = list(AuditEvent.objects.about(customer.business_id, customer.public_id)[:EVENTS_SHOWN])
    if len(shown) < EVENTS_SHOWN and AuditEvent.Action.CREATED not in {e.action for e in shown}:
        shown += _import_of(customer)
    # Apart: keys stand on one machine, where events are spread over several.
    by_keys = {event.actor_id for event in shown if event.actor_kind == "key"}
    keys = ApiKey.objects.filter(business_id=customer.business_id, public_id__in=by_keys)
    names = dict(keys.values_list("public_id", "name"))
    for event in shown:
        event.key_name = names.get(event.actor_id)  # type: ignore[attr-defined]
    return shown


def _import_of(customer: Customer) -> AuditEventQuerySet:
    """The import that brought the customer, of those of its business, if it came by one."""
    made_at = identifiers.made_at(customer.public_id)
    business = Business.objects.filter(pk=customer.business_id)
    # One of a file is named itself, another load by the business.
    by_file = Q(subject__startswith="imp_")
    return AuditEvent.objects.filter(
        by_file | Q(subject__in=business.values("public_id")),
        business_id=customer.business_id,
        action=AuditEvent.Action.IMPORTED,
        at__range=(made_at, made_at + IMPORTED_WITHIN),
    ).order_by("id")[:1]
