"""Answers that are made as they are taken: a client that reads slowly holds a pipe, and no memory.

granian's own stream keeps in memory what its client has not taken, and never says how much that is;
its answer from a file waits for the client. So a stream is a file to it: the other end of a pipe,
by its name under /dev/fd, on no disk. Django's thread makes a piece whenever the pipe has room, and
answers other requests in between.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import termios
from collections.abc import Callable, Iterator
from typing import Any

log = logging.getLogger("finora.http")

# More than a pipe holds, so that the last piece waits until granian has opened its end.
PIECE_BYTES = 64 * 1024 + 1
IDLE_SECONDS = 30  # that a client may take nothing
Fields = list[tuple[str, str]]
Job = Callable[[], None]


class Stream:
    """One answer on its way. `_left`, and both ends of the pipe, are the event loop's alone."""

    def __init__(
        self,
        response: Any,
        loop: asyncio.AbstractEventLoop,
        put: Callable[[Job], None],
        ended: Callable[[Stream], None],
    ) -> None:
        self._response = response
        self._chunks: Iterator[bytes] = iter(response)
        self._loop = loop
        self._put = put
        self._ended = ended
        self._left = memoryview(b"")
        self._sent = 0
        self._idle: asyncio.TimerHandle | None = None
        self._is_open = False

    def begin(self, status: int, fields: Fields, protocol: Any) -> bool:
        """In Django's thread. False for a short one, which is answered and over."""
        try:
            piece = self._piece()
            is_short = len(piece) < PIECE_BYTES
            if is_short:
                protocol.response_bytes(status, fields, piece)
        except BaseException:
            self._response.close()
            raise
        if is_short:
            self._response.close()
            return False
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._is_open = True
        protocol.response_file(status, fields, f"/dev/fd/{self._read}")
        self._loop.call_soon_threadsafe(self._take, piece)
        return True

    def _piece(self) -> bytes:
        piece = bytearray()
        for chunk in self._chunks:
            piece += chunk
            if len(piece) >= PIECE_BYTES:
                break
        return bytes(piece)

    def _advance(self) -> None:
        """In Django's thread, in its turn."""
        try:
            piece = self._piece()
        except Exception:
            log.exception("a stream is cut")
            piece = b""
        self._loop.call_soon_threadsafe(self._take, piece)

    def _take(self, piece: bytes) -> None:
        if not self._is_open:
            return
        if not piece:
            self._end()
            return
        self._left = memoryview(piece)
        self._loop.add_writer(self._write, self._send)
        self._wait()

    def _send(self) -> None:
        """What the pipe has room for."""
        try:
            sent = os.write(self._write, self._left)
        except BlockingIOError:
            return
        except BrokenPipeError:  # the client went away
            self._end()
            return
        self._sent += sent
        self._left = self._left[sent:]
        if self._read >= 0 and self._sent > self._waiting():
            os.close(self._read)  # granian has opened it by its name
            self._read = -1
        if self._left:
            self._wait()
            return
        self._loop.remove_writer(self._write)
        if self._idle:
            self._idle.cancel()
        self._put(self._advance)

    def _waiting(self) -> int:
        """Bytes in the pipe."""
        found = fcntl.ioctl(self._read, termios.FIONREAD, bytes(4))
        return int.from_bytes(found, "little")

    def _wait(self) -> None:
        if self._idle:
            self._idle.cancel()
        self._idle = self._loop.call_later(IDLE_SECONDS, self._end)

    def _end(self) -> None:
        self.shut()
        self._put(self.close)

    def shut(self) -> None:
        """Ends the pipe; by the loop, or when that has ended."""
        if self._is_open:
            self._is_open = False
            if self._idle:
                self._idle.cancel()
            self._loop.remove_writer(self._write)
            os.close(self._write)
            if self._read >= 0:
                os.close(self._read)

    def close(self) -> None:
        """In Django's thread, once."""
        self._ended(self)
        try:
            self._response.close()
        except Exception:
            log.exception("a stream's end failed")
