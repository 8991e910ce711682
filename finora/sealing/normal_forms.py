"""Normal forms: what two spellings of one email, phone or TIN have in common.

Pure functions of their argument. What is stored is what the user gave (trimmed); these forms
decide exact match.
"""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

from finora.text import fold, trim

DEFAULT_REGION = "NG"
# Unicode's Default_Ignorable_Code_Point: what leaves no trace where it is shown.
_INVISIBLE = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_TIN = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9 /-]+\Z")


def email(text: str) -> str:
    """The address as it is stored: trimmed and in lower case."""
    return trim(text).lower()


def email_key(text: str) -> str:
    """The address as it is matched: by full case folding, in which a final sigma is a sigma, and
    without what nobody sees.
    """
    address = email(text)
    if address.isascii():
        return address
    visible = _INVISIBLE.sub("", address)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", visible).casefold())


def is_plain_domain(domain: str) -> bool:
    """Whether a domain holds letters, digits, hyphens and dots alone, each in its plain form.

    So nothing invisible, no full-width form, nothing that only looks like one of them.
    """
    composed = unicodedata.normalize("NFC", domain)
    return (
        unicodedata.normalize("NFKC", domain) == composed
        and not _INVISIBLE.search(composed)
        and all(c in "-." or unicodedata.category(c)[0] in "LM" or c.isdecimal() for c in composed)
    )


# From the first digit or plus to the last digit: words around it are no part of the number.
_NUMBER = re.compile(r"[+＋\d].*\d", re.DOTALL)
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"[^\W\d_]+")
_NOTHING = str.maketrans("", "", "_()[]")
_DIALLED_PLUS = re.compile(r"\A[+＋]*00(?=\D*[1-9])")
# A Nigerian mobile number as most are spelt, which the library takes ten times as long for.
_MOBILE = re.compile(r"(?:(?:\+|00)?234|0)?[ -]?([789](?:[ -]?[0-9]){9})")


def phone(text: str) -> str:
    """E.164 where the text has such a form (default region NG), else its letters and digits.

    Empty when it has neither. An extension is kept behind an `x`: it reaches somebody else.
    """
    return _e164(text) or "".join(c for c in fold(text) if c.isalnum())


def telephone(text: str) -> str:
    """E.164 where the text has such a form, else as it is: to be dialled."""
    return _e164(text) or text


# What nearly all phones are, told in a fiftieth of the time.
_NIGERIAN = re.compile(r"(?:\+234|0)(?:[ .-]?[0-9]){10}\Z")
END_DIGITS = 4


def phone_end(text: str) -> str:
    """The last four digits of a number of at least eight, its country's aside; else empty."""
    if _NIGERIAN.match(text) or _MOBILE.fullmatch(text):
        return "".join(c for c in text if c in "0123456789")[-END_DIGITS:]
    number = _number(text)
    digits = phonenumbers.national_significant_number(number) if number else ""
    return digits[-END_DIGITS:] if len(digits) >= 2 * END_DIGITS else ""


def _e164(text: str) -> str | None:
    mobile = _MOBILE.fullmatch(text)
    if mobile:
        return "+234" + mobile[1].replace(" ", "").replace("-", "")
    return _by_library(text)


def _by_library(text: str) -> str | None:
    number = _number(text)
    if number is None:
        return None
    e164: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{e164}x{number.extension}" if number.extension else e164


def _number(text: str) -> phonenumbers.PhoneNumber | None:
    """A number counts as one when its length is possible; whether its range is in service changes
    from year to year, and a form that is hashed and stored must not.
    """
    found = _NUMBER.search(text)
    if found is None:
        return None
    number = _DIGIT.sub(lambda digit: str(int(digit[0])), found[0])
    number = " ".join(_INVISIBLE.sub("", number).translate(_NOTHING).split())
    try:
        parsed = phonenumbers.parse(_DIALLED_PLUS.sub("+", number, count=1), DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return None
    # A word inside is no digits of a keypad: it may name an extension, no more.
    if len(_WORD.findall(number)) > bool(parsed.extension):
        return None
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    return parsed if possible == phonenumbers.ValidationResult.IS_POSSIBLE else None


def is_tin(text: str) -> bool:
    """Whether the text is shaped like a tax number: letters, digits, spaces, `-` and `/`.

    Known shapes are `12345678-0001` (FIRS), 10 digits (Joint Tax Board) and 13 digits (the Tax ID
    in force from 2026); others are accepted, as long as one letter or digit is there.
    """
    return _TIN.match(text) is not None


def tin(text: str) -> str:
    """The tax number without spaces and hyphens, in capitals."""
    return text.replace(" ", "").replace("-", "").upper()
