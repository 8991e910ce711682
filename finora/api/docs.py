"""/openapi.json, and two pages that show it. Everything they load is served from here."""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

from finora.api.envelope import reads_only


@cache
def document() -> bytes:
    """The OpenAPI document: the code's, so built once for each process."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    rendered: bytes = OpenApiJsonRenderer().render(schema, renderer_context={})
    return rendered


@reads_only
def openapi(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(document(), content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response


@reads_only
def swagger(request: HttpRequest) -> HttpResponse:
    return render(request, "docs/swagger.html")


@reads_only
def redoc(request: HttpRequest) -> HttpResponse:
    return render(request, "docs/redoc.html")
