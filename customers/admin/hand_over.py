"""One person's data, for that person: as JSON and as a page to print; by a POST, noted."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
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
        action = AuditEvent.Action.HAND_OVER_REFUSED
        refused = partial(refusals.note_rows, action, Customer, [str(pk)])
        customer: Customer = self.get_object_or_refuse(
            request, pk, is_allowed=self.has_hand_over_permission(request), refused=refused
        )
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
