from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from finora.api.models import StoredAnswer


class Command(BaseCommand):
    """Removes the answers kept for repeated calls that are older than 24 hours, in small batches.

    For once a day, beside live traffic: new calls remove some as they come, and where no calls
    come this does. Cut off and run again it goes on where it was.
    """

    help = "Remove expired answers to calls with an Idempotency-Key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, and remove nothing")

    def handle(self, *args: Any, **options: Any) -> str:
        if options["dry_run"]:
            return f"Would remove {StoredAnswer.objects.expired().count():,} stored answers."
        removed = 0
        while batch := StoredAnswer.objects.prune():
            removed += batch
        return f"Removed {removed:,} stored answers."
