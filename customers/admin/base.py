"""What the directory's three admins share: a private search box and confirmed actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, ActionForm
from django.contrib.admin.utils import model_ngettext
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, SEARCH_VAR, ChangeList
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst

from customers import normalize
from customers.admin import search_terms
from customers.models import Business
from customers.reach import ReachableQuerySet

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _QuerySet = models.QuerySet[Any]
else:
    _ModelAdmin = admin.ModelAdmin

CONFIRMED = "confirmed"
FROM_PAGE = "from_page"


def staff_id(request: HttpRequest) -> int:
    return cast(int, request.user.pk)


class PickedRows(ActionForm):
    """Actions take the rows that were ticked, never "all that match": a list is not counted."""

    def clean_select_across(self) -> bool:
        return False


class PrivateSearchList(ChangeList):
    """A list whose address holds the search term sealed (see search_terms)."""

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> _QuerySet:
        token = request.GET.get(SEARCH_VAR, "")
        self.query = search_terms.unseal(token, staff_id(request)) or "" if token else ""
        return super().get_queryset(request, *args, **kwargs)

    @property
    def without_search(self) -> str:
        return self.get_query_string(remove=[SEARCH_VAR])


class DirectoryAdmin(_ModelAdmin):
    action_form = PickedRows
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each facet is a COUNT(*)
    sortable_by = ()
    list_per_page = 50
    search_placeholder = ""
    # The list as a button on a row's page posts to it: no filter may hide the row.
    unfiltered_query = ""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PrivateSearchList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """The filters offered, and no other: an address cannot ask what a name begins with."""
        return lookup.partition("__")[0] in self.filter_parameters

    filter_parameters: frozenset[str] = frozenset()

    def get_queryset(self, request: HttpRequest) -> _QuerySet:
        """Whatever is out of reach is as if it did not exist: in lists, on pages, for actions."""
        return cast(ReachableQuerySet[Any], super().get_queryset(request)).visible_to(request.user)

    # Forms.

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing from the address, where a value would be on show, but the list's business."""
        businesses = Business.objects.visible_to(request.user)
        if chosen := QueryDict(request.GET.get("_changelist_filters")).get("business"):
            businesses = businesses.filter(public_id=chosen)
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

    # Search.

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        if request.method == "POST" and SEARCH_VAR in request.POST:
            return self.search_view(request, normalize.trim(request.POST[SEARCH_VAR]))
        token = request.GET.get(SEARCH_VAR)
        if token and search_terms.unseal(token, staff_id(request)) is None:
            messages.warning(request, "This search is no longer valid. Please search again.")
            return self.list_with_term(request, "")
        context = {
            "title": capfirst(str(self.opts.verbose_name_plural)),
            "search_placeholder": self.search_placeholder,
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def search_view(self, request: HttpRequest, term: str) -> HttpResponse:
        """Answers the search box."""
        if len(term) > search_terms.MAX_LENGTH or normalize.has_unprintable(term):
            messages.warning(request, "Search for at most 254 letters and digits, in one line.")
            term = ""
        return self.list_with_term(request, term)

    def list_with_term(self, request: HttpRequest, term: str) -> HttpResponse:
        query = request.GET.copy()
        for parameter in (SEARCH_VAR, PAGE_VAR, ERROR_FLAG):
            query.pop(parameter, None)
        if term:
            query[SEARCH_VAR] = search_terms.seal(term, staff_id(request))
        return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")

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
