"""The tasks: what waits, runs and failed; nobody writes here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django_tasks import TaskResultStatus

from finora.staff.filters import ChoiceFilter
from finora.staff.lists import ReadOnlyAdmin
from finora.tasks.models import QueuedTask

STATES = {
    TaskResultStatus.READY: "waits",
    TaskResultStatus.RUNNING: "runs",
    TaskResultStatus.SUCCESSFUL: "done",
    TaskResultStatus.FAILED: "failed",
}


class TaskStateFilter(ChoiceFilter):
    title = parameter_name = "state"
    options = {"all": "All", **{str(status): said.capitalize() for status, said in STATES.items()}}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = self.value()
        return queryset if chosen == "all" else queryset.filter(status=chosen)


class TaskAdmin(ReadOnlyAdmin):
    """Of no business, so of no scope: it shows neither arguments nor anybody's rows."""

    list_display = ("name", "state", "enqueued_at", "started_at", "finished_at", "attempts")
    list_filter = (TaskStateFilter,)
    fields = readonly_fields = (*list_display, "id", "failure")
    ordering = ("-enqueued_at", "pk")

    @admin.display(description="task")
    def name(self, task: QueuedTask) -> str:
        return task.task_name.replace("_", " ")

    @admin.display(description="state")
    def state(self, task: QueuedTask) -> str:
        return STATES[TaskResultStatus(task.status)]

    @admin.display(description="failure")
    def failure(self, task: QueuedTask) -> str:
        return format_html("<pre>{}</pre>", task.traceback) if task.traceback else "-"
