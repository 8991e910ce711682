from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse


class DirectorySite(admin.AdminSite):
    """The admin of the staff: its names, and its front page."""

    site_header = site_title = "Finora directory"
    index_title = "Directory"
    site_url = None
    enable_nav_sidebar = False  # the lists need the width

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        # What is there registers with this site, and so is imported after it.
        from customers.admin import front_page

        return super().index(request, front_page.context(request) | (extra_context or {}))
