"""Fills the reference's tables from stdin: the key's digest and business, then a row a line."""

from __future__ import annotations

import json
import sys
from itertools import islice

import django
from django.core.management import call_command
from django.db import connection

BATCH = 2_000


def main() -> None:
    django.setup()
    from bench.reference.models import ApiKey, Customer

    call_command("migrate", run_syncdb=True, verbosity=0)
    key = json.loads(sys.stdin.readline())
    ApiKey.objects.create(**key)
    Customer.objects.all().delete()
    rows = (Customer(business_id=key["business_id"], **json.loads(line)) for line in sys.stdin)
    while batch := list(islice(rows, BATCH)):
        Customer.objects.bulk_create(batch)
    if connection.vendor == "postgresql":
        # As it does by itself, but minutes after a load.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


if __name__ == "__main__":
    main()
