"""A connection to Redis on which an answer that nobody waits for holds nobody up.

redis-py connects, with all that an address may ask for, and is then passed by: commands and answers
go through the socket and hiredis, which it has for them too. An `enter`, a `leave` and a `settle`
take 46 µs of CPU so, and 60 by its `send_command`, `can_read` and `read_response`.

A private part of redis-py, and what would break: `Connection._sock`, without which no command could
be sent, and every process would count for itself (finora/tests/limits/test_link.py).
"""

from __future__ import annotations

import select
from typing import Any

import redis
from hiredis import Reader, pack_command
from redis.connection import ConnectionInterface

READ_BYTES = 4096


class Link:
    """For one caller at a time. It connects at its first command, and after an error anew.

    Redis answers in order: an answer that was left unread is read later, when it is there already
    and costs no wait.
    """

    def __init__(self, connection: ConnectionInterface) -> None:
        self._connection: Any = connection
        self._unread = 0

    def tell(self, *command: str | int) -> None:
        """Sends the command, and leaves its answer for later. Raises RedisError when it can't."""
        try:
            self._send(*command)
        except redis.RedisError:
            self.close()
            raise
        self._unread += 1

    def ask(self, *command: str | int) -> Any:
        """The answer to the command. Raises RedisError."""
        self.begin(*command)
        return self.answer()

    def begin(self, *command: str | int) -> None:
        """Sends the command; `answer` comes next. Raises RedisError when it can't."""
        try:
            if not self._is_clear():
                self.close()
            self._send(*command)
        except redis.RedisError:
            self.close()
            raise

    def answer(self) -> Any:
        """The answer to the command that was begun. Raises RedisError."""
        try:
            answer = self._read()
        except redis.RedisError:
            self.close()
            raise
        if isinstance(answer, redis.ResponseError):
            raise answer
        return answer

    def settle(self) -> None:
        """Reads what was left unread: Redis has then done all that it was told, or refused. Raises
        RedisError."""
        try:
            while self._unread:
                self._unread -= 1
                self._read()
        except redis.RedisError:
            self.close()
            raise

    def close(self) -> None:
        self._unread = 0
        self._connection.disconnect()

    def __del__(self) -> None:
        self.close()

    def _send(self, *command: str | int) -> None:
        if not self._connection.is_connected:
            self._connect()
        try:
            self._connection._sock.sendall(pack_command(command))  # type: ignore[arg-type]
        except OSError as error:
            raise _lost(error) from None

    def _connect(self) -> None:
        self._connection.connect()
        self._reader = Reader(redis.InvalidResponse, redis.ResponseError)
        self._looking = select.poll()
        self._looking.register(self._connection._sock, select.POLLIN)

    def _read(self) -> Any:
        """The next answer; one that says that Redis refused is a ResponseError."""
        while (answer := self._reader.gets()) is False:  # RESP2 has no other one that is
            try:
                data = self._connection._sock.recv(READ_BYTES)
            except OSError as error:
                raise _lost(error) from None
            if not data:
                raise redis.ConnectionError("closed by Redis")
            self._reader.feed(data)
        return answer

    def _is_clear(self) -> bool:
        """Whether the next answer will be that of the next command. Not where Redis closed the
        connection meanwhile: a command is sent once only, so that is learned before."""
        try:
            self.settle()
        except redis.ConnectionError:
            return False
        return not (self._connection.is_connected and self._looking.poll(0))


def _lost(error: OSError) -> redis.RedisError:
    kind = redis.TimeoutError if isinstance(error, TimeoutError) else redis.ConnectionError
    return kind(type(error).__name__)
