"""What every list of the site is: closed to all that it does not offer, its search box private."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.checks import ModelAdminChecks
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import (
    ERROR_FLAG,
    ORDER_VAR,
    PAGE_VAR,
    SEARCH_VAR,
    ChangeList,
)
from django.core.checks import CheckMessage, Error
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import capfirst

from finora import text
from finora.staff import search_terms

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _QuerySet = models.QuerySet[Any]
else:
    _ModelAdmin = admin.ModelAdmin


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

    def get_ordering(self, request: HttpRequest, queryset: _QuerySet) -> Any:
        # Django sorts by any column that an address names, also where none is offered: by one
        # that no index holds, or by a hundred.
        self.params.pop(ORDER_VAR, None)
        return super().get_ordering(request, queryset)

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except IncorrectLookupParameters:  # a page that there is not, or no longer
            self.page_num = 1
            super().get_results(request)

    @property
    def without_search(self) -> str:
        return self.get_query_string(remove=[SEARCH_VAR])


class ClosedListChecks(ModelAdminChecks):
    """What would open a list to more than it offers refuses to be set."""

    def check(self, admin_obj: Any, **kwargs: Any) -> list[CheckMessage]:
        return [*super().check(admin_obj, **kwargs), *self._check_is_closed(admin_obj)]

    def _check_is_closed(self, admin_obj: admin.ModelAdmin[Any]) -> list[CheckMessage]:
        opened = []
        if not all(
            isinstance(each, type) and issubclass(each, admin.SimpleListFilter)
            for each in admin_obj.list_filter
        ):
            # A filter of Django's by the name of a field takes any value, also one that is a 500.
            opened.append("list_filter holds more than classes of SimpleListFilter")
        if admin_obj.date_hierarchy:
            opened.append("date_hierarchy is set")
        if admin_obj.autocomplete_fields:
            opened.append("autocomplete_fields is set")
        return [
            Error(
                f"{why}, which this site does not serve.",
                hint="Offer a filter with choices of its own (see finora/staff/filters.py).",
                obj=admin_obj.__class__,
                id="finora.E013",
            )
            for why in opened
        ]


class ClosedListAdmin(_ModelAdmin):
    """A list that answers to the filters beside it and to nothing else in an address.

    Every list of the site is one (see DirectorySite.check): Django's own takes conditions on any
    field, so that who sees rows can ask what no column shows, letter by letter.
    """

    checks_class = ClosedListChecks
    action_form = PickedRows
    date_hierarchy = None
    list_filter: ClassVar[tuple[type[admin.SimpleListFilter], ...]] = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each facet is a COUNT(*)
    sortable_by = ()
    list_per_page = 50
    # Below the rows, so that the keyboard goes from the search box to them.
    actions_on_top, actions_on_bottom = False, True
    search_placeholder = ""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PrivateSearchList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """The names of the filters offered, to the letter: whatever begins like one is a 400."""
        return lookup in {each.parameter_name for each in self.list_filter}

    # Search.

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        # The filters' form sends each of its boxes, also those that choose nothing.
        query = request.GET.copy()
        for name in [name for name, value in query.items() if not value]:
            del query[name]
        request.GET = query  # type: ignore[assignment]
        if request.method == "POST" and SEARCH_VAR in request.POST:
            return self.search_view(request, text.trim(request.POST[SEARCH_VAR]))
        if answer := self.stale_search(request):
            return answer
        context = {
            "title": capfirst(str(self.opts.verbose_name_plural)),
            "search_placeholder": self.search_placeholder,
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def stale_search(self, request: HttpRequest) -> HttpResponse | None:
        """The list without the address's search where that is too old or another's: it would
        leave all rows where it left few.
        """
        token = request.GET.get(SEARCH_VAR)
        if not token or search_terms.unseal(token, staff_id(request)) is not None:
            return None
        messages.warning(request, "This search is no longer valid. Please search again.")
        return self.list_with_term(request, "")

    def search_view(self, request: HttpRequest, term: str) -> HttpResponse:
        """Answers the search box."""
        if len(term) > search_terms.MAX_LENGTH or text.has_unprintable(term):
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


class ReadOnlyAdmin(ClosedListAdmin):
    """Pages that show rows and change none, whatever somebody's roles allow."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
