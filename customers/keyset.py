"""The staff's lists, page by page: one business or all, at one cost for a thousand and a million.

A page is the rows behind one row's place in an order that an index holds as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q

from finora.orm.scope import EVERYTHING, Scope

if TYPE_CHECKING:
    from customers.models import Customer
    from customers.querysets import CustomerQuerySet

# Business by business.
Order = tuple[str, str, str]
BY_NAME: Order = ("business_id", "name_key", "public_id")
NEWEST_FIRST: Order = ("-business_id", "-created_at", "-id")


def page(
    rows: CustomerQuerySet,
    order: Order,
    *,
    count: int,
    beside: str = "",
    back: bool = False,
    scope: Scope = EVERYTHING,
) -> list[Customer]:
    """The `count` customers behind the one with the pk `beside`; with `back`, just ahead of it.

    The first ones when there is no such customer in scope, which these rows need not hold.
    """
    place = place_of(rows.model._default_manager.all(), order, beside, scope)
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


def place_of(everyone: CustomerQuerySet, order: Order, pk: str, scope: Scope) -> Any:
    """Where the customer with this pk stands in the order; None for what is none in scope."""
    if not (pk.isascii() and pk.isdigit() and len(pk) < 20):
        return None
    columns = [name.removeprefix("-") for name in order]
    place = everyone.filter(pk=int(pk)).values_list(*columns).first()
    return place if place and place[0] in scope else None
