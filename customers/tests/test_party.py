"""The parts of an address, read from the one text that it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.party import Address, read

READ = {
    "15 Adeola Odeku St, Victoria Island, Lagos": (
        "15 Adeola Odeku St, Victoria Island", "Lagos", None, None,
    ),
    "1 Marina\r\nLagos": ("1 Marina", "Lagos", None, None),
    "12 Market Rd, Aba, Abia State": ("12 Market Rd", "Aba", None, None),
    "4 Aminu Kano Crescent, Wuse 2, Abuja, F.C.T.": (
        "4 Aminu Kano Crescent, Wuse 2", "Abuja", None, None,
    ),
    "23 Allen Ave, Ikeja 100271, Lagos, Nigeria.": ("23 Allen Ave, Ikeja", "Lagos", "100271", "NG"),
    "10 High St, 900211 Abuja": ("10 High St", "Abuja", "900211", None),
    "P.O. Box 123456, Kano": ("P.O. Box 123456", "Kano", None, None),
    "5 Ring Rd, Accra, Ghana": ("5 Ring Rd", "Accra", None, "GH"),
    "14B, 23": ("14B, 23", None, None, None),
    "Behind the market": ("Behind the market", None, None, None),
    " , ;\n": (None, None, None, None),
    "., -, --": (None, None, None, None),
    "-, 15 Marina, \u2013, Lagos, .": ("15 Marina", "Lagos", None, None),
    "Nigeria": (None, None, None, "NG"),
}  # fmt: skip


@pytest.mark.parametrize("address", READ, ids=ascii)
def test_its_parts_are_read(address):
    assert read(address) == Address(*READ[address])


@given(st.text(max_size=500))
def test_whatever_an_address_holds_each_part_has_a_letter_or_a_digit(address):
    assert all(any(map(str.isalnum, part)) for part in read(address) if part is not None)
