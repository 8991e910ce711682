"""What a customer's page shows of the books: the latest, and what all come to."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from customers.models import Customer
from finora.staff.display import naira
from finora.tenants.models import Business
from sales.admin.invoice import status_tag

ROWS_SHOWN = 10


def _list_url(customer: Customer, model: str) -> str:
    url = reverse(f"admin:sales_{model}_changelist")
    business_id = customer.business.public_id
    return f"{url}?{urlencode({'business': business_id, 'customer': customer.public_id})}"


def invoices(customer: Customer) -> dict[str, Any]:
    """For the template; totals are of issued invoices."""
    mine: Any = Business(pk=customer.business_id).invoices.filter(customer=customer)
    rows = [
        {
            "url": reverse("admin:sales_invoice_change", args=[row.pk]),
            "number": row.number,
            "date": row.invoice_date,
            "status": status_tag(row),
            "total": naira(row.total_kobo),
            "due": naira(row.due_kobo),
        }
        for row in mine.newest_first().defer("descriptions")[:ROWS_SHOWN]
    ]
    sums = mine.sums()
    return {
        "rows": rows,
        "count": sums["count"],
        "total": naira(sums["total"]),
        "due": naira(sums["due"]),
        "list_url": _list_url(customer, "invoice"),
    }


def receipts(customer: Customer) -> dict[str, Any]:
    """For the template; totals are of valid receipts."""
    mine: Any = Business(pk=customer.business_id).receipts.filter(customer=customer)
    rows = [
        {
            "url": reverse("admin:sales_receipt_change", args=[row.pk]),
            "number": row.number,
            "date": row.date,
            "is_void": row.voided_at is not None,
            "method": row.get_method_display(),
            "amount": naira(row.amount_kobo),
            "unallocated": naira(row.unallocated_kobo),
        }
        for row in mine.newest_first()[:ROWS_SHOWN]
    ]
    sums = mine.sums()
    return {
        "rows": rows,
        "count": sums["count"],
        "amount": naira(sums["amount"]),
        "unallocated": naira(sums["unallocated"]),
        "list_url": _list_url(customer, "receipt"),
    }
