"""Loads of many thousand rows: one process makes them, another one writes them."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from django.db import connections

T = TypeVar("T")


class MakerLost(RuntimeError):
    """The process that made the rows is gone, as by a kill: what it had not given is not made."""


@contextmanager
def ahead(items: Iterator[T]) -> Iterator[Iterator[T]]:
    """The same items: each is made, by a process of its own, while the one before is used.

    A thread would take turns with who uses them, as Python runs one at a time. The process is a
    fork, so it begins with all that is known here; what comes back are the items alone, pickled
    through a pipe. What makes them may not ask the database, whose sessions stay here. What the
    making raises is raised behind what was made before it; or MakerLost.
    """
    fork = multiprocessing.get_context("fork")
    coming, going = fork.Pipe(duplex=False)
    maker = fork.Process(target=_make, args=(items, coming, going), name="ahead", daemon=True)
    maker.start()
    going.close()
    try:
        yield _received(coming)
    finally:
        coming.close()
        maker.terminate()
        maker.join()
        maker.close()


def _received(coming: Connection) -> Iterator[Any]:
    while True:
        try:
            sent = coming.recv()
        except (EOFError, OSError):  # between two items, and in the middle of one
            raise MakerLost("The process that makes the rows is gone.") from None
        if isinstance(sent, Exception):
            raise sent
        if not sent:
            return
        yield from sent


def _make(items: Iterator[Any], coming: Connection, going: Connection) -> None:
    """What the process does: it sends tuples of one item, an empty one at the end; or an error."""
    # Who uses the items ends this one, by a signal or by being gone: then sending fails.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    coming.close()
    for connection in connections.all(initialized_only=True):
        if connection.vendor == "postgresql" and connection.connection is not None:
            # Else a session would seem alive for as long as this process is.
            os.close(connection.connection.fileno())
    gc.freeze()
    try:
        for item in items:
            going.send((item,))
            del item
            gc.collect()
        going.send(())
    except BrokenPipeError:
        return
    except Exception as error:
        error.add_note("".join(traceback.format_tb(error.__traceback__)))
        going.send(error)


@contextmanager
def in_bulk() -> Iterator[Callable[[], Any]]:
    """While a process does nothing but load. Gives a function that collects garbage: to be called
    between batches.

    Left to Python it takes a third of the time, looking again and again at thousands of rows of
    which none is garbage yet.
    """
    gc.freeze()
    gc.disable()
    try:
        yield gc.collect
    finally:
        gc.enable()
        gc.unfreeze()
