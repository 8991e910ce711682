"""Loads of many thousand rows: two things at a time, and little of what only costs."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

# Between the database's answer and the turn of the thread that waits for it; five by default.
TURN_SECONDS = 0.0005


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same: each is made, on a thread of its own, while the one before is used.

    What makes them may not ask the database: that thread's connection would stay open.
    """
    end = object()
    with ThreadPoolExecutor(1, "ahead") as thread:
        coming = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield item  # type: ignore[misc]


@contextmanager
def in_bulk() -> Iterator[Callable[[], Any]]:
    """While a process does nothing but load. Gives a function that collects garbage: to be called
    between batches.

    Left to Python it takes a third of the time, looking again and again at thousands of rows of
    which none is garbage yet.
    """
    usual = sys.getswitchinterval()
    gc.freeze()
    gc.disable()
    sys.setswitchinterval(TURN_SECONDS)
    try:
        yield gc.collect
    finally:
        sys.setswitchinterval(usual)
        gc.enable()
        gc.unfreeze()
