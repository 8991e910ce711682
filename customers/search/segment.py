"""Segments: immutable blocks of folded text about many customers, and the scan over them.

A segment is one run of bytes, held in memory as it was sealed:

    header   magic, number of lines, number of plain lines (three native uint32)
    ids      16 bytes a line: the ULID of the public id
    starts   where each line starts in the whole, and where the last one ends (native uint32)
    text     the lines, each ended by "\n"

A line is `name_key ␟ email`, both folded. Customers whose name or email carries accents follow the
plain ones as `name_key ␟ email ␟ marked name ␟ marked email`; a search with accents looks at
theirs alone. A name longer than its key has the whole folded name at the end of its line. Both
kinds are sorted by (name_key, id). A customer packed while inactive is a tombstone, a line with
nothing in it: it matches no query and drives out older lines of its id at a merge.

The ids stand apart from the text because a search without a hit costs what it takes to read the
text: that is a third less to read, and no query can match inside an id.

Segments say where to look, the live rows what is true: a candidate may be stale.
"""

from __future__ import annotations

import heapq
import re
import struct
from array import array
from base64 import b32encode
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice
from typing import NamedTuple
from unicodedata import combining

import stringzilla as sz

from customers.normalize import fold, has_unprintable, marked, marks_pattern, name_key

_MAGIC = 0x5E61_0001  # read in the wrong byte order, or of another layout, it differs
_HEADER = struct.Struct("=III")
_ID = struct.Struct("16s")
_PART, _END = b"\x1f", b"\n"

# How much of a text is looked at to see which part of a query is rare in it.
_SAMPLE_BYTES = 1 << 16

_PREFIX = "cust_"
_PUBLIC_ID = re.compile(_PREFIX + "[0-7][0-9a-hjkmnp-tv-z]{25}")
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_TO_PYTHON = str.maketrans(_CROCKFORD, "0123456789abcdefghijklmnopqrstuv")
_FROM_BASE32 = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", _CROCKFORD.encode())


class Entry(NamedTuple):
    """What a segment is told about a customer."""

    public_id: str
    name: str
    email: str
    active: bool = True


class Candidate(NamedTuple):
    """A line that matched: the customer's place in the order, as the segment knows it."""

    name_key: bytes
    public_id: str


# A candidate with the id as it is stored, and the line of one.
_Place = tuple[bytes, bytes]
_Row = tuple[bytes, bytes, bytes]


def encode_id(public_id: str) -> bytes:
    """The 16 bytes of a public id (`cust_` and a ULID in lower case); they order as the ids do.

    ValueError if it is not one.
    """
    if _PUBLIC_ID.fullmatch(public_id) is None:
        raise ValueError("not a customer's public id")
    return int(public_id.removeprefix(_PREFIX).translate(_TO_PYTHON), 32).to_bytes(16)


def decode_id(raw: bytes) -> str:
    """The public id of the 16 bytes that `encode_id` gave."""
    # Base 32 goes by groups of 5 bytes and 8 letters: 4 bytes and 6 letters of zeros go ahead.
    return _PREFIX + b32encode(bytes(4) + raw)[6:].translate(_FROM_BASE32).decode()


class Segment:
    """An immutable block of lines; `build` and `merge` make one, `first_matches` searches it."""

    __slots__ = ("_blob", "_plain", "_starts", "lines")

    lines: int
    """How many lines it holds, tombstones among them."""

    def __init__(self, blob: bytes) -> None:
        try:
            magic, self.lines, self._plain = _HEADER.unpack_from(blob)
            text = _HEADER.size + self.lines * _ID.size + (self.lines + 1) * 4
            starts = memoryview(blob)[text - (self.lines + 1) * 4 : text].cast("I")
            sound = magic == _MAGIC and self._plain <= self.lines
            sound = sound and starts[0] == text and starts[-1] == len(blob)
        except (struct.error, IndexError, TypeError) as error:
            raise ValueError("not a segment") from error
        if not sound:
            raise ValueError("not a segment")
        self._blob = blob
        self._starts = starts

    @classmethod
    def from_bytes(cls, blob: bytes) -> Segment:
        """The segment that `to_bytes` wrote; ValueError on anything else.

        Only the frame is checked: that nobody touched the inside is for the seal to say.
        """
        return cls(blob)

    def to_bytes(self) -> bytes:
        """All of the segment, without a copy."""
        return self._blob

    @property
    def nbytes(self) -> int:
        """The size of `to_bytes`, and about what it takes in memory."""
        return len(self._blob)

    def _place(self, line: int) -> _Place:
        start, raw = self._starts[line], _HEADER.size + line * _ID.size
        key = self._blob[start : self._blob.index(_PART, start)]
        return key, self._blob[raw : raw + _ID.size]

    def _rows(self, first: int, last: int) -> Iterator[_Row]:
        """The lines from `first` up to `last`, taken apart."""
        blob, size = self._blob, _ID.size
        lines = blob[self._starts[first] : self._starts[last]].split(_END)
        raw = _ID.iter_unpack(blob[_HEADER.size + first * size : _HEADER.size + last * size])
        for (id_,), line in zip(raw, lines, strict=False):  # behind the last _END comes b""
            yield line.partition(_PART)[0], id_, line

    def _find(self, needle: bytes, first: int, last: int) -> Iterator[int]:
        """The lines from `first` up to `last` that hold the needle, each once."""
        blob, starts = self._blob, self._starts
        position, end = starts[first], starts[last]
        while (position := sz.find(blob, needle, position, end)) >= 0:
            line = bisect_right(starts, position, first, last) - 1
            position = starts[line + 1]
            yield line

    def _matches(self, needle: bytes, first: int, last: int) -> Iterator[_Place]:
        return map(self._place, self._find(needle, first, last))

    def _marked_matches(
        self, needles: Sequence[bytes], pattern: re.Pattern[str]
    ) -> Iterator[_Place]:
        """The places of the accented lines that hold the pattern.

        A line that does holds each of the needles, so the rarest one leads to them all.
        """
        start, end = self._starts[self._plain], self._starts[self.lines]
        end = min(end, start + _SAMPLE_BYTES)
        rarest = min(needles, key=lambda needle: sz.count(self._blob, needle, start, end))
        for line in self._find(rarest, self._plain, self.lines):
            # The folded parts hold no marks and no part runs into the next, so what matches in
            # the line matches in a marked part.
            if pattern.search(self._blob[self._starts[line] : self._starts[line + 1]].decode()):
                yield self._place(line)


def _segment(plain: list[_Row], accented: list[_Row]) -> Segment:
    plain.sort()
    accented.sort()
    rows = plain + accented
    lines = [line for _, _, line in rows]
    text = _HEADER.size + len(rows) * _ID.size + (len(rows) + 1) * 4
    starts = array("I", accumulate((len(line) + 1 for line in lines), initial=text))
    lines.append(b"")  # so that the last line is ended as the others are
    return Segment(
        b"".join(
            (
                _HEADER.pack(_MAGIC, len(rows), len(plain)),
                *(id_ for _, id_, _ in rows),
                starts,
                _END.join(lines),
            )
        )
    )


def _row(entry: Entry) -> tuple[_Row, bool]:
    """The line of an entry, and whether it is an accented one."""
    id_ = encode_id(entry.public_id)
    if not entry.active:
        return (b"", id_, _PART), False
    if has_unprintable(entry.name) or has_unprintable(entry.email):
        raise ValueError("a text with control characters or unpaired surrogates")
    key, texts = name_key(entry.name), [fold(entry.name), fold(entry.email)]
    marks = [marked(entry.name), marked(entry.email)]
    parts = [key, texts[1].encode()]
    if accented := marks != texts:
        parts += [text.encode() for text in marks]
    if len(key) < len(whole := texts[0].encode()):
        parts.append(whole)
    return (key, id_, _PART.join(parts)), accented


def build(entries: Iterable[Entry]) -> Segment:
    """The segment of these customers, in any order; of two with one id the later counts.

    ValueError on a public id that is none, and on control characters in a name or an email.
    """
    rows = {row[1]: (row, accented) for row, accented in map(_row, entries)}
    return _segment(
        [row for row, accented in rows.values() if not accented],
        [row for row, accented in rows.values() if accented],
    )


def build_many(entries: Iterable[Entry], max_lines: int) -> Iterator[Segment]:
    """Segments of up to `max_lines` customers each, as they come; each is made when asked for."""
    rest = iter(entries)
    while batch := list(islice(rest, max_lines)):
        yield build(batch)


def merge(segments: Sequence[Segment]) -> Segment:
    """One segment for several, oldest first: of each id the line of the newest stays.

    Tombstones stay too, for there may be older lines outside these segments.
    """
    seen: set[bytes] = set()
    plain: list[_Row] = []
    accented: list[_Row] = []
    for segment in reversed(segments):
        before = len(plain), len(accented)
        middle, lines = segment._plain, segment.lines
        plain += [row for row in segment._rows(0, middle) if row[1] not in seen]
        accented += [row for row in segment._rows(middle, lines) if row[1] not in seen]
        seen.update(row[1] for row in plain[before[0] :])
        seen.update(row[1] for row in accented[before[1] :])
    return _segment(plain, accented)


def first_matches(segments: Iterable[Segment], query: str) -> Iterator[Candidate]:
    """The customers whose name or email holds the query, by (name_key, public_id), each pair once.

    Lazy: each segment is read as far as its next hit, so taking the first 50 of very many is
    cheap, and whoever rejects some takes more. A match is what `normalize.holds` says of the
    name or of the email in the line. A query that folds to nothing has none, nor has one with
    control characters. The same customer can come up again under an older name: compare the
    candidate's `name_key` with the live row's.
    """
    folded = fold(query)
    if not folded or has_unprintable(query):
        return
    pattern = marks_pattern(query)
    streams: list[Iterator[_Place]] = []
    if pattern is None:
        needle = folded.encode()
        for segment in segments:
            # An unmarked needle found in a marked part is in its folded part as well.
            middle, lines = segment._plain, segment.lines
            streams.append(segment._matches(needle, 0, middle))
            streams.append(segment._matches(needle, middle, lines))
    else:
        needles = [folded.encode(), *{c.encode() for c in marked(query) if combining(c)}]
        streams = [segment._marked_matches(needles, pattern) for segment in segments]
    last: _Place | None = None
    for place in heapq.merge(*streams):
        if place != last:
            yield Candidate(place[0], decode_id(place[1]))
        last = place
