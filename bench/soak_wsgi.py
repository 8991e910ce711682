"""The server's entry for a soak: ours, with what packing takes written to $SOAK_TIMES.

A line `wait MS` for each write: how long it was held up to begin packing before it was answered. A
line `step MS BEGUN` for each step of packing, wherever it runs; BEGUN in seconds of perf_counter(),
which on Linux is the same clock in all processes.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from finora.wsgi import application

# isort: split
from customers.search import index

__all__ = ["application"]

_times = Path(os.environ["SOAK_TIMES"])
_step, _after_write = index.step, index.after_write


def _note(what: str, started: float) -> None:
    with _times.open("a") as out:
        out.write(f"{what} {(time.perf_counter() - started) * 1000:.3f} {started}\n")


def _timed_step(*args: Any) -> bool:
    started = time.perf_counter()
    did = _step(*args)
    if did:
        _note("step", started)
    return did


def _timed_wait(*args: Any) -> None:
    started = time.perf_counter()
    _after_write(*args)
    _note("wait", started)


index.step = _timed_step
index.after_write = _timed_wait
