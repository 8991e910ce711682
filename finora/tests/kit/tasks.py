"""Long work in the test's own process or in one of its own, and tasks to try it with."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from unittest import mock

from django_tasks import task

from finora import clock
from finora.tasks import worker
from finora.tasks.models import QueuedTask
from finora.tenants.models import ApiKey, Business
from finora.tests.kit.served import ROOT, database_url

WAIT_SECONDS = 60
FIRST, SECOND, GO = "first step", "second step", "go on"


def run_tasks() -> int:
    """Works on all that is due until nothing is. Answers how many tasks were begun."""
    # A lease is renewed over a connection of its own, which sees no row of a test's transaction.
    with mock.patch.object(worker, "_leased", nullcontext):
        return worker.Worker().run_waiting()


def working() -> subprocess.Popen[bytes]:
    """`manage.py work` on the test's database."""
    env = os.environ | {"DATABASE_URL": database_url()}
    return subprocess.Popen([sys.executable, "manage.py", "work"], cwd=ROOT, env=env)


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def let_leases_run_out() -> None:
    QueuedTask.objects.running().update(run_after=clock.now())


@task
def two_steps(business_id: str) -> None:
    """Makes a key, waits until the business is called `go on`, and makes another one."""
    business = Business.objects.get(public_id=business_id)
    for name in (FIRST, SECOND):
        if not business.api_keys.filter(name=name).exists():
            ApiKey.objects.issue(business, name)
        until(lambda: Business.objects.filter(pk=business.pk, name=GO).exists())


@task
def failing(business_id: str) -> None:
    try:
        raise ValueError(f"the row of ada@example.com, {business_id}")
    except ValueError as error:
        raise LookupError("phone 0803 123 4567") from error
