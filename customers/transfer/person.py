"""All that is held about one customer, for that person to have: profile, history, and what modules
add. A module says at its start what it holds:

    person.register("invoices", lambda customer: […])
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from customers.models import Customer
from customers.transfer.export import FIELDS
from customers.transfer.writer import acting_as
from finora import identifiers
from finora.audit.models import AuditEvent, AuditEventQuerySet
from finora.clock import iso
from finora.sealing import SealError
from finora.tenants.models import ApiKey, Business

Held = dict[str, Any]
Rows = Callable[[Customer], Iterable[Held]]

_registered: dict[str, Rows] = {}

# A load of many that is no file's makes them and notes it in one go: so soon after they got ids.
LOADED_WITHIN = timedelta(hours=1)


def register(name: str, rows: Rows) -> None:
    """`rows` answers what is held of a customer under this name: values of JSON, days and
    decimals, in order."""
    _registered[name] = rows


def hand_over(customer: Customer) -> Held:
    """All that is held, noted as handed over: the note is in it."""
    with transaction.atomic():
        AuditEvent.objects.record(
            AuditEvent.Action.HANDED_OVER, customer.business_id, [customer.public_id]
        )
        held: Held = {"profile": _profile(customer), "history": [*_history(customer)]}
        for name, rows in _registered.items():
            held[name] = [*rows(customer)]
    return held


def as_json(held: Held) -> str:
    """What JSON has no form of, an exact decimal or a day, is a text in it."""
    return json.dumps(held, ensure_ascii=False, indent=2, default=str) + "\n"


def _profile(customer: Customer) -> Held:
    """Every field; what cannot be opened is null, named, and noted as a reveal would."""
    values: Held = {"id": customer.public_id, "business": customer.business.name}
    unreadable = []
    for name, field in FIELDS.items():
        try:
            values[name] = getattr(customer, field)
        except SealError:
            values[name] = None
            unreadable.append(name)
    if unreadable:
        values["unreadable"] = unreadable
        AuditEvent.objects.record_refused(
            AuditEvent.Action.UNREADABLE, customer.business_id, [customer.public_id]
        )
    return values | {
        "accountBalanceKobo": customer.account_balance_kobo,
        "isActive": customer.is_active,
        "createdAt": iso(customer.created_at),
        "updatedAt": iso(customer.updated_at),
        "deletedAt": _time(customer.deleted_at),
        "erasedAt": _time(customer.erased_at),
    }


def _time(moment: Any) -> str | None:
    return iso(moment) if moment else None


def _history(customer: Customer) -> Iterator[Held]:
    """Who did what to it and when, the oldest first; and what was done to many at once, it among
    them, that each has no note of: its import, and exports of the business's customers."""
    events = [*_events(customer)]
    if AuditEvent.Action.CREATED not in {event.action for event in events}:
        events = [*import_of(customer), *events]
    imports = imports_of(customer, events)
    # Apart: keys stand on one machine, where events are spread over several.
    by_keys = {event.actor_id for event in events if event.actor_kind == "key"}
    keys = ApiKey.objects.filter(business_id=customer.business_id, public_id__in=by_keys)
    names = dict(keys.values_list("public_id", "name"))
    for event in events:
        what = event.summary
        if import_id := imports.get(event.request_id):
            what += f" ({import_id})"
        elif event.subject != customer.public_id:
            what = f"{event.line} (the business's customers)"
        yield {
            "at": iso(event.at),
            "what": what,
            "by": f"{event.actor_kind} {names.get(event.actor_id, event.actor_id)}".strip(),
            "request": event.request_id or None,
        }


def _events(customer: Customer) -> AuditEventQuerySet:
    exports = Q(
        subject=customer.business.public_id,
        action=AuditEvent.Action.EXPORTED,
        at__gte=identifiers.made_at(customer.public_id),
    )
    mine = customer.business_id
    events = AuditEvent.objects.in_business(mine).filter(Q(subject=customer.public_id) | exports)
    return events.with_times(mine).order_by("id")


def import_of(customer: Customer) -> list[AuditEvent]:
    """How the customer came in with many others, as an event of its own: by the import whose batch
    made it, or by another load of its business. Empty where it came by neither.
    """
    made = AuditEvent.Action.IMPORTED
    for import_ in Business(pk=customer.business_id).imports.running_at(customer.created_at):
        if import_.made_customer(customer.pk):
            with acting_as(import_):
                by_file = AuditEvent.of(
                    made, customer.business_id, import_.public_id, at=customer.created_at
                )
            return [by_file]
    made_at = identifiers.made_at(customer.public_id)
    business = Business.objects.filter(pk=customer.business_id)
    by_load = AuditEvent.objects.in_business(customer.business_id).filter(
        subject__in=business.values("public_id"),
        action=made,
        at__range=(made_at, made_at + LOADED_WITHIN),
    )
    return list(by_load.order_by("id")[:1])


def imports_of(customer: Customer, events: Iterable[AuditEvent]) -> dict[str, str]:
    """The ids of the imports that did any of these, by the request that all is noted with that an
    import does.
    """
    may_be = {AuditEvent.Action.IMPORTED, AuditEvent.Action.UPDATED}
    requests = {event.request_id for event in events if event.action in may_be}
    if not (requests := requests - {""}):
        return {}
    imports = Business(pk=customer.business_id).imports.by_requests(requests)
    return dict(imports.values_list("request_id", "public_id"))
