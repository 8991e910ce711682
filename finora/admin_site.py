from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from finora.staff import passwords


class DirectorySite(admin.AdminSite):
    """The admin of the staff: its names, and its front page."""

    site_header = site_title = "Finora directory"
    index_title = "Directory"
    site_url = None
    enable_nav_sidebar = False  # the lists need the width

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's; django-axes locks a user name, and this slows down who tries many of them."""
        if request.method == "POST" and (answer := passwords.too_many(request)):
            return answer
        return super().login(request, extra_context)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        # What is there registers with this site, and so is imported after it.
        from customers.admin import front_page

        return super().index(request, front_page.context(request) | (extra_context or {}))
