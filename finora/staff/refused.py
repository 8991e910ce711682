"""What staff see instead of a page that they asked for: a page like the others, that leads back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme

NOT_ALLOWED = "Your roles do not allow this. Nothing was shown or changed."
NOT_FOUND = "There is no such page, or it is of a business that you do not reach."
UNREADABLE = "This could not be understood, so nothing was changed."
STALE = (
    "This page was open for too long, or its cookie is gone. Nothing was saved: go back and reload."
)


def page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": title,
        "text": text,
        "back": _came_from(request),
    }
    try:
        return TemplateResponse(request, "staff/refused.html", context, status=status).render()
    except ValueError:  # nobody collected the static files; a refusal is none the less one
        return HttpResponse(f"{title}. {text}", status=status, content_type="text/plain")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW: a form that no page of this session sent."""
    return page(request, 403, "Not sent", STALE)


def _came_from(request: HttpRequest) -> str | None:
    """The page of ours that led here."""
    came_from: str = request.META.get("HTTP_REFERER", "")
    here: Any = {request.get_host()}
    if came_from == request.build_absolute_uri():
        return None
    return came_from if url_has_allowed_host_and_scheme(came_from, here) else None
