"""What the books' endpoints answer: each shape declared once, written here and described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, NotRequired, TypedDict

from customers.api.answers import CustomerId
from finora.api.cursor import MAX_LIMIT
from finora.api.fields import decimal, naira
from finora.api.shapes import Json, Kobo, Naira, PageMeta, Says, Time
from finora.clock import iso
from sales import lines
from sales.models import Invoice as InvoiceRow
from sales.models import Receipt as ReceiptRow

Status = Literal["draft", "sent", "partially_paid", "paid", "overdue", "cancelled"]
Method = Literal["cash", "bank_transfer", "card", "pos", "cheque", "mobile_money", "other"]
Day = Annotated[str, Says(format="date")]
Amount = Annotated[Kobo, Says(minimum=0, description="100 kobo are a naira.")]
BusinessId = Annotated[str, Says(description="The key's business.")]
InvoiceId = Annotated[
    str, Says("InvoiceId", pattern="^inv_[0-9a-z]+$", maxLength=40, description="Opaque.")
]
ReceiptId = Annotated[
    str, Says("ReceiptId", pattern="^rcpt_[0-9a-z]+$", maxLength=40, description="Opaque.")
]
# What somebody may be named in is null once the customer was erased.
Forgotten = Says(description="null when absent, and once the customer was erased.")


class LineItem(TypedDict):
    description: Annotated[str | None, Says(description="null once the customer was erased.")]
    quantity: Annotated[int | Decimal, Says(description="At most three decimals.")]
    unitPrice: Naira
    amountKobo: Amount
    amount: Naira


class Invoice(TypedDict):
    """What the business asks of a customer: always all of these, absent ones null."""

    id: InvoiceId
    businessId: BusinessId
    invoiceNumber: Annotated[str, Says(pattern=r"^INV-\d{4}-\d{5,}$")]
    customerId: CustomerId
    invoiceDate: Day
    dueDate: Annotated[str | None, Says(format="date")]
    lineItems: Annotated[list[LineItem], Says(minItems=1, maxItems=lines.MOST_LINES)]
    subtotalKobo: Amount
    vatRate: Annotated[int | Decimal, Says(description="In percent, at most two decimals.")]
    vatAmountKobo: Amount
    totalKobo: Amount
    total: Naira
    amountDueKobo: Annotated[
        Amount, Says(description="What it is short of; 0 of a cancelled one, all of a draft.")
    ]
    status: Annotated[
        Status, Says(description="`overdue` while it is open and the due date is past.")
    ]
    createdAt: Time


class Allocation(TypedDict):
    invoiceId: InvoiceId
    amountAllocated: Naira


class Receipt(TypedDict):
    """Money that came in: always all of these, absent ones null."""

    id: ReceiptId
    businessId: BusinessId
    receiptNumber: Annotated[str, Says(pattern=r"^RCP-\d{4}-\d{5,}$")]
    receiptType: Annotated[
        Literal["invoice_payment", "cash_sale"],
        Says(description="`invoice_payment` when it is allocated to an invoice."),
    ]
    date: Day
    amountKobo: Amount
    amount: Naira
    unallocatedAmountKobo: Annotated[
        Amount, Says(description="What of it pays no invoice; 0 once it is void.")
    ]
    unallocatedAmount: Naira
    paymentMethod: Method
    paidBy: Annotated[str | None, Forgotten]
    paidByEmail: Annotated[str | None, Says(format="email"), Forgotten]
    customerId: CustomerId | None
    reference: Annotated[str | None, Forgotten]
    allocations: list[Allocation]
    createdAt: Time


class InvoiceList(TypedDict):
    invoices: Annotated[list[Invoice], Says(maxItems=MAX_LIMIT)]
    count: Annotated[int, Says(minimum=0, maximum=MAX_LIMIT)]


class ReceiptList(TypedDict):
    receipts: Annotated[list[Receipt], Says(maxItems=MAX_LIMIT)]
    count: Annotated[int, Says(minimum=0, maximum=MAX_LIMIT)]


_LEFT_OUT = "Only when stored ones could not be opened: left out, their ids are here."


class InvoiceListMeta(PageMeta):
    unreadable: NotRequired[Annotated[list[InvoiceId], Says(minItems=1, description=_LEFT_OUT)]]


class ReceiptListMeta(PageMeta):
    unreadable: NotRequired[Annotated[list[ReceiptId], Says(minItems=1, description=_LEFT_OUT)]]


def _line(line: lines.Line) -> LineItem:
    kobo = line.amount_kobo
    return {
        "description": line.description,
        "quantity": decimal(line.quantity, lines.QUANTITY_PLACES),
        "unitPrice": naira(line.unit_price_kobo),
        "amountKobo": kobo,
        "amount": naira(kobo),
    }


def invoice_data(row: InvoiceRow, business_id: str, today: date) -> Invoice:
    """`row` has its customer's public id. Raises SealError."""
    return {
        "id": row.public_id,
        "businessId": business_id,
        "invoiceNumber": row.number,
        "customerId": row.customer.public_id,
        "invoiceDate": row.invoice_date.isoformat(),
        "dueDate": row.due_date.isoformat() if row.due_date else None,
        "lineItems": [_line(line) for line in row.lines],
        "subtotalKobo": row.subtotal_kobo,
        "vatRate": decimal(row.vat_rate, lines.RATE_PLACES),
        "vatAmountKobo": row.vat_kobo,
        "totalKobo": row.total_kobo,
        "total": naira(row.total_kobo),
        "amountDueKobo": row.due_kobo,
        "status": row.status_on(today),  # type: ignore[typeddict-item]
        "createdAt": iso(row.created_at),
    }


def receipt_data(
    row: ReceiptRow, business_id: str, allocations: Sequence[tuple[str, int]]
) -> Receipt:
    """`row` has its customer's id; `allocations` are kobo by an invoice's. Raises SealError."""
    unallocated = row.unallocated_kobo
    return {
        "id": row.public_id,
        "businessId": business_id,
        "receiptNumber": row.number,
        "receiptType": "invoice_payment" if allocations else "cash_sale",
        "date": row.date.isoformat(),
        "amountKobo": row.amount_kobo,
        "amount": naira(row.amount_kobo),
        "unallocatedAmountKobo": unallocated,
        "unallocatedAmount": naira(unallocated),
        "paymentMethod": row.method,  # type: ignore[typeddict-item]
        "paidBy": row.paid_by,
        "paidByEmail": row.paid_by_email,
        "customerId": row.customer.public_id if row.customer else None,
        "reference": row.reference,
        "allocations": [
            {"invoiceId": public_id, "amountAllocated": naira(kobo)}
            for public_id, kobo in allocations
        ],
        "createdAt": iso(row.created_at),
    }


# Examples.

INVOICE_BODY: Json = {
    "customerId": "cust_xyz",
    "invoiceDate": "2026-03-20",
    "dueDate": "2026-04-19",
    "lineItems": [{"description": "Bookkeeping, March", "quantity": 2, "unitPrice": 25000}],
    "status": "sent",
}
INVOICE: Json = {
    "id": "inv_xyz",
    "businessId": "biz_demo",
    "invoiceNumber": "INV-2026-00042",
    "customerId": "cust_xyz",
    "invoiceDate": "2026-03-20",
    "dueDate": "2026-04-19",
    "lineItems": [
        {
            "description": "Bookkeeping, March",
            "quantity": 2,
            "unitPrice": 25000,
            "amountKobo": 5000000,
            "amount": 50000,
        }
    ],
    "subtotalKobo": 5000000,
    "vatRate": 7.5,
    "vatAmountKobo": 375000,
    "totalKobo": 5375000,
    "total": 53750,
    "amountDueKobo": 5375000,
    "status": "sent",
    "createdAt": "2026-03-20T09:15:00.000Z",
}
RECEIPT_BODY: Json = {
    "date": "2026-03-25",
    "amount": 20000.5,
    "paymentMethod": "bank_transfer",
    "paidBy": "Jane Doe",
    "paidByEmail": "jane@example.com",
    "customerId": "cust_xyz",
    "reference": "TRF-88121",
    "allocations": [{"invoiceId": "inv_xyz", "amountAllocated": 20000}],
}
RECEIPT: Json = {
    "id": "rcpt_xyz",
    "businessId": "biz_demo",
    "receiptNumber": "RCP-2026-00007",
    "receiptType": "invoice_payment",
    "date": "2026-03-25",
    "amountKobo": 2000050,
    "amount": 20000.5,
    "unallocatedAmountKobo": 50,
    "unallocatedAmount": 0.5,
    "paymentMethod": "bank_transfer",
    "paidBy": "Jane Doe",
    "paidByEmail": "jane@example.com",
    "customerId": "cust_xyz",
    "reference": "TRF-88121",
    "allocations": [{"invoiceId": "inv_xyz", "amountAllocated": 20000}],
    "createdAt": "2026-03-25T09:15:00.000Z",
}
VOID: Json = RECEIPT | {
    "receiptType": "cash_sale",
    "unallocatedAmountKobo": 0,
    "unallocatedAmount": 0,
    "allocations": [],
}
ONE_INVOICE: Mapping[str, Json] = {"invoice": INVOICE}
ONE_RECEIPT: Mapping[str, Json] = {"receipt": RECEIPT}
INVOICES: Json = {"invoices": [INVOICE], "count": 1}
RECEIPTS: Json = {"receipts": [RECEIPT], "count": 1}
