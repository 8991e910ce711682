"""Public ids: `biz_…`, `cust_…`, `inv_…`: opaque, time-ordered, URL-safe.

The part behind the prefix is a ULID in lower case: 48 bits of milliseconds, 80 random bits, in
26 characters of Crockford's base32. Integer ids stay inside.
"""

import re
from datetime import datetime

from ulid import ULID

# A business's may come from outside: create_business --id.
_OURS = re.compile(r"[a-z]{2,8}_[0-9a-hjkmnp-tv-z]{26}|biz_[A-Za-z0-9_-]{1,60}")


def _new(prefix: str) -> str:
    return f"{prefix}_{str(ULID()).lower()}"


def business_id() -> str:
    return _new("biz")


def customer_id() -> str:
    return _new("cust")


def key_id() -> str:
    return _new("key")


def import_id() -> str:
    return _new("imp")


def invoice_id() -> str:
    return _new("inv")


def receipt_id() -> str:
    return _new("rcpt")


def is_possible(text: str) -> bool:
    """Whether an id can be this text; a database may not even take what is not."""
    return text.isascii() and text.isprintable()


def is_ours(value: object) -> bool:
    """Whether this is of the shape of a public id."""
    return isinstance(value, str) and _OURS.fullmatch(value) is not None


def made_at(public_id: str) -> datetime:
    """When an id was made, to the millisecond. Raises ValueError for what is none of ours."""
    return ULID.from_str(public_id.rpartition("_")[2].upper()).datetime
