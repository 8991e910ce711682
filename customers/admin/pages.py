"""The customers' list: its order, and what its search box finds."""

from __future__ import annotations

from typing import cast

from django.contrib.admin.views.main import PAGE_VAR
from django.http import HttpRequest

from customers.admin.filters import CreatedFilter
from customers.finding import Search
from customers.models import Customer
from customers.querysets import BY_NAME, NEWEST_FIRST, CustomerQuerySet
from finora.orm.keyset import Order, place_of
from finora.staff.keyset_list import KeysetList
from finora.tenants.models import Business
from finora.tenants.scope import scope_of

NOT_LISTED = ("address", "tin", "email_hash", "phone_hash", "tin_hash", "search_mark")


class CustomerList(KeysetList):
    """By name, or with the created filter newest first."""

    # A search that looks for no words has not looked for all that it might find.
    looked_for_words = True

    def get_results(self, request: HttpRequest) -> None:
        if self.query:
            return self._search(request)
        self.queryset = cast(CustomerQuerySet, self.queryset).defer(*NOT_LISTED)
        return super().get_results(request)

    def order_of(self, request: HttpRequest) -> Order:
        return NEWEST_FIRST if CreatedFilter.applies_to(request) else BY_NAME

    def _search(self, request: HttpRequest) -> None:
        """By name whatever the filters: forwards only, as every page is looked for anew."""
        search, size, scope = self.search(request), self.list_per_page, scope_of(request.user)
        beside = request.GET.get(PAGE_VAR, "")
        place = place_of(Customer, BY_NAME, beside, scope)
        found = search.page(size + 1, place)
        self.looked_for_words = search.reads_words
        return self.show(found[:size], has_previous=place is not None, has_next=len(found) > size)

    def search(self, request: HttpRequest) -> Search:
        """What is typed, among the rows that the filters leave; of these what a list shows."""
        return self._search_among(request, self.all_that_match.defer(*NOT_LISTED))

    def search_whole(self, request: HttpRequest) -> Search:
        """The same of whole rows, each with its business."""
        return self._search_among(request, self.all_that_match.select_related("business"))

    @property
    def all_that_match(self) -> CustomerQuerySet:
        """What the filters leave, whole: not what of it a page of the list asks for."""
        return cast(CustomerQuerySet, self.queryset.defer(None))

    def _search_among(self, request: HttpRequest, rows: CustomerQuerySet) -> Search:
        businesses = Business.objects.in_scope(scope_of(request.user))
        if chosen := request.GET.get("business"):
            businesses = businesses.with_public_id(chosen)
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
