"""What DRF lets a view set: it works, or it refuses to be set. And what a view may raise."""

from __future__ import annotations

import gc
import json
import weakref

import pytest
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpResponse
from django.test import RequestFactory
from rest_framework import exceptions as drf
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.versioning import URLPathVersioning

from finora.api.envelope import success
from finora.api.idempotency import idempotent
from finora.api.views import NOT_HONOURED, ApiView
from finora.tests.kit import factories

HONOURED = {
    "authentication_classes",
    "parser_classes",
    "permission_classes",
    "throttle_classes",
}


class ReadOnly(BasePermission):
    def has_permission(self, request: Request, view: object) -> bool:
        return request.method == "GET"


class Closed(BaseThrottle):
    def allow_request(self, request: Request, view: object) -> bool:
        return False

    def wait(self) -> float:
        return 7.2


class View(ApiView):
    def get(self, request: Request) -> HttpResponse:
        return success(request, "got")

    def post(self, request: Request) -> HttpResponse:
        return success(request, "posted")


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_nothing_of_a_call_waits_for_the_collector(business, method):
    """As its body would, of up to 10 MB."""
    views = []

    class Watched(View):
        def setup(self, request: Request, *args: object, **kwargs: object) -> None:
            super().setup(request, *args, **kwargs)
            views.append(weakref.ref(self))

    gc.disable()
    try:
        assert call(business, method, Watched).status_code == 200
        assert views[0]() is None
    finally:
        gc.enable()


def call(business, method: str, view=View, **initkwargs):
    _, key = factories.api_key(business)
    headers = {"authorization": f"Bearer {key}"}
    request = RequestFactory().generic(method, "/", headers=headers)
    request.request_id = "req_test"
    return view.as_view(**initkwargs)(request)


def test_a_permission_class_is_asked(business):
    class Reading(View):
        permission_classes = [ReadOnly]

    assert call(business, "GET", Reading).status_code == 200
    response = call(business, "POST", Reading)
    assert response.status_code == 403
    assert b'"FORBIDDEN"' in response.content
    assert call(business, "POST", permission_classes=[ReadOnly]).status_code == 403


def test_a_throttle_class_is_asked(business):
    class Throttled(View):
        throttle_classes = [Closed]

    for response in (
        call(business, "GET", Throttled),
        call(business, "GET", throttle_classes=[Closed]),
    ):
        assert response.status_code == 429
        assert b'"RATE_LIMIT"' in response.content
        assert response["Retry-After"] == "8"


def test_an_idempotent_post_is_given_what_its_address_names(business):
    class Named(ApiView):
        @idempotent(kept_while=lambda view, data: True)
        def post(self, request: Request, id: str) -> HttpResponse:
            return success(request, {"id": id}, status=201)

    _, key = factories.api_key(business)
    for headers in ({}, {"idempotency-key": "1"}, {"idempotency-key": "1"}):
        headers = headers | {"authorization": f"Bearer {key}"}
        request = RequestFactory().post("/", {}, "application/json", headers=headers)
        request.request_id = "req_test"
        response = Named.as_view()(request, id="x")
        assert (response.status_code, json.loads(response.content)["data"]) == (201, {"id": "x"})
    assert response["Idempotency-Replayed"] == "true"


def test_a_stranger_is_told_so_before_a_permission_is_asked(business):
    request = RequestFactory().post("/")
    request.request_id = "req_test"
    assert View.as_view(permission_classes=[ReadOnly])(request).status_code == 401


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("renderer_classes", [JSONRenderer]),
        ("versioning_class", URLPathVersioning),
        ("content_negotiation_class", type("Mine", (DefaultContentNegotiation,), {})),
        ("metadata_class", object),
    ],
)
def test_what_no_answer_goes_through_refuses_to_be_set(name, value):
    for bases in ((View,), (type("Mixin", (), {name: value}), View)):
        with pytest.raises(TypeError, match=name):
            type("Set", bases, {name: value} if len(bases) == 1 else {})
    with pytest.raises(TypeError, match=name):
        View.as_view(**{name: value})


def test_every_setting_of_a_view_is_one_or_the_other():
    policies = {name for name in dir(ApiView) if name.endswith(("_class", "_classes"))}
    assert policies == HONOURED | set(NOT_HONOURED)


@pytest.mark.parametrize(
    ("error", "status", "code", "more"),
    [
        (drf.ValidationError("ada"), 400, "VALIDATION_ERROR", {"details": []}),
        (
            drf.ValidationError({"name": ["Too long.", "Odd."], "tin": "No TIN."}),
            400,
            "VALIDATION_ERROR",
            {
                "details": [
                    {"field": "name", "message": "Too long."},
                    {"field": "tin", "message": "No TIN."},
                ]
            },
        ),
        (drf.PermissionDenied("ada"), 403, "FORBIDDEN", {}),
        (PermissionDenied("ada"), 403, "FORBIDDEN", {}),
        (drf.Throttled(wait=2.1), 429, "RATE_LIMIT", {"retryAfter": 3}),
        (drf.Throttled(), 429, "RATE_LIMIT", {"retryAfter": 1}),
        (IntegrityError("ada"), 409, "CONFLICT", {}),
        (OperationalError("ada"), 503, "SERVICE_UNAVAILABLE", {"retryAfter": 5}),
        (InterfaceError("ada"), 503, "SERVICE_UNAVAILABLE", {"retryAfter": 5}),
        (InternalError("ada"), 500, "INTERNAL_ERROR", {}),
        (drf.NotFound("ada"), 404, "NOT_FOUND", {}),
        (Http404("ada"), 404, "NOT_FOUND", {}),
        (ObjectDoesNotExist("ada"), 404, "NOT_FOUND", {}),
        (drf.UnsupportedMediaType("ada"), 415, "INVALID_REQUEST", {}),
        (SuspiciousOperation("ada"), 400, "INVALID_REQUEST", {}),
        (drf.ParseError("ada"), 400, "INVALID_REQUEST", {}),
        (ValueError("ada"), 500, "INTERNAL_ERROR", {}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_whatever_a_view_raises_is_the_contracts_error(business, error, status, code, more):
    class Raising(ApiView):
        def get(self, request: Request) -> HttpResponse:
            raise error

    response = call(business, "GET", Raising)
    told = json.loads(response.content)["error"]
    assert (response.status_code, told["code"]) == (status, code)
    assert {name: told[name] for name in ("details", "retryAfter") if name in told} == more
    assert response.get("Retry-After") == (
        str(more["retryAfter"]) if "retryAfter" in more else None
    )
    assert b"ada" not in response.content
