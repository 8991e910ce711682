from __future__ import annotations

from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.core.checks import CheckMessage, Error
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver

from finora.staff import front_page, passwords
from finora.staff.sessions import why_ended


def _tell_why_ended(request: HttpRequest) -> None:
    if why := why_ended(request):
        messages.warning(request, why)


class DirectorySite(admin.AdminSite):
    """The admin of the staff: its names, and its front page."""

    site_header = site_title = "Finora directory"
    index_title = "Directory"
    site_url = None
    enable_nav_sidebar = False  # the lists need the width

    def check(self, app_configs: Any) -> list[CheckMessage]:
        """What Django checks, and that every list is closed to what it does not offer."""
        from finora.staff.lists import ClosedListAdmin

        return super().check(app_configs) + [
            Error(
                f"The list of {model._meta.label} takes conditions on any field from an address.",
                hint="Derive its ModelAdmin from finora.staff.lists.ClosedListAdmin.",
                obj=model_admin.__class__,
                id="finora.E014",
            )
            for model, model_admin in self._registry.items()
            if not isinstance(model_admin, ClosedListAdmin)
        ]

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Without two that no page uses: both tell of rows of any model."""
        unused = ("autocomplete", "view_on_site")
        return [url for url in super().get_urls() if getattr(url, "name", None) not in unused]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Django's, which sends to the login whoever has no session; who had one is told why."""
        page = super().admin_view(view, cacheable)

        @wraps(page)
        def told(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            _tell_why_ended(request)
            return page(request, *args, **kwargs)

        return told

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's; django-axes locks a user name, and this slows down who tries many of them."""
        if request.method == "POST" and (answer := passwords.too_many(request)):
            return answer
        if request.method == "GET":
            _tell_why_ended(request)
        return super().login(request, extra_context)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        panels = {"panels": front_page.render(request)}
        return super().index(request, panels | (extra_context or {}))
