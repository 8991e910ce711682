"""The staff's lists, page by page: one business or all, at one cost for a thousand and a million.

A page is the rows behind one row's place in an order that an index holds as it is.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from finora.orm.scope import EVERYTHING, Scope
from finora.orm.tenant import Row, TenantQuerySet

# Business by business, then by two columns of which the last settles ties.
Order = tuple[str, str, str]


def page(
    rows: TenantQuerySet[Row],
    order: Order,
    *,
    count: int,
    beside: str = "",
    back: bool = False,
    scope: Scope = EVERYTHING,
) -> list[Row]:
    """The `count` rows behind the one with the pk `beside`; with `back`, just ahead of it.

    The first ones when there is no such row in scope, which these need not hold.
    """
    place = place_of(rows.model, order, beside, scope)
    back = back and place is not None
    rows = rows.order_by(*order)
    if place is None:
        return list(rows[:count])
    _, key, tie = (name.removeprefix("-") for name in order)
    below = order[0].startswith("-") != back
    beyond = "lt" if below else "gt"
    rows = rows.reverse() if back else rows
    # Two queries of which each is one stretch of an index; one with OR would be a scan.
    stretch = rows.in_business(place[0]).filter(**{f"{key}__{beyond}e": place[1]})
    further = Q(**{f"{key}__{beyond}": place[1]}) | Q(**{f"{tie}__{beyond}": place[2]})
    found = list(stretch.filter(further)[:count])
    if len(found) < count:
        others = Q(**{f"business_id__{beyond}": place[0]})
        if not scope.is_all:
            # Named: of a list and a bound SQLite takes the list, and reads all that it names.
            those = [pk for pk in scope.business_ids if (pk < place[0] if below else pk > place[0])]
            others = Q(business_id__in=those)
        found += rows.filter(others)[: count - len(found)]
    return found[::-1] if back else found


def place_of(model: type[models.Model], order: Order, pk: str, scope: Scope) -> Any:
    """Where the row with this pk stands in the order; None for what is none in scope."""
    if not (pk.isascii() and pk.isdigit() and len(pk) < 20):
        return None
    columns = [name.removeprefix("-") for name in order]
    place = model._default_manager.filter(pk=int(pk)).values_list(*columns).first()
    return place if place and place[0] in scope else None
