"""What DRF lets a view set: it works, or it refuses to be set."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.versioning import URLPathVersioning

from finora.api.envelope import success
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
