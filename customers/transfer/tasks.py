"""What a process of its own does (see finora/tasks): an import and its undoing take minutes."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django_tasks import task

from customers.transfer import running, undoing, writer
from customers.transfer.models import Import, MissingEmail, OnDuplicate, State
from finora.tenants.models.business import Business


@task
def run_import(business_id: str, import_id: str) -> None:
    """Cut off, it goes on behind the last batch; again, it does nothing."""
    running.run(_import(business_id, import_id))


@task
def undo_import(business_id: str, import_id: str) -> None:
    """Cut off, it goes on; again, it does nothing."""
    import_ = _import(business_id, import_id)
    with writer.acting_as(import_):
        undoing.undo(import_)


def _import(business_id: str, import_id: str) -> Import:
    """By both, as everywhere: a row is on the machine of its business."""
    business = Business.objects.get(public_id=business_id)
    found: Import = business.imports.with_public_id(import_id).get()
    return found


def start(import_: Import) -> None:
    """Whole as its file is now, the import waits for its task. Again it changes nothing."""
    with transaction.atomic():
        mine = import_.locked()
        if mine.state == State.SENDING:
            mine.state = State.WAITING
            mine.save(update_fields=["state"])
            run_import.enqueue(import_.business.public_id, mine.public_id)
        import_.state = mine.state


def begin(
    business: Business,
    pieces: Iterable[bytes],
    *,
    format: str = "",
    on_duplicate: str = OnDuplicate.SKIP,
    missing_email: str = MissingEmail.SKIP,
) -> Import:
    """A new import of this file, sealed, that waits for its task. `format` as Reading takes it."""
    with transaction.atomic():
        import_: Import = business.imports.open(
            format=format, on_duplicate=on_duplicate, missing_email=missing_email
        )
        import_.send(pieces)
        start(import_)
    return import_
