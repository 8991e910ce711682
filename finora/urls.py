"""API, admin, OpenAPI page and probes."""

import logging
import sys

from django.contrib import admin
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views import defaults
from django.views.generic import RedirectView

from finora.api import docs, errors, views
from finora.api.envelope import failure
from finora.http import metrics, probes
from finora.staff import refused

log = logging.getLogger("finora.pages")

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("customers.api.urls")),
    path("", include("sales.api.urls")),
    path("", include("finora.api.urls")),
    path("healthz", probes.healthz, name="healthz"),
    path("readyz", probes.readyz, name="readyz"),
    path("metrics", metrics.page, name="metrics"),
    re_path(r"^openapi\.json/?$", docs.openapi, name="openapi"),
    re_path(r"^docs/?$", docs.swagger, name="docs"),
    re_path(r"^docs/business/?$", docs.KeyBusinessView.as_view(), name="docs-business"),
    re_path(r"^redoc/?$", docs.redoc, name="redoc"),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(url="/docs"), name="root"),
    # Last: whatever nothing else answers, also where DEBUG would show its own page.
    re_path("", views.not_found, name="not-found"),
]


def handler400(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    # Without a user when it was refused ahead of all that asks who it is.
    if request.path_info.startswith("/admin/") and hasattr(request, "user"):
        return refused.page(request, 400, "Not understood", refused.UNREADABLE)
    return views.bad_request(request)


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Only pages raise it: the API has answers of its own."""
    return refused.page(request, 403, "Not allowed", refused.NOT_ALLOWED)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Staff get a page; integrations the envelope."""
    if request.path_info.startswith("/admin/"):
        return refused.page(request, 404, "Not found", refused.NOT_FOUND)
    return views.not_found(request)


def handler500(request: HttpRequest) -> HttpResponse:
    # Django's own line about it is off, as it would repeat the access line of every 4xx.
    away = isinstance(sys.exc_info()[1], (OperationalError, InterfaceError))
    answer = errors.UNREACHABLE() if away else errors.INTERNAL_ERROR()
    log.error(answer.code, exc_info=True)
    if not request.path_info.startswith("/admin/"):
        return failure(request, answer)
    page: HttpResponse = defaults.server_error(request)
    page.status_code = answer.status
    if answer.retry_after is not None:
        page["Retry-After"] = str(answer.retry_after)
    return page
