"""What the tasks tell of themselves at `/metrics`, whichever process works on them."""

from __future__ import annotations

from django.db.models import Min

from finora import clock, metrics
from finora.tasks.models import QueuedTask


@metrics.asked_of_database("finora_tasks_waiting", "Tasks that wait for a worker.")
def waiting() -> float:
    return QueuedTask.objects.waiting().count()


@metrics.asked_of_database(
    "finora_tasks_oldest_due_seconds",
    "How long the task that is due the longest waits, or its worker has been silent.",
)
def oldest_due() -> float:
    since = QueuedTask.objects.due().aggregate(since=Min("enqueued_at"))["since"]
    return (clock.now() - since).total_seconds() if since else 0


@metrics.asked_of_database("finora_tasks_running", "Tasks that a worker works on.")
def running() -> float:
    return QueuedTask.objects.running().count()


@metrics.asked_of_database("finora_tasks_failed", "Tasks that failed, of those still kept.")
def failed() -> float:
    return QueuedTask.objects.failed().count()
