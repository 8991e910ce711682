"""What a database error means to who calls: away, in trouble of its own, or full."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator

from finora.api import errors
from finora.api.errors import ApiError

# SQLSTATEs of PostgreSQL: its disk is full; it is a standby.
_NO_WRITE_STATES = {"53100", "25006"}
# Of SQLite, which tells a quota or a limit on the file's size as an I/O error.
_NO_WRITE_CODES = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}
# The connection broke; the server is stopping or starting.
_UNREACHED_STATES = ("08", "57P")

_write_refused_at = float("-inf")


def _behind(error: BaseException | None) -> Iterator[tuple[str | None, int | None]]:
    """PostgreSQL's SQLSTATE and SQLite's code of a database error and of all that led to it.

    The error is Django's, the driver's is behind it; where undoing failed too, that is in front.
    """
    while error is not None:
        yield getattr(error, "sqlstate", None), getattr(error, "sqlite_errorcode", None)
        error = error.__cause__ or error.__context__


def takes_no_writes(error: BaseException) -> bool:
    return any(
        state in _NO_WRITE_STATES
        or code in _NO_WRITE_CODES
        or (code is not None and code & 0xFF == sqlite3.SQLITE_READONLY)
        for state, code in _behind(error)
    )


def _answered(error: BaseException) -> bool:
    """Whether the database was there to say no."""
    return any(
        (state is not None and not state.startswith(_UNREACHED_STATES))
        or (code is not None and code & 0xFF != sqlite3.SQLITE_CANTOPEN)
        for state, code in _behind(error)
    )


def write_refused_within(seconds: float) -> bool:
    """Whether this process answered NO_WRITES in the last so many seconds."""
    return time.monotonic() - _write_refused_at < seconds


def database_trouble(error: BaseException) -> ApiError:
    """SERVICE_UNAVAILABLE for a database error. Says what it is: operators read it as well."""
    global _write_refused_at
    if takes_no_writes(error):
        _write_refused_at = time.monotonic()
        return errors.NO_WRITES()
    return errors.IN_TROUBLE() if _answered(error) else errors.UNREACHABLE()
