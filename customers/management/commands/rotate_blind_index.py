from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from customers.management.keyed import KeyedCommand
from customers.models import Business
from customers.rotation import Count, rehash


class Command(KeyedCommand):
    """Computes every blind index with the first entry of BLIND_INDEX_KEY, beside live traffic.

    1. Add the new key behind the old one in every process (OLD,NEW) and restart them: all look
       up both. 2. Put it in front (NEW,OLD) and restart. 3. Run this. 4. When a --dry-run counts
       none, take the old key out. While a process has two keys, its changes of an email take a
       lock on the business, so that find-or-create stays exact.
    """

    help = "Compute every blind index anew with the first key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, and write nothing")

    def handle(self, *args: Any, **options: Any) -> str:
        total, shown = Count(), time.monotonic()
        for business in Business.objects.order_by("id"):
            for count in rehash(business, dry_run=options["dry_run"]):
                total += count
                if time.monotonic() - shown > 2:
                    shown = time.monotonic()
                    self.stderr.write(f"{business.public_id}: {total.rows:,} customers seen")
        said = "Would hash" if options["dry_run"] else "Hashed"
        line = f"{said} {total.changed:,} of {total.rows:,} customers anew."
        if total.unreadable:
            raise CommandError(f"{line} {total.unreadable:,} customers could not be opened.")
        if not total.changed:
            line += " The old blind index keys can be dropped."
        return line
