"""Fifty slow clients of each kind, and what a healthy one notices."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.drills.audit import audit
from bench.drills.client import HOST, Unanswered
from bench.drills.ledger import Ledger
from bench.drills.report import Result
from bench.drills.world import World, world

CLIENTS = 50
DRIP_SECONDS = 1.0
# What they all send at once is worked on by then.
SETTLE_SECONDS = 1.5
# Below this, twice as long is the noise of a busy machine.
FLOOR_MS = 10.0
TIMES = 2.0
# So often more is measured where it was more than that: a moment's noise does not last.
AGAIN = 2
PATIENCE = 10.0


def kinds(there: World) -> dict[str, tuple[bytes, bytes]]:
    """What each kind sends at once, and then again and again, a piece a second."""
    head = f"Host: {HOST}\r\nAuthorization: Bearer {there.keys[0]}\r\n"
    json = f"{head}Content-Type: application/json\r\n"
    token = "a" * 32
    form = f"Host: {HOST}\r\nCookie: csrftoken={token}\r\nContent-Type: "
    form += "application/x-www-form-urlencoded\r\n"
    listed = f"GET /v1/customers?businessId={there.business}&limit=100 HTTP/1.1\r\n{head}\r\n"
    texts = {
        "nothing sent": ("", ""),
        "half a request line": ("GET /v1/cust", "o"),
        "headers without end": (f"GET /readyz HTTP/1.1\r\nHost: {HOST}\r\n", "X-A: b\r\n"),
        "login, a byte of 5,000": (
            f"POST /admin/login/ HTTP/1.1\r\n{form}Content-Length: 5000\r\n\r\nc",
            "c",
        ),
        "a byte of a JSON body": (
            f"POST /v1/customers HTTP/1.1\r\n{json}Content-Length: 5000\r\n\r\n{{",
            " ",
        ),
        "chunks without end": (
            f"POST /v1/customers HTTP/1.1\r\n{json}Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n",
            "1\r\n \r\n",
        ),
        "answers never read": (listed * 20, ""),
    }
    return {kind: (first.encode(), piece.encode()) for kind, (first, piece) in texts.items()}


def run(db: str, quick: bool) -> Result:
    result = Result("slow clients", db)
    seconds = 1.5 if quick else 4.0
    ledger = Ledger()
    with world(db) as there:
        _fill(there, ledger)
        _healthy(there, 1.0, result)
        own = max(_p99(_healthy(there, seconds, result)) for _ in range(2))
        bound = max(TIMES * own, FLOOR_MS)
        figures = [f"p99 alone {own:.1f} ms"]
        for kind, (first, piece) in kinds(there).items():
            with _slow(there, first, piece):
                p99 = _p99(_healthy(there, seconds, result))
                for _ in range(AGAIN):
                    if bound < p99 < PATIENCE * 1000:
                        p99 = _p99(_healthy(there, seconds, result))
            result.require(p99 <= bound, f"{kind}: a healthy client's p99 is {p99:.0f} ms")
            figures.append(f"{kind} {p99:.1f}")
            there.probe("/healthz", 200, 2 * PATIENCE)
        result.did = f"{CLIENTS} clients of {len(figures) - 1} kinds, {seconds:.0f} s each"
        result.checked = ", ".join(figures)
        result.account(ledger, audit(there, ledger))
    return result


def _fill(there: World, ledger: Ledger) -> None:
    """A page of customers."""
    client = there.client()
    for n in range(100):
        body = {"name": f"Adaeze {n} Obi", "email": f"slow{n}@drill.example.ng"}
        ledger.told(client.call("POST", "/v1/customers", body).data)


def _healthy(there: World, seconds: float, result: Result) -> list[float]:
    """Milliseconds of reads and writes of one client, one after the other."""
    times: list[float] = []
    end = time.monotonic() + seconds
    client = there.client(timeout=PATIENCE)
    paths = [
        f"/v1/customers?businessId={there.business}&limit=50",
        f"/v1/customers/search?businessId={there.business}&q=adaeze",
        "/readyz",
    ]
    while time.monotonic() < end:
        for path in paths:
            try:
                answer = client.call("GET", path)
            except Unanswered:
                times.append(PATIENCE * 1000)
                break
            times.append(answer.seconds * 1000)
            result.require(answer.status == 200, f"a healthy client got {answer}")
    client.close()
    return times


def _p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


@contextmanager
def _slow(there: World, first: bytes, piece: bytes) -> Iterator[None]:
    """So many connections that send `first` and then a piece now and then, and read nothing."""
    stop = threading.Event()
    open_now: list[socket.socket] = []

    def connect() -> None:
        connection = socket.socket()
        # Little room, so that an answer that nobody reads stays with the server.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(1)
        connection.connect((HOST, there.port))
        open_now.append(connection)
        try:
            connection.sendall(first)
        except OSError:
            pass  # refused, or full as it reads nothing

    def drip() -> None:
        while not stop.wait(DRIP_SECONDS):
            for connection in list(open_now):
                try:
                    connection.sendall(piece)
                except OSError:
                    # The server has had enough of it: the next one comes.
                    open_now.remove(connection)
                    connection.close()
                    try:
                        connect()
                    except OSError:
                        pass

    for _ in range(CLIENTS):
        connect()
    dripping = threading.Thread(target=drip, daemon=True)
    dripping.start()
    time.sleep(SETTLE_SECONDS)
    try:
        yield
    finally:
        stop.set()
        dripping.join(5)
        for connection in open_now:
            connection.close()
