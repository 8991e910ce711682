"""What the directory's requests ask of the database (see finora/orm/readiness.py)."""

from __future__ import annotations

from customers.models import Customer
from finora.orm.readiness import NOBODY, readiness_query


@readiness_query
def search() -> None:
    Customer.objects.search(NOBODY, "nobody")
    Customer.objects.active_among(NOBODY, [""])
