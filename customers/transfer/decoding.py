"""Bytes to text: which encoding a file is in, and its lines. Nothing is ever unpacked.

What does not decode becomes an unpaired surrogate, which the rules of a field refuse: so it is
named by its line and column, like any other broken cell. So does what is of the other encoding in a
file of two: which letters these are, nobody knows.
"""

from __future__ import annotations

import codecs
import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain
from typing import NamedTuple

from customers.transfer.refused import FileRefused

# Opens a file anew, and gives it piece by piece.
Pieces = Callable[[], Iterator[bytes]]

# Of one line, and of one record of several: what is longer is reported and left out.
MOST_CHARACTERS = 2 << 20
# Records whose quotes do not end are looked into again from their second line. After so many of
# them only so far: or a file made for it would be read a thousand times over.
LONG_LOOKS, SHORT_LOOK = 8, 16 << 10

# What stands in a text for what is no letter.
UNKNOWN = "\udcff"
_UNDECODABLE = "finora.undecodable"
codecs.register_error(_UNDECODABLE, lambda error: (UNKNOWN, error.end))  # type: ignore[attr-defined]

_OTHER_FILES = {
    b"PK\x03\x04": "a ZIP archive, as Excel's .xlsx is",
    b"PK\x05\x06": "a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"%PDF": "a PDF",
}
_HEAD, _BEGINNING = 4096, 20
_ESCAPED = re.compile("[\udc80-\udcff]")
_NOT_ASCII = re.compile("[^\x00-\x7f]")


class Encoding(NamedTuple):
    """`told` is what people call it."""

    codec: str
    told: str


UTF_8 = Encoding("utf-8-sig", "UTF-8")
WINDOWS = Encoding("cp1252", "Windows-1252")


def _letters(first: int, last: int) -> str:
    return bytes(range(first, last + 1)).decode(WINDOWS.codec, "ignore")


# A letter of UTF-8 as Windows-1252 shows it, `Ã©`: what it does not know of one is unknown already.
_FOLLOWS = f"[{_letters(0x80, 0xBF)}]"
_UTF_8_SHOWN = re.compile(
    f"[{_letters(0xC2, 0xDF)}]{_FOLLOWS}|[{_letters(0xE0, 0xEF)}]{_FOLLOWS}{{2}}"
    f"|[{_letters(0xF0, 0xF4)}]{_FOLLOWS}{{3}}"
)


def encoding_of(pieces: Pieces) -> Encoding:
    """What the whole file is in. Raises FileRefused for what is no text, and for an empty one."""
    head = b""
    stream = pieces()
    while len(head) < _HEAD and (piece := next(stream, None)) is not None:
        head += piece
    for magic, what in _OTHER_FILES.items():
        if head.startswith(magic):
            raise FileRefused(f"This is {what}. Save it as CSV and import that.")
    if not head.removeprefix(codecs.BOM_UTF8).strip():
        raise FileRefused("The file is empty.")
    if head.startswith(codecs.BOM_UTF8):
        return UTF_8
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Encoding("utf-16", "UTF-16")
    # Of Latin letters in UTF-16 every other byte is 0: of a header at least.
    for start in (head[:_BEGINNING], head[:_HEAD]):
        odd, even = start[1::2].count(0), start[::2].count(0)
        if max(odd, even) * 3 > len(start):
            if min(odd, even) * 3 > max(odd, even):
                raise FileRefused("This is no text. Save it as CSV and import that.")
            return Encoding("utf-16-le" if odd > even else "utf-16-be", "UTF-16")
    return _one_of_bytes(head, stream)


def _one_of_bytes(head: bytes, rest: Iterator[bytes]) -> Encoding:
    """UTF-8, also with a few broken bytes in it; or Windows-1252, where hardly any letter is. The
    whole file is asked: its first letter may be the last one.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    broken = whole = 0
    for piece in chain([head], rest, [b""]):
        if not piece.isascii() or decoder.getstate()[0]:
            text = decoder.decode(piece, final=not piece)
            escaped = len(_ESCAPED.findall(text))
            broken += escaped
            whole += len(_NOT_ASCII.findall(text)) - escaped
    return WINDOWS if broken > whole else UTF_8


class _Reader(io.RawIOBase):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces, self.rest, self.read_bytes = pieces, memoryview(b""), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self.rest:
            piece = next(self.pieces, None)
            if piece is None:
                return 0
            self.rest = memoryview(piece)
            self.read_bytes += len(piece)
        size = min(len(buffer), len(self.rest))
        buffer[:size] = self.rest[:size]
        self.rest = self.rest[size:]
        return size


class LineTooLong(Exception):
    """A line of more than MOST_CHARACTERS; it was passed over."""


class QuoteNotClosed(Exception):
    """A record that does not end within the file, or within bounds."""


class Lines:
    """The lines of a text with their ends, for csv.reader; several of them make a record.

    `number` is that of the line read last, `start` that of the first of the present record.
    """

    def __init__(self, pieces: Pieces, encoding: Encoding) -> None:
        self._is_windows = encoding == WINDOWS
        self._raw = _Reader(pieces())
        buffered = io.BufferedReader(self._raw, 1 << 16)
        self._text = io.TextIOWrapper(buffered, encoding.codec, errors=_UNDECODABLE, newline="")
        self.number = self.start = self._lines = 0
        self._again: deque[tuple[int, str | None]] = deque()
        self._record: list[tuple[int, str | None]] = []
        self._size = self._unclosed = 0

    @property
    def read_bytes(self) -> int:
        """How far into the file this is, about."""
        return self._raw.read_bytes

    def __iter__(self) -> Iterator[str]:
        return self

    def begin(self) -> None:
        """What is read from here on is a new record."""
        self._record.clear()
        self._size = 0

    def __next__(self) -> str:
        """Raises LineTooLong, QuoteNotClosed: then what follows is another record."""
        number, line = self._again.popleft() if self._again else self._read()
        is_first = not self._record
        if is_first:
            self.start = number
            if line == "":
                raise StopIteration
            if line is None:
                raise LineTooLong
        self._record.append((number, line))
        self.number = number
        self._size += len(line or "")
        bound = MOST_CHARACTERS if self._unclosed < LONG_LOOKS else SHORT_LOOK
        if not is_first and (not line or self._size > bound):
            self._unclosed += 1
            # Each but the first, which is to blame, may be a record of its own.
            self._again.extendleft(reversed(self._record[1:]))
            raise QuoteNotClosed
        return line or ""

    def _read(self) -> tuple[int, str | None]:
        """The next line and its number; an empty one at the end, None for one that is too long."""
        line: str | None = self._text.readline(MOST_CHARACTERS)
        if line and len(line) == MOST_CHARACTERS and line[-1] not in "\r\n":
            while len(more := self._text.readline(MOST_CHARACTERS)) == MOST_CHARACTERS:
                if more[-1] in "\r\n":
                    break
            line = None
        self._lines += 1
        if self._is_windows and line and not line.isascii():
            line = _UTF_8_SHOWN.sub(UNKNOWN, line)
        return self._lines, line
