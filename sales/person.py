"""What the books hold about one customer, for that person: see customers/transfer/person.py."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from customers.models import Customer
from customers.transfer import person
from finora import clock
from finora.clock import iso
from finora.sealing import SealError
from finora.tenants.models.business import Business
from sales.lines import QUANTITY_PLACES, RATE_PLACES, Line, written
from sales.models import Invoice


def _naira(kobo: int) -> Decimal:
    return Decimal(kobo).scaleb(-2)


def _invoices(customer: Customer) -> Iterator[dict[str, Any]]:
    """Newest last."""
    rows: Any = Business(pk=customer.business_id).invoices.filter(customer=customer)
    today = clock.today()
    for row in rows.newest_first().reverse().iterator():
        yield {
            "id": row.public_id,
            "number": row.number,
            "date": row.invoice_date,
            "due": row.due_date,
            "status": row.status_on(today),
            "lines": [_line(line) for line in _lines(row)],
            "vatRate": written(row.vat_rate, RATE_PLACES),
            "vat": _naira(row.vat_kobo),
            "total": _naira(row.total_kobo),
            "amountDue": _naira(row.due_kobo),
            "createdAt": iso(row.created_at),
        }


def _lines(row: Invoice) -> list[Line]:
    try:
        return row.lines
    except SealError:
        return row.lines_unnamed


def _line(line: Line) -> str:
    quantity, price = written(line.quantity, QUANTITY_PLACES), _naira(line.unit_price_kobo)
    return f"{quantity} × {price}" + (f": {line.description}" if line.description else "")


def _receipts(customer: Customer) -> Iterator[dict[str, Any]]:
    """Newest last; void ones too."""
    receipts: Any = Business(pk=customer.business_id).receipts
    rows = list(receipts.filter(customer=customer).newest_first().reverse())
    paid = receipts.allocations_of(rows)
    for row in rows:
        yield {
            "id": row.public_id,
            "number": row.number,
            "date": row.date,
            "amount": _naira(row.amount_kobo),
            "unallocated": _naira(row.unallocated_kobo),
            "method": row.method,
            "paidBy": _opened(row, "paid_by"),
            "paidByEmail": _opened(row, "paid_by_email"),
            "reference": _opened(row, "reference"),
            "pays": [f"{invoice}: {_naira(kobo)}" for invoice, kobo in paid[row.pk]],
            "voidedAt": iso(row.voided_at) if row.voided_at else None,
            "createdAt": iso(row.created_at),
        }


def _opened(row: Any, field: str) -> str | None:
    try:
        value: str | None = getattr(row, field)
    except SealError:
        return "unreadable"
    return value


person.register("invoices", _invoices)
person.register("receipts", _receipts)
