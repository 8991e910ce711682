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
from django.http import HttpRequest

from finora import clock
from finora.orm.sessions import session_row
from finora.staff.models import StaffSession

IDLE = "You were logged out: {minutes} minutes had passed without a click."
OLD = "You were logged out, as {hours} hours had passed since your login."
ENDED = "Your session has ended. Please log in again."
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


def why_ended(request: HttpRequest) -> str | None:
    """What to tell whose session is over by now; None to who is logged in, or never was."""
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not key or request.user.is_authenticated:
        return None
    row = StaffSession.objects.filter(session_key=key).first()
    if row is None or row.began_at is None:
        return ENDED
    if row.expire_date >= row.began_at + settings.ADMIN_SESSION_AGE:
        return OLD.format(hours=settings.ADMIN_SESSION_AGE // timedelta(hours=1))
    return IDLE.format(minutes=settings.ADMIN_IDLE_MINUTES)
