"""An erased customer's books answer as before, without a text in which somebody may be named.

Amounts, dates and numbers stay, as whoever keeps books must keep those; and the ids that they are
found by. (What a receipt of nobody's says is of nobody that can be told.)
"""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from customers.models import Customer
from finora import clock
from finora.api.models import KEPT, StoredAnswer
from finora.sealing import erasing
from finora.tenants.models.business import Business


@receiver(erasing, sender=Customer)
def _forget(*, business_id: int, public_id: str, **_: Any) -> None:
    """The customer's row is locked by the erasure, so nothing is recorded of it meanwhile."""
    business = Business(pk=business_id)
    customer = business.customers.with_public_id(public_id).values("pk")
    invoices = business.invoices.filter(customer__in=customer)
    invoices.update(descriptions=None)
    # An answer that was kept names the customer whose it was at first, and a draft may have moved.
    latest = invoices.filter(created_at__gte=clock.now() - KEPT)
    if ids := latest.values_list("public_id", flat=True):
        StoredAnswer.objects.forget(business_id, *ids)
    business.receipts.filter(customer__in=customer).update(
        paid_by=None, paid_by_email=None, reference=None
    )
