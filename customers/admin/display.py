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

from customers.models import Customer, SealError

log = logging.getLogger("finora.directory")
SEALED_FIELDS = ("email", "phone", "address", "tin")
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


def unreadable_fields(customer: Customer) -> list[str]:
    """The sealed fields of a customer that cannot be opened. Each is logged, by name."""
    return [name for name in SEALED_FIELDS if not _opens(customer, name)]


def _opens(customer: Customer, field: str) -> bool:
    try:
        getattr(customer, field)
    except SealError:
        log.warning(
            "a sealed field cannot be opened",
            extra={"fields": {"customer": customer.public_id, "field": field}},
        )
        return False
    return True


def masked(field: str, mask: Callable[[str], str]) -> Cell:
    """A cell that shows a sealed field by its mask, or says that it cannot be opened."""

    @admin.display(description="TIN" if field == "tin" else field)
    def cell(self: Any, customer: Customer) -> str:
        if not _opens(customer, field):
            return tag("unreadable", "bad")
        value = getattr(customer, field)
        return "-" if value is None else mask(value)

    return cell
