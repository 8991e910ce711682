from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.db.models import Count, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from finora import clock

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.contrib.sessions.backends.base import SessionBase


class StaffSessionQuerySet(models.QuerySet["StaffSession"]):
    def live(self) -> StaffSessionQuerySet:
        """Those that open a page now."""
        return self.filter(expire_date__gt=clock.now())

    def shown_with(self, accounts: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """These accounts with `live_sessions`, and `logged_in_since`, when the oldest began."""
        theirs: models.QuerySet[Any] = (
            self.live().filter(user=OuterRef("pk")).order_by().values("user")
        )
        shown: models.QuerySet[Any] = accounts.annotate(
            live_sessions=Coalesce(Subquery(theirs.annotate(n=Count("pk")).values("n")), 0),
            logged_in_since=Subquery(theirs.annotate(began=Min("began_at")).values("began")),
        )
        return shown

    def of(self, users: Collection[Any]) -> StaffSessionQuerySet:
        """The sessions of these members of staff."""
        return self.filter(user__in=users)

    def end(self) -> int:
        """Logs them out from the next request on. Answers how many sessions were live."""
        live = self.live().count()
        self.delete()
        return live


class StaffSession(AbstractBaseSession):
    """Django's session row, and whose it is and since when: so that it can be ended.

    `expire_date` keeps both bounds, of idle time and of age (see finora/staff/sessions.py).
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="sessions"
    )
    began_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = BaseSessionManager.from_queryset(StaffSessionQuerySet)()

    class Meta:
        constraints = [
            # Whoever is logged in is in the list that sessions are ended from, and grows old.
            models.CheckConstraint(
                condition=Q(user=None, began_at=None)
                | Q(user__isnull=False, began_at__isnull=False),
                name="staff_session_began_iff_user",
            ),
        ]

    def __str__(self) -> str:
        return f"session of {self.user_id}"  # the key itself opens every page

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        # By the settings' string, as the store is made of this model.
        store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return store
