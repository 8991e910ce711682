from __future__ import annotations

import re
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError

from finora.tenants.models import Business

_ID = re.compile(r"biz_[A-Za-z0-9_-]{1,60}")


class Command(BaseCommand):
    """Makes a business and prints its id and nothing else, for scripts.

    Fails, making nothing, when the id is taken or malformed.
    """

    help = "Make a business; prints its id."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--id", help="biz_… of your own; made up when not given")

    def handle(self, *args: Any, **options: Any) -> str:
        name = options["name"].strip()
        if not name:
            raise CommandError("The name is blank.")
        fields = {"name": name[:200]}
        if options["id"]:
            if not _ID.fullmatch(options["id"]):
                raise CommandError("An id is biz_ and letters, digits, _ or -.")
            fields["public_id"] = options["id"]
        try:
            return Business.objects.create(**fields).public_id
        except IntegrityError:
            raise CommandError("A business with this id exists.") from None
