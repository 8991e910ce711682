"""Cells: what a list or page shows of a value."""

from __future__ import annotations

from datetime import datetime

from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString


def naira(kobo: int) -> str:
    """`₦5,375.00`, exact."""
    whole, rest = divmod(abs(kobo), 100)
    return f"{'−' if kobo < 0 else ''}₦{whole:,}.{rest:02}"


def tag(text: str, kind: str = "") -> SafeString:
    """A coloured word: `good`, `warn` or `bad`."""
    return format_html('<span class="tag {}">{}</span>', kind, text)


def day(at: datetime) -> str:
    """`24 Nov 2026`, in the staff's zone."""
    return formats.date_format(timezone.localtime(at), "DATE_FORMAT")


def moment(at: datetime) -> str:
    """`24 Nov 2026, 12:07 WAT`, in the staff's zone."""
    return formats.date_format(timezone.localtime(at), "DATETIME_FORMAT")
