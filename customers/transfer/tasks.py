"""What a process of its own does (see finora/tasks): an import and its undoing take minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import transaction
from django.dispatch import receiver
from django_tasks import TaskResultStatus, task
from django_tasks.signals import task_finished

from customers.transfer import running, undoing
from customers.transfer.models import Import, MissingEmail, OnDuplicate, State
from finora.audit import acting
from finora.tenants.models.business import Business


@task
def run_import(business_id: str, import_id: str) -> None:
    """Cut off, it goes on behind the last batch; again, it does nothing."""
    running.run(_import(business_id, import_id))


@task
def preview_import(business_id: str, import_id: str) -> None:
    """Writes nothing but what it counts."""
    running.preview(_import(business_id, import_id))


@task
def undo_import(business_id: str, import_id: str) -> None:
    """Cut off, it goes on; again, it does nothing."""
    import_ = _import(business_id, import_id)
    who = acting.Actor(*import_.facts["undone_by"])
    with acting.acting(lambda: who):
        undoing.undo(import_)


def _import(business_id: str, import_id: str) -> Import:
    business = Business.objects.get(public_id=business_id)
    found: Import = business.imports.with_public_id(import_id).get()
    return found


def _enqueue(task_: Any, import_: Import) -> None:
    task_.enqueue(import_.business.public_id, import_.public_id)


class NotWhole(ValueError):
    """A part of the file is not here."""


def start(import_: Import) -> None:
    """The import waits for its task. Again it changes nothing. Raises NotWhole."""
    with transaction.atomic():
        mine = import_.locked()
        if mine.state == State.SENDING:
            if not mine.is_whole:
                raise NotWhole
            mine.state = State.WAITING
            mine.save(update_fields=["state"])
            _enqueue(run_import, mine)
        import_.state = mine.state


NOT_FINISHED = "It could not be finished; why is told among the tasks."
# What becomes of an import whose task failed.
_GIVEN_UP: dict[str, Callable[[Import, str], Any]] = {
    run_import.module_path: running.fail,
    preview_import.module_path: running.refuse,
    undo_import.module_path: running.stay_undone,
}


@receiver(task_finished)
def _give_up(task_result: Any, **_: Any) -> None:
    """Nothing is under way for ever: the import says that its task failed."""
    given_up = _GIVEN_UP.get(task_result.task.module_path)
    if given_up and task_result.status == TaskResultStatus.FAILED:
        given_up(_import(*task_result.args), NOT_FINISHED)


def look(
    import_: Import, *, on_duplicate: str, missing_email: str, mapped: Mapping[str, str]
) -> None:
    """Has a file that was sent looked at, as it would be imported so. The import is not started.

    Raises NotWhole.
    """
    with transaction.atomic():
        mine = import_.locked()
        if mine.state == State.SENDING:
            if not mine.is_whole:
                raise NotWhole
            mine.on_duplicate, mine.missing_email = on_duplicate, missing_email
            mine.told = b"{}"
            mine.tell(mapped=dict(mapped))
            mine.save(update_fields=["on_duplicate", "missing_email", "told"])
            _enqueue(preview_import, mine)


def undo(import_: Import) -> None:
    """Stops an import and has it taken back, as the present actor. Again it changes nothing, but
    where that failed.
    """
    with transaction.atomic():
        mine = import_.locked()
        if mine.state not in (State.SENDING, State.UNDONE) or "not_undone" in mine.facts:
            mine.state = State.UNDONE
            mine.tell(undone_by=acting.actor(), not_undone=None)
            mine.save(update_fields=["state", "told"])
            _enqueue(undo_import, mine)


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
