from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from finora.api.models import StoredAnswer
from finora.tenants.models import Business


class Command(BaseCommand):
    """Removes the answers kept for repeated calls that are older than 24 hours, in small batches.

    For once a day, beside live traffic, business by business: new calls remove some as they come,
    and where no calls come this does. Cut off and run again it goes on where it was.
    """

    help = "Remove expired answers to calls with an Idempotency-Key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, and remove nothing")

    def handle(self, *args: Any, **options: Any) -> str:
        if options["dry_run"]:
            return f"Would remove {StoredAnswer.objects.expired().count():,} stored answers."
        removed = 0
        for business_id in list(Business.objects.order_by("pk").values_list("pk", flat=True)):
            while batch := StoredAnswer.objects.prune(business_id):
                removed += batch
        return f"Removed {removed:,} stored answers."
