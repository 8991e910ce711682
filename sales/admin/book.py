from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from finora.orm.keyset import Order
from finora.staff.base import DirectoryAdmin
from finora.staff.keyset_list import KeysetList
from finora.staff.lists import ReadOnlyAdmin
from finora.tenants.models import Business
from finora.tenants.scope import scope_of
from sales.querysets import BookQuerySet


class BookList(KeysetList):
    """Newest first, business by business."""

    def order_of(self, request: HttpRequest) -> Order:
        day = cast(BookQuerySet, self.queryset).date_field
        return ("-business_id", f"-{day}", "-id")


class BookAdmin(ReadOnlyAdmin, DirectoryAdmin):
    """What the pages of invoices and receipts share."""

    search_fields = ("number",)  # shows the box; get_search_results says what it finds
    actions = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BookList

    def get_queryset(self, request: HttpRequest) -> Any:
        return cast(BookQuerySet, super().get_queryset(request)).with_names_shown()

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """The one with this number or id, in each business."""
        if search_term:
            queryset = queryset.named(
                search_term, Business.objects.in_scope(scope_of(request.user))
            )
        return queryset, False

    @admin.display(description="customer")
    def whose(self, row: Any) -> str:
        if row.customer is None:
            return "-"
        url = reverse("admin:customers_customer_change", args=[row.customer_id])
        return format_html('<a href="{}">{}</a>', url, row.customer.name)
