"""What the directory tells of itself at `/metrics` (see finora/metrics.py)."""

from __future__ import annotations

from customers.models import Customer
from finora import metrics


@metrics.asked_of_database(
    "finora_search_tail_rows",
    "Rows of the business that has most that no search segment holds yet.",
)
def longest_tail() -> float:
    return float(Customer.objects.longest_tail())
