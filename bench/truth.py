"""The truth that every answer is held to: brute force over the decrypted active customers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from customers.models import Customer
from finora import text
from finora.tenants.models import Business

LIMIT = 50


class Row(NamedTuple):
    name_key: bytes
    public_id: str
    name: str
    email: str


def read_rows(business: Business) -> Iterator[Row]:
    """Active customers as they are stored, the email opened; in no order."""
    open_email = Customer._meta.get_field("email").open_for
    columns = ("name_key", "public_id", "name", "email")
    rows = Customer.objects.in_business(business.pk).active().values_list(*columns)
    for key, public_id, name, email in rows.iterator(chunk_size=4096):
        yield Row(bytes(key), public_id, name, open_email(email, business.pk, public_id))


class Truth:
    """All rows in list order, in memory, folded once; `first` is normalize.holds on each."""

    def __init__(self, business: Business) -> None:
        self.rows = sorted(read_rows(business))
        self.folded = [(text.fold(row.name), text.fold(row.email)) for row in self.rows]
        self.marked = [(text.marked(row.name), text.marked(row.email)) for row in self.rows]

    def first(self, query: str) -> list[str]:
        """The public ids of the first 50 matches in list order."""
        # normalize.holds, with what it makes of each text made before.
        accents = text.accents(query)
        if accents is None:
            needle = text.fold(query)
            hits = (
                i for i, (name, mail) in enumerate(self.folded) if needle in name or needle in mail
            )
        else:
            find = accents.found_in
            hits = (i for i, (name, mail) in enumerate(self.marked) if find(name) or find(mail))
        return [self.rows[i].public_id for i in islice(hits, LIMIT)]
