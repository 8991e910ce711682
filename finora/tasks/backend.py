"""What may wait: a task whose arguments are public ids of ours, in the database."""

from __future__ import annotations

from typing import Any

from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task
from django_tasks_db.backend import DatabaseBackend

from finora import identifiers


class Backend(DatabaseBackend):
    """django-tasks-db's, that takes ids only: arguments lie in its table as they are, and whoever
    reads the table must learn nothing of anybody."""

    def enqueue(self, task: Task[Any, Any], args: Any, kwargs: Any) -> Any:
        """Raises TypeError for an argument that is no public id."""
        if not all(identifiers.is_ours(value) for value in (*args, *kwargs.values())):
            # Without the argument: it may be what must not be told.
            raise TypeError(f"{task.name} takes public ids and nothing else.")
        return super().enqueue(task, args, kwargs)

    aenqueue = BaseTaskBackend.aenqueue  # type: ignore[assignment]  # by way of the above
