"""An event loop in front of one thread for Django, as an RSGI application.

Bodies are read ahead (`bodies`), so that a slow client holds nothing; the loop answers /healthz, so
that a process whose database hangs still says that it lives. Everything else is Django's, a WSGI
application, one request at a time: Python runs one thread at a time, so a second one would only
make requests wait for each other at random places. More parallel work means more processes. What
needs nothing of the loop does not go through it: that costs 0.07 of a request's 0.76 ms of CPU.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from importlib import import_module
from queue import SimpleQueue
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import close_old_connections, connections
from django.http import parse_cookie

from finora import background
from finora.api import authentication
from finora.api.errors import ApiError
from finora.http import bodies
from finora.http.environ import environ
from finora.http.middleware import PAGES
from finora.http.streams import Stream
from finora.orm.patience import Patience

log = logging.getLogger("finora.http")
HEALTH = "/healthz"
READY = "/readyz"
# From the beginning of a request's turn on. Django has one thread: what waits longer for a database
# that hangs is refused, and so is soon whatever stands behind it.
READY_SECONDS = 4.0
CALL_SECONDS = 10.0
PAGE_SECONDS = 120.0  # staff change and export thousands of rows at once, as a large body brings
BACKGROUND_SECONDS = 2  # for what may be cut off as well
Headers = list[tuple[str, str]]


class Server:
    """What granian calls: __rsgi_init__ before the first request, __rsgi_del__ after the last."""

    def __init__(self, django: Callable[..., Any]) -> None:
        self._django = django
        self._jobs: SimpleQueue[tuple[float, Callable[[], None]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="django", daemon=True)
        self._answered: deque[asyncio.Future[None]] = deque()
        self._streams: set[Stream] = set()
        self._is_ending = False

    def end(self) -> None:
        """From now on every answer is the last one of its connection."""
        self._is_ending = True

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._bodies = bodies.PlainBodies(loop)
        self._large = asyncio.Semaphore(settings.LARGE_BODIES_AT_ONCE)
        self._thread.start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._jobs.put(None)
        self._thread.join()
        self._settle()
        loop.run_until_complete(asyncio.sleep(0))

    def take(self, scope: Any, protocol: Any) -> bool:
        """Takes what needs nothing of the loop: its body is plain, or none, and it is none that is
        answered while the database hangs. In granian's thread."""
        headers = scope.headers
        if "transfer-encoding" in headers or scope.path == HEALTH:
            return False

        def answer(body: bytes | ApiError) -> None:
            job = partial(self._answer, scope, headers, body, protocol)
            self._jobs.put((_patience(scope.path), job))

        length = headers.get("content-length")
        if length is None:
            answer(b"")
        elif bodies.is_plain(scope.path, length):
            self._bodies.read(protocol, answer)
        else:
            return False
        return True

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        headers = scope.headers
        if limit := bodies.large_limit(scope, headers):
            authorization = headers.get("authorization", "")
            if await self._ask(lambda: authentication.is_key(authorization)):
                async with self._large:  # so many are in memory
                    await self._read_and_answer(scope, headers, protocol, limit)
                return
        await self._read_and_answer(scope, headers, protocol, settings.MAX_BODY_BYTES)

    async def _read_and_answer(self, scope: Any, headers: Any, protocol: Any, limit: int) -> None:
        body: bytes | ApiError = b""
        if "content-length" in headers or "transfer-encoding" in headers:
            body = await bodies.read(scope, headers, protocol, self._is_logged_in, limit)
        if scope.path == HEALTH:
            self._answer(scope, headers, body, protocol)
            return
        answered = self._loop.create_future()
        is_large = not isinstance(body, ApiError) and len(body) > settings.MAX_BODY_BYTES

        def job() -> None:
            self._answer(scope, headers, body, protocol)
            self._answered.append(answered)
            if isinstance(body, ApiError) or is_large:
                # The connection closes when nobody holds the rest of its body any longer; and the
                # next large body waits.
                self._loop.call_soon_threadsafe(self._settle)

        # The answers of before are out already; waking the loop for each would cost more than
        # ending these coroutines when it is awake anyway.
        self._settle()
        self._jobs.put((PAGE_SECONDS if is_large else _patience(scope.path), job))
        await answered

    def _put(self, job: Callable[[], None]) -> None:
        self._jobs.put((CALL_SECONDS, job))

    def _settle(self) -> None:
        while self._answered:
            self._answered.popleft().set_result(None)

    async def _is_logged_in(self, cookies: str) -> bool:
        key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)
        return await self._ask(lambda: _has_user(key)) if key else False

    async def _ask(self, question: Callable[[], bool]) -> bool:
        """In Django's thread, in its turn. False where that fails: the request itself will say what
        is wrong."""
        answer: asyncio.Future[bool] = self._loop.create_future()

        def job() -> None:
            try:
                close_old_connections()
                found = question()
            except Exception:
                found = False
            self._loop.call_soon_threadsafe(answer.set_result, found)

        self._put(job)
        return await answer

    def _work(self) -> None:
        """Django's thread."""
        patience = Patience()
        while (work := self._jobs.get()) is not None:
            seconds, job = work
            patience.begin(seconds)
            job()
            patience.end()
            del work, job  # its request's body would stay until the next one
        for stream in list(self._streams):  # cut off: what they lack at their end says so
            stream.shut()
            stream.close()
        authentication.usage.flush()
        background.end(BACKGROUND_SECONDS)
        connections.close_all()

    def _answer(self, scope: Any, headers: Any, body: bytes | ApiError, protocol: Any) -> None:
        try:
            self._respond(environ(scope, headers, body), protocol)
        except BaseException:  # whatever it is, the next one is answered
            log.exception("INTERNAL_ERROR")
            protocol.response_empty(500, [("Connection", "close")])

    def _respond(self, env: dict[str, Any], protocol: Any) -> None:
        status, fields = 0, []

        def start_response(line: str, headers: Headers, exc_info: Any = None) -> None:
            nonlocal status, fields
            status, fields = int(line[:3]), headers

        response = self._django(env, start_response)
        # Of a refused body some may be on its way still.
        if self._is_ending or bodies.is_refused(env):
            fields.append(("Connection", "close"))
        if response.streaming:
            stream = Stream(response, self._loop, self._put, self._streams.discard)
            if stream.begin(status, fields, protocol):
                self._streams.add(stream)
            return
        try:
            protocol.response_bytes(status, fields, response.content)
        finally:
            response.close()


def _patience(path: str) -> float:
    if path == READY:
        return READY_SECONDS
    return PAGE_SECONDS if path.startswith(PAGES) else CALL_SECONDS


def _has_user(session_key: str) -> bool:
    return SESSION_KEY in import_module(settings.SESSION_ENGINE).SessionStore(session_key)
