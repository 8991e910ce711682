from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from finora import clock
from finora.staff.display import naira, tag
from finora.staff.filters import BusinessFilter
from finora.staff.masking import DOTS
from sales.admin import filters
from sales.admin.book import BookAdmin
from sales.lines import QUANTITY_PLACES, RATE_PLACES, written
from sales.models import Invoice

KINDS = {"paid": "good", "partially_paid": "warn", "overdue": "bad", "cancelled": ""}


def status_tag(invoice: Invoice) -> SafeString:
    status = invoice.status_on(clock.today())
    return tag(status.replace("_", " ").capitalize(), KINDS.get(status, ""))


class InvoiceAdmin(BookAdmin):
    list_display = (
        "number", "whose", "invoice_date", "due_date", "status_shown", "total", "due", "business",
    )  # fmt: skip
    list_filter = (
        BusinessFilter,
        filters.InvoiceStatusFilter,
        filters.FromFilter,
        filters.UntilFilter,
        filters.CustomerFilter,
    )
    subject_prefix = "inv_"
    search_placeholder = "Number or id"
    fields = (
        "number", "public_id", "business", "whose", "status_shown", "invoice_date", "due_date",
        "lines_shown", "subtotal", "vat", "total", "paid", "due", "created_at",
    )  # fmt: skip

    @admin.display(description="status")
    def status_shown(self, invoice: Invoice) -> str:
        return status_tag(invoice)

    @admin.display(description="line items")
    def lines_shown(self, invoice: Invoice) -> str:
        """Amounts; somebody may be named in what they are for."""
        rows = (
            (written(line.quantity, QUANTITY_PLACES), naira(line.unit_price_kobo), line.amount_kobo)
            for line in invoice.lines_unnamed
        )
        return format_html_join(
            "", "{} × {} = {} ({})<br>", ((q, p, naira(kobo), DOTS) for q, p, kobo in rows)
        )

    @admin.display(description="subtotal")
    def subtotal(self, invoice: Invoice) -> str:
        return naira(invoice.subtotal_kobo)

    @admin.display(description="VAT")
    def vat(self, invoice: Invoice) -> str:
        return f"{naira(invoice.vat_kobo)} ({written(invoice.vat_rate, RATE_PLACES)} %)"

    @admin.display(description="total")
    def total(self, invoice: Invoice) -> str:
        return naira(invoice.total_kobo)

    @admin.display(description="paid")
    def paid(self, invoice: Invoice) -> str:
        return naira(invoice.paid_kobo)

    @admin.display(description="amount due")
    def due(self, invoice: Invoice) -> str:
        return naira(invoice.due_kobo)
