"""Changing keys beside live traffic: every value sealed anew, every hash computed anew.

Rows are taken in batches by integer id, each batch locked for its own short transaction: an edit
waits for a moment and is neither lost nor reverted. A row that is done is recognised by what it
holds, so a run that was cut off is simply run again. Neither counts as a change of the customer:
times, search and the audit trail stay as they are.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import IntegrityError, models, transaction

from customers.models import Customer
from customers.search import index
from customers.search.models import SearchSegment
from finora.api.models import StoredAnswer
from finora.sealing import blind_index, keyring
from finora.sealing.errors import SealError
from finora.sealing.fields import BlindIndexField, SealedMixin, SealedToken
from finora.sealing.models import KeyCanary
from finora.tenants.models import Business

BATCH = 200

SEALED: list[Any] = [f for f in Customer._meta.concrete_fields if isinstance(f, SealedMixin)]
HASHES = [f for f in Customer._meta.concrete_fields if isinstance(f, BlindIndexField)]


@dataclasses.dataclass
class Count:
    """What a step saw and did. Adds up."""

    rows: int = 0
    changed: int = 0
    segments: int = 0
    unreadable: int = 0
    # Public ids: of a customer whose email an active one has under the first key, and that one's.
    duplicates: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    missing_segments: list[UUID] = dataclasses.field(default_factory=list)

    def __iadd__(self, other: Count) -> Count:
        for field in dataclasses.fields(self):
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
    segments, missing = index.reseal(business.pk, dry_run=dry_run)
    yield Count(segments=segments, missing_segments=missing)


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
    for batch in _batches(business, [*columns, *sources, "is_active"]):
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
            if true == stored:
                continue
            holder = _written(customer, true, dry_run=dry_run)
            if holder is None:
                count.changed += 1
            else:
                count.duplicates.append((customer.public_id, holder))
        yield count


def _written(customer: Customer, true: dict[str, Any], *, dry_run: bool) -> str | None:
    """Writes the hashes; or answers the public id of the active customer who has the email."""
    if dry_run:
        return customer.email_holder()
    row = Customer.objects.filter(pk=customer.pk)
    try:
        with transaction.atomic():
            row.update(**true)
    except IntegrityError:
        holder = customer.email_holder()
        if holder is None:
            raise
        # One of the two is to be deactivated, by someone who knows which. Until then the email
        # leads to either, and nothing else of the row stays behind.
        row.update(**{name: value for name, value in true.items() if name != "email_hash"})
        return holder
    return None


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
    # Stored answers are not sealed anew: within a day nobody can ask for them.
    answers = StoredAnswer.objects.current().exclude(sealed=b"").values_list("sealed", flat=True)
    for sealed in answers.iterator(chunk_size=1_000):
        used[keyring.key_id_of(bytes(sealed[:8]))] += 1
    return used


def retire_encryption_keys() -> tuple[list[str], list[str]]:
    """Takes the keys behind the first one out of use, where nothing needs them any more.

    Answers the ids of those that are, and of those that are still needed.
    """
    used = keys_in_use()
    older = list(keyring.keys())[1:]
    retired = [key_id.hex() for key_id in older if not used[key_id]]
    KeyCanary.objects.retire(KeyCanary.Setting.ENCRYPTION, retired)
    return retired, [key_id.hex() for key_id in older if used[key_id]]


def retire_blind_index_keys() -> tuple[list[str], int]:
    """Takes the keys behind the first one out of use; to be called when all rows are hashed anew.

    Answers their ids; none while stored answers can be asked for under them, and how many those
    are.
    """
    first, *older = blind_index.key_ids()
    kept = StoredAnswer.objects.current().exclude(index_key=first).count()
    retired = [] if kept else [key_id.hex() for key_id in older]
    KeyCanary.objects.retire(KeyCanary.Setting.BLIND_INDEX, retired)
    return retired, kept
