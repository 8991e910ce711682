"""The time as it is stored and shown."""

from datetime import UTC, datetime


def now() -> datetime:
    """The time in UTC, cut to the milliseconds that the API shows.

    What is stored is what was shown, so a time taken from an answer selects that very row.
    """
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
