"""What every endpoint does: authentication first, then the business, then the request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, ClassVar, NoReturn, TypeVar, cast

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django_filters import FilterSet
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from finora import text
from finora.api import errors, throttling
from finora.api.authentication import BearerAuthentication
from finora.api.envelope import failure, method_not_allowed
from finora.api.parsers import JsonObjectParser
from finora.audit import acting
from finora.audit.models import AuditEvent
from finora.request import request_id
from finora.sealing import SealError
from finora.tenants.models import ApiKey, Business

log = logging.getLogger("finora.api")

Row = TypeVar("Row", bound=Any)
Data = TypeVar("Data")
Rows = TypeVar("Rows", bound="QuerySet[Any]")

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
                response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
                throttling.judge(request)  # of an answer that is not the envelope's
            except BaseException:
                throttling.leave(request)
                raise
            throttling.leave_with(request, response)
            return response

    def actor(self) -> acting.Actor:
        """The key, for the audit trail."""
        return acting.Actor("key", self.key.public_id, request_id.get())

    @property
    def key(self) -> ApiKey:
        """The key of the request, once it is authenticated."""
        return cast(ApiKey, self.request.auth)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        key = self.key
        plain = request._request  # DRF's looks each of its names up twice
        throttling.ask(plain, key)
        plain.api_key_id = key.public_id  # type: ignore[attr-defined]
        business = key.business
        if business.is_suspended:
            raise errors.BUSINESS_SUSPENDED()
        named = [name for name in plain.GET.getlist("businessId") if name]
        if any(name != business.public_id for name in named):
            # The key's own business hears of it. What was named may be anything: it is not noted.
            AuditEvent.objects.record_refused(
                AuditEvent.Action.ACCESS_REFUSED, self.business_id, [key.public_id]
            )
            raise errors.FORBIDDEN()
        if not named and plain.method in self.business_id_required:
            raise errors.MISSING_BUSINESS_ID.of_field("businessId")
        if self.permission_classes or self.throttle_classes:
            throttling.judge(plain)
            self.check_permissions(request)
            self.check_throttles(request)

    def handle_exception(self, exc: Exception) -> Any:
        try:
            throttling.judge(self.request._request)
        except errors.ApiError as refusal:
            exc = refusal  # before whatever else is wrong
        if isinstance(exc, SealError) and exc.row:
            self.note_unreadable([exc.row])
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        # Both lead back to this view (`head` is its `get`): each call's body and rows would stay
        # until the collector comes, and its looking for them is 1 % of a call's CPU.
        request.parser_context.clear()
        vars(self).pop("head", None)
        return super().finalize_response(request, response, *args, **kwargs)

    def chosen(self, filters: type[FilterSet], rows: Rows) -> Rows:
        """Those of these rows that the query's filters leave. Raises INVALID_REQUEST."""
        query = self.request.GET
        for name in filters.base_filters.keys() & query.keys():
            # An empty variable in an integration must not turn a filter into "everyone".
            if not text.trim(query[name]):
                raise errors.invalid_parameter(name, f"{name} is empty.")
        chosen = filters(query, rows, request=self.request)
        for name, problems in chosen.errors.items():
            raise errors.invalid_parameter(name, str(problems[0]))
        return cast(Rows, chosen.qs)

    def readable(
        self, rows: Iterable[Row], data_of: Callable[[Row], Data]
    ) -> tuple[list[Data], dict[str, Any]]:
        """The data of these rows, and the meta that names those that cannot be opened.

        Such a row is left out and logged: one bad row takes no list down, and no wrong value is
        ever served. Where no row opens it is the key that is wrong, and an empty list would be a
        lie: INTERNAL_ERROR.
        """
        found: list[Data] = []
        unreadable: list[str] = []
        for row in rows:
            try:
                found.append(data_of(row))
            except SealError as error:
                public_id, name = row.public_id, row._meta.model_name
                unreadable.append(public_id)
                log.error(f"{name} unreadable", exc_info=error, extra={"fields": {name: public_id}})
        if not unreadable:
            return found, {}
        if not found:
            raise errors.INTERNAL_ERROR()
        self.note_unreadable(unreadable)
        return found, {"unreadable": unreadable}

    def note_unreadable(self, public_ids: list[str]) -> None:
        """Notes of these rows that they could not be opened."""
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
    def business(self) -> Business:
        """The key's business: the way to all that the request may know of. Raises RATE_LIMIT."""
        throttling.judge(self.request._request)
        return self.key.business

    @property
    def business_ahead(self) -> Business:
        """The same for reading a few rows while the limits are asked: where they refuse, that is
        the answer, whatever was read. One wait less: docs/adr/0002-own-rate-limits.md has figures.
        """
        return self.key.business

    @property
    def business_id(self) -> int:
        throttling.judge(self.request._request)
        return self.key.business_id

    def read(self, body: type[Serializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        """The validated body, which with `partial` may lack fields. Raises the contract's error for
        any other.

        One serializer reads all bodies of its class, so it keeps nothing of one.
        """
        data = self.request.data
        if self.request.stream is None:
            raise errors.NOT_JSON()
        return cast(dict[str, Any], _reader(body, partial).run_validation(data))


@cache
def _reader(body: type[Serializer[Any]], partial: bool) -> Serializer[Any]:
    """To make one, with a copy of each field, takes longer than to read a body."""
    return body(partial=partial)


class NoSuchPathView(ApiView):
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
