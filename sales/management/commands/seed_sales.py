from __future__ import annotations

import time
from argparse import ArgumentParser
from random import Random
from typing import Any

from django.core.management.base import CommandError
from django.db import connection

from finora import clock, loads
from finora.management.keyed import KeyedCommand
from finora.tenants.models import Business
from sales.management import history

BATCH = 1_000  # customers
EVERY = 2.0  # seconds between two lines of progress


class Command(KeyedCommand):
    """Gives a business' customers believable invoices and receipts, until it has so many invoices.

    Balances follow from them. Resumable: each batch of customers is one transaction, and a run
    that was cut off is made whole by another; one that is complete adds nothing.
    """

    help = "Fill a business with believable, made-up invoices and receipts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("business_id", metavar="BUSINESS_ID")
        parser.add_argument("--count", type=int, required=True)
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> str:
        business = Business.objects.with_public_id(options["business_id"]).first()
        if business is None:
            raise CommandError("There is no business with this id.")
        if (count := options["count"]) < 1:
            raise CommandError("--count is 1 or more.")
        customers = business.customers.active().only("business_id", "public_id", "name")
        if not customers.exists():
            raise CommandError("This business has no customers: seed_customers first.")
        there = made = business.invoices.count()
        started = shown = time.monotonic()
        last = 0
        random = Random(options["seed"] + there)  # noqa: S311 - made-up books, no secrets
        with loads.in_bulk() as collect:
            while made < count:
                some = list(customers.filter(pk__gt=last).order_by("pk")[:BATCH])
                last = some[-1].pk if some else 0
                books = history.make(business, some, random, clock.today(), count - made)
                books.load(business)
                made += len(books.invoices)
                if time.monotonic() - shown >= EVERY:
                    shown = time.monotonic()
                    rate = (made - there) / (shown - started)
                    self.stderr.write(f"{made:,} of {count:,}, {rate:,.0f}/s")
                collect()
        if connection.vendor == "postgresql":
            # Until it looked at tables that have grown so much, it would plan for small ones.
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE sales_invoice, sales_receipt, sales_allocation")
        return f"Made {made - there:,} invoices; {there:,} were there."
