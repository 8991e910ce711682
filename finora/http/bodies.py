"""Bodies, read whole within bounds of size and time before Django's thread hears of them."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from finora.api.errors import ApiError
from finora.api.parsers import BODY_REFUSED, cut_short, too_large, too_late

_API = re.compile(r"/v[0-9]")
LOOK_SECONDS = 0.5  # between two looks at which bodies are late
Then = Callable[[bytes | ApiError], None]


def large_limit(scope: Any, headers: Any) -> int:
    """How many bytes whoever has a key may send here, where that is more than usual and this body
    may be of them; else 0."""
    limit: int = settings.LARGE_BODIES.get(scope.path.rstrip("/"), 0)
    length = int(headers.get("content-length") or limit)
    return limit if scope.method == "POST" and length > settings.MAX_BODY_BYTES else 0


async def read(
    scope: Any,
    headers: Any,
    protocol: Any,
    is_logged_in: Callable[[str], Awaitable[bool]],
    limit: int,
) -> bytes | ApiError:
    """The body, or why it is refused. What declares itself too large is not read at all.

    `limit` is that of the API. `is_logged_in` says of a Cookie header whether it is somebody's; it
    is asked only for a page's body that is larger than strangers may send.
    """
    declared = headers.get("content-length")
    length = int(declared) if declared else None  # hyper lets nothing but digits through
    if length == 0:
        return b""
    if not _API.match(scope.path):
        limit = settings.MAX_STRANGER_BODY_BYTES
        more = length is None or limit < length <= settings.MAX_PAGE_BODY_BYTES
        if more and await is_logged_in(headers.get("cookie", "")):
            limit = settings.MAX_PAGE_BODY_BYTES
    if length is not None and length > limit:
        return too_large(limit)
    try:
        async with asyncio.timeout(settings.BODY_SECONDS):
            if length is None:
                return await _chunks(protocol, limit)
            body: bytes = await protocol()
            return body
    except TimeoutError:
        return too_late()
    except RuntimeError:  # granian's
        return cut_short()


def is_plain(path: str, length: str) -> bool:
    """Whether a body of this length is the API's, and within bounds: most are."""
    return _API.match(path) is not None and int(length) <= settings.MAX_BODY_BYTES


class PlainBodies:
    """Reads plain bodies within their time, and not in the event loop: granian's thread hears of a
    whole body first, so what follows begins there. The loop only looks for those that are late.

    This takes granian's future for what it is: one callback, of which its thread tells the loop's
    `call_soon_threadsafe`. It can't be done already when the callback is added: that same thread
    would say so.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arriving: dict[_Whole, tuple[float, Any]] = {}
        usual = loop.call_soon_threadsafe

        def call(callback: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(callback, _Whole):
                return callback(*args)
            return usual(callback, *args, **kwargs)

        loop.call_soon_threadsafe = call  # type: ignore[method-assign,assignment]
        self._look()

    def read(self, protocol: Any, then: Then) -> None:
        """In granian's thread. `then` gets the body, or why it is refused, there or in the loop."""
        arriving = protocol()
        whole = _Whole(self._arriving, then)
        self._arriving[whole] = (time.monotonic() + settings.BODY_SECONDS, arriving)
        arriving.add_done_callback(whole)

    def _look(self) -> None:
        now = time.monotonic()
        for due, arriving in list(self._arriving.values()):
            if due > now:
                break
            arriving.cancel()
        self._loop.call_later(LOOK_SECONDS, self._look)


class _Whole:
    """What is called when a body is whole, or will never be."""

    def __init__(self, arriving: dict[_Whole, tuple[float, Any]], then: Then) -> None:
        self._arriving = arriving
        self._then = then

    def __call__(self, read: Any) -> None:
        del self._arriving[self]
        body: bytes | ApiError
        try:
            body = read.result()
        except asyncio.CancelledError:
            body = too_late()
        except RuntimeError:  # granian's
            body = cut_short()
        self._then(body)


async def _chunks(protocol: Any, limit: int) -> bytes | ApiError:
    body = bytearray()
    empty = 0
    async for chunk in protocol:
        body += chunk
        if len(body) > limit:
            return too_large(limit)
        empty += not chunk
    # granian ends with one empty chunk; another one stands for an error, or for trailers.
    return cut_short() if empty > 1 else bytes(body)


def is_refused(environ: dict[str, Any]) -> bool:
    """Whether the body of this request was not read to its end."""
    return BODY_REFUSED in environ
