"""Some ninety kinds of query, chosen from the data and the same for the same data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from unicodedata import normalize

from bench.truth import Truth
from finora.text import MARK, fold, trim

LEAST = 80
LENGTHS = range(1, 13)
SAMPLE = 3_000
UNHEARD_OF = "ჟ☃⚑"  # letters for short queries that nobody's name or email holds


def choose(truth: Truth) -> dict[str, str]:
    """What to search for, by kind. RuntimeError when the data yields too few."""
    chosen: dict[str, str] = {}
    for kind, query in _candidates(truth):
        if query and trim(query) == query and fold(query) and query not in chosen.values():
            chosen[kind] = query
    if len(chosen) < LEAST:
        raise RuntimeError(f"the data yields {len(chosen)} kinds of query")
    return chosen


def _candidates(truth: Truth) -> Iterator[tuple[str, str]]:
    step = max(1, len(truth.rows) // SAMPLE)
    sample = truth.folded[::step]
    yield from _by_length(truth, sample)
    yield from _across_the_at(sample)
    yield from _sorting_last(truth)
    yield from _as_people_type(truth, step)
    yield from _accented(truth)


def _by_length(truth: Truth, sample: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """For each length one that is common, two between, one that is rare, one that is nowhere."""
    for length in LENGTHS:
        counts: Counter[str] = Counter()
        for text in (text for pair in sample for text in pair):
            counts.update({text[i : i + length] for i in range(len(text) - length + 1)})
        ranked = sorted((-n, part) for part, n in counts.items() if trim(part) == part)
        places = {"common": 0, "frequent": len(ranked) // 1000, "middling": len(ranked) // 30}
        for kind, place in {**places, "rare": len(ranked) - 1}.items():
            yield f"{kind}, {length}", ranked[place][1]
        yield f"none, {length}", _nowhere(truth, length)


def _nowhere(truth: Truth, length: int) -> str:
    """Letters that people use, in a row that nobody has, where the length allows it."""
    letters = UNHEARD_OF if length < 3 else "qxzjv"
    for parts in product(letters, repeat=min(length, 5)):
        query = "".join(parts).ljust(length, "a")
        if not truth.first(query):
            return query
    return ""


def _across_the_at(sample: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    yield "the @", "@"
    yield "domain, the most common", "@gmail.com"
    yield "domain, less common", "@yahoo.co.uk"
    yield "domain, end", ".com.ng"
    yield "domain, end, short", ".ng"
    for before, after in (1, 1), (2, 2), (3, 5), (6, 4):
        local, _, domain = sample[len(sample) // (before + 1)][1].partition("@")
        yield f"across the @, {before} + {after}", f"{local[-before:]}@{domain[:after]}"
    yield "a whole email", sample[len(sample) // 3][1]


def _sorting_last(truth: Truth) -> Iterator[tuple[str, str]]:
    for number, back in enumerate((1, len(truth.rows) // 500 + 2, len(truth.rows) // 50 + 3), 1):
        name, email = truth.folded[-back]
        yield f"sorts last, name {number}", name
        yield f"sorts last, beginning {number}", name[:4]
        yield f"sorts last, email {number}", email.partition("@")[0]


def _as_people_type(truth: Truth, step: int) -> Iterator[tuple[str, str]]:
    plain = [row for row in truth.rows[::step] if row.name.isascii() and " " in row.name]
    row = plain[len(plain) // 2]
    first, last = row.name.split(" ")[:2]
    yield "a whole name", row.name
    yield "a whole name in capitals", row.name.upper()
    yield "across the space", f"{first[-2:]} {last[:2]}"
    yield "the first name", first
    yield "the last name", last
    yield "of a title", "Alhaj"
    yield "of a company", "enterprises"
    yield "of a company, short", "ltd"
    yield "a year", "1990"
    yield "digits", "07"
    yield "a full stop", "."
    yield "an underscore", "_"
    yield "a per cent sign", "%"
    yield "an ampersand", "&"
    yield "an apostrophe", "'"


def _accented(truth: Truth) -> Iterator[tuple[str, str]]:
    yield "no accent asked", "ola"
    yield "accent, ọla", "ọla"
    yield "accent, é", "é"
    yield "accent, capital", "Ẹ"
    yield "accent, ṣ", "ṣ"
    yield "accent, two letters", "ọl"
    yield "accent at the end", "adé"
    yield "accent, none", "ọẹọẹ"
    yield "a mark nobody has", "a\u0330\u0348"
    yield "another letter's mark", "g\u030a"
    held = [i for i, (name, _) in enumerate(truth.marked) if MARK.search(name)]
    if held:
        for kind, i in ("first", held[0]), ("middle", held[len(held) // 2]), ("last", held[-1]):
            yield f"accented name, {kind}", truth.rows[i].name
        yield "accented name, decomposed", normalize("NFD", truth.rows[held[len(held) // 3]].name)
