"""python -m bench.generator PORT CONNECTIONS SECONDS: what wrk does with wrk.lua, without wrk.

Keep-alive connections with one request each in flight. Sends the lines of $CALLS in turn.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from itertools import count, cycle
from pathlib import Path

from bench.http import RECEIVE, closes, connect, is_complete, is_ok, request_bytes
from bench.report import percentile


class _Flight:
    """One connection and the request that is under way on it."""

    def __init__(self, port: int) -> None:
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


def _requests(calls: list[str], key: str) -> Iterator[bytes]:
    numbers = count(1)
    made: dict[str, bytes] = {}
    for line in cycle(calls):
        request = made.get(line)
        if request is None:
            method, path, body = line.split("\t")
            request = request_bytes(path, key, method, body.replace("{n}", str(next(numbers))))
            if "{n}" not in body:
                made[line] = request
        yield request


def run(port: int, connections: int, seconds: float) -> dict[str, float]:
    requests = _requests(Path(os.environ["CALLS"]).read_text().splitlines(), os.environ["KEY"])
    selector = selectors.DefaultSelector()
    latencies: list[float] = []
    errors = 0
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
            errors += not is_ok(flight.received)
            done = now >= deadline
            if done or closes(flight.received):
                selector.unregister(flight.socket)
                flight.socket.close()
            if done:
                in_flight -= 1
                continue
            if flight.socket.fileno() < 0:
                flight.socket = connect(port)
                selector.register(flight.socket, selectors.EVENT_READ, flight)
            flight.send(next(requests))
    return {
        "requests": len(latencies),
        "seconds": time.perf_counter() - started,
        "errors": errors,
        "p50": percentile(latencies, 0.5),
        "p99": percentile(latencies, 0.99),
        "max": max(latencies),
    }


if __name__ == "__main__":
    json.dump(run(*map(int, sys.argv[1:])), sys.stdout)
