"""Staff's sessions: Django's, kept in the database, that end when nobody used them for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

RENEWED_EVERY = timedelta(minutes=1)


class SessionStore(DatabaseStore):
    """Renewed by use, once a minute: SESSION_SAVE_EVERY_REQUEST would write for every page."""

    def load(self) -> dict[str, Any]:
        session = self._get_session_from_db()  # type: ignore[attr-defined]
        if session is None:
            return {}
        left = session.expire_date - timezone.now()
        if left < timedelta(seconds=self.get_session_cookie_age()) - RENEWED_EVERY:
            self.modified = True
        values: dict[str, Any] = self.decode(session.session_data)
        return values
