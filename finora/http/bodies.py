"""Bodies, read whole within bounds of size and time before Django's thread hears of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from finora.api.errors import ApiError
from finora.api.parsers import BODY_REFUSED, cut_short, too_large, too_late

_API = re.compile(r"/v[0-9]")


async def read(
    scope: Any, headers: Any, protocol: Any, is_logged_in: Callable[[str], Awaitable[bool]]
) -> bytes | ApiError:
    """The body, or why it is refused. What declares itself too large is not read at all.

    `is_logged_in` says of a Cookie header whether it is somebody's; it is asked only for a page's
    body that is larger than strangers may send.
    """
    declared = headers.get("content-length")
    length = int(declared) if declared else None  # hyper lets nothing but digits through
    if length == 0:
        return b""
    limit = settings.MAX_BODY_BYTES
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
