"""Ready tables of weighted choices, and how names are read into them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

_T = TypeVar("_T")

BITS = 12
SIZE = 1 << BITS
COMPANIES = SIZE * 20 // 100  # a fifth of all customers
CONTACTS = SIZE * 25 // 100  # of companies, those known by the name of a person


def table_of(weighted: Iterable[tuple[_T, int]]) -> list[_T]:
    """`SIZE` places, each item holding its share of them."""
    pairs = list(weighted)
    total = sum(weight for _, weight in pairs)
    table: list[_T] = []
    reached = 0
    for item, weight in pairs:
        reached += weight
        table += [item] * (reached * SIZE // total - len(table))
    return table


def zipf(pool: Iterable[_T], share: int = 100) -> list[tuple[_T, int]]:
    """The pool weighted by rank, the common first; its weights add up to about `share`."""
    items = list(pool)
    ranks = [1_000_000 // (rank + 10) for rank in range(len(items))]
    total = sum(ranks)
    return [
        (item, weight * share * 10_000 // total) for item, weight in zip(items, ranks, strict=True)
    ]


def entries(text: str) -> list[str]:
    """The entries of a `;`-separated pool."""
    return [" ".join(entry.split()) for entry in text.split(";")]


def weighted(text: str) -> Iterator[tuple[str, int]]:
    """The entries of a pool with a weight behind each: `Ltd 22; Limited 12`."""
    for entry in entries(text):
        item, _, weight = entry.rpartition(" ")
        yield item, int(weight)


class Part(NamedTuple):
    """A name in the spellings people use; the number of a spelling is its index."""

    plain: str
    nfc: str
    nfd: str
    slug: str


PLAIN, NFC, NFD = range(3)
HOOKS = str.maketrans("ƁɓƊɗƘƙƳƴ", "BbDdKkYy")


def part_of(entry: str) -> Part:
    """A pool entry: `Ṣadé`, or `王=Wang` where leaving out the marks does not give Latin letters.

    An underscore stands for a space within a name.
    """
    written, _, latin = entry.replace("_", " ").partition("=")
    decomposed = unicodedata.normalize("NFD", latin or written.translate(HOOKS))
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return Part(
        plain,
        unicodedata.normalize("NFC", written),
        unicodedata.normalize("NFD", written),
        slug_of(plain),
    )


def slug_of(text: str) -> str:
    """What of the text can stand in an address or a domain: its letters a–z."""
    return re.sub("[^a-z]+", "", text.lower())


def parts_of(text: str) -> list[Part]:
    return [part_of(entry) for entry in text.split()]
