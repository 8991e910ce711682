from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html_join

from finora.sealing import SealError
from finora.staff import masking
from finora.staff.display import naira, tag
from finora.staff.filters import BusinessFilter
from sales.admin import filters
from sales.admin.book import BookAdmin
from sales.models import Receipt


class ReceiptAdmin(BookAdmin):
    list_display = (
        "number", "whose", "date", "method", "status_shown", "amount", "unallocated", "business",
    )  # fmt: skip
    list_filter = (
        BusinessFilter,
        filters.ReceiptStatusFilter,
        filters.FromFilter,
        filters.UntilFilter,
        filters.CustomerFilter,
    )
    subject_prefix = "rcpt_"
    search_placeholder = "Number or id"
    fields = (
        "number", "public_id", "business", "whose", "status_shown", "date", "method", "amount",
        "allocated", "unallocated", "paid_by_shown", "paid_by_email_shown", "reference_shown",
        "created_at",
    )  # fmt: skip

    @admin.display(description="status")
    def status_shown(self, receipt: Receipt) -> str:
        return tag("Void", "bad") if receipt.voided_at else tag("Valid", "good")

    @admin.display(description="amount")
    def amount(self, receipt: Receipt) -> str:
        return naira(receipt.amount_kobo)

    @admin.display(description="unallocated")
    def unallocated(self, receipt: Receipt) -> str:
        return naira(receipt.unallocated_kobo)

    @admin.display(description="pays")
    def allocated(self, receipt: Receipt) -> str:
        paid = receipt.business.allocations.filter(receipt=receipt).order_by("pk")
        rows = paid.values_list("invoice_id", "invoice__number", "amount_kobo")
        links = (
            (reverse("admin:sales_invoice_change", args=[pk]), number, naira(kobo))
            for pk, number, kobo in rows
        )
        return format_html_join("", '<a href="{}">{}</a> {}<br>', links) or "-"

    # Whoever may read them has the API; here they are recognised, not read.

    @admin.display(description="paid by")
    def paid_by_shown(self, receipt: Receipt) -> str:
        return _masked(receipt, "paid_by")

    @admin.display(description="paid by (email)")
    def paid_by_email_shown(self, receipt: Receipt) -> str:
        return _masked(receipt, "paid_by_email")

    @admin.display(description="reference")
    def reference_shown(self, receipt: Receipt) -> str:
        return _masked(receipt, "reference")


def _masked(receipt: Receipt, field: str) -> str:
    try:
        value: str | None = getattr(receipt, field)
    except SealError:
        return tag("unreadable", "bad")
    if value is None:
        return "-"
    return masking.email(value) if field == "paid_by_email" else masking.DOTS
