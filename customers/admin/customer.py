from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html

from customers.admin import filters
from customers.admin.bulk import DEACTIVATE, BulkAdmin
from customers.admin.display import SEALED_FIELDS, link_to, masked
from customers.admin.erase import ErasingAdmin
from customers.admin.forms import CLEAR_BOXES, CustomerForm
from customers.admin.hand_over import HandingOverAdmin
from customers.admin.pages import CustomerList
from customers.admin.story import story
from customers.models import Customer
from customers.querysets import CustomerErased, CustomerQuerySet, EmailInUse
from finora.sealing import SealError
from finora.staff import row_panels
from finora.staff.display import day, naira, tag
from finora.staff.filters import BusinessFilter
from finora.tenants.models import Business
from finora.tenants.scope import scope_of

RESTORE = (
    "The API lists it again. A customer whose email is in use by another one by now stays inactive."
)


class CustomerAdmin(ErasingAdmin, HandingOverAdmin, BulkAdmin):
    form = CustomerForm
    list_display_links = ("name",)
    list_select_related = ("business",)
    list_filter = (
        BusinessFilter,
        filters.StatusFilter,
        filters.EInvoiceFilter,
        filters.CreatedFilter,
    )
    search_fields = ("name",)  # shows the box; CustomerList says what it finds
    search_placeholder = "Name, company, email, phone or its last four digits, TIN, id"
    unfiltered_query = "?status=all"
    actions = ("deactivate", "restore", "export")
    delete_confirmation_template = "staff/confirm.html"
    readonly_fields = ("public_id", "status", "balance", "created_at", "updated_at")

    masked_email = masked("email")
    masked_phone = masked("phone")

    @admin.display(description="balance")
    def balance(self, customer: Customer) -> str:
        return naira(customer.account_balance_kobo)

    @admin.display(description="status")
    def status(self, customer: Customer) -> str:
        if customer.is_active:
            return tag("Active", "good")
        if customer.erased_at:
            return tag(f"Erased {day(customer.erased_at)}", "bad")
        since = f" since {day(customer.deleted_at)}" if customer.deleted_at else ""
        return tag(f"Inactive{since}", "warn")

    @admin.display(description="created")
    def created(self, customer: Customer) -> str:
        return day(customer.created_at)

    # Who may do what: an inactive customer is read and restored, not edited; none is removed.

    def has_change_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        return super().has_change_permission(request) and (obj is None or obj.is_active)

    # The list.

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CustomerList

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        last = "created" if BusinessFilter.is_chosen(request) else "business"
        status = ("status",) if "status" in request.GET else ()
        return (
            "name", *status, "masked_email", "masked_phone", "company_name", "balance", last,
        )  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[CustomerQuerySet, bool]:
        return queryset, False  # see CustomerList

    def search_view(self, request: HttpRequest, term: str) -> HttpResponse:
        """As everywhere; but a pasted id leads to its customer, whatever the filters say."""
        if term.lower().startswith("cust_"):
            mine = cast(CustomerQuerySet, self.get_queryset(request))
            businesses = Business.objects.in_scope(scope_of(request.user))
            found = mine.in_each_of(businesses).with_id_typed(term)[:2]
            if len(found) == 1:
                return HttpResponseRedirect(self.page_url(found[0].pk))
        return super().search_view(request, term)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # Django's own, whose page speaks of deleting
        return actions

    # The page.

    def get_fieldsets(self, request: HttpRequest, obj: Customer | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": CustomerForm.Meta.fields})]
        record = ("public_id", "business", "status", "balance", "created_at", "updated_at")
        if self.has_change_permission(request, obj):
            # The page's template sets these out: each with its mask and its buttons.
            person = ("name", "company_name", *SEALED_FIELDS, *CLEAR_BOXES, "version")
        else:
            person = ("name", "company_name")
        return [("Person", {"fields": person}), ("Record", {"fields": record})]

    def get_readonly_fields(self, request: HttpRequest, obj: Customer | None = None) -> Any:
        # Sealed under its business' key, a customer does not move to another.
        return self.readonly_fields if obj is None else (*self.readonly_fields, "business")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        # Our submit line says "Deactivate" where Django's says "Delete".
        context["show_delete"] = False
        if customer := context["original"]:
            if context["errors"]:
                customer.refresh_from_db()  # the form wrote into it what was typed
            context["story"] = story(customer)
            context["row_panels"] = row_panels.render(request, customer)
        return super().render_change_form(request, context, *args, **kwargs)

    def page_actions(self, row: Customer) -> dict[str, str]:
        return {} if row.is_active or row.erased_at else {"restore": "Restore"}

    # Changes.

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Customer | None:
        """On a POST the row locked, until the view's transaction ends."""
        customer: Customer | None = super().get_object(request, object_id, from_field)
        if customer and request.method == "POST" and transaction.get_connection().in_atomic_block:
            customer.business.customers.take_turns_while_rotating()
            customer = customer.itself().select_for_update().get()
        return customer

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            try:
                return super().changeform_view(request, object_id, form_url, extra_context)
            except EmailInUse:
                # Somebody was faster, between the form's check and the constraint's. All is
                # rolled back, and this time the form's check sees it, beside the field.
                return super().changeform_view(request, object_id, form_url, extra_context)
        except EmailInUse as error:
            messages.error(request, f"Nothing was saved: the email is in use by {error.public_id}.")
        except PermissionDenied:
            if object_id is None or not self.has_change_permission(request):
                raise
            messages.error(request, "Nothing was saved: this customer is inactive by now.")
        return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        if not change:
            obj.save()
        elif form.changed_data:
            obj.save(update_fields=form.changed_data)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """For Django's page, which would load all that points at them: nothing goes."""
        return [str(customer) for customer in objs], {}, set(), []

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        customer = context["object"]
        context |= {
            "title": "Deactivate 1 customer?",
            "explanation": DEACTIVATE,
            "takes_away": True,
            "button": "Yes, deactivate 1 customer",
            "rows": [customer],
            "back": self.page_url(customer.pk),
        }
        return super().render_delete_form(request, context)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Customer]) -> Any:
        return [
            self.log_change(request, customer, "Deactivated.")
            for customer in queryset
            if customer.is_active
        ]

    def response_delete(
        self, request: HttpRequest, obj_display: str, obj_id: int
    ) -> HttpResponseRedirect:
        messages.success(request, f"{obj_display} is inactive. Nothing was removed.")
        return HttpResponseRedirect(self.page_url(obj_id))

    @admin.action(description="Deactivate selected customers", permissions=["delete"])
    def deactivate(self, request: HttpRequest, queryset: CustomerQuerySet) -> HttpResponse:
        rows = list(queryset.active())
        if page := self.confirm(request, rows, "Deactivate", DEACTIVATE):
            return page
        with transaction.atomic():
            self.log_deletions(request, rows)
            count, _ = queryset.delete()
        messages.success(request, f"{self.counted(count)} deactivated. Nothing was removed.")
        return HttpResponseRedirect(self.after_action(request, rows))

    @admin.action(description="Restore selected customers", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: CustomerQuerySet) -> HttpResponse:
        rows = list(queryset.inactive().filter(erased_at=None))
        if page := self.confirm(request, rows, "Restore", RESTORE, takes_away=False):
            return page
        restored = 0
        for customer in rows:
            try:
                with transaction.atomic():
                    customer.restore()
                    self.log_change(request, customer, "Restored.")
            except EmailInUse as error:
                holder = link_to(customer.business_id, error.public_id)
                text = "{} stays inactive: its email is in use by {}."
                messages.warning(request, format_html(text, customer, holder))
            except SealError:
                messages.warning(request, f"{customer} stays inactive: its email is unreadable.")
            except CustomerErased:
                messages.warning(request, f"{customer} was erased meanwhile.")
            else:
                restored += 1
        if restored:
            messages.success(request, f"{self.counted(restored)} restored.")
        return HttpResponseRedirect(self.after_action(request, rows))
