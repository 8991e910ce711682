"""Staff accounts: their roles are Django's groups; what they reach is listed beside them. And
who logged in, or tried to.

No role of ours edits accounts, as who can edit one can make it a superuser: superusers do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axes.admin import AccessAttemptAdmin, AccessFailureLogAdmin, AccessLogAdmin, IsLockedOutFilter
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from finora.staff import passwords
from finora.staff.account_sessions import LoggedInFilter, SessionsAdmin
from finora.staff.filters import AccountFilter, AttemptedFilter, RoleFilter
from finora.staff.lists import ClosedListAdmin
from finora.tenants.models import StaffBusiness

if TYPE_CHECKING:
    _Inline = admin.TabularInline[StaffBusiness, User]
    _UserAdmin = UserAdmin[User]
else:
    _Inline = admin.TabularInline
    _UserAdmin = UserAdmin


class LimitedTo(_Inline):
    model = StaffBusiness
    extra = 0
    verbose_name = "business"
    verbose_name_plural = "limited to these businesses (none: all of them)"


class StaffAdmin(SessionsAdmin, _UserAdmin):
    list_display = ("username", "logged_in", "email", "first_name", "last_name", "is_staff")
    list_filter = (AccountFilter, RoleFilter, LoggedInFilter)
    search_placeholder = "User name, name or email"
    inlines = (LimitedTo,)

    # Who can make or take over an account has its password: a way around being asked for one's own.

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return passwords.ask_again(request) or super().changeform_view(request, *args, **kwargs)

    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return passwords.ask_again(request) or super().user_change_password(
            request, *args, **kwargs
        )

    def get_inlines(self, request: Any, obj: Any) -> Any:
        # The form that adds an account asks for a name and a password only.
        return self.inlines if obj else ()


class RoleAdmin(ClosedListAdmin, GroupAdmin):
    search_placeholder = "Name"


class AttemptAdmin(ClosedListAdmin, AccessAttemptAdmin):
    list_filter = (AttemptedFilter, IsLockedOutFilter)
    search_placeholder = "User name, address or browser"


class FailureAdmin(ClosedListAdmin, AccessFailureLogAdmin):
    list_filter = (AttemptedFilter,)
    search_placeholder = "User name, address or browser"


class LoginAdmin(ClosedListAdmin, AccessLogAdmin):
    list_filter = (AttemptedFilter,)
    search_placeholder = "User name, address or browser"
