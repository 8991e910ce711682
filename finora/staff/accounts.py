"""Staff accounts: their roles are Django's groups, and a scope says which businesses they reach.
And who logged in, or tried to.

No role of ours edits accounts, as who can edit one can make it a superuser: superusers do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axes.admin import AccessAttemptAdmin, AccessFailureLogAdmin, AccessLogAdmin
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from finora.staff import passwords
from finora.staff.account_sessions import LoggedInFilter, SessionsAdmin
from finora.staff.filters import AccountFilter, AttemptedFilter, LockedOutFilter, RoleFilter
from finora.staff.lists import ClosedListAdmin
from finora.tenants.models import Business, StaffScope

EMPTY_SCOPE = (
    "Without the tick and without a business this account reaches no business: whatever its roles, "
    "its lists are empty. A superuser reaches all, whatever stands here."
)

if TYPE_CHECKING:
    _Inline = admin.StackedInline[StaffScope, User]
    _UserAdmin = UserAdmin[User]
else:
    _Inline = admin.StackedInline
    _UserAdmin = UserAdmin


class ScopeInline(_Inline):
    """The account's scope, for superusers to set: nobody else can be given the right."""

    model = StaffScope
    can_delete = False
    filter_horizontal = ("businesses",)
    fieldsets = ((None, {"fields": ("all_businesses", "businesses"), "description": EMPTY_SCOPE}),)
    verbose_name_plural = "scope: which businesses this account reaches"

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = Business.objects.order_by("name", "pk")
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class StaffAdmin(SessionsAdmin, _UserAdmin):
    list_display = ("username", "logged_in", "email", "first_name", "last_name", "is_staff")
    list_filter = (AccountFilter, RoleFilter, LoggedInFilter)
    search_placeholder = "User name, name or email"
    readonly_fields = ("last_login", "date_joined")  # what happened, and when
    inlines = (ScopeInline,)

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
    list_filter = (AttemptedFilter, LockedOutFilter)
    search_placeholder = "User name, address or browser"


class FailureAdmin(ClosedListAdmin, AccessFailureLogAdmin):
    list_filter = (AttemptedFilter,)
    search_placeholder = "User name, address or browser"


class LoginAdmin(ClosedListAdmin, AccessLogAdmin):
    list_filter = (AttemptedFilter,)
    search_placeholder = "User name, address or browser"
