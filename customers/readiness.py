"""What the directory's requests ask of the database (see finora/orm/readiness.py)."""

from __future__ import annotations

from finora.orm.readiness import NOBODY, readiness_query
from finora.tenants.models import Business


@readiness_query
def search() -> None:
    customers = Business(pk=NOBODY).customers
    customers.search("nobody")
    customers.among([""])
