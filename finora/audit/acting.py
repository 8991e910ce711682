"""Who acts, and in which request: set at the edge, noted by the rules that change something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Actor(NamedTuple):
    """`kind` is key, staff or system; `id` the key's public id or the staff's user name."""

    kind: str
    id: str
    request_id: str = ""


def _system() -> Actor:
    return Actor("system", "")


_actor: ContextVar[Callable[[], Actor]] = ContextVar("actor", default=_system)


def actor() -> Actor:
    """Who acts now: the system itself, in a command or a test."""
    return _actor.get()()


@contextmanager
def acting(who: Callable[[], Actor]) -> Iterator[None]:
    """Whatever is changed inside was changed by this actor; asked for only if something is."""
    token = _actor.set(who)
    try:
        yield
    finally:
        _actor.reset(token)
