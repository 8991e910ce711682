"""The row of a session: a private part of Django, and what would break.

`SessionStore._get_session_from_db` of the database backend asks for the row that has not expired,
notes a suspicious key in the log, and forgets a key that has no row, so that none is fixed by who
sends it. Renamed, pages would fail; finora/tests/orm/test_sessions.py holds it to what it does.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore


def session_row(store: SessionStore) -> Any | None:
    """The row behind a store's key; None, and the key forgotten, where there is none in force."""
    return store._get_session_from_db()  # type: ignore[attr-defined]
