"""The rows that tasks wait in: django-tasks-db's, taken for a time and taken up again.

A worker has a lease of the task that it took: until `run_after`, renewed while it works. When that
is over the worker is gone, and the next one takes the task. The moment names the holder too: what
changes a taken task asks for it, so a worker that lost its lease changes nothing of it any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

from django.db.models import Q
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult, DBTaskResultQuerySet, get_date_max

from finora import clock

READY, RUNNING = TaskResultStatus.READY, TaskResultStatus.RUNNING
LEASE = timedelta(seconds=30)  # how long a killed worker's task waits at most
MAX_ATTEMPTS = 5


class QueuedTaskQuerySet(DBTaskResultQuerySet):
    def waiting(self) -> QueuedTaskQuerySet:
        return self.filter(status=READY)

    def due(self) -> QueuedTaskQuerySet:
        """What a worker may take: what waits, and what another's lease was not renewed of."""
        now = clock.now()
        waits = Q(status=READY) & (Q(run_after=get_date_max()) | Q(run_after__lte=now))
        return self.filter(waits | Q(status=RUNNING, run_after__lte=now))

    def take(self, worker: str) -> QueuedTask | None:
        """The next one due, leased to this worker. Two never take the same one: the UPDATE of the
        second finds no row."""
        for task in cast("Iterable[QueuedTask]", self.due()[:10]):
            if task._change(
                status=RUNNING,
                started_at=clock.now(),
                run_after=clock.now() + LEASE,
                worker_ids=[*task.worker_ids, worker],
            ):
                return task
        return None


class QueuedTask(DBTaskResult[Any, Any]):
    """A task that waits, runs or is done."""

    objects = QueuedTaskQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        proxy = True
        verbose_name = "task"
        verbose_name_plural = "tasks"

    def __str__(self) -> str:
        return f"{self.task_name} {self.pk}"

    @property
    def attempts(self) -> int:
        return len(self.worker_ids)

    def renew(self) -> bool:
        """The lease, from now on. False where it was lost."""
        return self._change(run_after=clock.now() + LEASE)

    def release(self, wait: timedelta = timedelta(), *, is_attempt: bool = True) -> bool:
        """It waits again, for so long at least. What is no attempt is not counted as one."""
        workers = self.worker_ids if is_attempt else self.worker_ids[:-1]
        return self._change(status=READY, run_after=clock.now() + wait, worker_ids=workers)

    def succeed(self) -> bool:
        return self._end(TaskResultStatus.SUCCESSFUL)

    def fail(self, kind: str, told: Iterable[str]) -> bool:
        """`told` is kept and shown: it holds no value (finora.failures)."""
        return self._end(TaskResultStatus.FAILED, kind, "\n".join(told))

    def _end(self, status: TaskResultStatus, kind: str = "", told: str = "") -> bool:
        return self._change(
            status=status, finished_at=clock.now(), exception_class_path=kind, traceback=told
        )

    def _change(self, **changes: Any) -> bool:
        """False where somebody else changed it meanwhile."""
        held: dict[str, Any] = {"status": self.status, "run_after": self.run_after}
        if not QueuedTask.objects.filter(pk=self.pk, **held).update(**changes):
            return False
        for name, value in changes.items():
            setattr(self, name, value)
        return True
