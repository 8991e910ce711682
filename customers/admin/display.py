"""Cells: what a list or page shows of a value."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.contrib import admin

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

    @admin.display(description="TIN" if field == "tin" else field)
    def cell(self: Any, customer: Customer) -> str:
        return shown(customer, field)

    return cell
