"""Rows with sealed fields: what must hold of them however they are written.

A column derived from another (a hash, a sort key) is written exactly when its source is, whatever
of the row was loaded; and a row keeps its business and public id, under which it is sealed. Each
way of Django's to write rows does so, or refuses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain
from typing import Any, TypeVar

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, register
from django.db import models, transaction

from finora.orm.tenant import RowGone, TenantQuerySet, TenantRow
from finora.sealing import erasing, registry
from finora.sealing.derived import DerivedField, derived_from
from finora.sealing.fields import Sealed, SealedMixin
from finora.sealing.tokens import SealedToken

Row = TypeVar("Row", bound=models.Model)
IDENTITY = ("business", "business_id", "public_id")


class SealedRowQuerySet(TenantQuerySet[Row]):
    """Writes nothing by halves."""

    def update(self, **values: Any) -> int:
        """Django's. Raises TypeError where it would do half of a change: a sealed text, as it is
        sealed for each row; a value whose hash or sort key would stay behind; or what a row is
        sealed by.
        """
        for name, value in values.items():
            if name in IDENTITY:
                raise TypeError(f"update() of {name}: what is sealed would not open any more.")
            field = self.model._meta.get_field(name)
            if isinstance(field, Sealed):
                field.get_db_prep_save(value, None)
            # A token sealed anew holds the value that the hash was made of.
            if not isinstance(value, SealedToken):
                for derived in derived_from(self.model, field.name):
                    if derived.name not in values:
                        raise TypeError(f"update() of {name} leaves {derived.name} behind: save().")
        return super().update(**values)

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_update(self, objs: Iterable[Row], fields: Iterable[str], *args: Any, **kw: Any) -> int:
        """Django's. Raises TypeError for columns that are sealed, that follow another one or are
        followed, or that a row is sealed by.
        """
        fields = list(fields)
        for name in fields:
            field = self.model._meta.get_field(name)
            derived = isinstance(field, DerivedField) or derived_from(self.model, name)
            if name in IDENTITY or derived or isinstance(field, Sealed):
                raise TypeError(f"bulk_update() cannot write {name}, sealed or bound: save().")
        return super().bulk_update(objs, fields, *args, **kw)

    bulk_update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(
        self,
        objs: Iterable[Row],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> list[Row]:
        """Django's, of new rows alone: what is sealed for one row opens in no other. Raises
        TypeError for `update_conflicts`.
        """
        if update_conflicts:
            raise TypeError("bulk_create() cannot change rows that are there: save() them.")
        return super().bulk_create(objs, batch_size, ignore_conflicts)

    bulk_create.alters_data = True  # type: ignore[attr-defined]


class SealedRow(TenantRow):
    """A row with sealed fields, of a business."""

    class Meta:
        abstract = True

    def save_base(
        self,
        raw: bool = False,
        force_insert: Any = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Django's. A derived column goes with its source, and never without it."""
        if update_fields is not None:
            named = set(update_fields)
            fields = self._meta.concrete_fields
            given = {f.name for f in fields if f.name in named or f.attname in named}
            update_fields = frozenset(
                f.name for f in fields if (f.of if isinstance(f, DerivedField) else f.name) in given
            )
            if not update_fields:
                return
        super().save_base(raw, force_insert, force_update, using, update_fields)

    def forget(self) -> None:
        """Empties what is sealed, for good: saves the row so, and tells who keeps copies of it.

        Raises what a receiver of `erasing` raises, with nothing forgotten.
        """
        row: Any = self
        for field in registry.sealed.of(type(self)):
            anew = field.erased
            if isinstance(anew, str):
                anew = anew.format(row.public_id)
            setattr(row, field.attname, None if field.null else anew)
        with transaction.atomic():
            models.Model.save(self)
            erasing.send(type(self), business_id=row.business_id, public_id=row.public_id)

    forget.alters_data = True  # type: ignore[attr-defined]

    save_base.alters_data = True  # type: ignore[attr-defined]

    def _do_update(self, base_qs: Any, using: Any, pk_val: Any, *args: Any) -> Any:
        """Django's, on the row that is sealed by this business and public id. Raises TypeError
        where the row has others.
        """
        sealed_by: Any = self
        own = base_qs.filter(public_id=sealed_by.public_id)
        try:
            return super()._do_update(own, using, pk_val, *args)
        except RowGone:
            if base_qs.filter(business_id=self.business_id, pk=pk_val).exists():
                text = "A row keeps its business and public id: they seal its values."
                raise TypeError(text) from None
            raise


@register
def sealed_rows(app_configs: Iterable[AppConfig] | None = None, **_: Any) -> Iterable[CheckMessage]:
    """Nothing else keeps what the fields promise."""
    for model in chain(*(app.get_models() for app in app_configs or apps.get_app_configs())):
        fields = model._meta.concrete_fields
        texts = [field for field in fields if isinstance(field, SealedMixin)]
        if not texts and not any(isinstance(field, DerivedField) for field in fields):
            continue
        kept = issubclass(model, SealedRow)
        for manager in model._meta.managers:
            kept = kept and isinstance(manager.get_queryset(), SealedRowQuerySet)
        if not kept:
            yield Error(
                f"{model._meta.label} has sealed or derived columns, which a write could break.",
                hint="Make it a SealedRow, and its managers from a SealedRowQuerySet.",
                obj=model,
                id="finora.E030",
            )
        for field in texts:
            if not field.null and field.erased is None:
                yield Error(
                    f"{field} is not null, so that a row cannot be erased.",
                    hint='Say what stands in it then: erased="{}@erased.invalid".',
                    obj=field,
                    id="finora.E033",
                )
