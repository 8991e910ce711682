"""What other modules show on a row's page, below what the page shows itself.

    row_panels.register(RowPanel(Customer, "sales.view_invoice", "admin/sales/books.html", context))

A module that stands above another one's registers here where it registers its pages; the page's
template has a place for them, `row_panels`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.http import HttpRequest
from django.template.loader import render_to_string


@dataclass(frozen=True)
class RowPanel:
    """A template and what it is told of a row of `model`, for those who have the permission."""

    model: type[models.Model]
    permission: str
    template: str
    context: Callable[[Any], dict[str, Any]]


_panels: list[RowPanel] = []


def register(panel: RowPanel) -> None:
    _panels.append(panel)


def render(request: HttpRequest, row: models.Model) -> list[str]:
    """The panels of this row that this member of staff may see."""
    return [
        render_to_string(panel.template, panel.context(row), request)
        for panel in _panels
        if isinstance(row, panel.model) and request.user.has_perm(panel.permission)
    ]
