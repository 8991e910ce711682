"""What a mask shows, and above all what it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finora.sealing import normal_forms
from finora.staff import masking
from finora.staff.display import naira


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("finance@acme.com", "f•••••@acme.com"),
        ("fo@acme.com", "f•••••@acme.com"),
        ("f@acme.com", "•••••@acme.com"),
        ('"a@b"@acme.com', '"•••••@acme.com'),
        ("not an address", "•••••"),
        ("@acme.com", "•••••"),
    ],
)
def test_email(value, shown):
    assert masking.email(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("+2348012345678", "+234 ••• ••• 5678"),
        ("0803 123 5678", "+234 ••• ••• 5678"),
        ("+44 20 7946 0018", "+44 ••• ••• 0018"),
        ("+2348012345678 ext. 99", "+234 ••• ••• 5678"),
        ("+290 22158", "+290 ••• ••• ••••"),
        ("n/a", "•••••"),
        ("08031235678 / 08031239999", "•••••"),
        ("call Ada", "•••••"),
        ("12", "•••••"),
        ("", "•••••"),
    ],
)
def test_phone(value, shown):
    assert masking.phone(value) == shown


@pytest.mark.parametrize(
    "value",
    [
        "+2348012345678", "0803 123 5678", "+44 20 7946 0018", "+2348012345678 ext. 99",
        "+290 22158", "n/a", "08031235678 / 08031239999", "12", "", "+234-803-123-5678",
        "08031235678.", "0803 1235 67", "tel 0803 123 5678",
    ],
)  # fmt: skip
def test_the_digits_that_search_finds_a_phone_by_are_those_that_its_mask_shows(value):
    shown = masking.phone(value)[-4:]
    assert normal_forms.phone_end(value) == (shown if shown.isdigit() else "")


@given(st.from_regex(r"(\+234|0|\+44|)([ .-]?[0-9]){7,12}( ?x9)?", fullmatch=True))
def test_a_phone_is_found_by_no_digit_that_its_mask_hides(value):
    end = normal_forms.phone_end(value)
    assert end in ("", masking.phone(value)[-4:])


@pytest.mark.parametrize(
    ("value", "shown"),
    [("12345678-0001", "••••• 0001"), ("1234567", "•••••"), ("12-34 56/78", "••••• 6/78")],
)
def test_tin(value, shown):
    assert masking.tin(value) == shown


def test_address_shows_nothing():
    assert masking.address("15 Adeola Odeku St\nLagos") == "•••••"


@given(st.text(max_size=60))
def test_any_text_has_masks_and_a_number_never_shows_more_than_four_digits(value):
    masking.email(value)
    masking.address(value)
    last = masking.phone(value).rpartition(" ")[2]
    assert sum(char.isdigit() for char in last) in (0, 4)
    assert len(masking.tin(value)) <= len("••••• 0001") + 4


@given(st.from_regex(r"\+234[789][01]\d{8}", fullmatch=True))
def test_the_middle_of_a_number_is_never_shown(value):
    assert value[4:-4] not in masking.phone(value).replace(" ", "")


@pytest.mark.parametrize(
    ("kobo", "shown"),
    [
        (0, "₦0.00"),
        (5, "₦0.05"),
        (537500, "₦5,375.00"),
        (-125050, "−₦1,250.50"),
        (2**63 - 1, "₦92,233,720,368,547,758.07"),
    ],
)
def test_naira_is_exact(kobo, shown):
    assert naira(kobo) == shown
