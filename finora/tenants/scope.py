"""Which businesses a member of staff reaches: asked here and nowhere else."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from finora.orm.scope import EVERYTHING, NOTHING, Scope
from finora.tenants.models import StaffScope

KNOWN = "_known_scope"


def scope_of(user: AbstractBaseUser | AnonymousUser) -> Scope:
    """What this user reaches: all as a superuser or by a flag, else the businesses given to it.

    Who was given none reaches none, and so does whoever is not staff or no longer active. Asked
    of the database once for a user as it was loaded, which is once a request.
    """
    someone = cast(Any, user)
    if not (someone.is_active and someone.is_staff):
        return NOTHING
    if someone.is_superuser:
        return EVERYTHING
    if not hasattr(someone, KNOWN):
        setattr(someone, KNOWN, StaffScope.objects.scope_of(someone.pk))
    return cast(Scope, getattr(someone, KNOWN))
