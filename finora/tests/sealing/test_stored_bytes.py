"""What version 1 stored stays readable: known answers, as two halves changed alike agree still."""

import base64

import pytest

from finora.sealing import blind_index, keyring
from finora.tests.kit.sealed import blind_hash

PLACE = {"purpose": "field", "business_id": 7, "context": b"a place"}
KEY_ID = bytes.fromhex("f769e35e")


@pytest.fixture(autouse=True)
def known_keys(settings):
    settings.ENCRYPTION_KEYS = [base64.urlsafe_b64encode(bytes(range(32))).decode()]
    settings.BLIND_INDEX_KEYS = ["a key of thirty-two or more characters"]


def test_a_key_has_the_id_that_it_had():
    assert keyring.sealing_key_id() == KEY_ID


def test_bytes_sealed_by_version_1_open():
    sealed = "01f769e35e6bcdefbd66dfb7e7c74806b7a1d445fd48f44e7baa1c34c90dc5e07f15a6cb"
    assert keyring.unseal(bytes.fromhex(sealed), **PLACE) == b"ada"


def test_a_canary_of_version_1_opens():
    canary = "01f769e35eff5eadc6346eb325dba5802a0bd7a6418d48512f5c0cd6c49936d422"
    assert keyring.opens_canary(bytes.fromhex(canary))


DIGESTS = {
    "email": "8496afb7987a831bf7127444a3aa9fedb58934744a9ca4575ca842560d64e05f",
    "phone": "a5f2063527bae842a45e1e18839c4a1b5970470845c60d5664b693e2d28c14e9",
    "tin": "5a486995a89921a8ba2f5a48aefd35900e2f85d1545432a6559908738440bb77",
}


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "Ada@example.com"), ("phone", "0803 123 4567"), ("tin", "12345678-0001")],
)
def test_a_value_has_the_digest_that_was_stored(field, value):
    assert blind_hash(field, 7, value) == bytes.fromhex(DIGESTS[field])


def test_a_blind_index_key_has_the_canary_and_the_name_that_it_had():
    canary = "92381b6a004e2c2c2a96bf9cabeccf64cd6d5859f53d147df2d04f296d79e2a6"
    assert blind_index.canaries() == [bytes.fromhex(canary)]
    assert blind_index.key_ids() == [bytes.fromhex("92381b6a")]


def test_other_hashes_have_the_key_that_they_had():
    stored = "4b157f148d4cecd87ee5e059f4da4fd1f5f5512e874983aebf31435051630835"
    assert blind_index.subkeys("idempotency", 7) == (bytes.fromhex(stored),)
