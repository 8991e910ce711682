from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS
from django.db import Error as DatabaseError

from finora.sealing.models import KeyCanary


class KeyedCommand(BaseCommand):
    """A command that reads or writes sealed values: it does not start with wrong keys."""

    def get_check_kwargs(self, options: dict[str, Any]) -> Any:
        """The system checks to run first: all, and those that ask the database."""
        return {"databases": [DEFAULT_DB_ALIAS]}

    def check(self, *args: Any, **kwargs: Any) -> Any:
        """Django's; then what is written from here on is written with keys that have a canary."""
        found = super().check(*args, **kwargs)
        try:
            KeyCanary.objects.plant()
        except DatabaseError:
            raise CommandError("The tables are not there. Run: python manage.py migrate") from None
        return found
