"""Fills the references' tables from stdin: their keys, then a customer a line. What is of other
businesses stays, and so do the customers of one that has as many already.
"""

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
    from bench.reference.models import ApiKey, Customer, email_hash

    call_command("migrate", run_syncdb=True, verbosity=0)
    task = json.loads(sys.stdin.readline())
    callers = {key["business_id"] for key in task["keys"]}
    ApiKey.objects.filter(business_id__in=callers).delete()
    ApiKey.objects.bulk_create(ApiKey(**key) for key in task["keys"])
    there = Customer.objects.filter(business_id=task["business_id"])
    if there.count() != task["count"]:
        there.delete()
        rows = (
            Customer(**row, business_id=task["business_id"], email_hash=email_hash(row["email"]))
            for row in map(json.loads, sys.stdin)
        )
        while batch := list(islice(rows, BATCH)):
            Customer.objects.bulk_create(batch)
    if connection.vendor == "postgresql":
        # As it does by itself, but minutes after a load.
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
