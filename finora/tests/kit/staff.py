"""Staff of each role, for tests."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client

from finora.tenants.models import Business, StaffBusiness

_number = count(1)


def member(*roles: str, limited_to: tuple[Business, ...] = (), **fields: Any) -> User:
    user = User.objects.create_user(f"staff{next(_number)}", is_staff=True, **fields)
    user.groups.set([Group.objects.get(name=role) for role in roles])
    for business in limited_to:
        StaffBusiness.objects.create(user=user, business=business)
    return user


def browser(*roles: str, limited_to: tuple[Business, ...] = ()) -> Client:
    client = Client()
    client.force_login(member(*roles, limited_to=limited_to))
    return client
