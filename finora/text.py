"""Texts as people write them: trimmed, folded for search and sorting, checked.

Pure functions of their argument: no keys, no Django, no state.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from finora.accents import MARK, Accents

# `str.strip()` also removes the separators U+001C–U+001F and U+0085. They are control
# characters, which a text may not hold: they must be seen and refused, not trimmed away.
_CONTROL_SPACES = set("\x1c\x1d\x1e\x1f\x85")
_WHITESPACE = "".join(
    c for c in map(chr, range(0x3001)) if c.isspace() and c not in _CONTROL_SPACES
)
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNPRINTABLE_BUT_BREAKS = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


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
    if text.isascii():
        return text.lower()
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


MAX_NAME_KEY_BYTES = 2000


def name_key(name: str) -> bytes:
    """The sort key of a name: folded, in UTF-8, so that bytes order as code points do.

    Cut to what a PostgreSQL index entry holds; 200 characters of any living script fit.
    """
    key = fold(name).encode()
    if len(key) <= MAX_NAME_KEY_BYTES:
        return key
    return key[:MAX_NAME_KEY_BYTES].decode(errors="ignore").encode()
