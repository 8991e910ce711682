"""Staff's sessions: Django's, kept in the database, that end when idle and when old.

A session ends ADMIN_IDLE_MINUTES after its last page and ADMIN_SESSION_HOURS after its login,
whatever comes first. Both are in the row's `expire_date`, so that Django's own query refuses it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from finora import clock
from finora.orm.sessions import session_row
from finora.staff.models import StaffSession

RENEWED_EVERY = timedelta(minutes=1)
BEGAN = "began"  # unix seconds


class SessionStore(DatabaseStore):
    """Renewed by use, once a minute: SESSION_SAVE_EVERY_REQUEST would write for every page."""

    @classmethod
    def get_model_class(cls) -> type[StaffSession]:
        return StaffSession

    def load(self) -> dict[str, Any]:
        session = session_row(self)
        if session is None:
            return {}
        values: dict[str, Any] = self.decode(session.session_data)
        if self._ends(session.began_at) - session.expire_date > RENEWED_EVERY:
            self.modified = True
        return values

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """The row to save. A login begins the session, and nothing later does so again."""
        began = None
        if user_id := data.get(SESSION_KEY):
            began = datetime.fromtimestamp(data.setdefault(BEGAN, clock.now().timestamp()), UTC)
        row: Any = super().create_model_instance(data)
        row.user_id, row.began_at, row.expire_date = user_id, began, self._ends(began)
        return row

    async def acreate_model_instance(self, data: dict[str, Any]) -> Any:
        raise TypeError("Pages are synchronous: an asynchronous one would save an ageless session.")

    def _ends(self, began: datetime | None) -> datetime:
        idle = clock.now() + timedelta(seconds=self.get_session_cookie_age())
        return min(idle, began + settings.ADMIN_SESSION_AGE) if began else idle
