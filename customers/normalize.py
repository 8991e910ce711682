"""Canonical forms: what two spellings of one thing have in common.

Pure functions of their argument: no keys, no Django, no state. What is stored is what the
user gave (trimmed); these forms decide order, search and exact match.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers

from customers.accents import MARK, Accents

DEFAULT_REGION = "NG"

# `str.strip()` also removes the separators U+001C–U+001F and U+0085. They are control
# characters, which a text may not hold: they must be seen and refused, not trimmed away.
_CONTROL_SPACES = set("\x1c\x1d\x1e\x1f\x85")
_WHITESPACE = "".join(
    c for c in map(chr, range(0x3001)) if c.isspace() and c not in _CONTROL_SPACES
)
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNPRINTABLE_BUT_BREAKS = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# Unicode's Default_Ignorable_Code_Point: what leaves no trace where it is shown.
_INVISIBLE = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_TIN = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9 /-]+\Z")


def trim(text: str) -> str:
    """The text without white space around it; its inside is left as it is."""
    return text.strip(_WHITESPACE)


def has_unprintable(text: str, *, line_breaks: bool = False) -> bool:
    """Whether the text holds a control character, a NUL or an unpaired surrogate.

    `line_breaks` allows CR and LF, as a postal address needs them.
    """
    pattern = _UNPRINTABLE_BUT_BREAKS if line_breaks else _UNPRINTABLE
    return pattern.search(text) is not None


# Unicode's 912 combining marks lie scattered among its letters. Moved together into a plane of no
# characters they are one range, which a regular expression compiles and matches at no cost. A
# text of that plane itself is of nobody's language: its characters count as unknown ones.
_MARK_PLANE = 0xF0000
_MARKS = [point for point in range(0x300, 0x1F000) if unicodedata.combining(chr(point))]
# Most letters stand for themselves: one that is missing costs three times as much.
_TO_PLANE = {point: point for point in range(0x3000)}
_TO_PLANE |= {_MARK_PLANE + i: 0xFFFD for i in range(0x400)}
_TO_PLANE |= {point: _MARK_PLANE + i for i, point in enumerate(_MARKS)}


def marked(text: str) -> str:
    """Compatibility-decomposed and case-folded, each letter followed by its marks (see MARK)."""
    if text.isascii():
        return text.lower()
    # Folding can compose nothing and decompose little; the second pass settles what it did.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return folded.translate(_TO_PLANE)


def fold(text: str) -> str:
    """The text without regard to case and accents: NFKD, casefold, combining marks dropped."""
    return MARK.sub("", marked(text))


@lru_cache(maxsize=16)
def accents(query: str) -> Accents | None:
    """What to look for in `marked(text)`, or None where `fold(query) in fold(text)` says it all.

    Marks before the first letter sit on nothing and are dropped.
    """
    letters: list[tuple[str, set[str]]] = []
    for char in marked(query):
        if not MARK.match(char):
            letters.append((char, set()))
        elif letters:
            letters[-1][1].add(char)
    return Accents(letters) if any(marks for _, marks in letters) else None


def holds(text: str, query: str) -> bool:
    """Whether `text` holds `query` as a search finds it: the definition that search is held to.

    A letter of the query is found in the letters that carry at least its marks.
    """
    wanted = accents(query)
    if wanted is None:
        return fold(query) in fold(text)
    return wanted.found_in(marked(text))


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
_DIALLED_PLUS = re.compile(r"[+＋]*00(?=\D*[1-9])")


def phone(text: str) -> str:
    """E.164 where the text has such a form (default region NG), else its letters and digits.

    Empty when it has neither. An extension is kept behind an `x`: it reaches somebody else.
    """
    return _e164(text) or "".join(c for c in fold(text) if c.isalnum())


def _e164(text: str) -> str | None:
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
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    e164: str = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return f"{e164}x{parsed.extension}" if parsed.extension else e164


def is_tin(text: str) -> bool:
    """Whether the text is shaped like a tax number: letters, digits, spaces, `-` and `/`.

    Known shapes are `12345678-0001` (FIRS), 10 digits (Joint Tax Board) and 13 digits (the Tax ID
    in force from 2026); others are accepted, as long as one letter or digit is there.
    """
    return _TIN.match(text) is not None


def tin(text: str) -> str:
    """The tax number without spaces and hyphens, in capitals."""
    return text.replace(" ", "").replace("-", "").upper()


MAX_NAME_KEY_BYTES = 2000


def name_key(name: str) -> bytes:
    """The sort key of a name: folded, in UTF-8, so that bytes order as code points do.

    Cut to what a PostgreSQL index entry holds; 200 characters of any living script fit.
    """
    key = fold(name).encode()
    if len(key) <= MAX_NAME_KEY_BYTES:
        return key
    return key[:MAX_NAME_KEY_BYTES].decode(errors="ignore").encode()
