"""Staff of each role, for tests."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client

from finora.tenants.models import Business, StaffScope

_number = count(1)


def member(*roles: str, scope: Collection[Business] | None = None, **fields: Any) -> User:
    """Reaches the businesses in `scope`; not given, all of them."""
    user = User.objects.create_user(f"staff{next(_number)}", is_staff=True, **fields)
    user.groups.set([Group.objects.get(name=role) for role in roles])
    theirs = StaffScope.objects.create(user=user, all_businesses=scope is None)
    theirs.businesses.set(scope or ())
    return user


def browser(*roles: str, scope: Collection[Business] | None = None) -> Client:
    client = Client()
    client.force_login(member(*roles, scope=scope))
    return client
