"""What staff may reach of the businesses' rows: one value, and the querysets that keep to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Self, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True)
class Scope:
    """Some businesses, by their ids (at first none), or all that there are."""

    business_ids: frozenset[int] = frozenset()
    is_all: bool = False

    @classmethod
    def of(cls, business_ids: Iterable[int]) -> Scope:
        return cls(frozenset(business_ids))

    def __contains__(self, business_id: int) -> bool:
        return self.is_all or business_id in self.business_ids


NOTHING = Scope()
EVERYTHING = Scope(is_all=True)


class ScopedQuerySet(models.QuerySet[Row]):
    """Rows of businesses: a row out of scope is as if it did not exist."""

    business_field = "business_id"
    name_field = "public_id"

    def in_scope(self, scope: Scope) -> Self:
        if scope.is_all:
            return self
        return self.filter(**{f"{self.business_field}__in": sorted(scope.business_ids)})

    def out_of_scope(self, scope: Scope) -> Self:
        """The others: those that are as if they did not exist."""
        if scope.is_all:
            return self.none()
        return self.exclude(**{f"{self.business_field}__in": sorted(scope.business_ids)})

    def names(self) -> models.QuerySet[Row, tuple[int, str]]:
        """The business and the public name of each, as the audit trail has them."""
        return self.values_list(self.business_field, self.name_field)

    def pks_by_name(self) -> dict[tuple[int, str], int]:
        rows = self.values_list(self.business_field, self.name_field, "pk")
        return {(business_id, name): pk for business_id, name, pk in rows}

    def with_names(self, names: Collection[tuple[int, str]]) -> Self:
        """Those that may have one of these names (see names()); of few businesses."""
        business_ids, texts = {pair[0] for pair in names}, {pair[1] for pair in names}
        return self.filter(
            **{f"{self.business_field}__in": business_ids, f"{self.name_field}__in": texts}
        )
