"""Personal values: masked for everybody, shown one at a time to who may see it, each time noted."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from django.forms import BoundField
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.views.decorators.http import require_POST

from customers.admin.display import SEALED_FIELDS, label, shown
from customers.models import Customer
from finora.audit.models import AuditEvent
from finora.sealing import SealError
from finora.staff import passwords, refusals
from finora.staff.base import DirectoryAdmin


class Personal(NamedTuple):
    """A personal value's one place on the page: its mask, and what changes and clears it."""

    field: str
    label: str
    text: str
    is_clear: bool
    box: BoundField | None = None
    clear_box: BoundField | None = None

    @property
    def is_open(self) -> bool:
        """Whether the boxes are in view: what was typed, or refused, is in nobody's way."""
        boxes = [box for box in (self.box, self.clear_box) if box is not None]
        return any(box.errors or (box.form.is_bound and box.data) for box in boxes)


class RevealingAdmin(DirectoryAdmin):
    """The personal values on a customer's page, and the buttons beside each."""

    def has_reveal_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("customers.reveal_customer")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.reveal_view))
        mine = path("<int:pk>/reveal/", view, name="customers_customer_reveal")
        return [mine, *super().get_urls()]

    def reveal_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One value, as the answer to a POST: in no address, and stored by no browser.

        The script asks for it as JSON; without scripts it is the page again, with this one value.
        """
        field = request.POST.get("field", "")
        named = [field] if field in SEALED_FIELDS else []
        action = AuditEvent.Action.REVEAL_REFUSED
        refused = partial(refusals.note_rows, action, Customer, [str(pk)], named)
        customer: Customer = self.get_object_or_refuse(
            request, pk, is_allowed=self.has_reveal_permission(request), refused=refused
        )
        if not named:
            raise Http404
        if answer := passwords.ask_again(request, refused):
            return answer
        try:
            value = customer.reveal(field)
        except SealError:
            value = None
        if request.headers.get("Accept") == "application/json":
            return JsonResponse({"value": value})
        request.revealed = {field: value}  # type: ignore[attr-defined]
        request.method = "GET"
        page: HttpResponse = self.changeform_view(request, str(pk), self.page_url(customer.pk))
        return page

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        customer: Customer | None = context["original"]
        if customer:
            clear = getattr(request, "revealed", {})
            form = context["adminform"].form
            boxes = {name: form[name] for name in form.fields}
            context |= {
                "personal": [
                    Personal(
                        name,
                        capfirst(label(name)),
                        clear.get(name) or shown(customer, name),
                        name in clear,
                        boxes.get(name),
                        boxes.get(f"clear_{name}") if name in boxes else None,
                    )
                    for name in SEALED_FIELDS
                ],
                "may_reveal": self.has_reveal_permission(request),
                "reveal_url": reverse("admin:customers_customer_reveal", args=[customer.pk]),
            }
        return super().render_change_form(request, context, *args, **kwargs)
