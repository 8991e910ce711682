"""Makers of invoices and receipts, and what holds of the books after whatever was done to them."""

from __future__ import annotations

from datetime import date
from io import StringIO
from typing import Any

from django.core.management import call_command

from customers.models import Customer
from finora.tenants.models import Business
from sales.lines import Line
from sales.models import Invoice, Receipt

DAY = date(2026, 3, 20)


def line(kobo: int = 100_000, description: str = "Consulting", quantity: int = 1000) -> Line:
    return Line(description, quantity, kobo)


def invoice(customer: Customer, *lines: Line, **fields: Any) -> Invoice:
    """Sent, without VAT: of 1,000 naira where nothing else is said."""
    return customer.business.invoices.record(
        **{
            "customer_id": customer.public_id,
            "invoice_date": DAY,
            "due_date": None,
            "lines": list(lines) or [line()],
            "vat_rate": 0,
            "status": "sent",
            **fields,
        }
    )


def receipt(
    customer: Customer | None,
    kobo: int = 100_000,
    allocations: dict[str, int] | None = None,
    business: Business | None = None,
    **fields: Any,
) -> Receipt:
    business = customer.business if customer else business
    return business.receipts.record(
        **{
            "customer_id": customer.public_id if customer else None,
            "date": DAY,
            "amount_kobo": kobo,
            "method": "cash",
            "allocations": allocations or {},
            **fields,
        }
    )


def balance(customer: Customer) -> int:
    return Customer.objects.values_list("account_balance_kobo", flat=True).get(pk=customer.pk)


def balanced() -> str:
    """What check_balances says; it raises where the books do not agree."""
    said = StringIO()
    call_command("check_balances", stdout=said)
    return said.getvalue()
