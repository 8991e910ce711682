from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from finora import clock
from finora.audit.models import AuditEvent
from finora.audit.refusal import Refusal


class Command(BaseCommand):
    """Removes audit events older than so many days, in small batches, beside live traffic.

    Cut off and run again it goes on where it was.
    """

    help = "Remove old audit events."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--older-than", type=int, required=True, metavar="DAYS")
        parser.add_argument("--dry-run", action="store_true", help="count, and remove nothing")

    def handle(self, *args: Any, **options: Any) -> str:
        days = options["older_than"]
        if days < 1:
            raise CommandError("--older-than is 1 or more.")
        before = clock.now() - timedelta(days=days)
        old = AuditEvent.objects.older_than(before)
        if options["dry_run"]:
            return f"Would remove {old.count():,} audit events."
        removed = 0
        while batch := old.prune():
            removed += batch
            self.stderr.write(f"{removed:,} removed")
        while Refusal.objects.prune(before):
            pass  # their counts
        return f"Removed {removed:,} audit events older than {days} days."
