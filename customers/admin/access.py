"""Staff accounts: their roles are Django's groups; what they reach is listed beside them.

No role of ours edits accounts, as who can edit one can make it a superuser: superusers do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User

from customers.models import StaffBusiness

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


class StaffAdmin(_UserAdmin):
    inlines = (LimitedTo,)

    def get_inlines(self, request: Any, obj: Any) -> Any:
        # The form that adds an account asks for a name and a password only.
        return self.inlines if obj else ()
