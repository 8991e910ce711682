"""What requests about the books ask of the database (see finora/orm/readiness.py)."""

from __future__ import annotations

from finora.orm.readiness import NOBODY, readiness_query
from finora.tenants.models.business import Business


@readiness_query
def pages() -> None:
    nobody = Business(pk=NOBODY)
    nobody.invoices.page(1)
    nobody.receipts.page(1)
