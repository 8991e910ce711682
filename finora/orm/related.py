"""Whose rows a queryset asks for, where it was reached through the object that has them."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import models

Owner = TypeVar("Owner", bound=models.Model)


def owner_of(queryset: models.QuerySet[Any, Any], model: type[Owner]) -> Owner:
    """The `model` instance whose related manager this queryset came from, however filtered since.

    Django hands the instance on as a hint for its database routers, and has no public name for it.
    Raises TypeError where there is none.
    """
    owner = queryset._hints.get("instance")  # type: ignore[attr-defined]
    if not isinstance(owner, model):
        raise TypeError(f"Only through a {model._meta.verbose_name}: these rows are of any.")
    return owner


def managed_by(manager: Any, model: type[Owner]) -> Owner:
    """The `model` instance whose related manager this is. Raises TypeError where it is nobody's."""
    owner = getattr(manager, "instance", None)
    if not isinstance(owner, model):
        raise TypeError(f"Only of one {model._meta.verbose_name}: go through it.")
    return owner
