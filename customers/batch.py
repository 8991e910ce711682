"""Many new customers at once: all that can be done of their writing without a database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from copy import copy
from typing import Any

from customers.search import index
from finora.orm.copying import NewRows
from finora.sealing import blind_index
from finora.sealing.tokens import SealedToken
from finora.tenants.models.business import Business

_SEALED = ("email", "phone", "address", "tin")
_AS_GIVEN = ("business_id", "public_id", "name", "company_name", *_SEALED)


class Batch:
    """New customers of one business: sealed, hashed, and made lines of for search, sealed too.

    That is most of what an import takes, and may be done by another process than writes them:
    pickled, a batch holds what the tables will hold, and nothing more that is plain. Raises
    ValueError for a customer of another business.
    """

    def __init__(self, business: Business, customers: Sequence[Any]) -> None:
        mark = index.new_mark()
        for customer in customers:
            if customer.business_id != business.pk:
                raise ValueError("A customer of another business, whose key would seal it.")
            customer.search_mark = mark
        self.business_id = business.pk
        self.rows = NewRows(customers)
        # Of the batch that this one is a part of.
        self._segment = index.segment_of(business.pk, customers)
        self._gone: list[str] = []

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Any]:
        """Each customer as it would be loaded: what is sealed is opened when it is read. Once they
        are inserted, with the key.
        """
        keys: Sequence[int | None] = self.keys or [None] * len(self)
        given = (self.rows.columns.get(name, []) for name in _AS_GIVEN)
        for key, *values in zip(keys, *given, strict=True):
            row = dict(zip(_AS_GIVEN, values, strict=True))
            row |= {name: SealedToken(row[name]) for name in _SEALED if row[name] is not None}
            yield self.rows.model.from_db(None, ["id", *row], [key, *row.values()])

    @property
    def email_hashes(self) -> list[bytes]:
        """Each customer's."""
        return self.rows.columns.get("email_hash", [])

    @property
    def keys(self) -> list[int]:
        """Each customer's integer id, once they are inserted."""
        return self.rows.keys

    def looked_up_by(self) -> dict[bytes, bytes]:
        """What an active customer with one of these emails may have, and the hash that it has here:
        the same, but while the key is changed.
        """
        hashes = self.email_hashes
        if not blind_index.rotating():
            return dict(zip(hashes, hashes, strict=True))
        email_hash: Any = self.rows.model._meta.get_field("email_hash") if hashes else None
        return {
            digest: own
            for own, customer in zip(hashes, self, strict=True)
            for digest in email_hash.digests(self.business_id, customer.email)
        }

    def without(self, email_hashes: Collection[bytes]) -> Batch:
        """The batch of the other customers."""
        if not email_hashes:
            return self
        left = [n for n, each in enumerate(self.email_hashes) if each not in email_hashes]
        ids = self.rows.columns.get("public_id", [])
        kept = set(left)
        part = copy(self)
        part.rows = self.rows.part(left)
        part._gone = [*self._gone, *(id_ for n, id_ in enumerate(ids) if n not in kept)]
        return part

    def insert(self) -> None:
        """Writes them and what search reads of them. Raises IntegrityError for a conflict."""
        if not len(self):
            return
        self.rows.insert()
        index.add_segment(self._segment, without=self._gone)
