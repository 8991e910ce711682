"""Changing keys beside live traffic: every value sealed anew, every hash computed anew.

Of every model that has declared any (see registry). Rows are taken business by business, in batches
by primary key, each batch locked for its own short transaction: an edit waits for a moment and is
neither lost nor reverted. A row that is done is recognised by what it holds, so a run that was cut
off is simply run again. Neither counts as a change of the row: times, search and the audit trail
stay as they are.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db import IntegrityError, models, transaction

from finora.sealing import blind_index, keyring, registry
from finora.sealing.errors import SealError
from finora.sealing.models import KeyCanary
from finora.sealing.tokens import SealedToken

BATCH = 200
NAMED = 20  # rows that cannot be opened

Unique = list[tuple[models.UniqueConstraint, list[Any]]]


@dataclasses.dataclass
class Count:
    """What a step saw and did. Adds up."""

    rows: int = 0
    changed: int = 0
    unreadable: int = 0
    # The first of those, by public id or primary key.
    named: list[str] = dataclasses.field(default_factory=list)
    # Public ids: of a row of whose values another one has one that is unique, and of that one.
    duplicates: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def __iadd__(self, other: Count) -> Count:
        for field in dataclasses.fields(self):
            total = getattr(self, field.name) + getattr(other, field.name)
            setattr(self, field.name, total)
        del self.named[NAMED:]
        return self

    def miss(self, row: Any) -> None:
        """Counts a row that cannot be opened."""
        self.unreadable += 1
        self.named.append(_name(row))


def _name(row: Any) -> str:
    return str(getattr(row, "public_id", row.pk))


def _batches(model: type[models.Model], columns: set[str], size: int) -> Iterator[list[Any]]:
    """The rows of a model with these columns, business by business; each batch inside a
    transaction, locked.
    """
    owners: Any = model._meta.get_field("business").related_model
    for business_id in list(owners._base_manager.order_by("pk").values_list("pk", flat=True)):
        mine = model._base_manager.filter(business_id=business_id)
        rows = behind = mine.only("business_id", *columns).order_by("pk")
        while True:
            with transaction.atomic():
                batch = list(behind.select_for_update()[:size])
                if not batch:
                    break
                behind = rows.filter(pk__gt=batch[-1].pk)
                yield batch


def _own(row: Any) -> models.QuerySet[Any]:
    """The row in the table, without the rules for who changes it: this is no change of it."""
    rows: models.QuerySet[Any] = type(row)._base_manager.filter(business_id=row.business_id)
    return rows.filter(pk=row.pk)


def reseal(model: type[models.Model], *, dry_run: bool = False) -> Iterator[Count]:
    """Seals what an older key sealed with the first one. Answers a count after each batch.

    What cannot be opened is counted and left as it is.
    """
    fields = registry.sealed.of(model)
    columns = {name for field in fields for name in (field.attname, field.context)}
    for batch in _batches(model, columns, min(BATCH, *(field.batch for field in fields))):
        count = Count(rows=len(batch))
        for row in batch:
            try:
                anew = _resealed(row, fields)
            except SealError:
                count.miss(row)
                continue
            if anew:
                count.changed += 1
                if not dry_run:
                    _own(row).update(**anew)
        yield count


def _resealed(row: Any, fields: list[Any]) -> dict[str, SealedToken]:
    """New tokens for the fields that need one. Raises SealError."""
    return {
        field.attname: token
        for field in fields
        if (token := field.resealed(row.__dict__[field.attname], row)) is not None
    }


def rehash(model: type[models.Model], *, dry_run: bool = False) -> Iterator[Count]:
    """Computes the blind indexes with the first key. Answers a count after each batch."""
    fields = registry.blind_indexes.of(model)
    unique = _unique_hashes(model, fields)
    columns = {name for field in fields for name in (field.attname, field.of, "public_id")}
    columns |= {name for constraint, _ in unique for name in constraint.fields}
    for batch in _batches(model, columns, BATCH):
        count = Count(rows=len(batch))
        for row in batch:
            stored = {field.attname: row.__dict__[field.attname] for field in fields}
            try:
                for field in fields:
                    getattr(row, field.of)
            except SealError:
                count.miss(row)
                continue
            true = {name: getattr(row, name) for name in stored}
            if true == stored:
                continue
            holder = _written(row, true, unique, dry_run=dry_run)
            if holder is None:
                count.changed += 1
            else:
                count.duplicates.append((_name(row), holder))
        yield count


def _unique_hashes(model: type[models.Model], fields: list[Any]) -> Unique:
    """The constraints that make hashes unique, each with those."""
    found = [
        (constraint, [field for field in fields if field.name in constraint.fields])
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint)
    ]
    return [(constraint, hashes) for constraint, hashes in found if hashes]


def _written(row: Any, true: dict[str, Any], unique: Unique, *, dry_run: bool) -> str | None:
    """Writes the hashes; or answers the name of another row that has one which is unique."""
    mine = _own(row)
    refused: IntegrityError | None = None
    if not dry_run:
        try:
            with transaction.atomic():
                mine.update(**true)
        except IntegrityError as error:
            refused = error
        else:
            return None
    held = [(hashes, holder) for c, hashes in unique if (holder := _holder(row, c, hashes))]
    if not held:
        if refused:
            raise refused
        return None
    if not dry_run:
        # One of the two is to go, by someone who knows which. Until then the value leads to either,
        # and nothing else of the row stays behind.
        kept = {field.attname for hashes, _ in held for field in hashes}
        mine.update(**{name: value for name, value in true.items() if name not in kept})
    return held[0][1]


def _holder(row: Any, constraint: models.UniqueConstraint, hashes: list[Any]) -> str | None:
    """The name of another row that meets the constraint with this one, under whichever key."""
    mine = _own(row).filter(constraint.condition or models.Q())
    if not mine.exists():
        return None
    rows = type(row)._base_manager.filter(constraint.condition or models.Q())
    of_hash = {field.name: field for field in hashes}
    for name in constraint.fields:
        if (field := of_hash.get(name)) is None:
            attname = row._meta.get_field(name).attname
            rows = rows.filter(**{attname: getattr(row, attname)})
        else:
            source = getattr(row, field.of)
            digests = [] if source is None else field.digests(row.business_id, source)
            rows = rows.filter(**{f"{name}__in": digests})
    other = rows.exclude(pk=row.pk).only("pk", "public_id").first()
    return None if other is None else _name(other)


def keys_in_use() -> Counter[bytes | None]:
    """How many values each encryption key opens, by key id.

    None stands for what no key id names: the package's own tokens, and what is damaged.
    """
    used: Counter[bytes | None] = Counter()
    for field in registry.sealed:
        rows = field.model._base_manager.filter(**{f"{field.attname}__isnull": False})
        for token in _values_by_key(rows, field.attname, 4 * field.batch):
            used[field.key_id(token)] += 1
    return used


def _values_by_key(rows: Any, name: str, size: int) -> Iterator[Any]:
    """A column's values, `size` at once: without a cursor, which lives in a session, or all of
    them in memory."""
    pairs = rows.order_by("pk").values_list("pk", name)
    page = list(pairs[:size])
    while page:
        for _, value in page:
            yield value
        page = list(pairs.filter(pk__gt=page[-1][0])[:size])


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

    Answers their ids; none while hashes that are not made anew can be asked for under them (see
    BlindKeyIdField), and how many those are.
    """
    first, *older = blind_index.key_ids()
    kept = sum(field.in_need_of_others(first).count() for field in registry.blind_key_ids)
    retired = [] if kept else [key_id.hex() for key_id in older]
    KeyCanary.objects.retire(KeyCanary.Setting.BLIND_INDEX, retired)
    return retired, kept
