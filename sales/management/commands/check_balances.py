from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from finora.management import businesses
from sales.balances import differences


class Command(BaseCommand):
    """Adds up the books of one business, or of all, and says what does not agree; changes nothing.

    Held against the rows that they follow from: what is paid of each invoice, what is allocated of
    each receipt, every customer's balance, and that no number is missing. It ends with an error
    where anything differs. Beside live traffic a difference may be a change that came meanwhile:
    what a second run shows no more was none.
    """

    help = "Recompute balances from invoices and receipts, and report any difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("business_id", metavar="BUSINESS_ID", nargs="?")

    def handle(self, *args: Any, **options: Any) -> str:
        books = businesses.named_or_all(options["business_id"])
        found = 0
        for business in books:
            for difference in differences(business):
                found += 1
                self.stderr.write(f"{business.public_id}: {difference}")
        if found:
            raise CommandError(f"{found:,} differences in {len(books):,} businesses.")
        return f"The books of {len(books):,} businesses agree."
