"""How a personal value is shown to who may not read it: enough to recognise, too little to use.

Pure functions. The number of dots says nothing about the length of what they stand for.
"""

from __future__ import annotations

import phonenumbers

from finora.sealing import normal_forms

DOTS = "•••••"
# Digits that stay hidden at least: of a shorter number nothing is shown.
HIDDEN_DIGITS = 4
SHOWN_DIGITS = 4


def email(value: str) -> str:
    """`f•••••@acme.com`: the first letter, if it is not the only one, and the domain."""
    local, at, domain = value.rpartition("@")
    if not at or not local:
        return DOTS
    return f"{local[0] if len(local) > 1 else ''}{DOTS}@{domain}"


def phone(value: str) -> str:
    """`+234 ••• ••• 5678`: the country and the last four digits, of what is a number."""
    try:
        number = phonenumbers.parse(value, normal_forms.DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return DOTS
    if not phonenumbers.is_possible_number(number):
        return DOTS
    digits = phonenumbers.national_significant_number(number)
    last = digits[-SHOWN_DIGITS:] if len(digits) >= HIDDEN_DIGITS + SHOWN_DIGITS else "••••"
    return f"+{number.country_code} ••• ••• {last}"


def tin(value: str) -> str:
    """`••••• 0001`: the last four letters or digits."""
    known = normal_forms.tin(value)
    if len(known) < HIDDEN_DIGITS + SHOWN_DIGITS:
        return DOTS
    return f"{DOTS} {known[-SHOWN_DIGITS:]}"


def address(value: str) -> str:
    """Nothing of it: any part of an address says where somebody lives."""
    return DOTS
