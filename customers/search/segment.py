"""Segments: immutable blocks of folded text about many customers, and the scan over them.

A segment is one run of bytes, held in memory as it was sealed:

    header   magic; number of lines, of plain ones, of those of active customers (native uint32)
    ids      20 bytes a line: the ULID of the public id, and the mark (big-endian uint32)
    starts   where each line and then each aside starts in the whole, and where the last one ends
             (native uint32)
    text     the lines, each ended by "\n"
    asides   of each line what staff alone look for, each ended by "\n"

A line is `name_key ␟ email`, both folded. Customers whose name or email carries accents follow the
plain ones as `name_key ␟ email ␟ marked name ␟ marked email`; a search with accents looks at
theirs alone. A name longer than its key has the whole folded name at the end of its line. Behind
them stand the lines of inactive customers, of either kind. Each of the three groups is sorted by
(name_key, id, mark). The mark says which packing wrote the line, and the customer's row says the
same for as long as the line is its present one.

An aside is `company ␟ last four digits of the phone ␟ marked company`, the last part only where
there are accents, and empty where there is neither company nor phone. The API's search reads no
aside and no line of an inactive customer.

The ids stand apart from the text because a search without a hit costs what it takes to read the
text: that is a third less to read, and no query can match inside an id.

Segments say where to look, the live rows what is true: a candidate may be stale. So no segment
is newer than another, and a merge is a union.
"""

from __future__ import annotations

import heapq
import re
import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, islice, product
from typing import NamedTuple

import stringzilla as sz

from finora.accents import Accents
from finora.text import accents, fold, has_unprintable, marked, name_key

_MAGIC = 0x5E61_0002  # read in the wrong byte order, or of another layout, it differs
_HEADER = struct.Struct("=IIII")
_ID = struct.Struct("20s")
_MARK = struct.Struct(">I")
_PART, _ASIDE, _END = b"\x1f", b"\x1e", b"\n"

# So many pieces of the accented text, of so many bytes, tell which part of a query is rare in it:
# counting in all of it would cost more than the scan, and neighbours are alike.
_SAMPLES, _SAMPLE_BYTES = 8, 1 << 10

_PREFIX = "cust_"
_PUBLIC_ID = re.compile(_PREFIX + "[0-7][0-9a-hjkmnp-tv-z]{25}")
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_TO_PYTHON = str.maketrans(_CROCKFORD, "0123456789abcdefghijklmnopqrstuv")
# Two letters are ten bits: a search decodes fifty ids, by base64.b32encode in twice the time.
_PAIRS = ["".join(pair) for pair in product(_CROCKFORD, repeat=2)]


class Entry(NamedTuple):
    """What a segment is told about a customer."""

    public_id: str
    name: str
    email: str
    mark: int = 0
    company: str = ""
    phone_end: str = ""
    is_active: bool = True


class Candidate(NamedTuple):
    """A line that matched: the customer's place in the order, as the segment knows it."""

    name_key: bytes
    public_id: str
    mark: int


def encode_id(public_id: str) -> bytes:
    """The 16 bytes of a public id (`cust_` and a ULID in lower case); they order as the ids do.

    ValueError if it is not one.
    """
    if _PUBLIC_ID.fullmatch(public_id) is None:
        raise ValueError("not a customer's public id")
    return int(public_id.removeprefix(_PREFIX).translate(_TO_PYTHON), 32).to_bytes(16)


def decode_id(raw: bytes) -> str:
    """The public id of the 16 bytes that `encode_id` gave."""
    number = int.from_bytes(raw)
    return _PREFIX + "".join([_PAIRS[number >> at & 1023] for at in range(120, -1, -10)])


def line_id(public_id: str, mark: int) -> bytes:
    """The 20 bytes of a line that say whose it is and which packing wrote it."""
    return encode_id(public_id) + _MARK.pack(mark)


def _decode(raw: bytes) -> tuple[str, int]:
    """The public id and the mark of a line's 20 bytes."""
    return decode_id(raw[: -_MARK.size]), _MARK.unpack_from(raw, -_MARK.size + len(raw))[0]


class Segment:
    """An immutable block of lines; `build` and `merge` make one, `first_matches` searches it."""

    __slots__ = ("_active", "_blob", "_plain", "_starts", "lines")

    lines: int
    """How many lines it holds."""

    def __init__(self, blob: bytes) -> None:
        try:
            magic, self.lines, self._plain, self._active = _HEADER.unpack_from(blob)
            starts_size = (2 * self.lines + 1) * 4
            text = _HEADER.size + self.lines * _ID.size + starts_size
            starts = memoryview(blob)[text - starts_size : text].cast("I")
            sound = magic == _MAGIC and self._plain <= self._active <= self.lines
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

    def marks(self, lines: Iterable[int]) -> list[tuple[str, int]]:
        """The public id and the mark of each of these lines."""
        starts = (_HEADER.size + line * _ID.size for line in lines)
        return [_decode(self._blob[start : start + _ID.size]) for start in starts]

    def part(self, lines: Iterable[int]) -> Segment:
        """A segment of these lines alone."""
        groups = _no_rows()
        for line in lines:
            text, aside = self._text(line), self._text(self.lines + line)
            group = groups[(line >= self._plain) + (line >= self._active)]
            group.append(b"".join((self._place(line), text, _ASIDE, aside)))
        return _segment(groups)

    def ids(self) -> Iterator[bytes]:
        """Who each line is about and its mark, as `line_id` has them."""
        ids = self._blob[_HEADER.size : _HEADER.size + self.lines * _ID.size]
        return (id_ for (id_,) in _ID.iter_unpack(ids))

    def without(self, public_ids: Iterable[str]) -> Segment | None:
        """A segment of the other customers' lines; None where this one has none of these ones'."""
        theirs = {encode_id(public_id) for public_id in public_ids}
        others = [n for n, id_ in enumerate(self.ids()) if id_[: -_MARK.size] not in theirs]
        return self.part(others) if len(others) < self.lines else None

    @property
    def _groups(self) -> tuple[tuple[int, int], ...]:
        """From which line to which: the plain ones, the accented ones, those of the inactive."""
        return (0, self._plain), (self._plain, self._active), (self._active, self.lines)

    def _text(self, number: int) -> bytes:
        """A line; or an aside, whose number is that of its line behind all lines."""
        return self._blob[self._starts[number] : self._starts[number + 1] - 1]

    def _place(self, line: int) -> bytes:
        """`name_key ␟ id mark` of a line: keys hold nothing below a space, so places order."""
        start, id_ = self._starts[line], _HEADER.size + line * _ID.size
        key = self._blob[start : self._blob.index(_PART, start) + 1]
        return key + self._blob[id_ : id_ + _ID.size]

    def _rows(self, first: int, last: int) -> Iterator[bytes]:
        """The lines from `first` up to `last`, each behind its place and with its aside."""
        blob, starts, size = self._blob, self._starts, _ID.size
        lines = blob[starts[first] : starts[last]].split(_END)
        asides = blob[starts[self.lines + first] : starts[self.lines + last]].split(_END)
        ids = _ID.iter_unpack(blob[_HEADER.size + first * size : _HEADER.size + last * size])
        # Behind the last _END comes b"".
        for (id_,), line, aside in zip(ids, lines, asides, strict=False):
            yield b"".join((line[: line.index(_PART) + 1], id_, line, _ASIDE, aside))

    def _find(self, needle: bytes, first: int, last: int) -> Iterator[int]:
        """The numbers from `first` up to `last` whose text holds the needle (see _text)."""
        blob, starts = self._blob, self._starts
        position, end = starts[first], starts[last]
        while (position := sz.find(blob, needle, position, end)) >= 0:
            line = bisect_right(starts, position, first, last) - 1
            position = starts[line + 1]
            yield line

    def _matches(self, needle: bytes, first: int, last: int) -> Iterator[bytes]:
        """The places of the lines from `first` up to `last` that hold the needle."""
        return map(self._place, self._find(needle, first, last))

    def _marked_matches(self, needles: Sequence[bytes], wanted: Accents) -> Iterator[bytes]:
        """The places of the accented lines in which the accents are found.

        A line in which they are holds each of the needles, so the rarest one leads to them all.
        """
        start, end = self._starts[self._plain], self._starts[self._active]
        step = max(_SAMPLE_BYTES, (end - start) // _SAMPLES)
        pieces = [self._blob[at : at + _SAMPLE_BYTES] for at in range(start, end, step)]
        sample = b"".join(pieces)
        rarest = min(needles, key=lambda needle: sz.count(sample, needle))
        for n in self._find(rarest, self._plain, self._active):
            line = self._text(n)
            # No part runs into the next, so what is found in the marked ones is found in one.
            if needles[-1] in line and wanted.found_in(line.split(_PART, 2)[2].decode()):
                yield self._place(n)

    def _holding(self, needles: Sequence[bytes], behind: bytes) -> Iterator[Iterator[bytes]]:
        """The places behind this one of the lines that hold each of the needles, there or aside.

        In several streams, each in order; a place may come twice.
        """
        rarest = needles[0]
        if len(needles) > 1:
            text = memoryview(self._blob)[self._starts[0] :]
            rarest = min(needles, key=lambda needle: sz.count(text, needle))
        for first, last in self._groups:
            begin = bisect_right(range(last), behind, first, key=self._place)
            yield self._with_all(needles, self._find(rarest, begin, last))
            asides = self._find(rarest, self.lines + begin, self.lines + last)
            yield self._with_all(needles, (number - self.lines for number in asides))

    def _with_all(self, needles: Sequence[bytes], lines: Iterable[int]) -> Iterator[bytes]:
        for line in lines:
            text, aside = self._text(line), self._text(self.lines + line)
            if all(needle in text or needle in aside for needle in needles):
                yield self._place(line)


def _no_rows() -> tuple[list[bytes], ...]:
    """For each group of lines none yet; a row is what Segment._rows gives."""
    return [], [], []


def _segment(groups: tuple[list[bytes], ...]) -> Segment:
    """The segment of these rows, equal ones once."""
    each_once = [list(dict.fromkeys(sorted(group))) for group in groups]
    plain, accented, _ = map(len, each_once)
    ids: list[bytes] = []
    lines: list[bytes] = []
    asides: list[bytes] = []
    for row in chain.from_iterable(each_once):
        id_ = row.index(_PART) + 1
        line, _, aside = row[id_ + _ID.size :].partition(_ASIDE)
        ids.append(row[id_ : id_ + _ID.size])
        lines.append(line)
        asides.append(aside)
    count, texts = len(ids), lines + asides
    text = _HEADER.size + count * _ID.size + (2 * count + 1) * 4
    starts = array("I", accumulate((len(each) + 1 for each in texts), initial=text))
    header = _HEADER.pack(_MAGIC, count, plain, plain + accented)
    texts.append(b"")  # so that the last one is ended as the others are
    return Segment(b"".join((header, *ids, starts, _END.join(texts))))


def _printable(text: str) -> str:
    """The text with a space for each control character and unpaired surrogate.

    No form lets one in. Where one is all the same, it must not break the lines, and no query
    that holds it finds anything.
    """
    if not has_unprintable(text):
        return text
    return "".join(" " if has_unprintable(c) else c for c in text)


def _aside(entry: Entry) -> bytes:
    if not (entry.company or entry.phone_end):
        return b""
    company = _printable(entry.company)
    parts = [folded := fold(company), entry.phone_end]
    if (marks := marked(company)) != folded:
        parts.append(marks)
    return _PART.join(part.encode() for part in parts)


def _line(entry: Entry) -> tuple[bytes, bool]:
    """The line of an entry, and whether it is an accented one."""
    given = _printable(entry.name), _printable(entry.email)
    key, name, email = name_key(given[0]), fold(given[0]), fold(given[1])
    marks = marked(given[0]), marked(given[1])
    parts = [key, email.encode()]
    if accented := marks != (name, email):
        parts += [text.encode() for text in marks]
    if len(key) < len(whole := name.encode()):
        parts.append(whole)
    return _PART.join(parts), accented


def build(entries: Iterable[Entry]) -> Segment:
    """The segment of these customers, in any order. ValueError on a public id that is none."""
    groups = _no_rows()
    for entry in entries:
        line, is_accented = _line(entry)
        id_ = line_id(entry.public_id, entry.mark)
        row = b"".join((line[: line.index(_PART) + 1], id_, line, _ASIDE, _aside(entry)))
        groups[is_accented if entry.is_active else 2].append(row)
    return _segment(groups)


def build_many(entries: Iterable[Entry], max_lines: int) -> Iterator[Segment]:
    """Segments of up to `max_lines` customers each, as they come; each is made when asked for."""
    rest = iter(entries)
    while batch := list(islice(rest, max_lines)):
        yield build(batch)


def merge(segments: Iterable[Segment]) -> Segment:
    """One segment of all lines of several, equal ones once."""
    groups = _no_rows()
    for segment in segments:
        for group, (first, last) in zip(groups, segment._groups, strict=True):
            group += segment._rows(first, last)
    return _segment(groups)


def first_matches(segments: Iterable[Segment], query: str) -> Iterator[Candidate]:
    """The lines whose name or email holds the query, by (name_key, public_id), each once.

    Lazy: each segment is read as far as its next hit, so taking the first 50 of very many is
    cheap, and whoever rejects some takes more. A match is what `normalize.holds` says of the
    name or of the email in the line. A query that folds to nothing has none, nor has one with
    control characters. The same customer can come up again with an older mark.
    """
    folded = fold(query)
    if not folded or has_unprintable(query):
        return
    wanted = accents(query)
    streams: list[Iterator[bytes]] = []
    if wanted is None:
        needle = folded.encode()
        for segment in segments:
            # An unmarked needle found in a marked part is in its folded part as well.
            streams.append(segment._matches(needle, 0, segment._plain))
            streams.append(segment._matches(needle, segment._plain, segment._active))
    else:
        # Of needles that the sample lacks the first is taken: a mark, as there are few of them.
        needles = [*(mark.encode() for mark in wanted.marks), folded.encode()]
        streams = [segment._marked_matches(needles, wanted) for segment in segments]
    yield from _merged(streams)


def lines_holding(
    segments: Iterable[Segment], needles: Sequence[bytes], behind: tuple[bytes, str] | None = None
) -> Iterator[Candidate]:
    """The lines, inactive customers' too, that hold each of the folded needles, there or aside.

    By (name_key, public_id), behind this one; each once, and lazy as first_matches().
    """
    place = b""
    if behind is not None:
        name_key, public_id = behind
        place = b"".join((name_key, _PART, line_id(public_id, 2**32 - 1)))
    yield from _merged([s for segment in segments for s in segment._holding(needles, place)])


def _merged(streams: Iterable[Iterator[bytes]]) -> Iterator[Candidate]:
    last = b""
    for place in heapq.merge(*streams):
        if place != last:
            yield Candidate(place[: -_ID.size - 1], *_decode(place[-_ID.size :]))
        last = place
