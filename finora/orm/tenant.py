"""What a tenant's row is: one of a business, which it never leaves.

Every statement about such rows names their business, or inserts: so that none reaches another
tenant's, and so that each is one task where the tables are spread over several machines by business
(docs/scaling.md). finora/tests/tenants/test_statements.py holds the product to it.

Private parts of Django, held in finora/tests/orm/test_tenant.py: `Model._do_update` is where save()
comes to its UPDATE. Under another name save() would find a row by its key alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import DatabaseError, models
from django.db.models.fields.related_descriptors import ForeignKeyDeferredAttribute

from finora.orm.scope import ScopedQuerySet

Row = TypeVar("Row", bound=models.Model)

if TYPE_CHECKING:
    _ForeignKey = models.ForeignKey[Any, Any]
else:
    _ForeignKey = models.ForeignKey


class RowGone(DatabaseError):
    """A row that was there is not in its business any more."""

    def __init__(self) -> None:
        super().__init__("Forced update did not affect any rows.")  # as Django has it


class _SetOnce(ForeignKeyDeferredAttribute):
    def __set__(self, instance: Any, value: Any) -> None:
        held = instance.__dict__.get(self.field.attname)
        if held is not None and held != value and not instance._state.adding:
            raise TypeError(f"A row of {self.field.model._meta.label} keeps its business.")
        super().__set__(instance, value)  # type: ignore[misc]


class BusinessField(_ForeignKey):
    """Whose a tenant's row is. Of a row that was saved, TypeError when it is set to another's.

    Its `related_name` is the way in: `business.customers`. It has no index of its own, as those of
    the table begin with it.
    """

    descriptor_class = _SetOnce

    def __init__(self, *args: Any, **given: Any) -> None:
        options: dict[str, Any] = {"on_delete": models.PROTECT, "db_index": False} | given
        if not args:
            options.setdefault("to", "tenants.Business")
        super().__init__(*args, **options)

    def get_internal_type(self) -> str:
        return "ForeignKey"


class TenantQuerySet(ScopedQuerySet[Row]):
    """Rows of businesses."""

    def in_business(self, business_id: int) -> Self:
        """Those of one business (its integer id); every request starts here."""
        return self.filter(business_id=business_id)

    def by_business(self) -> Iterator[tuple[int, Self]]:
        """Each business that has some of these, and those: for what is done one by one.

        It asks for the businesses first, wherever they are; but of `business.customers`, which are
        of that one. Not of a slice.
        """
        owner = self._hints.get("instance")  # type: ignore[attr-defined]
        owners: Any = self.model._meta.get_field("business").related_model
        if isinstance(owner, owners):
            yield owner.pk, self
            return
        has = self.order_by().values_list("business_id", flat=True).distinct()
        for business_id in sorted(has):
            yield business_id, self.in_business(business_id)

    def update(self, **values: Any) -> int:
        """Django's. Raises TypeError where rows would change their business."""
        if not {"business", "business_id"}.isdisjoint(values):
            raise TypeError("update() of business: a row keeps it.")
        return super().update(**values)

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_update(self, objs: Iterable[Row], fields: Iterable[str], *args: Any, **kw: Any) -> int:
        """Django's, business by business. Raises TypeError where rows would change theirs."""
        fields = list(fields)
        if not {"business", "business_id"}.isdisjoint(fields):
            raise TypeError("bulk_update() of business: a row keeps it.")
        of: dict[int, list[Row]] = {}
        for row in objs:
            of.setdefault(row.business_id, []).append(row)  # type: ignore[attr-defined]
        changed = [
            super(TenantQuerySet, self.in_business(pk)).bulk_update(rows, fields, *args, **kw)
            for pk, rows in of.items()
        ]
        return sum(changed)

    bulk_update.alters_data = True  # type: ignore[attr-defined]


class TenantRow(models.Model):
    """A row of a business. It knows itself by that and its key, and saves so.

    A model that is one has `business = BusinessField(related_name=…)`, managers from a
    TenantQuerySet, and the business in each unique constraint. What it points at in the same
    business is a TenantForeignKey with its TenantReference (finora/orm/references.py).
    """

    business_id: int

    class Meta:
        abstract = True

    def itself(self) -> models.QuerySet[Self]:
        """This row, as the database has it, by the model's own rules."""
        rows: Any = type(self)._default_manager.using(self._state.db)
        mine: models.QuerySet[Self] = rows.filter(business_id=self.business_id, pk=self.pk)
        return mine

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Any] | None = None,
    ) -> None:
        """Django's, of the row by its business; but where that was not loaded."""
        if "business_id" in self.__dict__:
            rows: Any = from_queryset
            if rows is None:
                rows = type(self)._base_manager.db_manager(using, hints={"instance": self}).all()
            from_queryset = rows.filter(business_id=self.business_id)
        super().refresh_from_db(using, fields, from_queryset)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Django's, of the row by its business. It sends no signals."""
        if self.pk is None:
            raise ValueError("A row that was not saved cannot be deleted.")
        return self.itself().delete()

    delete.alters_data = True  # type: ignore[attr-defined]

    def _do_update(self, base_qs: Any, using: Any, pk_val: Any, values: Any, *options: Any) -> bool:
        """Django's, of the row by its business, which is not set. Raises RowGone where a row that
        was there is there no more: an INSERT would bring it back, or into another business.
        """
        own = base_qs.filter(business_id=self.business_id)
        values = [each for each in values if each[0].attname != "business_id"]
        update: Any = super()._do_update
        updated: bool = update(own, using, pk_val, values, *options)
        if not updated and not self._state.adding:
            raise RowGone
        return updated
