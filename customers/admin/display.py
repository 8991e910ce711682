"""Cells: what a list or page shows of a value."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from customers.admin import masking
from customers.models import Customer, SealError

log = logging.getLogger("finora.directory")
MASKS: dict[str, Callable[[str], str]] = {
    "email": masking.email,
    "phone": masking.phone,
    "tin": masking.tin,
    "address": masking.address,
}
SEALED_FIELDS = tuple(MASKS)
Cell = Callable[[Any, Customer], str]


def naira(kobo: int) -> str:
    """`₦5,375.00`, exact."""
    whole, rest = divmod(abs(kobo), 100)
    return f"{'−' if kobo < 0 else ''}₦{whole:,}.{rest:02}"


def tag(text: str, kind: str = "") -> SafeString:
    """A coloured word: `good`, `warn` or `bad`."""
    return format_html('<span class="tag {}">{}</span>', kind, text)


def day(moment: datetime) -> str:
    return formats.date_format(timezone.localtime(moment), "j M Y")


def label(field: str) -> str:
    return "TIN" if field == "tin" else field.capitalize()


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
