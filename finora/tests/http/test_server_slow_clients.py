"""A drill: fifty clients of each slow kind at once, and one that is well feels nothing of them."""

import contextlib
import http.client
import resource
import socket
import statistics
import time

import psutil
import pytest
from django.conf import settings

from finora.tests.kit import factories
from finora.tests.kit.served import HOST, Served, head

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]

LIST = "/v1/customers"
LENGTH = "Content-Length: 5000"
CHUNKED = "Transfer-Encoding: chunked"
EACH = 50
CALLS = 200
ROUNDS = 5
# Other work on the machine makes single calls of both halves this late; a held worker, 10 s.
FLOOR_MS = 15


@pytest.fixture
def server(tmp_path):
    keys = (settings.FINORA_DATA_DIR / "demo-keys.json").read_bytes()
    (tmp_path / "demo-keys.json").write_bytes(keys)
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "big.bin").write_bytes(bytes(20_000_000))
    served = Served(tmp_path / "log", FINORA_DATA_DIR=str(tmp_path)).wait()
    yield served
    served.stop()


def slow_kinds(key):
    cookie = "Cookie: csrftoken=" + "a" * 32
    form = "Content-Type: application/x-www-form-urlencoded"
    json_type = "Content-Type: application/json"
    bearer = f"Authorization: Bearer {key}"
    return {
        "a login form's first byte": head("POST", "/admin/login/", cookie, form, LENGTH) + b"u",
        "a call's first byte": head("POST", LIST, bearer, json_type, LENGTH) + b"{",
        "a call's first chunk": head("POST", LIST, bearer, json_type, CHUNKED) + b"1\r\n{\r\n",
        "half of the headers": b"GET /v1/customers HTTP/1.1\r\nHost: localhost\r\nAuthor",
        "nothing": b"",
    }


def p99(server, path, headers):
    """The 99th percentile of calls, in ms, on one connection."""
    link = http.client.HTTPConnection(HOST, server.port, timeout=5)
    times = []
    for _ in range(CALLS):
        started = time.perf_counter()
        link.request("GET", path, headers=headers)
        response = link.getresponse()
        response.read()
        times.append((time.perf_counter() - started) * 1000)
        assert response.status == 200
    link.close()
    return statistics.quantiles(times, n=100)[98]


def test_slow_clients_of_every_kind_slow_nobody_down(server, business):
    """The 99th percentile stays within twice what it is before and after them."""
    key = factories.api_key(business)[1]
    path = f"{LIST}/{factories.customer(business).public_id}"
    headers = {"Authorization": f"Bearer {key}"}
    p99(server, path, headers)
    seen = []
    for _ in range(ROUNDS):
        without = p99(server, path, headers)
        with contextlib.ExitStack() as stack:
            for start in slow_kinds(key).values():
                for _ in range(EACH):
                    link = stack.enter_context(server.connect())
                    link.sendall(start)
            time.sleep(0.2)
            beside = p99(server, path, headers)
        without = max(without, p99(server, path, headers))
        seen.append((round(without, 1), round(beside, 1)))
        if beside <= max(2 * without, FLOOR_MS):
            return
    raise AssertionError(f"p99 without and beside slow clients, ms: {seen}")


def test_more_silent_connections_than_a_worker_had_room_for_stop_nobody(server):
    """300 were enough: no answer for 75 s."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    with contextlib.ExitStack() as stack:
        for _ in range(600):
            stack.enter_context(server.connect())
        for _ in range(5):
            assert server.call("GET", "/readyz", timeout=5)[0] == 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
def test_a_connection_that_sends_nothing_or_takes_nothing_is_closed(server):
    big = head("GET", "/static/big.bin")
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect((HOST, server.port))
        deaf.sendall(big)
        started = time.monotonic()
        assert server.raw(b"GET /healthz HTTP/1.1\r\nHos", timeout=40) == b""
        assert 25 < time.monotonic() - started < 38
        main = psutil.Process(server.process.pid)
        deadline = time.monotonic() + 30
        while [link for one in main.children() for link in one.net_connections() if link.raddr]:
            assert time.monotonic() < deadline
            time.sleep(0.2)
