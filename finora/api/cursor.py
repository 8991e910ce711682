"""The keyset cursor: a sealed place in list order, opaque, good for one list of one business.

It holds what the last row is sorted by, so it is sealed: a cursor travels in URLs, and those in
logs.
"""

from __future__ import annotations

import base64
import re

from finora.api import errors
from finora.sealing import SealError, keyring

DEFAULT_LIMIT = 50
MAX_LIMIT = 100
_LIMIT = re.compile(r"[1-9][0-9]?|100")
_CURSOR = re.compile(r"[A-Za-z0-9_-]{1,8000}")
_SEPARATOR = b"\0"  # no public id holds it


def read_limit(text: str | None) -> int:
    """The page size; 50 when not given. Raises INVALID_REQUEST unless it is 1–100."""
    if text is None:
        return DEFAULT_LIMIT
    if not _LIMIT.fullmatch(text):
        raise errors.invalid_parameter("limit", f"limit is a whole number from 1 to {MAX_LIMIT}.")
    return int(text)


def make_cursor(business_id: int, list_name: str, place: tuple[bytes, bytes]) -> str:
    """A cursor to go on behind the row with this sort key and public id."""
    sort_key, public_id = place
    sealed = keyring.seal(
        public_id + _SEPARATOR + sort_key,
        purpose="cursor",
        business_id=business_id,
        context=list_name.encode(),
    )
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def read_cursor(business_id: int, list_name: str, text: str) -> tuple[bytes, bytes]:
    """The place that make_cursor() was given. Raises INVALID_REQUEST for what it did not make of
    this list and business."""
    wrong = errors.invalid_parameter("cursor", "cursor is not one that this list gave.")
    if not _CURSOR.fullmatch(text):
        raise wrong
    try:
        place = keyring.unseal(
            base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)),
            purpose="cursor",
            business_id=business_id,
            context=list_name.encode(),
        )
    except (ValueError, SealError):
        raise wrong from None
    public_id, _, sort_key = place.partition(_SEPARATOR)
    return sort_key, public_id
