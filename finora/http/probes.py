"""For load balancers: `/healthz` says the process answers, `/readyz` that its work can be done."""

from __future__ import annotations

import logging
import time

from django.db import Error
from django.http import HttpRequest, HttpResponse

from finora.api import errors
from finora.api.database_errors import database_trouble, write_refused_within
from finora.api.envelope import failure, reads_only, success
from finora.api.errors import ApiError
from finora.orm import nodes, readiness
from finora.sealing import keyring
from finora.sealing.models import KeyCanary
from finora.tenants.models import ApiKey

log = logging.getLogger("finora.api")

# Anybody may ask, and a write is the dearest thing to ask for: once in so many seconds.
WRITES_EVERY = 10.0
# On a full disk a little often still fits where a customer does not: what a call met counts more.
REFUSAL_STANDS = 60.0  # seconds


@reads_only
def healthz(request: HttpRequest) -> HttpResponse:
    return success(request, {"status": "ok"})


class _Writing:
    """Whether this process's database takes writes, as of a moment ago.

    A transaction that is undone would tell nothing: SQLite writes it nowhere, and PostgreSQL
    does not wait for its disk.
    """

    def __init__(self) -> None:
        self._asked_at = -WRITES_EVERY
        self._trouble: ApiError | None = None

    def trouble(self) -> ApiError | None:
        if time.monotonic() - self._asked_at >= WRITES_EVERY:
            try:
                said = KeyCanary.objects.touch()
                self._trouble = errors.NOT_READY(message=" ".join(said)) if said else None
            except Error as error:
                self._trouble = database_trouble(error)
            self._asked_at = time.monotonic()
        if self._trouble is None and write_refused_within(REFUSAL_STANDS):
            return errors.NO_WRITES()
        return self._trouble


writing = _Writing()


@reads_only
def readyz(request: HttpRequest) -> HttpResponse:
    try:
        # What requests ask, for nobody. So the tables are there, and a process that has just
        # started has it behind it that the database reads what it knows of them.
        away, nodes_there = nodes.away()
        ApiKey.for_request("")
        if not away:
            readiness.ask()
        elif len(away) == nodes_there:
            return _refuse(request, errors.UNREACHABLE())
        lacking = KeyCanary.objects.trouble()
        trouble = errors.NOT_READY(message=" ".join(lacking)) if lacking else writing.trouble()
    except Error as error:
        trouble = database_trouble(error)
    if trouble is not None:
        return _refuse(request, trouble)
    # Named, and no reason to send nobody here. A damaged or forged value can name any key, and a
    # key that the database is in use with is told by its canary. A node takes its own businesses
    # with it; what is asked above for nobody would ask one node, whichever that is.
    missed = keyring.missed_key_ids()
    told = {"missedKeys": missed, "nodesAway": away}
    return success(request, {"status": "ok", **{name: some for name, some in told.items() if some}})


def _refuse(request: HttpRequest, trouble: ApiError) -> HttpResponse:
    log.error("not ready: %s", trouble.message)
    return failure(request, trouble)
