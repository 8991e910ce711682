"""What the directory tells of itself at `/metrics` (see finora/metrics.py)."""

from __future__ import annotations

from customers.search.models import Unpacked
from finora import metrics


@metrics.asked_of_database(
    "finora_search_tail_rows",
    "Changes of the business that has most that no search segment holds yet.",
)
def longest_tail() -> float:
    return float(Unpacked.objects.longest())
