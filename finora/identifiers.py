"""Public ids: `biz_…`, `cust_…`, `key_…`: opaque, time-ordered, URL-safe.

The part behind the prefix is a ULID in lower case: 48 bits of milliseconds, 80 random bits, in
26 characters of Crockford's base32. Integer ids stay inside.
"""

from datetime import datetime

from ulid import ULID


def _new(prefix: str) -> str:
    return f"{prefix}_{str(ULID()).lower()}"


def business_id() -> str:
    return _new("biz")


def customer_id() -> str:
    return _new("cust")


def key_id() -> str:
    return _new("key")


def is_possible(text: str) -> bool:
    """Whether an id can be this text; a database may not even take what is not."""
    return text.isascii() and text.isprintable()


def made_at(public_id: str) -> datetime:
    """When an id was made, to the millisecond. Raises ValueError for what is none of ours."""
    return ULID.from_str(public_id.rpartition("_")[2].upper()).datetime
