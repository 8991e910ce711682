"""The front page is made of panels. Whatever has one registers it where it registers its pages.

front_page.register(Panel("sales.view_invoice", "admin/sales/front_page.html", context))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string


@dataclass(frozen=True)
class Panel:
    """A template and what it is told, for those who have the permission.

    `context` keeps to the scope of who asks (finora.tenants.scope). Panels stand by `place`, the
    smallest first; the platform's own are at 80 and above.
    """

    permission: str
    template: str
    context: Callable[[HttpRequest], dict[str, Any]]
    place: int = 50

    def render(self, request: HttpRequest) -> str:
        return render_to_string(self.template, self.context(request), request)


_panels: list[Panel] = []


def register(panel: Panel) -> None:
    _panels.append(panel)
    _panels.sort(key=lambda each: each.place)


def render(request: HttpRequest) -> list[str]:
    """The panels that this member of staff may see."""
    return [panel.render(request) for panel in _panels if request.user.has_perm(panel.permission)]
