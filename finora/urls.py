"""API, admin, OpenAPI page and probes."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views import defaults
from django.views.generic import RedirectView

from customers.api import probes, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("customers.api.urls")),
    path("healthz", probes.healthz),
    path("readyz", probes.readyz),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(url="/docs")),
    # Last: whatever nothing else answers, also where DEBUG would show its own page.
    re_path("", views.nowhere),
]

handler400 = "customers.api.views.broken_request"


def handler404(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Staff get a page; integrations the envelope."""
    if request.path_info.startswith("/admin/"):
        return defaults.page_not_found(request, exception)
    return views.nowhere(request)


def handler500(request: HttpRequest) -> HttpResponse:
    if request.path_info.startswith("/admin/"):
        return defaults.server_error(request)
    return views.broken(request)
