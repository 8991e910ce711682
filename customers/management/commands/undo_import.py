from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from customers.transfer.models import Import
from customers.transfer.undoing import staying, undo
from finora.management.keyed import KeyedCommand


class Command(KeyedCommand):
    """Takes an import back: every customer that it created and that nobody changed since becomes
    inactive. Those that were changed stay, and are named.

    What `--on-duplicate update` changed stays as it is; the audit trail names the fields. Safe
    beside live traffic, and safe to cut off and run again.
    """

    help = "Make inactive whom an import created."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("import_id", metavar="IMPORT_ID")

    def handle(self, *args: Any, **options: Any) -> str:
        found = Import.objects.with_public_id(options["import_id"]).select_related("business")
        import_ = found.first()
        if import_ is None:
            raise CommandError("There is no import with this id.")
        gone, left = undo(import_, lambda rows: self.stderr.write(f"{rows:,} deactivated"))
        for public_id in staying(import_):
            self.stdout.write(f"{public_id} was changed since, and stays.")
        return f"Deactivated {gone:,} customers; {left:,} were changed since and stay."
