"""A list by keyset: a page costs the same at a thousand rows and a million."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.admin.views.main import PAGE_VAR
from django.http import HttpRequest

from finora.orm.keyset import Order, page
from finora.staff.lists import PrivateSearchList
from finora.tenants.scope import scope_of


class KeysetList(PrivateSearchList):
    """Pages without a count: `p=17` is the page behind row 17, `p=-17` the one ahead of it.

    Django drops `p` from every filter's link, so a changed filter starts at the first page. The
    place is named by id, not by name: a name is personal and an address is not for it.
    """

    has_previous = False
    next_page = previous_page = ""

    def order_of(self, request: HttpRequest) -> Order:
        """The order of the rows, as an index holds it."""
        raise NotImplementedError

    def get_results(self, request: HttpRequest) -> None:
        place = request.GET.get(PAGE_VAR, "")
        beside = place.removeprefix("-")
        # One row more than a page holds says whether there is another page.
        size = self.list_per_page
        rows: Any = self.queryset
        # A page may begin at a row that a filter hides by now, but at none out of scope.
        turn = partial(
            page, rows, self.order_of(request), count=size + 1, scope=scope_of(request.user)
        )
        if place.startswith("-"):
            found = turn(beside=beside, back=True)
            if len(found) > size:
                return self.show(found[1:], has_previous=True, has_next=True)
            beside = ""  # too few for a page: the first one instead
        found = turn(beside=beside)
        return self.show(found[:size], has_previous=bool(beside), has_next=len(found) > size)

    def show(self, rows: list[Any], *, has_previous: bool, has_next: bool) -> None:
        self.result_list = rows
        self.next_page = f"{PAGE_VAR}={rows[-1].pk}" if rows and has_next else ""
        self.has_previous = has_previous
        back = rows and has_previous and not self.query
        self.previous_page = f"{PAGE_VAR}=-{rows[0].pk}" if back else ""
        # Nothing is counted beyond the rows on this page.
        self.result_count = len(rows)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = bool(rows)
        self.can_show_all = self.multi_page = False
