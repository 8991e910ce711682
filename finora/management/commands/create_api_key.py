from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from finora.tenants.models import ApiKey, Business


class Command(BaseCommand):
    """Makes an API key and prints it and nothing else, for scripts. It is not shown again."""

    help = "Make an API key for a business; prints the key, this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("business_id", metavar="BUSINESS_ID")
        parser.add_argument("--name", required=True, help="where the key is used")

    def handle(self, *args: Any, **options: Any) -> str:
        try:
            business = Business.objects.get(public_id=options["business_id"])
        except Business.DoesNotExist:
            raise CommandError("There is no business with this id.") from None
        _, key = ApiKey.objects.issue(business, options["name"][:100])
        return key
