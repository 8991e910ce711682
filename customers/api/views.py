"""The endpoints. A view says which rows, which body and which answer; rules live below."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.http import HttpResponse
from rest_framework.request import Request

from customers.api import answers
from customers.api.errors import CUSTOMER_INACTIVE, EMAIL_IN_USE, NOT_READY_FOR_E_INVOICE
from customers.api.filters import FILTER_NAMES, CustomerFilters
from customers.api.serializers import CustomerBody, FindOrCreateBody
from customers.models import Customer
from customers.querysets import CustomerQuerySet
from finora import clock, text
from finora.api import errors, parameters
from finora.api.cursor import make_cursor, read_cursor, read_limit
from finora.api.envelope import success
from finora.api.idempotency import idempotent
from finora.api.operations import Answer, Tag, operation
from finora.api.parameters import path_id
from finora.api.views import ApiView
from finora.clock import iso

MAX_QUERY_LENGTH = 200
TAG = Tag("Customers", "Who the business sells to.")
LIST = "customers"
Q = parameters.query(
    "q",
    "What the name or the email holds, without regard to case. A letter finds the letters that"
    " carry at least its marks: `adebayo` finds `Adébáyọ̀`. 1 to 200 characters after trimming, not"
    " marks alone.",
    {"type": "string", "pattern": parameters.pattern(parameters.ANY, MAX_QUERY_LENGTH)},
    required=True,
)


class CustomerApiView(ApiView):
    """What the endpoints of customers share: several of them as an answer."""

    def filtered(self, given: frozenset[str]) -> CustomerQuerySet:
        customers = cast(CustomerQuerySet, self.business.customers.all())
        if "status" not in given:
            customers = customers.active()
        return self.chosen(CustomerFilters, customers)

    def several(self, customers: Iterable[Customer], **meta: Any) -> HttpResponse:
        """`{customers, count}`, and what of them cannot be read."""
        rows, unreadable = self.readable(customers, answers.customer_data)
        data: answers.CustomerList = {"customers": rows, "count": len(rows)}
        return success(self.request, data, **meta, **unreadable)


def _is_held(view: CustomerApiView, data: dict[str, Any]) -> bool:
    """Whether the answer's customer is not erased, nor will be before the transaction's end."""
    return view.business.customers.hold(data["id"])


class CustomersView(CustomerApiView):
    """GET and POST /v1/customers."""

    business_id_required = frozenset({"GET", "HEAD"})

    @operation(
        "listCustomers",
        "List customers",
        "Active customers, sorted by name without regard to case or accents, then by id. When more"
        " follow, `meta.nextCursor` is the `cursor` of the next call. All filters can be combined;"
        " an unknown parameter is ignored.",
        tag=TAG,
        parameters=[
            parameters.LIMIT,
            parameters.CURSOR,
            *parameters.filter_parameters(CustomerFilters),
        ],
        answers={
            200: Answer(
                "One page of customers.",
                answers.CustomerList,
                {"lastPage": answers.SEVERAL, "moreFollow": answers.SEVERAL},
                meta=answers.ListMeta,
                more={"moreFollow": {"nextCursor": "Zm9sbG93LW1l"}},
            )
        },
    )
    def get(self, request: Request) -> HttpResponse:
        # Before the rows are read: a change made meanwhile is then in the next delta sync.
        timestamp = iso(clock.now())
        limit = read_limit(request.GET.get("limit"))
        given = FILTER_NAMES.intersection(request.GET)
        filtered = self.filtered(given) if given else None
        after = self.after(request.GET.get("cursor"))
        # One more than shown tells whether more follow.
        if filtered is None:
            page = self.business_ahead.customers.page(limit + 1, after)
        else:
            customers = filtered.in_list_order().with_columns_shown()
            page = list((customers.after(*after) if after else customers)[: limit + 1])
        meta = {}
        if len(page) > limit:
            page.pop()
            last = page[-1]
            place = bytes(last.name_key), last.public_id.encode()
            meta["nextCursor"] = make_cursor(self.business_id, LIST, place)
        return self.several(page, timestamp=timestamp, **meta)

    def after(self, cursor: str | None) -> tuple[bytes, str] | None:
        """The name key and id of the row to go on behind."""
        if cursor is None:
            return None
        name_key, public_id = read_cursor(self.business_ahead.pk, LIST, cursor)
        return name_key, public_id.decode()

    @operation(
        "createCustomer",
        "Create a customer",
        "Creates a customer with the full field set.",
        tag=TAG,
        body=CustomerBody,
        body_examples={"acme": answers.ACME_BODY},
        answers={
            201: Answer("Created.", answers.Customer, answers.ONE, headers=("Location",)),
        },
        errors=(EMAIL_IN_USE,),
    )
    @idempotent(kept_while=_is_held)
    def post(self, request: Request) -> HttpResponse:
        fields = self.read(CustomerBody)
        customer = self.business.customers.create(**fields)
        data = answers.customer_data(customer)
        return success(request, data, status=201, location=f"/v1/customers/{data['id']}")


class CustomerView(CustomerApiView):
    """GET, PUT and DELETE /v1/customers/{id}."""

    id_parameter = path_id("cust", "The customer's id.")

    @operation(
        "getCustomer",
        "Get a single customer",
        "Fetches one customer; an inactive one too, with `isActive: false`.",
        tag=TAG,
        answers={200: Answer("The customer.", answers.Customer, answers.ONE)},
    )
    def get(self, request: Request, id: str) -> HttpResponse:
        customer = self.business_ahead.customers.get_shown(id)
        return success(request, answers.customer_data(customer))

    @operation(
        "updateCustomer",
        "Update a customer",
        "Changes the named fields and leaves the others alone. `null` clears an optional field;"
        " `name` and `email` cannot be cleared. To soft-delete, use DELETE.",
        tag=TAG,
        body=CustomerBody,
        partial=True,
        body_examples={"phone": {"phone": "+2348012345678"}, "clear": {"tin": None}},
        answers={200: Answer("The changed customer.", answers.Customer, answers.ONE)},
        errors=(EMAIL_IN_USE, CUSTOMER_INACTIVE),
    )
    def put(self, request: Request, id: str) -> HttpResponse:
        changes = self.read(CustomerBody, partial=True)
        customer = self.business.customers.edit(id, changes)
        return success(request, answers.customer_data(customer))

    @operation(
        "deleteCustomer",
        "Soft-delete a customer",
        "Marks the customer inactive; again, the same answer. Invoices and receipts keep their"
        " customer, and the email is free for a new one.",
        tag=TAG,
        answers={
            200: Answer(
                "Inactive.", answers.Deleted, {"deleted": {"id": "cust_xyz", "isActive": False}}
            )
        },
    )
    def delete(self, request: Request, id: str) -> HttpResponse:
        customers = self.business.customers.with_public_id(id)
        if not customers.exists():
            raise errors.NOT_FOUND()
        customers.delete()
        data: answers.Deleted = {"id": id, "isActive": False}
        return success(request, data)


class PartyView(CustomerApiView):
    """GET /v1/customers/{id}/party."""

    id_parameter = path_id("cust", "The customer's id.")

    @operation(
        "getParty",
        "Get a customer as an e-invoice's party",
        "The buyer's party as an e-invoice to the tax authority (NRS) names it. The parts of the"
        " postal address are read from the customer's one text; `meta.notFound` says which are not"
        " to be found in it.",
        tag=TAG,
        answers={
            200: Answer(
                "The party.",
                answers.Party,
                {"acme": answers.ACME_PARTY},
                meta=answers.PartyMeta,
                more={"acme": {"notFound": ["postal_zone", "country"]}},
            )
        },
        errors=(NOT_READY_FOR_E_INVOICE,),
    )
    def get(self, request: Request, id: str) -> HttpResponse:
        customer = self.business.customers.get_shown(id)
        data, not_found = answers.party_data(customer)
        return success(request, data, notFound=not_found)


class SearchView(CustomerApiView):
    """GET /v1/customers/search."""

    business_id_required = frozenset({"GET", "HEAD"})

    @operation(
        "searchCustomers",
        "Search customers",
        "Substring match on name or email, among active customers only: at most 50, sorted as in"
        " the list. `%`, `_`, `\\` and quotes are ordinary characters.",
        tag=TAG,
        parameters=[Q],
        answers={
            200: Answer(
                "The matches.",
                answers.CustomerSearch,
                {"acme": answers.SEVERAL},
                meta=answers.SearchMeta,
            )
        },
    )
    def get(self, request: Request) -> HttpResponse:
        query = text.trim(request.GET.get("q", ""))
        if not 1 <= len(query) <= MAX_QUERY_LENGTH:
            raise errors.invalid_parameter(
                "q", f"q is a text of 1 to {MAX_QUERY_LENGTH} characters."
            )
        if not text.fold(query):
            raise errors.invalid_parameter("q", "q holds no letter that its marks could sit on.")
        return self.several(self.business.customers.search(query))


class FindOrCreateView(CustomerApiView):
    """POST /v1/customers/find-or-create."""

    @operation(
        "findOrCreateCustomer",
        "Find or create",
        "Idempotent lookup by email, in any letter case, among active customers. Answers the one"
        " that has it, otherwise creates one. Any number of simultaneous calls make one customer.",
        tag=TAG,
        body=FindOrCreateBody,
        body_examples={"jane": answers.JANE_BODY},
        answers={
            200: Answer(
                "Found.", answers.FoundOrCreated, {"jane": answers.JANE | {"created": False}}
            ),
            201: Answer(
                "Created.", answers.FoundOrCreated, {"jane": answers.JANE | {"created": True}}
            ),
        },
    )
    @idempotent(kept_while=_is_held)
    def post(self, request: Request) -> HttpResponse:
        fields = self.read(FindOrCreateBody)
        customer = self.business_ahead.customers.active_with_email(fields["email"])
        created = False
        if customer is None:
            customer, created = self.business.customers.create_or_find(**fields)
        data: answers.FoundOrCreated = {
            "id": customer.public_id,
            "name": customer.name,
            "email": customer.email,
            "created": created,
        }
        return success(request, data, status=201 if created else 200)
