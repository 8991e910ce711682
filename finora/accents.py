"""Which texts hold the letters of a query, each with at least the query's marks on it.

A letter with more marks is another letter than one with fewer, and which of them a query finds is
no equivalence: so neither comparing texts nor skipping ahead in them will do. A regular expression
does it fastest in most texts, but in one that repeats itself it begins anew at every letter and
may get far each time. There all beginnings are followed at once, as the bits of one integer
(Baeza-Yates and Gonnet's shift-and): a text costs what its length does, whatever it is made of.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

# A text's combining marks are moved here (see text.marked).
MARK = re.compile("[\U000f0000-\U000f03ff]")
_LETTER = re.compile("[^\U000f0000-\U000f03ff][\U000f0000-\U000f03ff]*+")

# How far the regular expression may go: this often its own length, summed over its beginnings.
_FAR = 512
# One of this length is compiled in a millisecond; beyond three marks a letter it reads each of
# the letter's marks too often.
_LONGEST, _MOST_MARKS = 64, 3
# Masks of letters kept for the texts to come.
_KEPT = 2048


class Accents:
    """A query of letters, each with its marks; at least one has any."""

    def __init__(self, letters: Sequence[tuple[str, Collection[str]]]) -> None:
        self._first = letters[0][0]
        self._size = len(letters) + sum(len(marks) for _, marks in letters)
        few = self._size <= _LONGEST and max(len(m) for _, m in letters) <= _MOST_MARKS
        self._pattern = _pattern(letters) if few else None
        self._end = 1 << (len(letters) - 1)
        # Bit n of each stands for the query's letter n: which letters are this one, which ask for
        # this mark, and the binary digits of how many marks they ask for.
        self._are: dict[str, int] = {}
        self._ask: dict[str, int] = {}
        self._numbers = [0] * max(len(marks) for _, marks in letters).bit_length()
        for n, (letter, marks) in enumerate(letters):
            self._are[letter] = self._are.get(letter, 0) | 1 << n
            for mark in marks:
                self._ask[mark] = self._ask.get(mark, 0) | 1 << n
            for digit in range(len(self._numbers)):
                self._numbers[digit] |= (len(marks) >> digit & 1) << n
        self._masks: dict[str, int] = {}

    @property
    def marks(self) -> Collection[str]:
        """The marks that any of the letters has."""
        return self._ask.keys()

    def found_in(self, marked: str) -> bool:
        """Whether a text, in the form of normalize.marked, holds the query."""
        if self._pattern is not None and marked.count(self._first) * self._size <= _FAR:
            return self._pattern.search(marked) is not None
        masks, end, begun = self._masks, self._end, 0
        for letter in _LETTER.findall(marked):
            mask = masks.get(letter)
            if mask is None:
                mask = self._mask(letter)
            # Bit n: the text up to here ends with the query up to its letter n.
            begun = (begun << 1 | 1) & mask
            if begun & end:
                return True
        return False

    def _mask(self, letter: str) -> int:
        """Which of the query's letters find this one, that a text has."""
        mask = self._are.get(letter[0], 0)
        if mask:
            # All of them count at once how many of their marks it carries.
            carried = [0] * len(self._numbers)
            for mark in self._ask.keys() & set(letter[1:]):
                carry, digit = self._ask[mark], 0
                while carry:
                    carried[digit], carry = carried[digit] ^ carry, carried[digit] & carry
                    digit += 1
            for has, number in zip(carried, self._numbers, strict=True):
                mask &= ~(has ^ number)
        if len(self._masks) >= _KEPT:
            self._masks.clear()
        self._masks[letter] = mask
        return mask


def _pattern(letters: Sequence[tuple[str, Collection[str]]]) -> re.Pattern[str]:
    """Each letter followed by a look-ahead for each of its marks and then by any marks at all."""
    run = f"{MARK.pattern}*"
    return re.compile(
        "".join(
            re.escape(letter) + "".join(f"(?={run}?{mark})" for mark in sorted(marks)) + run + "+"
            for letter, marks in letters
        )
    )
