"""Whom an import made: mostly keys that follow each other, so ranges of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence


class Made:
    """Integer ids, as [first, how many] of those that follow each other."""

    def __init__(self, ranges: Iterable[Sequence[int]] = ()) -> None:
        self.ranges: list[list[int]] = []
        for first, count in sorted(map(tuple, ranges)):
            self._add(first, count)

    @classmethod
    def of(cls, keys: Iterable[int]) -> Made:
        return cls((key, 1) for key in keys)

    def _add(self, first: int, count: int) -> None:
        if self.ranges and sum(self.ranges[-1]) == first:
            self.ranges[-1][1] += count
        else:
            self.ranges.append([first, count])

    def update(self, other: Made) -> None:
        if self.ranges and other.ranges and other.ranges[0][0] < self.ranges[-1][0]:
            self.ranges = Made([*self.ranges, *other.ranges]).ranges
            return
        for first, count in other.ranges:
            self._add(first, count)

    def __contains__(self, key: int) -> bool:
        at = bisect_right(self.ranges, [key, 2**63])
        return at > 0 and key < sum(self.ranges[at - 1])

    def keys(self) -> list[int]:
        return [key for first, count in self.ranges for key in range(first, first + count)]
