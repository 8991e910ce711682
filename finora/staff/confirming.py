"""Actions that ask first: on ticked rows of a list, and as buttons on one row's page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import model_ngettext
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from finora.staff.lists import ClosedListAdmin

CONFIRMED = "confirmed"
FROM_PAGE = "from_page"


class ConfirmingAdmin(ClosedListAdmin):
    # The list as a button on a row's page posts to it: no filter may hide the row.
    unfiltered_query = ""

    def confirm(
        self,
        request: HttpRequest,
        rows: Sequence[models.Model],
        verb: str,
        explanation: str,
        *,
        takes_away: bool = True,
    ) -> HttpResponse | None:
        """The page that asks, with the count; None once staff have said yes."""
        if not rows:
            messages.warning(request, f"Nothing to {verb.lower()} among the chosen rows.")
            return HttpResponseRedirect(request.get_full_path())
        if CONFIRMED in request.POST:
            return None
        many = self.counted(len(rows))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{verb} {many}?",
            "explanation": explanation,
            "takes_away": takes_away,
            "button": f"Yes, {verb.lower()} {many}",
            "rows": rows,
            "opts": self.opts,
            "action": request.POST["action"],
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
            "from_page": FROM_PAGE in request.POST,
            "back": self.after_action(request, rows),
        }
        return TemplateResponse(request, "staff/confirm.html", context)

    def counted(self, count: int) -> str:
        """`3 customers`."""
        return f"{count} {model_ngettext(self.opts, count)}"

    def after_action(self, request: HttpRequest, rows: Sequence[models.Model]) -> str:
        """Back to where the action was chosen: the list, or the row's page."""
        if FROM_PAGE in request.POST and len(rows) == 1:
            return self.page_url(rows[0].pk)
        return request.get_full_path()

    def page_url(self, pk: int) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[pk])

    def page_actions(self, row: Any) -> dict[str, str]:
        """The actions offered as buttons on a row's page, with their labels."""
        return {}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context["original"]
        allowed = self.get_actions(request)
        actions = self.page_actions(row) if row else {}
        list_url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        context |= {
            "page_actions": {name: text for name, text in actions.items() if name in allowed},
            "action_url": list_url + self.unfiltered_query,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return super().render_change_form(request, context, *args, **kwargs)
