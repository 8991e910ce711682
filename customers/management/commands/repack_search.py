from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from customers.search import index
from finora.management import businesses
from finora.management.keyed import KeyedCommand
from finora.sealing import SealError


class Command(KeyedCommand):
    """Writes the search segments of one business, or of all, anew from the live rows.

    Never needed for right answers: it makes few large segments of many small ones, replaces damaged
    ones and drops the lines of names that changed. A business with customers of a key that is not
    configured here is left as it is, and named. Safe beside live traffic, and safe to cut off and
    run again: new segments are written before old ones go.
    """

    help = "Write search segments anew from the live rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("business_id", metavar="BUSINESS_ID", nargs="?")

    def handle(self, *args: Any, **options: Any) -> str:
        those = businesses.named_or_all(options["business_id"])
        total = 0
        left: list[str] = []
        for business in those:

            def progress(rows: int, name: str = business.public_id) -> None:
                self.stderr.write(f"{name}: {rows:,} customers read")

            try:
                total += index.repack(business, progress)
            except SealError:
                left.append(business.public_id)
        line = f"Packed {total:,} customers of {len(those) - len(left):,} businesses."
        if left:
            raise CommandError(f"{line} Left, as an encryption key is missing: {', '.join(left)}.")
        return line
