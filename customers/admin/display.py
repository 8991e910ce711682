"""Cells: what a list or page shows of a value."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import label_for_field

from customers.models import Customer
from finora.sealing import SealError
from finora.staff import masking
from finora.staff.display import tag

log = logging.getLogger("finora.directory")
MASKS: dict[str, Callable[[str], str]] = {
    "email": masking.email,
    "phone": masking.phone,
    "tin": masking.tin,
    "address": masking.address,
}
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


def masked(field: str) -> Cell:
    """A cell that shows a sealed field by its mask, or says that it cannot be opened."""

    @admin.display(description=label(field))
    def cell(self: Any, customer: Customer) -> str:
        return shown(customer, field)

    return cell
