"""Work that no request waits for.

What a request asks for is done by a thread of its own, one after the other, while the request's
thread goes on. Python runs one thread at a time: while there is such work, a request that comes
back from the database gets its turn after half a millisecond instead of the usual five.

Where no request is served (commands, shells) nobody waits either, so it is done at once. It may be
cut off at any moment, as by a kill: what is done so must be safe then, and be begun anew by itself.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from django.db import close_old_connections, connections

from finora.request import request_id

log = logging.getLogger("finora.background")

TURN_SECONDS = 0.0005

Work = Callable[[], Any]


class _Thread:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def add(self, work: Work) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="background", daemon=True)
                self._thread.start()
            self._work.put(work)

    def end(self, seconds: float | None) -> None:
        with self._lock:
            if self._thread is not None:
                self._work.put(None)
                self._thread.join(seconds)
                self._thread = None

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            usual = sys.getswitchinterval()
            sys.setswitchinterval(TURN_SECONDS)
            close_old_connections()
            try:
                work()
            except Exception:
                log.exception("work behind a request failed")
            finally:
                close_old_connections()
                sys.setswitchinterval(usual)
        connections.close_all()


_thread = _Thread()


def run(work: Work) -> None:
    """Does this behind the present request, which does not wait for it; elsewhere at once.

    What it raises is logged behind a request, and raised elsewhere.
    """
    if request_id.get():
        _thread.add(work)
    else:
        work()


def end(seconds: float | None = None) -> None:
    """Waits until all is done that requests asked for and the thread has ended; or for so long."""
    _thread.end(seconds)


def _forget() -> None:
    """A fork has no threads but the one that forked."""
    global _thread
    _thread = _Thread()


os.register_at_fork(after_in_child=_forget)
