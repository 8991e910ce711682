"""How long a request waits for its database.

libpq waits for an answer without end: for a server that hangs, or for a network that loses it, as
long as the connection seems to be there. The thread that waits can't help itself, so another one
looks now and then and ends the connection under it: that is a lost connection, as any other.

Parts of psycopg that are less than documented, and what would break: `PGconn.transaction_status`
and `.socket` are read while another thread waits in libpq; they are fields. Wrong ones would end a
connection too early, or never: finora/tests/orm/test_patience.py.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.pq import TransactionStatus

LOOK_SECONDS = 0.25


class Patience:
    """Of one thread, whose connection it is: to be made there. Only PostgreSQL needs any."""

    def __init__(self) -> None:
        self._connection: Any = connections[DEFAULT_DB_ALIAS]
        self._end: float | None = None
        self._thread = threading.current_thread()
        if self._connection.vendor == "postgresql":
            threading.Thread(target=self._watch, name="patience", daemon=True).start()

    def begin(self, seconds: float) -> None:
        """Until end() is called: a statement that is not answered when so much time has passed
        fails, as do those after it, with OperationalError."""
        self._end = time.monotonic() + seconds

    def end(self) -> None:
        self._end = None

    def _watch(self) -> None:
        while self._thread.is_alive():
            time.sleep(LOOK_SECONDS)
            if self._is_over() and (waiting := self._waiting()) is not None:
                _cut(waiting, self._is_over)

    def _is_over(self) -> bool:
        end = self._end
        return end is not None and time.monotonic() > end

    def _waiting(self) -> Any:
        """The connection of psycopg that has asked and is not answered."""
        connection = self._connection.connection
        return connection if connection is not None and _is_waiting(connection) else None


def _is_waiting(connection: Any) -> bool:
    return bool(connection.pgconn.transaction_status == TransactionStatus.ACTIVE)


def _cut(connection: Any, is_over: Callable[[], bool]) -> None:
    try:
        with socket.fromfd(connection.pgconn.socket, socket.AF_INET, socket.SOCK_STREAM) as same:
            # Still: so the number was not given to another file in between.
            if is_over() and _is_waiting(connection):
                same.shutdown(socket.SHUT_RDWR)
    except Exception:  # it is closed by now
        return
