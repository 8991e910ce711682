"""An import taken back: whom it made and nobody changed since becomes inactive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db import transaction
from django.db.models import F

from customers.transfer.models import Import, State
from customers.transfer.writer import Made
from finora.audit.models import AuditEvent

# Ids that are read at once.
_READ = 500


def undo(import_: Import, progress: Callable[[int], Any] = lambda rows: None) -> tuple[int, int]:
    """Takes an import back, also one that still runs: that stops. Answers how many customers became
    inactive, and how many stay as they were changed since (see `staying`).

    Batch by batch, each whole or not at all: cut off, it is simply called again. Customers that the
    import changed keep what they were given.
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
        mine.tell(undone={"gone": gone, "staying": staying})
        mine.save(update_fields=["told"])
    told = [f"{gone:,} deactivated", *([f"{staying:,} left as they are"] if staying else [])]
    AuditEvent.objects.record(
        AuditEvent.Action.IMPORT_UNDONE, import_.business_id, [import_.public_id], told
    )
    return gone, staying


def staying(import_: Import) -> Iterator[str]:
    """The public ids of those that the import made and that stay, once it is undone."""
    for ranges in import_.batches().values_list("made", flat=True):
        keys = Made(ranges).keys()
        for at in range(0, len(keys), _READ):
            some = import_.business.customers.active().filter(pk__in=keys[at : at + _READ])
            yield from some.order_by("pk").values_list("public_id", flat=True)


def _undo(import_: Import, number: int) -> tuple[int, int]:
    with transaction.atomic():
        batch = import_.batches().select_for_update().get(number=number)
        made = Made(batch.made).keys()
        if not made:
            return 0, 0
        theirs = import_.business.customers.active().filter(pk__in=made)
        # One that is owed to, or owes, has been sold to.
        unchanged = theirs.filter(updated_at=F("created_at"), account_balance_kobo=0)
        gone, _ = unchanged.delete()
        left = list(theirs.order_by("pk").values_list("pk", flat=True))
        batch.made = Made.of(left).ranges
        batch.save(update_fields=["made"])
    return gone, len(left)
