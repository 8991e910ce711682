from __future__ import annotations

from typing import Any

from finora.management.keyed import KeyedCommand
from finora.tasks.worker import Worker


class Command(KeyedCommand):
    """Works on tasks until it is stopped, where `serve` shall not (TASK_WORKERS=0), or besides.

    All system checks pass first. TERM and INT cut off the task that it works on and release it;
    killed, it leaves a task that is taken up again when its lease is over. Several may run.
    """

    help = "Work on tasks (imports and other long work) until stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("Working on tasks.")
        self.stdout.flush()
        Worker().run()
