from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from customers.models import Customer
from customers.transfer import person
from customers.transfer.person_page import page
from finora.management.keyed import KeyedCommand
from finora.management.private_file import private_file
from finora.tenants.models import Business


class Command(KeyedCommand):
    """Writes all that is held about one customer, in the clear: profile, history, who revealed,
    exported or changed what and when, and what other modules hold. For a person who asks for it.

    Noted in the customer's audit trail; the note is in it. To FILE, readable by its owner alone, or
    to standard output.
    """

    help = "Export all that is held about one customer."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", metavar="ID")
        parser.add_argument("file", metavar="FILE", type=Path, nargs="?")
        parser.add_argument("--format", choices=("json", "html"), default="json")

    def handle(
        self, *args: Any, id: str, file: Path | None, format: str, **options: Any
    ) -> str | None:
        customer = _found(id)
        if customer is None:
            raise CommandError("There is no customer with this id.")
        if file is None:
            self.stdout.write(_written(customer, format), ending="")
            return None
        with private_file(file) as out:
            out.write(_written(customer, format))
        return f"Exported what is held about {customer.public_id}."


def _found(id: str) -> Customer | None:
    """Whichever business's it is."""
    everyone = Customer.objects.in_each_of(Business.objects.all())
    found: Customer | None = everyone.with_id_typed(id).select_related("business").first()
    return found


def _written(customer: Customer, format: str) -> str:
    held = person.hand_over(customer)
    if format == "html":
        return page(held)
    return person.as_json(held)
