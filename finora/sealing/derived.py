"""Columns that follow another one: blind indexes of sealed values, and the sort key of a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from finora import clock, text
from finora.sealing import blind_index, registry
from finora.sealing.many import are_new
from finora.sealing.tokens import SealedToken

_MISSING = object()


class DerivedAttribute(DeferredAttribute):
    """A column that follows another field: read, validated and saved, it is always its true form.

    While a source that was loaded with it is still sealed, it has not changed, and the stored form
    stands. A stored form that was not loaded may be of a later source: so that one is opened.
    """

    field: BlindIndexField | SortKeyField

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        source = instance.__dict__.get(self.field.of, _MISSING)
        if type(source) is SealedToken and self.field.attname not in instance.__dict__:
            source = getattr(instance, self.field.of)
        if source is None or isinstance(source, str):
            return None if source is None else self.field.derive(source, instance)
        return super().__get__(instance, cls)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class DerivedField(models.BinaryField):  # type: ignore[type-arg]
    """A binary column computed from the field named `of`; never edited, never shown."""

    descriptor_class = DerivedAttribute

    def __init__(self, *args: Any, of: str, **kwargs: Any) -> None:
        self.of = of
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        kwargs["of"] = self.of
        return str(name), path, args, kwargs

    def derive(self, source: str, instance: Any) -> bytes | None:
        """The column's value for a source text."""
        raise TypeError(f"{type(self).__name__} says how it is derived")

    def derive_all(self, sources: Sequence[str], business_id: int) -> list[bytes | None]:
        """The same of many rows of one business."""
        raise TypeError(f"{type(self).__name__} says how it is derived")

    def pre_save_all(self, rows: Sequence[Any]) -> list[Any]:
        """pre_save() of many new rows."""
        sources = [row.__dict__.get(self.of) for row in rows]
        if not are_new(sources, rows):
            return [self.pre_save(row, True) for row in rows]
        derived = self.derive_all([text or "" for text in sources], rows[0].business_id)
        return [None if text is None else each for text, each in zip(sources, derived, strict=True)]


def derived_from(model: type[models.Model], source: str) -> list[DerivedField]:
    """The columns of `model` that follow its field named `source`."""
    fields = model._meta.concrete_fields
    return [f for f in fields if isinstance(f, DerivedField) and f.of == source]


class BlindIndexField(DerivedField):
    """The blind index (see blind_index) of a sealed field: for exact match and uniqueness.

    `place` is a name for good: hashes made under it are found under no other. `normal_form` says
    what of a value is matched; one that is empty matches nothing, and is no hash.
    """

    def __init__(
        self, *args: Any, place: str, normal_form: Callable[[str], str], **kwargs: Any
    ) -> None:
        self.place, self.normal_form = place, normal_form
        super().__init__(*args, **kwargs)

    def contribute_to_class(self, cls: type[models.Model], name: str, *args: Any) -> None:
        super().contribute_to_class(cls, name, *args)
        registry.blind_indexes.add(self)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"place": self.place, "normal_form": self.normal_form}

    def digests(self, business_id: int, value: str) -> list[bytes]:
        """What to look a value up by: one for each configured key, the one that is written first.

        Empty when nothing of the value is matched.
        """
        return blind_index.digests(self.place, business_id, self.normal_form(value))

    def derive(self, source: str, instance: Any) -> bytes | None:
        return next(iter(self.digests(instance.business_id, source)), None)

    def derive_all(self, sources: Sequence[str], business_id: int) -> list[bytes | None]:
        return blind_index.digest_all(self.place, business_id, map(self.normal_form, sources))


class SortKeyField(DerivedField):
    """The folded form of a name as bytes: the order of lists, on every database alike."""

    def derive(self, source: str, instance: Any) -> bytes:
        return text.name_key(source)

    def derive_all(self, sources: Sequence[str], business_id: int) -> list[bytes | None]:
        return [text.name_key(source) for source in sources]


class BlindKeyIdField(models.BinaryField):  # type: ignore[type-arg]
    """The name of the blind index key that made the row's other hashes, of what is not kept.

    They are not made anew: the key is needed while they are looked up, `needed_for` from the
    moment in the column `since`.
    """

    def __init__(self, *args: Any, needed_for: timedelta, since: str, **kwargs: Any) -> None:
        self.needed_for, self.since = needed_for, since
        super().__init__(*args, **kwargs)

    def contribute_to_class(self, cls: type[models.Model], name: str, *args: Any) -> None:
        super().contribute_to_class(cls, name, *args)
        registry.blind_key_ids.add(self)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        own = {"needed_for": self.needed_for, "since": self.since}
        return str(name), path, args, kwargs | own

    def in_need_of_others(self, key_id: bytes) -> models.QuerySet[Any]:
        """The rows that need another key than this one."""
        current = {f"{self.since}__gte": clock.now() - self.needed_for}
        return self.model._base_manager.filter(**current).exclude(**{self.attname: key_id})
