"""The time as it is stored and shown."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone


def now() -> datetime:
    """The time in UTC, cut to the milliseconds that the API shows.

    What is stored is what was shown, so a time taken from an answer selects that very row.
    """
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def iso(moment: datetime) -> str:
    """`2026-03-20T09:15:00.000Z` for a time in UTC: as the API and files have it."""
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def today() -> date:
    """The day that books are kept by: the calendar's of STAFF_TIME_ZONE."""
    return timezone.localdate(timezone=ZoneInfo(settings.STAFF_TIME_ZONE))
