"""An import taken back: whom it made and nobody changed since becomes inactive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db import transaction
from django.db.models import F

from customers.transfer.made import Made
from customers.transfer.models import Import, State
from finora.audit.models import AuditEvent

# Ids that are read at once.
_READ = 500
_CHANGES = ("updated", "deleted", "restored", "erased")


def undo(import_: Import, progress: Callable[[int], Any] = lambda rows: None) -> tuple[int, int]:
    """Takes an import back, also one that still runs: that stops. Answers how many customers became
    inactive, and how many stay as they were changed since (see `staying`).

    Batch by batch, each whole or not at all: cut off, it is simply called again. Again after its
    end, it changes nothing and answers the same. Customers that the import changed keep what they
    were given.
    """
    with transaction.atomic():
        mine = import_.locked()
        mine.state = State.UNDONE
        mine.save(update_fields=["state"])
        mine.drop_file()
    gone = staying = 0
    for number in import_.batches().values_list("number", flat=True):
        went, stayed = _undo(import_, number)
        gone, staying = gone + went, staying + stayed
        progress(gone)
    with transaction.atomic():
        mine = import_.locked()
        if "undone" not in mine.facts:
            mine.tell(undone={"gone": gone, "staying": staying})
            mine.save(update_fields=["told"])
            told = [f"{gone:,} deactivated", *([f"{staying:,} left as they are"] * bool(staying))]
            AuditEvent.objects.record(
                AuditEvent.Action.IMPORT_UNDONE, mine.business_id, [mine.public_id], told
            )
    return gone, staying


def staying(import_: Import) -> Iterator[str]:
    """The public ids of those that the import made and that stay, once it is undone."""
    for keys in import_.batches().values_list("stayed", flat=True):
        for at in range(0, len(keys), _READ):
            some = import_.business.customers.active().filter(pk__in=keys[at : at + _READ])
            yield from some.order_by("pk").values_list("public_id", flat=True)


def _undo(import_: Import, number: int) -> tuple[int, int]:
    """Once for each batch. Answers how many went, and stayed."""
    with transaction.atomic():
        batch = import_.batches().select_for_update().get(number=number)
        if batch.gone is None:
            theirs = import_.business.customers.active().filter(pk__in=Made(batch.made).keys())
            # One that is owed to, or owes, has been sold to.
            settled = theirs.filter(account_balance_kobo=0)
            batch.gone, _ = settled.filter(updated_at=F("created_at")).delete()
            if mine := _changed_by_itself(import_, settled):
                went, _ = settled.filter(pk__in=mine).delete()
                batch.gone += went
            batch.stayed = list(theirs.order_by("pk").values_list("pk", flat=True))
            batch.save(update_fields=["gone", "stayed"])
    return batch.gone, len(batch.stayed)


def _changed_by_itself(import_: Import, customers: Any) -> list[int]:
    """Of these customers the keys of those whom nothing but the import changed: a later row of its
    file had their email.
    """
    by_itself: list[int] = []
    held = customers.order_by("pk").select_for_update(of=("self",))
    rows = list(held.values_list("public_id", "pk", "updated_at"))
    for at in range(0, len(rows), _READ):
        some = rows[at : at + _READ]
        events = AuditEvent.objects.in_business(import_.business_id).filter(
            subject__in=[public_id for public_id, *_ in some], action__in=_CHANGES
        )
        last: dict[str, Any] = {}
        others = set()
        for event in events:
            last[event.subject] = max(event.at, last.get(event.subject, event.at))
            if event.request_id != import_.request_id:
                others.add(event.subject)
        by_itself += [
            pk
            for public_id, pk, updated_at in some
            # A balance that came and went is noted of no customer, but is seen by its time.
            if public_id not in others and public_id in last and last[public_id] >= updated_at
        ]
    return by_itself
