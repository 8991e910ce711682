"""/openapi.json, and two pages that show it. Everything they load is served from here."""

from __future__ import annotations

from functools import cache

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

from finora.api.envelope import reads_only
from finora.api.shapes import Json


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
