"""Many new customers at once: all that can be done of their writing without a database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from customers.search import index
from finora.orm.copying import NewRows
from finora.tenants.models.business import Business


class Batch:
    """New customers of one business: sealed, hashed, and made lines of for search.

    That is most of what an import takes, and may be done on another thread than writes them.
    Raises ValueError for a customer of another business.
    """

    def __init__(self, business: Business, customers: Sequence[Any]) -> None:
        mark = index.new_mark()
        for customer in customers:
            if customer.business_id != business.pk:
                raise ValueError("A customer of another business, whose key would seal it.")
            customer.packed = mark
        self.business, self.customers = business, customers
        self.rows = NewRows(customers)
        self.segment = index.segment_of(customers)

    def __len__(self) -> int:
        return len(self.customers)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.customers)

    @property
    def email_hashes(self) -> list[bytes]:
        """Each customer's."""
        return self.rows.columns.get("email_hash", [])

    def without(self, email_hashes: Collection[bytes]) -> Batch:
        """The batch of the other customers."""
        if not email_hashes:
            return self
        told = zip(self.customers, self.email_hashes, strict=True)
        return Batch(self.business, [each for each, hash_ in told if hash_ not in email_hashes])
