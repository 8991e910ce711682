"""The endpoints. A view says which rows, which body and which answer; rules live below."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.http import HttpResponse
from django_filters import FilterSet
from rest_framework.request import Request

from finora import clock
from finora.api import parameters
from finora.api.cursor import make_cursor, read_cursor, read_limit
from finora.api.envelope import success
from finora.api.idempotency import idempotent
from finora.api.operations import Answer, Tag, operation
from finora.api.parameters import path_id
from finora.api.views import ApiView
from sales.api import answers
from sales.api.errors import BUSINESS_LOGIC_ERROR
from sales.api.filters import InvoiceFilters, ReceiptFilters
from sales.api.serializers import InvoiceBody, InvoiceEditBody, ReceiptBody
from sales.lines import DEFAULT_VAT_RATE
from sales.models import Invoice, Receipt

INVOICES = Tag("Invoices", "What the business asks of its customers.")
RECEIPTS = Tag("Receipts", "What came in, and which invoices it pays.")
PAGING = (
    " Newest first, by date. When more follow, `meta.nextCursor` is the `cursor` of the next call."
    " All filters can be combined; an unknown parameter is ignored."
)


def _is_held(view: ApiView, data: dict[str, Any]) -> bool:
    """Whether the answer's customer is not erased, nor will be before the transaction's end."""
    return data["customerId"] is None or view.business.customers.hold(data["customerId"])


class BookView(ApiView):
    """What lists of invoices and of receipts share: pages, newest first."""

    filters: ClassVar[type[FilterSet]]
    list_name: ClassVar[str]

    def page(self, books: Any) -> tuple[list[Any], dict[str, Any]]:
        """One page of these books, and the meta that leads to the next one."""
        limit = read_limit(self.request.GET.get("limit"))
        after = self.after(self.request.GET.get("cursor"))
        # One more than shown tells whether more follow.
        if self.filters.base_filters.keys() & self.request.GET.keys():
            rows = self.chosen(self.filters, books.listed()).newest_first().with_customer_id()
            page = list((rows.after(*after) if after else rows)[: limit + 1])
        else:
            page = books.page(limit + 1, after)
        if len(page) <= limit:
            return page, {}
        page.pop()
        day = getattr(page[-1], books.all().date_field)
        place = day.isoformat().encode(), str(page[-1].pk).encode()
        return page, {"nextCursor": make_cursor(self.business_id, self.list_name, place)}

    def after(self, cursor: str | None) -> tuple[date, int] | None:
        """The date and key of the row to go on behind."""
        if cursor is None:
            return None
        day, pk = read_cursor(self.business_id, self.list_name, cursor)
        return date.fromisoformat(day.decode()), int(pk)


class InvoiceAnswers(ApiView):
    def data(self, invoice: Invoice) -> answers.Invoice:
        return answers.invoice_data(invoice, self.business.public_id, clock.today())


class InvoicesView(BookView, InvoiceAnswers):
    """GET and POST /v1/invoices."""

    business_id_required = frozenset({"GET", "HEAD"})
    filters, list_name = InvoiceFilters, "invoices"

    @operation(
        "listInvoices",
        "List invoices",
        f"Invoices of all customers, deleted ones too.{PAGING}",
        tag=INVOICES,
        parameters=[
            parameters.LIMIT,
            parameters.CURSOR,
            *parameters.filter_parameters(InvoiceFilters),
        ],
        answers={
            200: Answer(
                "One page of invoices.",
                answers.InvoiceList,
                {"lastPage": answers.INVOICES},
                meta=answers.InvoiceListMeta,
            )
        },
    )
    def get(self, request: Request) -> HttpResponse:
        page, meta = self.page(self.business.invoices)
        rows, unreadable = self.readable(page, self.data)
        data: answers.InvoiceList = {"invoices": rows, "count": len(rows)}
        return success(request, data, **meta, **unreadable)

    @operation(
        "createInvoice",
        "Create an invoice",
        "Makes a draft, or with `status: sent` an invoice that the customer owes at once. VAT is"
        " reckoned on the whole invoice and rounded half up to the kobo; nothing else is rounded.",
        tag=INVOICES,
        body=InvoiceBody,
        body_examples={"invoice": answers.INVOICE_BODY},
        answers={
            201: Answer("Created.", answers.Invoice, answers.ONE_INVOICE, headers=("Location",))
        },
        errors=(BUSINESS_LOGIC_ERROR,),
    )
    @idempotent(kept_while=_is_held)
    def post(self, request: Request) -> HttpResponse:
        fields: dict[str, Any] = {"invoice_date": clock.today(), "due_date": None}
        fields |= {"vat_rate": DEFAULT_VAT_RATE, **self.read(InvoiceBody)}
        invoice = self.business.invoices.record(**fields)
        location = f"/v1/invoices/{invoice.public_id}"
        return success(request, self.data(invoice), status=201, location=location)


class InvoiceView(InvoiceAnswers):
    """GET and PUT /v1/invoices/{id}."""

    id_parameter = path_id("inv", "The invoice's id.")

    @operation(
        "getInvoice",
        "Get a single invoice",
        "Fetches one invoice, in whatever status.",
        tag=INVOICES,
        answers={200: Answer("The invoice.", answers.Invoice, answers.ONE_INVOICE)},
    )
    def get(self, request: Request, id: str) -> HttpResponse:
        return success(request, self.data(self.business.invoices.get_shown(id)))

    @operation(
        "updateInvoice",
        "Update an invoice",
        "Changes the named fields and leaves the others alone: of a draft all of them, of an"
        " issued invoice `dueDate`, and `status` to `cancelled` while nothing is paid of it.",
        tag=INVOICES,
        body=InvoiceEditBody,
        partial=True,
        body_examples={"send": {"status": "sent"}, "cancel": {"status": "cancelled"}},
        answers={200: Answer("The changed invoice.", answers.Invoice, answers.ONE_INVOICE)},
        errors=(BUSINESS_LOGIC_ERROR,),
    )
    def put(self, request: Request, id: str) -> HttpResponse:
        changes = self.read(InvoiceEditBody, partial=True)
        return success(request, self.data(self.business.invoices.edit(id, changes)))


class ReceiptsView(BookView):
    """GET and POST /v1/receipts."""

    business_id_required = frozenset({"GET", "HEAD"})
    filters, list_name = ReceiptFilters, "receipts"

    @operation(
        "listReceipts",
        "List receipts",
        f"Receipts of all customers, deleted ones too, and of none; without those that are void."
        f"{PAGING}",
        tag=RECEIPTS,
        parameters=[
            parameters.LIMIT,
            parameters.CURSOR,
            *parameters.filter_parameters(ReceiptFilters),
        ],
        answers={
            200: Answer(
                "One page of receipts.",
                answers.ReceiptList,
                {"lastPage": answers.RECEIPTS},
                meta=answers.ReceiptListMeta,
            )
        },
    )
    def get(self, request: Request) -> HttpResponse:
        page, meta = self.page(self.business.receipts)
        paid = self.business.receipts.allocations_of(page)
        rows, unreadable = self.readable(
            page,
            lambda row: answers.receipt_data(row, self.business.public_id, paid[row.pk]),
        )
        data: answers.ReceiptList = {"receipts": rows, "count": len(rows)}
        return success(request, data, **meta, **unreadable)

    @operation(
        "createReceipt",
        "Create a receipt",
        "Notes money that came in, and which invoices it pays. All of them are of one customer,"
        " open, and due as much as is allocated; what is not allocated is the customer's credit.",
        tag=RECEIPTS,
        body=ReceiptBody,
        body_examples={"receipt": answers.RECEIPT_BODY},
        answers={
            201: Answer("Created.", answers.Receipt, answers.ONE_RECEIPT, headers=("Location",))
        },
        errors=(BUSINESS_LOGIC_ERROR,),
    )
    @idempotent(kept_while=_is_held)
    def post(self, request: Request) -> HttpResponse:
        fields: dict[str, Any] = {"date": clock.today(), "allocations": {}}
        fields |= self.read(ReceiptBody)
        receipt = self.business.receipts.record(**fields)
        data = answers.receipt_data(
            receipt, self.business.public_id, list(fields["allocations"].items())
        )
        location = f"/v1/receipts/{receipt.public_id}"
        return success(request, data, status=201, location=location)


class ReceiptView(ApiView):
    """GET and DELETE /v1/receipts/{id}."""

    id_parameter = path_id("rcpt", "The receipt's id.")

    @operation(
        "getReceipt",
        "Get a single receipt",
        "Fetches one receipt; of a void one nothing is allocated and nothing is left.",
        tag=RECEIPTS,
        answers={200: Answer("The receipt.", answers.Receipt, answers.ONE_RECEIPT)},
    )
    def get(self, request: Request, id: str) -> HttpResponse:
        return self.one(self.business.receipts.get_shown(id))

    @operation(
        "voidReceipt",
        "Void a receipt",
        "It counts no longer, and what it paid is due again; again, the same answer. Its number"
        " stays, and the list leaves it out.",
        tag=RECEIPTS,
        answers={200: Answer("Void.", answers.Receipt, {"void": answers.VOID})},
    )
    def delete(self, request: Request, id: str) -> HttpResponse:
        return self.one(self.business.receipts.void(id))

    def one(self, receipt: Receipt) -> HttpResponse:
        paid = self.business.receipts.allocations_of([receipt])[receipt.pk]
        data = answers.receipt_data(receipt, self.business.public_id, paid)
        return success(self.request, data)
