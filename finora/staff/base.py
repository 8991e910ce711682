"""What the pages of businesses' rows share: scope, and forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, QueryDict

from finora.orm.scope import ScopedQuerySet
from finora.staff import refusals
from finora.staff.confirming import ConfirmingAdmin
from finora.tenants.models import Business
from finora.tenants.scope import scope_of

if TYPE_CHECKING:
    _QuerySet = ScopedQuerySet[Any]


class DirectoryAdmin(ConfirmingAdmin):
    is_subject = True  # of events, which then lead to the row's page
    subject_prefix = ""  # of its rows' ids, where all have one

    def get_queryset(self, request: HttpRequest) -> _QuerySet:
        """Whatever is out of scope is as if it did not exist: in lists, on pages, for actions."""
        rows = cast(ScopedQuerySet[Any], super().get_queryset(request))
        return rows.in_scope(scope_of(request.user))

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None:
            refusals.note_out_of_scope(request, self.model, [object_id])
        return found

    def get_object_or_refuse(
        self,
        request: HttpRequest,
        pk: int,
        *,
        is_allowed: bool = True,
        refused: Callable[[], None] | None = None,
    ) -> Any:
        """The row that a view of our own is asked for: to be called before it does anything.

        Raises PermissionDenied, once `refused` has noted it, for who may not do this or not see
        rows; Http404.
        """
        if not (is_allowed and self.has_view_permission(request)):
            if refused:
                refused()
            raise PermissionDenied
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        return row

    # Forms.

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # The form refuses a business out of scope as one that does not exist.
        refusals.note_out_of_scope(request, Business, request.POST.getlist("business"))
        return super().add_view(request, form_url, extra_context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing from the address, where a value would be on show, but the list's business."""
        businesses = Business.objects.in_scope(scope_of(request.user))
        if chosen := QueryDict(request.GET.get("_changelist_filters")).get("business"):
            businesses = businesses.with_public_id(chosen)
        found = businesses[:2]
        return {"business": found[0]} if len(found) == 1 else {}

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Only the businesses in scope, and without Django's icons that add and change one."""
        if db_field.related_model is Business:
            mine = Business.objects.in_scope(scope_of(request.user))
            kwargs["queryset"] = mine.order_by("name", "pk")
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    # The list.

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        refusals.note_out_of_scope(request, self.model, ticked)
        return super().changelist_view(request, extra_context)
