"""The customers' list by keyset: a page costs the same at a thousand customers and a million."""

from __future__ import annotations

from functools import partial
from typing import cast

from django.contrib.admin.views.main import PAGE_VAR
from django.http import HttpRequest

from customers.admin.filters import CreatedFilter
from customers.finding import Search
from customers.keyset import BY_NAME, NEWEST_FIRST, page, place_of
from customers.models import Customer
from customers.querysets import CustomerQuerySet
from finora.staff.lists import PrivateSearchList
from finora.tenants.models import Business
from finora.tenants.scope import scope_of

NOT_LISTED = ("address", "tin", "email_hash", "phone_hash", "tin_hash", "packed")


class CustomerList(PrivateSearchList):
    """Pages without a count: `p=17` is the page behind customer 17, `p=-17` the one ahead of it.

    Django drops `p` from every filter's link, so a changed filter starts at the first page. The
    place is named by id, not by name: a name is personal and an address is not for it.
    """

    # A search that looks for no words has not looked for all that it might find.
    looked_for_words = True

    def get_results(self, request: HttpRequest) -> None:
        if self.query:
            return self._search(request)
        order = NEWEST_FIRST if CreatedFilter.applies_to(request) else BY_NAME
        rows = cast(CustomerQuerySet, self.queryset).defer(*NOT_LISTED)
        place = request.GET.get(PAGE_VAR, "")
        beside = place.removeprefix("-")
        # One row more than a page holds says whether there is another page.
        size = self.list_per_page
        # A page may begin at a row that a filter hides by now, but at none out of scope.
        scope = scope_of(request.user)
        turn = partial(page, rows, order, count=size + 1, scope=scope)
        if place.startswith("-"):
            found = turn(beside=beside, back=True)
            if len(found) > size:
                return self.show(found[1:], has_previous=True, has_next=True)
            beside = ""  # too few for a page: the first one instead
        found = turn(beside=beside)
        return self.show(found[:size], has_previous=bool(beside), has_next=len(found) > size)

    def _search(self, request: HttpRequest) -> None:
        """By name whatever the filters: forwards only, as every page is looked for anew."""
        search, size, scope = self.search(request), self.list_per_page, scope_of(request.user)
        beside = request.GET.get(PAGE_VAR, "")
        place = place_of(Customer.objects.all(), BY_NAME, beside, scope)
        found = search.page(size + 1, place)
        self.looked_for_words = search.reads_words
        return self.show(found[:size], has_previous=place is not None, has_next=len(found) > size)

    def search(self, request: HttpRequest) -> Search:
        """What is typed, among the rows that the filters leave."""
        businesses = Business.objects.in_scope(scope_of(request.user))
        if chosen := request.GET.get("business"):
            businesses = businesses.with_public_id(chosen)
        rows = cast(CustomerQuerySet, self.queryset).defer(*NOT_LISTED)
        return Search(rows, self.query, list(businesses.only("pk")))

    def first_pks(self, request: HttpRequest, count: int) -> list[int]:
        """So many of all that match, on whatever page; in the order of the pages of a search."""
        if self.query:
            return self.search(request).first_pks(count)
        rows = cast(CustomerQuerySet, self.queryset).order_by(*BY_NAME)
        return list(rows.values_list("pk", flat=True)[:count])

    @property
    def among_all(self) -> str:
        return self.get_query_string({"status": "all"})

    def show(self, rows: list[Customer], *, has_previous: bool, has_next: bool) -> None:
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
