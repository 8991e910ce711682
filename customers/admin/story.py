"""What happened to a customer: when, what and by whom; names of fields, never a value."""

from __future__ import annotations

from customers.models import Customer
from customers.transfer.person import import_of, imports_of
from finora.audit.models import AuditEvent
from finora.tenants.models import ApiKey

EVENTS_SHOWN = 50


def story(customer: Customer) -> list[AuditEvent]:
    """The latest events first, each with `key_name`, what the key that did it is called, and
    `import_id` of the import that did it.

    Who came by an import has no event of its own: then it ends with the import.
    """
    shown = list(AuditEvent.objects.about(customer.business_id, customer.public_id)[:EVENTS_SHOWN])
    if len(shown) < EVENTS_SHOWN and AuditEvent.Action.CREATED not in {e.action for e in shown}:
        shown += import_of(customer)
    # Apart: keys stand on one machine, where events are spread over several.
    by_keys = {event.actor_id for event in shown if event.actor_kind == "key"}
    keys = ApiKey.objects.filter(business_id=customer.business_id, public_id__in=by_keys)
    names = dict(keys.values_list("public_id", "name"))
    imports = imports_of(customer, shown)
    for event in shown:
        event.key_name = names.get(event.actor_id)  # type: ignore[attr-defined]
        event.import_id = imports.get(event.request_id)  # type: ignore[attr-defined]
    return shown
