"""Opened segments of this process, so that a search decrypts only what is new to it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

from customers.search.segment import Segment
from finora import metrics

_cached = metrics.Gauge(
    "finora_search_cache_bytes", "Opened search segments that processes keep, in bytes."
)


class SegmentCache:
    """Segments by key, the least recently used dropped beyond `max_bytes`; safe for threads.

    A segment never changes, so neither does what a key stands for: nothing here goes stale.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._nbytes = 0
        self._segments: OrderedDict[Hashable, Segment] = OrderedDict()
        self._lock = Lock()

    @property
    def nbytes(self) -> int:
        """The size of all segments kept: at most `max_bytes`."""
        return self._nbytes

    def get(self, key: Hashable) -> Segment | None:
        """The segment of the key, if it is kept; it counts as used."""
        with self._lock:
            segment = self._segments.get(key)
            if segment is not None:
                self._segments.move_to_end(key)
            return segment

    def put(self, key: Hashable, segment: Segment) -> None:
        """Keep the segment; one that is larger than the bound by itself is not kept."""
        if segment.nbytes > self.max_bytes:
            return
        with self._lock:
            self._drop(self._segments.pop(key, None))
            while self._nbytes + segment.nbytes > self.max_bytes:
                self._drop(self._segments.popitem(last=False)[1])
            self._segments[key] = segment
            self._nbytes += segment.nbytes
            _cached.set(self._nbytes)

    def clear(self) -> None:
        """Forget all segments."""
        with self._lock:
            self._segments.clear()
            self._nbytes = 0
            _cached.set(0)

    def _drop(self, segment: Segment | None) -> None:
        self._nbytes -= segment.nbytes if segment else 0
