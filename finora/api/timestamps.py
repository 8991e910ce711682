"""Times as the API writes them: UTC, ISO 8601, milliseconds, `Z`."""

from datetime import datetime


def iso(moment: datetime) -> str:
    """`2026-03-20T09:15:00.000Z` for a time in UTC."""
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
