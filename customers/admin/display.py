"""Cells: what a list or page shows of a value."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.urls import reverse
from django.utils.html import format_html

from customers.masks import MASKS
from customers.models import Customer
from finora.sealing import SealError
from finora.staff.display import tag

log = logging.getLogger("finora.directory")
SEALED_FIELDS = tuple(MASKS)
Cell = Callable[[Any, Customer], str]


def label(field: str) -> str:
    return str(label_for_field(field, Customer))


def shown(customer: Customer, field: str) -> str:
    """The mask of a sealed field, or what is to be said instead."""
    try:
        value = getattr(customer, field)
    except SealError:
        log.warning(
            "a sealed field cannot be opened",
            extra={"fields": {"customer": customer.public_id, "field": field}},
        )
        return tag("unreadable", "bad")
    return "-" if value is None else MASKS[field](value)


def link_to(business_id: int, public_id: str) -> str:
    """This id as a link to that customer's page."""
    found = Customer.objects.in_business(business_id).with_public_id(public_id)
    url = reverse("admin:customers_customer_change", args=[found.values_list("pk", flat=True)[0]])
    return format_html('<a href="{}">{}</a>', url, public_id)


def masked(field: str) -> Cell:
    """A cell that shows a sealed field by its mask, or says that it cannot be opened."""

    @admin.display(description=label(field))
    def cell(self: Any, customer: Customer) -> str:
        return shown(customer, field)

    return cell
