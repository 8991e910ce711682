from __future__ import annotations

from argparse import ArgumentParser
from random import Random
from typing import Any

from django.core.management.base import CommandError
from django.db import connection, transaction

from customers.batch import Batch
from customers.management.commands import seed_customers
from finora import clock
from finora.tenants.models import Business
from sales.management import history

LOADED_AT_ONCE = 5_000  # invoices


class Command(seed_customers.Command):
    """Fills a business with believable customers, the same ones for the same seed, and with the
    invoices and receipts that their balances follow from.

    Resumable: a run that was cut off goes on where it stopped when it is given again, and a run
    that is complete adds nothing. Each batch of customers and its books are one transaction; the
    customers are searchable at once.
    """

    help = "Fill a business with believable, made-up customers, their invoices and receipts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--invoices",
            type=int,
            help="how many go with all of these customers; by default one with each on average",
        )

    def handle(self, *args: Any, **options: Any) -> str:
        count, invoices = options["count"], options["invoices"]
        if invoices is not None and invoices < 0:
            raise CommandError("--invoices is 0 or more.")
        self.seed, self.customers, self.invoices = options["seed"], 0, 0
        self.each = 1.0 if invoices is None else invoices / max(count, 1)
        made = super().handle(*args, **options)
        if connection.vendor == "postgresql":
            # As customers' table, see there.
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE sales_invoice, sales_receipt, sales_allocation")
        return f"{made} Made {self.invoices:,} invoices with them."

    def write(self, business: Business, new: Batch) -> None:
        self.customers += len(new)
        with transaction.atomic():
            super().write(business, new)
            customers = list(new)
            random = Random(f"{self.seed} {customers[0].email}")  # noqa: S311 - made-up books
            while missing := round(self.customers * self.each) - self.invoices:
                some = min(missing, LOADED_AT_ONCE)
                history.make(business, customers, random, clock.today(), some).load(business)
                self.invoices += some
