"""Sealing and opening bytes."""

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from finora.sealing import SealError, keyring

PLACE = {"purpose": "field", "business_id": 1, "context": b"customer.email:cust_1"}


@given(st.binary(max_size=300))
def test_what_is_sealed_opens_again(data):
    assert keyring.unseal(keyring.seal(data, **PLACE), **PLACE) == data


def test_the_same_value_is_never_sealed_the_same():
    assert len({keyring.seal(b"ada", **PLACE) for _ in range(100)}) == 100


def test_the_sealed_bytes_show_nothing_but_the_length():
    sealed = keyring.seal(b"ada@example.com", **PLACE)
    assert b"ada" not in sealed
    assert len(sealed) == 1 + 4 + 12 + len(b"ada@example.com") + 16


def in_pieces(sealed, size):
    """The first one holds the head at least."""
    return [sealed[:size], *(sealed[at : at + size] for at in range(size, len(sealed), size))]


@given(st.binary(max_size=300), st.integers(17, 400))
def test_pieces_open_as_the_whole_does(data, size):
    sealed = keyring.seal(data, **PLACE)
    assert keyring.unseal_pieces(in_pieces(sealed, size), len(sealed), **PLACE) == data


@given(st.data())
def test_pieces_open_nothing_when_a_bit_is_changed_or_a_byte_is_lacking_or_too_many(data):
    sealed = bytearray(keyring.seal(b"ada@example.com" * 5, **PLACE))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    size = data.draw(st.integers(17, 120))
    with pytest.raises(SealError):
        keyring.unseal_pieces(in_pieces(bytes(sealed), size), len(sealed), **PLACE)
    sealed[bit // 8] ^= 1 << bit % 8
    for wrong in sealed[:-1], sealed[: data.draw(st.integers(0, 100))], sealed + b"x":
        for told in len(wrong), len(sealed):
            with pytest.raises(SealError):
                keyring.unseal_pieces(in_pieces(bytes(wrong), size), told, **PLACE)


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "segment"},
        {"business_id": 2},
        {"business_id": 11},
        {"context": b"customer.phone:cust_1"},
        {"context": b"customer.email:cust_2"},
        {"context": b""},
    ],
)
def test_nothing_opens_in_another_place(change):
    sealed = keyring.seal(b"ada", **PLACE)
    with pytest.raises(SealError):
        keyring.unseal(sealed, **PLACE | change)
    with pytest.raises(SealError):
        keyring.unseal_pieces([sealed], len(sealed), **PLACE | change)


@given(st.data())
def test_one_changed_bit_opens_nothing(data):
    sealed = bytearray(keyring.seal(b"ada@example.com", **PLACE))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealError):
        keyring.unseal(bytes(sealed), **PLACE)


def test_a_cut_or_longer_one_opens_nothing():
    sealed = keyring.seal(b"ada@example.com", **PLACE)
    for length in range(len(sealed)):
        with pytest.raises(SealError):
            keyring.unseal(sealed[:length], **PLACE)
    with pytest.raises(SealError):
        keyring.unseal(sealed + b"\0", **PLACE)


@given(st.binary(max_size=80))
def test_no_made_up_bytes_open(data):
    with pytest.raises(SealError):
        keyring.unseal(data, **PLACE)
    with pytest.raises(SealError):
        keyring.unseal(b"\x01" + keyring.sealing_key_id() + data, **PLACE)


# --- Several keys -------------------------------------------------------------------------------

OLD, MIDDLE, NEW = (Fernet.generate_key().decode() for _ in range(3))


def test_the_first_key_seals_and_the_oldest_still_opens(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    sealed = keyring.seal(b"ada", **PLACE)
    settings.ENCRYPTION_KEYS = [NEW, MIDDLE, OLD]
    assert keyring.unseal(sealed, **PLACE) == b"ada"
    anew = keyring.seal(b"ada", **PLACE)
    assert keyring.key_id_of(anew) == keyring.sealing_key_id() == keyring.parse_key(NEW).id
    assert keyring.key_id_of(sealed) == keyring.parse_key(OLD).id


def test_without_its_key_nothing_opens(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    sealed = keyring.seal(b"ada", **PLACE)
    settings.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(SealError, match="not configured"):
        keyring.unseal(sealed, **PLACE)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert keyring.unseal(sealed, **PLACE) == b"ada"


def test_what_lacks_its_key_is_told_from_what_is_no_longer_sealed_bytes(settings):
    """Whatever was cut off: the key is what is missing exactly where opening says so."""
    settings.ENCRYPTION_KEYS = [OLD]
    sealed = keyring.seal(b"ada", **PLACE)
    assert not keyring.lacks_key(sealed)
    settings.ENCRYPTION_KEYS = [NEW]
    assert keyring.lacks_key(sealed)
    for cut in (*(sealed[:length] for length in range(len(sealed))), b"\x02" + sealed[1:]):
        with pytest.raises(SealError) as raised:
            keyring.unseal(cut, **PLACE)
        assert keyring.lacks_key(cut) is ("not configured" in str(raised.value))


def test_another_key_behind_the_same_id_opens_nothing(settings):
    """A forged key id finds a key, but not the one that sealed."""
    settings.ENCRYPTION_KEYS = [OLD, NEW]
    sealed = keyring.seal(b"ada", **PLACE)
    forged = sealed[:1] + keyring.parse_key(NEW).id + sealed[5:]
    with pytest.raises(SealError):
        keyring.unseal(forged, **PLACE)


def test_opening_is_one_try_however_many_keys(settings, monkeypatch):
    settings.ENCRYPTION_KEYS = [OLD]
    sealed = keyring.seal(b"ada", **PLACE)
    settings.ENCRYPTION_KEYS = [NEW, MIDDLE, OLD]
    tried = []
    cipher = keyring._cipher
    with monkeypatch.context() as patch:
        patch.setattr(keyring, "_cipher", lambda *a: tried.append(a) or cipher(*a))
        keyring.unseal(sealed, **PLACE)
    assert len(tried) == 1


# --- Configuration ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    ["", "short", "x" * 44, "é" * 44, "A" * 40, "A" * 88, "\ud800", "AA=="],
)
def test_a_wrong_key_is_refused_without_being_told(settings, key):
    with pytest.raises(ValueError, match="not 32 bytes") as raised:
        keyring.parse_key(key)
    assert not key or key not in str(raised.value)
    settings.ENCRYPTION_KEYS = [NEW, key]
    with pytest.raises(ImproperlyConfigured, match="FIELD_ENCRYPTION_KEY") as raised:
        keyring.keys()
    assert not key or key not in str(raised.value)


def test_no_key_is_refused(settings):
    settings.ENCRYPTION_KEYS = []
    with pytest.raises(ImproperlyConfigured, match="FIELD_ENCRYPTION_KEY is not set"):
        keyring.seal(b"ada", **PLACE)


def test_errors_hold_neither_bytes_nor_key(settings):
    sealed = keyring.seal(b"ada", **PLACE)
    broken = [sealed[:-1], sealed[:10], b"", b"\x01" + b"\xff" * 4 + sealed[5:]]
    for each in broken:
        with pytest.raises(SealError) as raised:
            keyring.unseal(each, **PLACE)
        told = str(raised.value) + repr(raised.value)
        assert "ada" not in told
        assert settings.ENCRYPTION_KEYS[0] not in told
        assert "\\x" not in told
