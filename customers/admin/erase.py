"""Erasing a person (Nigeria Data Protection Act): asked for by typing the customer's id."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from customers.models import Customer
from finora.audit.models import AuditEvent
from finora.sealing import SealError
from finora.staff import passwords, refusals
from finora.staff.base import DirectoryAdmin


class EraseForm(forms.Form):
    typed = forms.CharField(
        label="The customer's id",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "size": 36}),
    )

    def __init__(self, public_id: str, *args: Any) -> None:
        super().__init__(*args)
        self.public_id = public_id

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if typed != self.public_id:
            raise forms.ValidationError("This is not the id of this customer. Nothing was erased.")
        return typed


class ErasingAdmin(DirectoryAdmin):
    def has_erase_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("customers.erase_customer")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.erase_view)
        return [path("<int:pk>/erase/", view, name="customers_customer_erase"), *super().get_urls()]

    def erase_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        action = AuditEvent.Action.ERASE_REFUSED
        refused = partial(refusals.note_rows, action, Customer, [str(pk)])
        customer: Customer = self.get_object_or_refuse(
            request, pk, is_allowed=self.has_erase_permission(request), refused=refused
        )
        if customer.erased_at:
            messages.info(request, f"{customer} was erased before.")
            return HttpResponseRedirect(self.page_url(customer.pk))
        if request.method == "POST" and (answer := passwords.ask_again(request, refused)):
            return answer
        form = EraseForm(customer.public_id, *([request.POST] if request.method == "POST" else []))
        if form.is_valid() and self._erase(request, customer):
            return HttpResponseRedirect(self.page_url(customer.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": "Erase this person for good?",
            "opts": self.opts,
            "customer": customer,
            "form": form,
            "back": self.page_url(customer.pk),
        }
        return TemplateResponse(request, "admin/customers/customer/erase.html", context)

    def _erase(self, request: HttpRequest, customer: Customer) -> bool:
        try:
            with transaction.atomic():
                customer.erase()
                self.log_change(request, customer, "Erased.")
        except SealError:
            messages.error(
                request, "Nothing was erased: the search index needs a key that is missing here."
            )
            return False
        messages.success(request, f"{customer} is erased.")
        return True

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        customer: Customer | None = context["original"]
        if customer and not customer.erased_at and self.has_erase_permission(request):
            context["erase_url"] = reverse("admin:customers_customer_erase", args=[customer.pk])
        return super().render_change_form(request, context, *args, **kwargs)
