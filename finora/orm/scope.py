"""Which businesses a member of staff reaches: one rule for every page of the directory."""

from __future__ import annotations

from typing import Any, Self, TypeVar, cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import models

Staff = AbstractBaseUser | AnonymousUser
Row = TypeVar("Row", bound=models.Model)


def reach_of(staff: Staff) -> list[int] | None:
    """The ids of the businesses that this member of staff is limited to; None: all of them.

    Who is limited to none reaches all, and so does a superuser; a stranger reaches none. Asked
    of the database once for a user as it was loaded, which is once a request.
    """
    user = cast(Any, staff)
    if not user.is_active:
        return []
    if user.is_superuser:
        return None
    if not hasattr(user, "_reach"):
        rows = user.limited_to.order_by("business_id")
        user._reach = list(rows.values_list("business_id", flat=True)) or None
    return cast("list[int] | None", user._reach)


class ReachableQuerySet(models.QuerySet[Row]):
    """Rows of businesses: a row out of reach is as if it did not exist."""

    reached_by = "business_id"
    named_by = "public_id"

    def visible_to(self, staff: Staff) -> Self:
        """Those that this member of staff may know of."""
        businesses = reach_of(staff)
        return self if businesses is None else self.filter(**{f"{self.reached_by}__in": businesses})

    def out_of_reach_of(self, staff: Staff) -> Self:
        """The others: those that are as if they did not exist."""
        businesses = reach_of(staff)
        if businesses is None:
            return self.none()
        return self.exclude(**{f"{self.reached_by}__in": businesses})

    def names(self) -> models.QuerySet[Row, tuple[int, str]]:
        """The business and the public name of each, as the audit trail has them."""
        return self.values_list(self.reached_by, self.named_by)
