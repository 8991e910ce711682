"""The load generator, a process of its own: keep-alive connections, one request each in flight.

Reads `{port, key, paths, connections, seconds}` as JSON from stdin; writes requests, seconds and
latencies as JSON to stdout. Any answer but 200 ends it with an error.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from itertools import cycle
from typing import Any

from bench.http import RECEIVE, closes, connect, is_complete, is_ok, request_bytes

MAX_REQUESTS = 500_000


class _Flight:
    """One connection and the request that is under way on it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket: socket.socket = connect(port)
        self.received = bytearray()
        self.started = 0.0

    def send(self, request: bytes) -> None:
        self.received.clear()
        self.started = time.perf_counter()
        self.socket.sendall(request)

    def has_arrived(self) -> bool:
        """Takes what is there; whether it is the whole answer."""
        part = self.socket.recv(RECEIVE)
        if not part:
            raise ConnectionError("the server closed a connection within an answer")
        self.received += part
        return is_complete(self.received)


def run(port: int, key: str, paths: list[str], connections: int, seconds: float) -> dict[str, Any]:
    """Sends the paths in turn on so many connections for so long."""
    requests = cycle([request_bytes(path, key) for path in paths])
    selector = selectors.DefaultSelector()
    latencies: list[float] = []
    started = time.perf_counter()
    deadline = started + seconds
    for _ in range(connections):
        flight = _Flight(port)
        selector.register(flight.socket, selectors.EVENT_READ, flight)
        flight.send(next(requests))
    in_flight = connections
    while in_flight:
        for event, _ in selector.select():
            flight = event.data
            if not flight.has_arrived():
                continue
            now = time.perf_counter()
            latencies.append((now - flight.started) * 1000)
            if not is_ok(flight.received):
                raise ValueError(f"an answer was {bytes(flight.received[:60])!r}")
            if now >= deadline or len(latencies) + in_flight > MAX_REQUESTS:
                selector.unregister(flight.socket)
                flight.socket.close()
                in_flight -= 1
                continue
            if closes(flight.received):
                selector.unregister(flight.socket)
                flight.socket.close()
                flight.socket = connect(port)
                selector.register(flight.socket, selectors.EVENT_READ, flight)
            flight.send(next(requests))
    return {"seconds": time.perf_counter() - started, "ms": latencies}


if __name__ == "__main__":
    json.dump(run(**json.load(sys.stdin)), sys.stdout)
