"""The endpoints. A view says which rows, which body and which answer; rules live below."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn, cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from customers import acting, clock, normalize
from customers.api import answers, throttling
from customers.api.authentication import BearerAuthentication
from customers.api.envelope import failure, method_not_allowed, success
from customers.api.errors import CUSTOMER_INACTIVE, EMAIL_IN_USE
from customers.api.filters import FILTER_NAMES, CustomerFilters
from customers.api.idempotency import idempotent
from customers.api.pagination import make_cursor, read_cursor, read_limit
from customers.api.parsers import JsonObjectParser
from customers.api.serializers import CustomerBody, FindOrCreateBody
from customers.api.timestamps import iso
from customers.keyring import SealError
from customers.managers import CustomerQuerySet
from customers.models import ApiKey, AuditEvent, Customer
from finora.api import errors, parameters
from finora.api.operations import Answer, operation
from finora.api.parameters import path_id
from finora.logging import request_id

log = logging.getLogger("finora.api")

MAX_QUERY_LENGTH = 200
TAG = "Customers"
Q = parameters.query(
    "q",
    "What the name or the email holds, without regard to case. A letter finds the letters that"
    " carry at least its marks: `adebayo` finds `Adébáyọ̀`. 1 to 200 characters after trimming, not"
    " marks alone.",
    {"type": "string", "pattern": parameters.pattern(parameters.ANY, MAX_QUERY_LENGTH)},
    required=True,
)


# What of DRF's the answers of this API do not go through.
NOT_HONOURED = (
    "content_negotiation_class",
    "metadata_class",
    "renderer_classes",
    "versioning_class",
)


class ApiView(APIView):
    """Authentication first, then the business, then the request: the order of all endpoints.

    A view may have permission and throttle classes of its own, asked last. Renderers, versions,
    metadata and content negotiation refuse to be set, with a TypeError.
    """

    authentication_classes = [BearerAuthentication]
    parser_classes = [JsonObjectParser]
    http_method_names = ["get", "head", "post", "put", "delete"]
    business_id_required: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in NOT_HONOURED:
            if getattr(cls, name) is not getattr(ApiView, name):
                raise TypeError(f"{cls.__name__} sets {name}, which no answer goes through.")

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        if refused := initkwargs.keys() & set(NOT_HONOURED):
            raise TypeError(f"as_view() sets {min(refused)}, which no answer goes through.")
        return super().as_view(**initkwargs)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with acting.acting(self.actor):
            try:
                return super().dispatch(request, *args, **kwargs)
            finally:
                throttling.leave(request)

    def actor(self) -> acting.Actor:
        """The key, for the audit trail."""
        return acting.Actor("key", self.key.public_id, request_id.get())

    @property
    def key(self) -> ApiKey:
        """The key of the request, once it is authenticated."""
        return cast(ApiKey, self.request.auth)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        key = self.key
        throttling.enter(request._request, key)
        request._request.api_key_id = key.public_id  # type: ignore[attr-defined]
        business = key.business
        if business.is_suspended:
            raise errors.BUSINESS_SUSPENDED()
        named = [name for name in request.GET.getlist("businessId") if name]
        if any(name != business.public_id for name in named):
            # The key's own business hears of it. What was named may be anything: it is not noted.
            AuditEvent.objects.record_refused(
                AuditEvent.Action.ACCESS_REFUSED, business.pk, [key.public_id]
            )
            raise errors.FORBIDDEN()
        if not named and request.method in self.business_id_required:
            raise errors.MISSING_BUSINESS_ID.of_field("businessId")
        self.check_permissions(request)
        self.check_throttles(request)

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, SealError) and exc.row:
            self.note_unreadable([exc.row])
        return super().handle_exception(exc)

    def note_unreadable(self, public_ids: list[str]) -> None:
        AuditEvent.objects.record_refused(
            AuditEvent.Action.UNREADABLE, self.business_id, public_ids
        )

    @property
    def default_response_headers(self) -> dict[str, str]:
        # DRF's Allow and Vary: the one belongs to a 405, the other to content negotiation.
        return {}

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> NoReturn:
        raise method_not_allowed(*self.allowed_methods)

    @property
    def business_id(self) -> int:
        return self.key.business_id

    def customers(self) -> CustomerQuerySet:
        """All customers of the key's business: no query leaves it."""
        return Customer.objects.in_business(self.business_id)

    def read(self, body: type[Serializer[Any]], **kwargs: Any) -> dict[str, Any]:
        """The validated body. Raises the contract's error for any other."""
        data = self.request.data
        if self.request.stream is None:
            raise errors.NOT_JSON()
        serializer = body(data=data, **kwargs)
        serializer.is_valid(raise_exception=True)
        return cast(dict[str, Any], serializer.validated_data)

    def several(self, customers: Iterable[Customer], **meta: Any) -> HttpResponse:
        """`{customers, count}`. A row that cannot be opened is left out, logged, and named in
        `meta.unreadable`: one bad row takes no list down, and no wrong value is ever served.
        Where no row opens it is the key that is wrong, and an empty list would be a lie: a 500.
        """
        rows: list[answers.Customer] = []
        unreadable: list[str] = []
        for customer in customers:
            try:
                rows.append(answers.customer_data(customer))
            except SealError as error:
                unreadable.append(customer.public_id)
                log.error(
                    "customer unreadable",
                    exc_info=error,
                    extra={"fields": {"customer": customer.public_id}},
                )
        if unreadable and not rows:
            raise errors.INTERNAL_ERROR()
        if unreadable:
            meta["unreadable"] = unreadable
            self.note_unreadable(unreadable)
        data: answers.CustomerList = {"customers": rows, "count": len(rows)}
        return success(self.request, data, **meta)


class CustomersView(ApiView):
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
        cursor = request.GET.get("cursor")
        after = None if cursor is None else read_cursor(self.business_id, cursor)
        # One more than shown tells whether more follow.
        if filtered is None:
            page = Customer.objects.active_page(self.business_id, limit + 1, after)
        else:
            customers = filtered.in_list_order().with_columns_shown()
            page = list((customers.after(*after) if after else customers)[: limit + 1])
        meta = {}
        if len(page) > limit:
            page.pop()
            meta["nextCursor"] = make_cursor(self.business_id, page[-1])
        return self.several(page, timestamp=timestamp, **meta)

    def filtered(self, given: frozenset[str]) -> CustomerQuerySet:
        query = self.request.GET
        customers = self.customers()
        for name in given:
            # An empty variable in an integration must not turn a filter into "everyone".
            if not normalize.trim(query[name]):
                raise errors.invalid_parameter(name, f"{name} is empty.")
        if "status" not in given:
            customers = customers.active()
        filters = CustomerFilters(query, customers, request=self.request)
        for name, problems in filters.errors.items():
            raise errors.invalid_parameter(name, str(problems[0]))
        return cast(CustomerQuerySet, filters.qs)

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
    @idempotent
    def post(self, request: Request) -> HttpResponse:
        fields = self.read(CustomerBody)
        customer = Customer.objects.create(business_id=self.business_id, **fields)
        data = answers.customer_data(customer)
        return success(request, data, status=201, location=f"/v1/customers/{data['id']}")


class CustomerView(ApiView):
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
        customer = Customer.objects.shown(self.business_id, id)
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
        return success(request, answers.customer_data(self.customers().edit(id, changes)))

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
        customers = self.customers().with_public_id(id)
        if not customers.exists():
            raise errors.NOT_FOUND()
        customers.delete()
        data: answers.Deleted = {"id": id, "isActive": False}
        return success(request, data)


class SearchView(ApiView):
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
        query = normalize.trim(request.GET.get("q", ""))
        if not 1 <= len(query) <= MAX_QUERY_LENGTH:
            raise errors.invalid_parameter(
                "q", f"q is a text of 1 to {MAX_QUERY_LENGTH} characters."
            )
        if not normalize.fold(query):
            raise errors.invalid_parameter("q", "q holds no letter that its marks could sit on.")
        return self.several(Customer.objects.search(self.business_id, query))


class FindOrCreateView(ApiView):
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
    @idempotent
    def post(self, request: Request) -> HttpResponse:
        fields = self.read(FindOrCreateBody)
        customer, created = Customer.objects.find_or_create(self.business_id, **fields)
        data: answers.FoundOrCreated = {
            "id": customer.public_id,
            "name": customer.name,
            "email": customer.email,
            "created": created,
        }
        return success(request, data, status=201 if created else 200)


class ElsewhereView(ApiView):
    """Every other path of the API: told apart only after authentication."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if kwargs["version"] != "1":
            raise errors.INVALID_VERSION()
        raise errors.NOT_FOUND()


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Every path outside the API that nothing answers."""
    return failure(request, errors.NOT_FOUND())


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What Django refuses before a view: an unknown host, a malformed request."""
    return failure(request, errors.UNREADABLE())
