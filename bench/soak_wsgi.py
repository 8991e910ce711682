"""The server's entry for a soak: ours, and each look after the search tail is timed."""

from __future__ import annotations

import os
import time
from pathlib import Path

from customers.search import index
from finora.wsgi import application

__all__ = ["application"]

_times = Path(os.environ["SOAK_TIMES"])
_step = index.step


def _timed(business_id: int) -> bool:
    started = time.perf_counter()
    did = _step(business_id)
    with _times.open("a") as out:
        out.write(f"{(time.perf_counter() - started) * 1000:.3f} {did:d}\n")
    return did


index.step = _timed
