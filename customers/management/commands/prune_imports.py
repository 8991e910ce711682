from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from customers.transfer.models import Import, State
from finora import clock

KEPT = timedelta(hours=24)


class Command(BaseCommand):
    """Removes files that staff sent more than 24 hours ago and never imported.

    For once a day, beside live traffic. What was imported stays, with its counts and its report; it
    holds no file any more.
    """

    help = "Remove files that were sent and never imported."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, and remove nothing")

    def handle(self, *args: Any, **options: Any) -> str:
        abandoned = Import.objects.abandoned(clock.now() - KEPT)
        if options["dry_run"]:
            return f"Would remove {abandoned.count():,} files."
        removed = 0
        for import_ in abandoned.order_by("pk"):
            with transaction.atomic():
                if import_.locked().state != State.SENDING:
                    continue  # somebody imports it after all
                import_.drop_file()
                import_.delete()
            removed += 1
        return f"Removed {removed:,} files that were never imported."
