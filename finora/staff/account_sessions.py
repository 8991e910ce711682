"""Who of the staff is logged in, and ending it: on the list of accounts and on an account."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from finora.staff.confirming import ConfirmingAdmin
from finora.staff.display import moment
from finora.staff.filters import ChoiceFilter
from finora.staff.models import StaffSession

log = logging.getLogger("finora.staff")
END = (
    "From the next click on they are logged out, in every browser; what was typed and not saved is "
    "lost. To keep somebody out, make the account inactive too."
)


class LoggedInFilter(ChoiceFilter):
    title = "logged in"
    parameter_name = "logged_in"
    options = {"any": "Any", "now": "Now"}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(live_sessions__gt=0) if self.value() == "now" else queryset


class SessionsAdmin(ConfirmingAdmin):
    actions = ("end_sessions",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        accounts: QuerySet[Any] = StaffSession.objects.shown_with(super().get_queryset(request))
        return accounts

    @admin.display(description="logged in")
    def logged_in(self, account: Any) -> str:
        if not account.live_sessions:
            return "-"
        several = f"{account.live_sessions} sessions, " if account.live_sessions > 1 else ""
        return f"{several}since {moment(account.logged_in_since)}"

    def has_end_sessions_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def page_actions(self, row: Any) -> dict[str, str]:
        return {"end_sessions": "End sessions"} if row.live_sessions else {}

    @admin.action(description="End sessions of selected users", permissions=["end_sessions"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse:
        accounts: Sequence[User] = list(queryset)
        if page := self.confirm(request, accounts, "End the sessions of", END):
            return page
        with transaction.atomic():
            ended = StaffSession.objects.of(accounts).end()
            for account in accounts:
                self.log_change(request, account, "Sessions ended.")
        by = request.user.pk
        for account in accounts:
            log.info("sessions ended", extra={"fields": {"account": account.pk, "by": by}})
        messages.success(request, f"{ended} session{'' if ended == 1 else 's'} ended.")
        return HttpResponseRedirect(self.after_action(request, accounts))
