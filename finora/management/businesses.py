"""Which business a command is for, by the id that it is given. Raises CommandError for none."""

from __future__ import annotations

from django.core.management.base import CommandError

from finora.tenants.models import Business


def named(public_id: str) -> Business:
    business = Business.objects.with_public_id(public_id).first()
    if business is None:
        raise CommandError("There is no business with this id.")
    return business


def named_or_all(public_id: str | None) -> list[Business]:
    """In the order in which they were made, where no id is given."""
    return [named(public_id)] if public_id else list(Business.objects.order_by("pk"))
