from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import fields
from itertools import islice
from typing import Any

from django.core.management.base import CommandError
from django.db import connection

from customers.batch import Batch
from customers.management.people import Person, people
from customers.search import index
from finora import loads
from finora.management import businesses
from finora.management.keyed import KeyedCommand
from finora.tenants.models import Business

BATCH = 2_000
EVERY = 2.0  # seconds between two lines of progress
FIELDS = [field.name for field in fields(Person)]


class Command(KeyedCommand):
    """Fills a business with believable customers, the same ones for the same seed.

    Resumable: a run that was cut off goes on where it stopped when it is given again, and a run
    that is complete adds nothing. Each batch is one transaction and searchable at once.
    """

    help = "Fill a business with believable, made-up customers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("business_id", metavar="BUSINESS_ID")
        parser.add_argument("--count", type=int, required=True)
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> str:
        business = businesses.named(options["business_id"])
        count = options["count"]
        if count < 1:
            raise CommandError("--count is 1 or more.")
        made = read = 0
        started = time.monotonic()
        self.shown = started
        batches = _batches(business, people(count, options["seed"]))
        with loads.in_bulk() as collect, loads.ahead(batches) as ready:
            for batch in ready:
                read += len(batch)
                new = business.customers.without_known_emails(batch)
                if new:
                    self.write(business, new)
                    made += len(new)
                rate = read / (time.monotonic() - started)
                self._say(f"{read:,} of {count:,}, {rate:,.0f}/s")
                collect()
        # Also when nothing was new: the run before may have been cut off at just this.
        index.merge_all(business, lambda lines: self._say(f"{lines:,} packed for search"))
        if connection.vendor == "postgresql":
            # It would look at a table that has grown so much by itself, but minutes later, and
            # until then plan searches for a small one.
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE customers_customer")
        return f"Made {made:,} customers; {count - made:,} were there."

    def write(self, business: Business, new: Batch) -> None:
        """One batch, in one transaction. (A module above adds what goes with its customers.)"""
        business.customers.import_packed(new)

    def _say(self, progress: str) -> None:
        if time.monotonic() - self.shown >= EVERY:
            self.shown = time.monotonic()
            self.stderr.write(progress)


def _batches(business: Business, source: Iterator[Person]) -> Iterator[Batch]:
    """Ready to be written: sealed and hashed."""
    customers = business.customers
    while some := list(islice(source, BATCH)):
        yield customers.sealed(
            [customers.new(**{name: getattr(person, name) for name in FIELDS}) for person in some]
        )
