"""A small HTTP/1.1 client that costs little itself: server and client share the machine."""

from __future__ import annotations

import re
import socket
import time
from typing import Any

import orjson

HOST = "127.0.0.1"
TIMEOUT = 60.0
RECEIVE = 1 << 18
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_LAST_CHUNK = b"\r\n0\r\n\r\n"  # no JSON text holds it


def request_bytes(path: str, key: str, method: str = "GET", body: str = "") -> bytes:
    """A request with a bearer key and, if there is one, a body of JSON, ready to send."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", f"Authorization: Bearer {key}"]
    content = body.encode()
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + content


def is_complete(received: bytearray) -> bool:
    """Whether the whole answer is there."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return False
    length = _LENGTH.search(received, 0, end)
    if length is not None:
        return len(received) >= end + 4 + int(length[1])
    if _CHUNKED.search(received, 0, end) is None:
        raise ValueError("an answer that does not say where it ends")
    return received.endswith(_LAST_CHUNK)


def body(received: bytearray) -> bytes:
    """What a complete answer says."""
    head, _, rest = bytes(received).partition(b"\r\n\r\n")
    if _CHUNKED.search(head) is None:
        return rest
    parts = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        parts.append(rest[:length])
        rest = rest[length + 2 :]
    return b"".join(parts)


def closes(received: bytearray) -> bool:
    """Whether the server will close the connection behind this answer."""
    return b"connection: close" in bytes(received[: received.find(b"\r\n\r\n")]).lower()


def is_ok(received: bytearray) -> bool:
    """Whether it is a success."""
    return received[9:10] == b"2"


def connect(port: int) -> socket.socket:
    connection = socket.create_connection((HOST, port), TIMEOUT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Client:
    """One connection, kept open where the server keeps it open."""

    def __init__(self, port: int, key: str) -> None:
        self.port = port
        self.key = key
        self._connection = connect(port)

    def get(self, path: str) -> tuple[float, Any]:
        """The milliseconds from the request to the last byte, and the JSON of a success."""
        return self._send(path, request_bytes(path, self.key))

    def post(self, path: str, body: object) -> tuple[float, Any]:
        content = orjson.dumps(body).decode()
        return self._send(path, request_bytes(path, self.key, "POST", content))

    def _send(self, path: str, request: bytes) -> tuple[float, Any]:
        started = time.perf_counter()
        self._connection.sendall(request)
        received = bytearray()
        while not is_complete(received):
            part = self._connection.recv(RECEIVE)
            if not part:
                raise ConnectionError("the server closed the connection")
            received += part
        ms = (time.perf_counter() - started) * 1000
        if not is_ok(received):
            raise ValueError(f"{path.partition('?')[0]} answered {bytes(received[:60])!r}")
        if closes(received):
            self.close()
            self._connection = connect(self.port)
        return ms, orjson.loads(body(received))

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
