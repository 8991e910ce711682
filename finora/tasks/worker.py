"""Who works on tasks: one after the other, in a process of its own.

    KILL        the task is taken up again when its lease is over (`models.LEASE`)
    TERM, INT   the task is cut off as by a kill, released at once, and the process ends
    database    away: the task is released, or its lease runs out, and the worker waits

django-tasks-db's own worker knows no kill (what it had stays RUNNING for ever), takes the whole
SQLite file at each look, and writes an exception's message down, which may quote a row.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils.crypto import get_random_string
from django_tasks.base import TaskContext
from django_tasks.signals import task_finished, task_started

from finora.failures import describe
from finora.tasks.models import LEASE, MAX_ATTEMPTS, QueuedTask

log = logging.getLogger("finora.tasks")

# Between two looks at an empty queue: somebody waits for a preview.
LOOK_SECONDS = 0.25
RENEW_SECONDS = LEASE.total_seconds() / 6
AGAIN_AFTER = timedelta(seconds=10)  # the database was away


class Ended(BaseException):
    """This process is to end: not for a task to catch."""


class Worker:
    def __init__(self) -> None:
        self._id = get_random_string(32)
        self._is_ending = False

    def run(self) -> None:
        """Until a TERM or INT; to be called in the process's main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        try:
            while True:
                self._look()
                time.sleep(LOOK_SECONDS)
        except Ended:
            return

    def run_waiting(self) -> int:
        """All that is due, until nothing is. Answers how many were begun."""
        begun = 0
        while task := QueuedTask.objects.take(self._id):
            begun += 1
            self._run(task)
        return begun

    def _look(self) -> None:
        close_old_connections()
        try:
            self.run_waiting()
        except (OperationalError, InterfaceError) as error:
            log.warning("tasks wait for the database", exc_info=error)
        finally:
            close_old_connections()

    def _end(self, *_: Any) -> None:
        if not self._is_ending:
            self._is_ending = True
            raise Ended

    def _run(self, task: QueuedTask) -> None:
        fields = {"task": str(task.pk), "attempt": task.attempts}
        if task.attempts > MAX_ATTEMPTS:
            task.fail("", [f"Begun {MAX_ATTEMPTS} times, and each time its worker ended first."])
            log.error("task given up", extra={"fields": fields})
            self._tell(task)
            return
        started = time.monotonic()
        try:
            with _leased(task):
                _call(task)
        except Ended:
            connection.close()  # cut off anywhere: what it is in the middle of is rolled back
            task.release(is_attempt=False)
            log.info("task released", extra={"fields": fields})
            raise
        except (OperationalError, InterfaceError) as error:
            log.warning("task released", exc_info=error, extra={"fields": fields})
            close_old_connections()
            task.release(AGAIN_AFTER)
            return
        except Exception as error:
            log.error("task failed", exc_info=error, extra={"fields": fields})
            kind = f"{type(error).__module__}.{type(error).__qualname__}"
            ended = task.fail(kind, describe(error))
        else:
            ended = task.succeed()
            seconds = round(time.monotonic() - started, 3)
            log.info("task done", extra={"fields": fields | {"seconds": seconds}})
        if ended:
            self._tell(task)

    def _tell(self, task: QueuedTask) -> None:
        with suppress(ImportError, SuspiciousOperation):  # of a release that has no such task
            sender = type(task.task.get_backend())
            task_finished.send_robust(sender, task_result=task.task_result)


def _call(row: QueuedTask) -> None:
    task, result = row.task, row.task_result
    task_started.send(type(task.get_backend()), task_result=result)
    context = [TaskContext(task_result=result)] if task.takes_context else []
    task.call(*context, *result.args, **result.kwargs)


@contextmanager
def _leased(task: QueuedTask) -> Iterator[None]:
    """Renews the lease from a thread, which is over before this ends."""
    done = threading.Event()

    def renew() -> None:
        deadline = time.monotonic() + LEASE.total_seconds()
        while not done.wait(RENEW_SECONDS):
            try:
                has_lease = task.renew()
                deadline = time.monotonic() + LEASE.total_seconds()
            except (OperationalError, InterfaceError):
                has_lease = time.monotonic() + RENEW_SECONDS < deadline
                close_old_connections()
            if not has_lease and not done.is_set():
                # Another has it, or soon will: two must not work on one task.
                log.error("the lease of a task was lost: its worker ends")
                os._exit(1)
        connection.close()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
