from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from finora.management import businesses
from finora.tenants.models import ApiKey


class Command(BaseCommand):
    """Makes an API key and prints it and nothing else, for scripts. It is not shown again."""

    help = "Make an API key for a business; prints the key, this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("business_id", metavar="BUSINESS_ID")
        parser.add_argument("--name", required=True, help="where the key is used")

    def handle(self, *args: Any, **options: Any) -> str:
        _, key = ApiKey.objects.issue(
            businesses.named(options["business_id"]), options["name"][:100]
        )
        return key
