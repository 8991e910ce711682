"""Blind index: keyed digests that answer "who has exactly this email, phone or TIN?".

HMAC-SHA256, full length, of the normal form, under a key derived from BLIND_INDEX_KEY for each
business and place (see BlindIndexField). It shows which rows of one business hold equal values,
and nothing across businesses; without the key a guess cannot be checked, as it could with a bare
hash.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

DIGEST_BYTES = 32
KEY_ID_BYTES = 4


@lru_cache(maxsize=8192)
def _subkeys(place: str, business_id: int) -> tuple[bytes, ...]:
    if not settings.BLIND_INDEX_KEYS:
        raise ImproperlyConfigured("BLIND_INDEX_KEY is not set.")
    info = f"finora v1 blind index {place} {business_id}".encode()
    return tuple(hmac.digest(key.encode(), info, "sha256") for key in settings.BLIND_INDEX_KEYS)


@lru_cache(maxsize=8192)
def _begun(place: str, business_id: int) -> tuple[HMAC, ...]:
    """An HMAC of nothing yet for each key: to copy one takes a third of what beginning one does."""
    return tuple(HMAC(key, SHA256()) for key in _subkeys(place, business_id))


def _digest(begun: HMAC, form: bytes) -> bytes:
    mac = begun.copy()
    mac.update(form)
    return mac.finalize()


def subkeys(purpose: str, business_id: int) -> tuple[bytes, ...]:
    """Keys of the business's own for another keyed hash: one derived from each configured key,
    the one that is written with first.
    """
    return _subkeys(purpose, business_id)


def canaries() -> list[bytes]:
    """A digest of nothing for each configured key: whether two keys are one, and no more.

    A key is named by the beginning of its canary.
    """
    return [hmac.digest(key, b"", "sha256") for key in _subkeys("canary", 0)]


def key_ids() -> list[bytes]:
    """The names of the configured keys, the one that is written first."""
    return [canary[:KEY_ID_BYTES] for canary in canaries()]


def rotating() -> bool:
    """Whether rows may be hashed with more than one key, so that no constraint sees them all."""
    return len(settings.BLIND_INDEX_KEYS) > 1


def digests(place: str, business_id: int, normal: str) -> list[bytes]:
    """The digests of a normal form: one for each configured key, the one that is written first.

    Empty when the form is: a phone without a letter or digit has nothing to match.
    """
    form = normal.encode()
    return [_digest(begun, form) for begun in _begun(place, business_id)] if form else []


def digest_all(place: str, business_id: int, normals: Iterable[str]) -> list[bytes | None]:
    """Of each normal form the digest that is written; None of an empty one."""
    begun = _begun(place, business_id)[0]
    return [_digest(begun, normal.encode()) if normal else None for normal in normals]


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "BLIND_INDEX_KEYS":
        _subkeys.cache_clear()
        _begun.cache_clear()


setting_changed.connect(_forget)
