"""Changing keys beside live traffic: every value sealed anew, every hash computed anew.

Rows are taken in batches by integer id, each batch locked for its own short transaction: an edit
waits for a moment and is neither lost nor reverted. A row that is done is recognised by what it
holds, so a run that was cut off is simply run again. Neither counts as a change of the customer:
times, search and the audit trail stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from django.db import models, transaction

from customers import keyring
from customers.fields import BlindIndexField, SealedMixin, SealedToken
from customers.keyring import SealError
from customers.models import Business, Customer, SearchSegment, StoredAnswer
from customers.search import index

BATCH = 200

SEALED: list[Any] = [f for f in Customer._meta.concrete_fields if isinstance(f, SealedMixin)]
HASHES = [f for f in Customer._meta.concrete_fields if isinstance(f, BlindIndexField)]


@dataclass
class Count:
    """What a step saw and did. Adds up."""

    rows: int = 0
    changed: int = 0
    segments: int = 0
    unreadable: int = 0

    def __iadd__(self, other: Count) -> Count:
        for field in fields(self):
            total = getattr(self, field.name) + getattr(other, field.name)
            setattr(self, field.name, total)
        return self


def _batches(business: Business, columns: list[str]) -> Iterator[list[Customer]]:
    """The business's customers with these columns; each batch inside a transaction, locked."""
    rows = Customer.objects.in_business(business.pk).only("business_id", "public_id", *columns)
    last = 0
    while True:
        with transaction.atomic():
            batch = list(rows.filter(pk__gt=last).order_by("pk").select_for_update()[:BATCH])
            if not batch:
                return
            last = batch[-1].pk
            yield batch


def reseal(business: Business, *, dry_run: bool = False) -> Iterator[Count]:
    """Seals what an older key sealed with the first one. Answers a count after each batch."""
    for batch in _batches(business, [field.attname for field in SEALED]):
        count = Count(rows=len(batch))
        for customer in batch:
            try:
                anew = _resealed(customer)
            except SealError:
                count.unreadable += 1
                continue
            if anew:
                count.changed += 1
                if not dry_run:
                    Customer.objects.filter(pk=customer.pk).update(**anew)
        yield count
    yield Count(segments=index.reseal(business.pk, dry_run=dry_run))


def _resealed(customer: Customer) -> dict[str, SealedToken]:
    """New tokens for the fields that need one. Raises SealError."""
    return {
        field.attname: token
        for field in SEALED
        if (token := field.resealed(customer.__dict__[field.attname], customer)) is not None
    }


def rehash(business: Business, *, dry_run: bool = False) -> Iterator[Count]:
    """Computes the blind indexes with the first key. Answers a count after each batch."""
    columns = [field.attname for field in HASHES]
    sources = [field.of for field in HASHES]
    for batch in _batches(business, [*columns, *sources]):
        count = Count(rows=len(batch))
        for customer in batch:
            stored = {name: customer.__dict__[name] for name in columns}
            try:
                for source in sources:
                    getattr(customer, source)
            except SealError:
                count.unreadable += 1
                continue
            true = {name: getattr(customer, name) for name in columns}
            if true != stored:
                count.changed += 1
                if not dry_run:
                    Customer.objects.filter(pk=customer.pk).update(**true)
        yield count


def keys_in_use() -> Counter[bytes | None]:
    """How many values, segments and stored answers each encryption key opens, by key id.

    None stands for what no key id names: the package's own tokens, and what is damaged.
    """
    used: Counter[bytes | None] = Counter()
    for field in SEALED:
        tokens: models.QuerySet[Customer, SealedToken] = Customer.objects.filter(
            **{f"{field.attname}__isnull": False}
        ).values_list(field.attname, flat=True)
        for token in tokens.iterator(chunk_size=10_000):
            used[field.key_id(token)] += 1
    for sealed in SearchSegment.objects.values_list("sealed", flat=True).iterator(chunk_size=4):
        used[keyring.key_id_of(bytes(sealed[:8]))] += 1
    # Stored answers are not sealed anew: they are gone within a day.
    answers = StoredAnswer.objects.exclude(sealed=b"").values_list("sealed", flat=True)
    for sealed in answers.iterator(chunk_size=1_000):
        used[keyring.key_id_of(bytes(sealed[:8]))] += 1
    return used
