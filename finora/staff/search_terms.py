"""A search term is personal, and an address ends up in histories and logs.

So the search box posts, and the answer is a redirect to an address that holds the term sealed:
paging, filters, reload and the back button work as on any Django list, nothing is stored, and
nobody but the member of staff who searched can open the address' term, for a working day.
The key comes from SECRET_KEY, as a session's signature does; customers' keys are not used.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from django.utils.crypto import salted_hmac

LIFETIME = 12 * 60 * 60
MAX_LENGTH = 254


def _box(staff_id: int) -> Fernet:
    key = salted_hmac("finora.admin.search", str(staff_id), algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))


def seal(term: str, staff_id: int) -> str:
    """The term as an address may hold it."""
    return _box(staff_id).encrypt(term.encode()).decode()


def unseal(token: str, staff_id: int) -> str | None:
    """The term, or None when it is too old, another's, or no sealed term at all."""
    try:
        return _box(staff_id).decrypt(token.encode(), ttl=LIFETIME).decode()
    except InvalidToken:
        return None
