from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from finora.orm import citus
from finora.orm.tenant import TenantRow
from finora.tenants.models import Business


class Command(BaseCommand):
    """Spreads the tables over the machines of a Citus cluster, by business.

    On the coordinator, after `migrate`, with nothing else running: whole or not at all, and again
    it spreads what came since. Rows that are there go along. See docs/scaling.md.
    """

    help = "Spread the tables over a Citus cluster, by business."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what, and spread nothing")

    def handle(self, *args: Any, **options: Any) -> str:
        if connection.vendor != "postgresql":
            raise CommandError("Citus is an extension of PostgreSQL, which this database is not.")
        tenants = [model for model in apps.get_models() if issubclass(model, TenantRow)]
        said = 0
        try:
            with transaction.atomic():
                for line in citus.distribute(connection, Business, tenants):
                    said += 1
                    self.stdout.write(line)
                transaction.set_rollback(options["dry_run"])
        except citus.NotACluster as error:
            raise CommandError(str(error)) from None
        did = "Would do" if options["dry_run"] else "Did"
        return f"{did} {said} things." if said else "All was spread before."
