"""A connection to Redis on which an answer that nobody waits for holds nobody up."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import redis
from redis.connection import ConnectionInterface


class Link:
    """For one caller at a time. It connects at its first command, and after an error anew.

    Redis answers in order: an answer that was left unread is read later, when it is there already
    and costs no wait.
    """

    def __init__(self, connection: ConnectionInterface) -> None:
        self._connection = connection
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
        try:
            if not self._is_clear():
                self.close()
            self._send(*command)
            return self._connection.read_response()
        except redis.ResponseError:
            raise
        except redis.RedisError:
            self.close()
            raise

    def _send(self, *command: str | int) -> None:
        self._connection.send_command(*command)  # type: ignore[no-untyped-call]

    def settle(self) -> None:
        """Reads what was left unread: Redis has then done all that it was told. Raises RedisError;
        not for a command that Redis refused."""
        try:
            while self._unread:
                self._unread -= 1
                with suppress(redis.ResponseError):
                    self._connection.read_response()
        except redis.RedisError:
            self.close()
            raise

    def _is_clear(self) -> bool:
        """Whether the next answer will be that of the next command. Not where Redis closed the
        connection meanwhile: a command is sent once only, so that is learned before."""
        try:
            self.settle()
            return not (self._connection.is_connected and self._connection.can_read())
        except redis.ConnectionError:
            return False

    def close(self) -> None:
        self._unread = 0
        self._connection.disconnect()  # type: ignore[no-untyped-call]
