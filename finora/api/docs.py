"""/openapi.json, and two pages that show it. Everything they load is served from here."""

from __future__ import annotations

from functools import cache

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from rest_framework.request import Request

from finora.api.envelope import reads_only, success
from finora.api.shapes import Json
from finora.api.views import ApiView


@cache
def document() -> Json:
    """The OpenAPI document: the code's, so built once for each process."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    built: Json = orjson.loads(OpenApiJsonRenderer().render(schema, renderer_context={}))
    return built


@reads_only
def openapi(request: HttpRequest) -> HttpResponse:
    # A client that is made from a copy of the document still knows where to call.
    here = {
        "url": request.build_absolute_uri("/").rstrip("/"),
        "description": f"The {settings.FINORA_ENVIRONMENT} environment.",
    }
    served = orjson.dumps(document() | {"servers": [here]})
    response = HttpResponse(served, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response


@reads_only
def swagger(request: HttpRequest) -> HttpResponse:
    return render(request, "docs/swagger.html")


@reads_only
def redoc(request: HttpRequest) -> HttpResponse:
    return render(request, "docs/redoc.html")


class KeyBusinessView(ApiView):
    """Which business a key opens, for /docs, which fills it in. Not of the API that is promised."""

    http_method_names = ["get", "head"]

    def get(self, request: Request) -> HttpResponse:
        return success(request, {"businessId": self.business.public_id})
