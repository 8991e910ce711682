"""In and out in bulk: an export that streams, an import that is done behind the answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, cast

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from customers.api import answers
from customers.api.errors import FILE_TOO_LARGE, NOT_A_FILE
from customers.api.filters import FILTER_NAMES, CustomerFilters
from customers.api.views import TAG, CustomerApiView
from customers.models import Customer
from customers.querysets import CustomerQuerySet
from customers.transfer import tasks
from customers.transfer.export import CONTENT_TYPES, note
from customers.transfer.models import CHUNK_BYTES, Import, OnDuplicate
from finora.api import errors, parameters, throttling
from finora.api.envelope import streamed, success, written
from finora.api.idempotency import idempotent
from finora.api.operations import Answer, Streamed, operation
from finora.api.parameters import path_id
from finora.api.parsers import FileParser, type_of
from finora.api.views import ApiView
from finora.audit import acting
from finora.sealing import SealError

log = logging.getLogger("finora.api")

PATH = "/v1/customers/import"
PAGE_ROWS = 200
# The last line names so many at most of those that could not be opened.
MOST_UNREADABLE = 1_000
FORMATS = {CONTENT_TYPES["jsonl"]: "jsonl", "text/csv": ""}  # CSV says by its header whose it is
LINES = written(answers.ACME).decode() + '\n{"count":1}\n'
ON_DUPLICATE = parameters.query(
    "onDuplicate",
    "What becomes of a row whose email a customer has already: `skip` leaves the customer as it is,"
    " `update` fills and changes what the row says, and clears nothing.",
    {"type": "string", "enum": list(OnDuplicate.values), "default": "skip"},
)


class ExportView(CustomerApiView):
    """GET /v1/customers/export."""

    business_id_required = frozenset({"GET", "HEAD"})

    @operation(
        "exportCustomers",
        "Export customers",
        "A customer a line, in list order, as they are made: JSON lines, of any number. The list's"
        ' filters apply. The last line is `{"count": n}`: a stream without it was cut. Customers'
        " that could not be opened are left out, and named in its `unreadable`.",
        tag=TAG,
        parameters=parameters.filter_parameters(CustomerFilters),
        answers={200: Streamed("The customers.", CONTENT_TYPES["jsonl"], LINES)},
    )
    def get(self, request: Request) -> HttpResponseBase:
        given = FILTER_NAMES.intersection(request.GET)
        mine = cast(CustomerQuerySet, self.business.customers.active())
        customers = self.filtered(given) if given else mine
        if request.method == "HEAD":
            return streamed(request, (), CONTENT_TYPES["jsonl"])
        note(self.business, customers.count(), reveal=True)
        lines = _Lines(self, customers)
        return streamed(request, lines.pages(), CONTENT_TYPES["jsonl"])


class _Lines:
    """The lines of a business's customers. Raises INTERNAL_ERROR where none of the first opens: it
    is the key that is wrong, and an empty export would be a lie."""

    def __init__(self, view: ExportView, customers: CustomerQuerySet) -> None:
        self._view = view
        self._actor = view.actor()
        self._pages = customers.with_columns_shown().in_pages(PAGE_ROWS)
        self._count = 0
        self._unreadable: list[str] = []
        self._first = self._page(next(self._pages, []))
        if self._unreadable and not self._count:
            self._note_unreadable()
            raise errors.INTERNAL_ERROR()

    def pages(self) -> Iterator[bytes]:
        try:
            yield self._first
            for page in self._pages:
                throttling.keep(self._view.request._request)
                yield self._page(page)
        finally:
            self._note_unreadable()
        last: dict[str, Any] = {"count": self._count}
        if self._unreadable:
            last["unreadable"] = self._unreadable[:MOST_UNREADABLE]
        yield written(last) + b"\n"

    def _page(self, customers: list[Customer]) -> bytes:
        lines = []
        for customer in customers:
            try:
                lines.append(written(answers.customer_data(customer)) + b"\n")
            except SealError as error:
                self._unreadable.append(customer.public_id)
                fields = {"customer": customer.public_id}
                log.error("customer unreadable", exc_info=error, extra={"fields": fields})
        self._count += len(lines)
        return b"".join(lines)

    def _note_unreadable(self) -> None:
        if self._unreadable:
            with acting.acting(lambda: self._actor):
                self._view.note_unreadable(self._unreadable)


class CustomerFileParser(FileParser):
    types = tuple(FORMATS)
    most_bytes = settings.LARGE_BODIES[PATH]
    refusal = NOT_A_FILE


class ImportCustomersView(ApiView):
    """POST /v1/customers/import."""

    parser_classes = [CustomerFileParser]

    @operation(
        "importCustomers",
        "Import customers",
        "Takes a file of at most 10 MB and answers at once; `GET /v1/imports/{id}` tells what"
        " became of it. JSON lines with the fields of a new customer, or CSV with them as its"
        " header line; files of other tools (Shopify, WooCommerce, QuickBooks, Xero, Zoho, Google)"
        " are recognised by theirs. A row that breaks a rule is reported and stops no other.",
        tag=TAG,
        parameters=[ON_DUPLICATE],
        files={
            CONTENT_TYPES["jsonl"]: written(answers.JANE_BODY).decode() + "\n",
            "text/csv": "name,email,phone\nJane Doe,jane@example.com,0803 123 4567\n",
        },
        answers={
            202: Answer(
                "It waits for its turn.",
                answers.ImportBegun,
                {"begun": {"id": "imp_xyz", "state": "waiting"}},
                headers=("Location",),
            )
        },
        errors=(errors.BODY_TOO_SLOW, FILE_TOO_LARGE, NOT_A_FILE),
    )
    @idempotent(kept_while=lambda view, data: True, parameters=("onDuplicate",))
    def post(self, request: Request) -> HttpResponse:
        on_duplicate = request.GET.get("onDuplicate", OnDuplicate.SKIP)
        if on_duplicate not in OnDuplicate.values:
            raise errors.invalid_parameter("onDuplicate", "onDuplicate is skip or update.")
        body = cast(bytes, request.data)
        if request.stream is None:
            raise errors.UNREADABLE(message="The body is empty.")
        pieces = (body[at : at + CHUNK_BYTES] for at in range(0, len(body), CHUNK_BYTES))
        import_ = tasks.begin(
            self.business,
            pieces,
            format=FORMATS[type_of(request.content_type)],
            on_duplicate=on_duplicate,
        )
        data: answers.ImportBegun = {
            "id": import_.public_id,
            "state": answers.import_state(import_),
        }
        return success(request, data, status=202, location=f"/v1/imports/{import_.public_id}")


class ImportView(ApiView):
    """GET /v1/imports/{id}."""

    id_parameter = path_id("imp", "The import's id.")

    @operation(
        "getImport",
        "Get an import",
        "How far it is, and what became of its rows. `report` names line, field and rule of the"
        " first 1,000 that something is to be told of, and never what stands there.",
        tag=TAG,
        answers={
            200: Answer(
                "The import.",
                answers.Import,
                {
                    "done": {
                        "id": "imp_xyz",
                        "state": "done",
                        "rows": 3,
                        "created": 2,
                        "updated": 0,
                        "skipped": 0,
                        "rejected": 1,
                        "report": [
                            {"line": 4, "field": "email", "message": "Enter a valid email address."}
                        ],
                    }
                },
            )
        },
    )
    def get(self, request: Request, id: str) -> HttpResponse:
        found: Import | None = self.business.imports.with_public_id(id).started().first()
        if found is None:
            raise errors.NOT_FOUND()
        return success(request, answers.import_data(found))
