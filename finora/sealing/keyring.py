"""Encryption keys: parsed, named, derived for each business and purpose; and sealing with them.

Sealed bytes are `version (1) | key id (4) | nonce (12) | AES-256-GCM ciphertext and tag`. The
context is the additional authenticated data: bytes sealed for one place do not open in another.
The key id names the entry of FIELD_ENCRYPTION_KEY, so opening is one try however many there are.
"""

from __future__ import annotations

import base64
import hashlib
import io
import logging
import os
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from finora.sealing.errors import SealError

log = logging.getLogger("finora.keyring")

KEY_ID_BYTES = 4
NONCE_BYTES = 12
TAG_BYTES = 16
_VERSION = b"\x01"
_HEADER = len(_VERSION) + KEY_ID_BYTES
_BODY = _HEADER + NONCE_BYTES
_COPIED = 4096
_CANARY = ("canary", 0, b"")  # purpose, no business, context
# Ids that damaged or forged values may name are without number.
_MOST_MISSED = 16
_missed: set[bytes] = set()


class Key(NamedTuple):
    id: bytes
    secret: bytes


def parse_key(text: str) -> Key:
    """One entry of FIELD_ENCRYPTION_KEY: 32 bytes in URL-safe base64, as Fernet has them.

    Raises ValueError, without the text, for anything else.
    """
    try:
        secret = base64.urlsafe_b64decode(text.encode("ascii"))
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise ValueError("not 32 bytes in URL-safe base64")
    return Key(hashlib.sha256(b"finora key id" + secret).digest()[:KEY_ID_BYTES], secret)


@cache
def keys() -> dict[bytes, Key]:
    """The configured keys by id, the sealing one first. Raises ImproperlyConfigured."""
    try:
        parsed = [parse_key(text) for text in settings.ENCRYPTION_KEYS]
    except ValueError as error:
        raise ImproperlyConfigured(f"FIELD_ENCRYPTION_KEY: an entry is {error}.") from None
    if not parsed:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEY is not set.")
    return {key.id: key for key in parsed}


def sealing_key_id() -> bytes:
    """The id of the key that seals now: the first one configured."""
    return next(iter(keys()))


@lru_cache(maxsize=8192)
def _cipher(key_id: bytes, purpose: str, business_id: int) -> AESGCM:
    return AESGCM(_derived(key_id, purpose, business_id))


def _derived(key_id: bytes, purpose: str, business_id: int) -> bytes:
    key = keys().get(key_id)
    if key is None:
        _note_missed(key_id)
        raise SealError(f"sealed with the key {key_id.hex()}, which is not configured")
    info = f"finora v1 {purpose} {business_id}".encode()
    return HKDF(SHA256(), 32, salt=None, info=info).derive(key.secret)


def seal(data: bytes, *, purpose: str, business_id: int, context: bytes) -> bytes:
    """Sealed bytes that only `unseal` with the same purpose, business and context opens."""
    return _sealed_with(sealing_key_id(), data, purpose, business_id, context)


def _sealed_with(
    key_id: bytes, data: bytes, purpose: str, business_id: int, context: bytes
) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    sealed = _cipher(key_id, purpose, business_id).encrypt(nonce, data, context)
    return b"".join((_VERSION, key_id, nonce, sealed))


def seal_all(
    data: Sequence[bytes], *, purpose: str, business_id: int, contexts: Iterable[bytes]
) -> list[bytes]:
    """seal() of each in its context, in half the time: the nonces are drawn at once."""
    key_id = sealing_key_id()
    encrypt, head = _cipher(key_id, purpose, business_id).encrypt, _VERSION + key_id
    drawn = os.urandom(NONCE_BYTES * len(data))
    nonces = (drawn[at : at + NONCE_BYTES] for at in range(0, len(drawn), NONCE_BYTES))
    return [
        b"".join((head, nonce, encrypt(nonce, each, context)))
        for nonce, each, context in zip(nonces, data, contexts, strict=True)
    ]


def unseal(sealed: bytes, *, purpose: str, business_id: int, context: bytes) -> bytes:
    """The bytes that were sealed. Raises SealError; never answers anything else."""
    if sealed[:1] != _VERSION or len(sealed) < _BODY:
        raise SealError("not sealed by this version")
    cipher = _cipher(sealed[1:_HEADER], purpose, business_id)
    # No copy: of a search segment it would be megabytes. Of a text it is the quicker way.
    rest = sealed if len(sealed) < _COPIED else memoryview(sealed)
    try:
        return cipher.decrypt(sealed[_HEADER:_BODY], rest[_BODY:], context)
    except InvalidTag:
        raise SealError("forged, or moved from another place") from None


def unseal_pieces(
    pieces: Iterable[bytes], size: int, *, purpose: str, business_id: int, context: bytes
) -> bytes:
    """unseal() of sealed bytes that come in pieces, `size` in all, the first one with the head.

    Only what it answers is in memory as a whole. Raises SealError.
    """
    coming = (memoryview(piece) for piece in pieces)
    head = next(coming, memoryview(b""))
    left = size - _BODY - TAG_BYTES
    if bytes(head[:1]) != _VERSION or len(head) < _BODY or left < 0:
        raise SealError("not sealed by this version")
    key = _derived(bytes(head[1:_HEADER]), purpose, business_id)
    decryptor = Cipher(AES256(key), GCM(bytes(head[_HEADER:_BODY]))).decryptor()
    decryptor.authenticate_additional_data(context)
    # Written in place: none of it is moved, or touched twice.
    opened = io.BytesIO(bytes(left))
    tag = b""
    for piece in chain([head[_BODY:]], coming):
        text = piece[:left]
        left -= opened.write(decryptor.update(text))
        tag += piece[len(text) :]
    try:
        decryptor.finalize_with_tag(tag)
    except (InvalidTag, ValueError):
        raise SealError("forged, or moved from another place") from None
    return opened.getvalue()


def _note_missed(key_id: bytes) -> None:
    """Once in the log for each key, and from then on in missed_key_ids()."""
    if key_id not in _missed and len(_missed) < _MOST_MISSED:
        _missed.add(key_id)
        log.error(
            "a value needs an encryption key that this process lacks",
            extra={"fields": {"encryptionKey": key_id.hex()}},
        )


def missed_key_ids() -> list[str]:
    """The ids of keys that values named, and that this process lacks; sixteen at most."""
    return sorted(key_id.hex() for key_id in _missed)


def sealed_canary(key_id: bytes) -> bytes:
    """Nothing, sealed with this configured key: whoever can open it holds the key."""
    return _sealed_with(key_id, b"", *_CANARY)


def opens_canary(sealed: bytes) -> bool:
    """Whether a configured key sealed this canary."""
    if key_id_of(sealed) not in keys():
        return False
    purpose, business_id, context = _CANARY
    try:
        unseal(sealed, purpose=purpose, business_id=business_id, context=context)
    except SealError:
        return False
    return True


def key_id_of(sealed: bytes) -> bytes:
    """The id of the key that sealed these bytes."""
    return sealed[1:_HEADER]


def lacks_key(sealed: bytes) -> bool:
    """Whether these sealed bytes name a key that is not configured; damaged ones may do so too."""
    return sealed[:1] == _VERSION and len(sealed) >= _BODY and key_id_of(sealed) not in keys()


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "ENCRYPTION_KEYS":
        keys.cache_clear()
        _missed.clear()
        _cipher.cache_clear()


setting_changed.connect(_forget)
