"""`/metrics`: what Prometheus asks for, with METRICS_TOKEN; without one there is no such page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.crypto import constant_time_compare

from finora import metrics
from finora.api import errors
from finora.api.authentication import BEARER
from finora.api.envelope import reads_only
from finora.api.throttling import count_stranger
from finora.tenants.models import ApiKey

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
UNROUTED = "none"  # static files, and what is refused before a route is looked for


def routes() -> Iterator[str]:
    """What a request's route may be: the name of each URL pattern."""
    yield UNROUTED
    yield from _names(get_resolver().url_patterns)


def _names(patterns: Iterable[Any], namespaces: tuple[str, ...] = ()) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inside = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            yield from _names(pattern.url_patterns, inside)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield ":".join([*namespaces, pattern.name])


_requests = metrics.Histogram(
    "finora_http_request_duration_seconds",
    "How long requests took, from their whole body on, once it was their turn.",
    route=routes,
    method=METHODS,
    status=[str(status.value) for status in HTTPStatus],
)


def count(request: HttpRequest, status: int, seconds: float) -> None:
    """Counts a request that was answered."""
    match = request.resolver_match
    route = match.view_name if match else UNROUTED
    _requests.observe(seconds, route, request.method or "", str(status))


@metrics.asked_of_database(
    "finora_api_keys_expiring", "API keys in use that end within two weeks, or less."
)
def keys_expiring() -> float:
    return ApiKey.objects.expiring().count()


def page(request: HttpRequest) -> HttpResponse:
    """Raises NOT_FOUND, UNAUTHORIZED, RATE_LIMIT."""
    if not settings.METRICS_TOKEN:
        raise errors.NOT_FOUND()
    return _page(request)


@reads_only
def _page(request: HttpRequest) -> HttpResponse:
    match = BEARER.fullmatch(request.META.get("HTTP_AUTHORIZATION", ""))
    if not constant_time_compare(match[1] if match else "", settings.METRICS_TOKEN):
        count_stranger(request)
        raise errors.UNAUTHORIZED(message="This address wants the deployment's METRICS_TOKEN.")
    body, content_type = metrics.page(request.headers.get("Accept", ""))
    return HttpResponse(body, content_type=content_type, headers={"Cache-Control": "no-store"})
