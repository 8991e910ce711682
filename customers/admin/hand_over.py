"""One person's data, for that person: as JSON and as a page to print; by a POST, noted."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from customers.models import Customer
from customers.transfer import person
from customers.transfer.person_page import page
from finora.audit.models import AuditEvent
from finora.staff import passwords, refusals
from finora.staff.base import DirectoryAdmin


class HandingOverAdmin(DirectoryAdmin):
    def has_hand_over_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("customers.hand_over_customer")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.hand_over_view))
        mine = path("<int:pk>/hand-over/", view, name="customers_customer_hand_over")
        return [mine, *super().get_urls()]

    def hand_over_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        def refused() -> None:
            those = refusals.rows(Customer, [str(pk)])
            refusals.note(AuditEvent.Action.HAND_OVER_REFUSED, those.names())

        if not self.has_hand_over_permission(request) or not self.has_view_permission(request):
            refused()
            raise PermissionDenied
        customer: Customer | None = self.get_object(request, str(pk))
        if customer is None:
            raise Http404
        if answer := passwords.ask_again(request, refused):
            return answer
        held = person.hand_over(customer)
        if request.POST.get("format") == "page":
            return HttpResponse(page(held))
        return HttpResponse(
            person.as_json(held),
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{customer.public_id}.json"'},
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        customer: Customer | None = context["original"]
        if customer and self.has_hand_over_permission(request):
            url = reverse("admin:customers_customer_hand_over", args=[customer.pk])
            context["hand_over_url"] = url
        return super().render_change_form(request, context, *args, **kwargs)
