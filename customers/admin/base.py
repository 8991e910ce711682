"""What the pages of businesses' rows share: whom staff reach, forms, confirmed actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import model_ngettext
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

from customers.admin import refusals
from customers.admin.lists import ClosedListAdmin
from customers.models import Business
from customers.reach import ReachableQuerySet

if TYPE_CHECKING:
    _QuerySet = models.QuerySet[Any]

CONFIRMED = "confirmed"
FROM_PAGE = "from_page"


class DirectoryAdmin(ClosedListAdmin):
    # The list as a button on a row's page posts to it: no filter may hide the row.
    unfiltered_query = ""

    def get_queryset(self, request: HttpRequest) -> _QuerySet:
        """Whatever is out of reach is as if it did not exist: in lists, on pages, for actions."""
        return cast(ReachableQuerySet[Any], super().get_queryset(request)).visible_to(request.user)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None:
            refusals.note_out_of_reach(request, self.model, [object_id])
        return found

    # Forms.

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # The form refuses a business out of reach as one that does not exist.
        refusals.note_out_of_reach(request, Business, request.POST.getlist("business"))
        return super().add_view(request, form_url, extra_context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing from the address, where a value would be on show, but the list's business."""
        businesses = Business.objects.visible_to(request.user)
        if chosen := QueryDict(request.GET.get("_changelist_filters")).get("business"):
            businesses = businesses.with_public_id(chosen)
        found = businesses[:2]
        return {"business": found[0]} if len(found) == 1 else {}

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Only the businesses within reach, and without Django's icons that add and change one."""
        if db_field.related_model is Business:
            kwargs["queryset"] = Business.objects.visible_to(request.user).order_by("name", "pk")
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    # The list.

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        refusals.note_out_of_reach(request, self.model, ticked)
        return super().changelist_view(request, extra_context)

    # Actions, on ticked rows of the list and as buttons on one row's page.

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
        return TemplateResponse(request, "admin/customers/confirm.html", context)

    def counted(self, count: int) -> str:
        """`3 customers`."""
        return f"{count} {model_ngettext(self.opts, count)}"

    def after_action(self, request: HttpRequest, rows: Sequence[models.Model]) -> str:
        """Back to where the action was chosen: the list, or the row's page."""
        if FROM_PAGE in request.POST and len(rows) == 1:
            return self.page_url(rows[0])
        return request.get_full_path()

    def page_url(self, row: models.Model) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])

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
