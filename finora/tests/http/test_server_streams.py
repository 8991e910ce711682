"""What does not fit: answers that stream to slow clients, files that come in."""

import json
import os
import socket

import pytest
from django.conf import settings

from finora.tests.kit import factories
from finora.tests.kit.served import Served, head
from finora.tests.kit.tasks import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker, tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    keys = (settings.FINORA_DATA_DIR / "demo-keys.json").read_bytes()
    (folder / "demo-keys.json").write_bytes(keys)
    with django_db_blocker.unblock():
        served = Served(folder / "log", FINORA_DATA_DIR=str(folder)).wait()
    yield served
    served.stop()


@pytest.fixture
def key(business):
    return factories.api_key(business)[1]


def many(business, count, start=0):
    numbers = range(start, start + count)
    new = (business.customers.new(name="A" * 200, email=f"c{n}@example.com") for n in numbers)
    business.customers.import_packed(list(new))


def asks_for_all(server, business, key):
    """A connection on which an export was asked for, and nothing was read."""
    link = server.connect()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    path = f"/v1/customers/export?businessId={business.public_id}"
    link.sendall(head("GET", path, f"Authorization: Bearer {key}"))
    return link


def test_a_stream_arrives_whole_in_chunks(server, business, key):
    many(business, 1_500)
    headers = {"Authorization": f"Bearer {key}"}
    path = f"/v1/customers/export?businessId={business.public_id}"
    status, headers, body = server.call("GET", path, headers=headers)
    assert (status, headers["Transfer-Encoding"]) == (200, "chunked")
    lines = body.splitlines()
    assert len({json.loads(line)["id"] for line in lines[:-1]}) == 1_500
    assert json.loads(lines[-1]) == {"count": 1_500}


def test_a_client_that_reads_nothing_holds_no_memory_and_no_other_client(server, business, key):
    """30 streams of 4 MB each; granian's own would have them all in memory by now."""
    for start in range(0, 8_000, 2_000):
        many(business, 2_000, start)
    headers = {"Authorization": f"Bearer {key}"}
    one = f"/v1/customers?businessId={business.public_id}&limit=1"
    assert server.call("GET", one, headers=headers)[0] == 200
    with asks_for_all(server, business, key) as first:
        assert first.recv(9) == b"HTTP/1.1 "
    before = rss(server)
    streams = [asks_for_all(server, business, key) for _ in range(30)]
    try:
        for link in streams:
            assert link.recv(9) == b"HTTP/1.1 "
        assert server.call("GET", one, headers=headers)[0] == 200
        assert rss(server) - before < 60e6
    finally:
        for link in streams:
            link.close()


def rss(server):
    return max(process.memory_info().rss for process in server.family())


def open_files(server):
    return sum(len(os.listdir(f"/proc/{process.pid}/fd")) for process in server.family())


def test_a_client_that_goes_away_leaves_nothing_open(server, business, key):
    many(business, 2_000)
    with asks_for_all(server, business, key) as first:
        assert first.recv(9) == b"HTTP/1.1 "
    before = open_files(server)
    for _ in range(5):
        with asks_for_all(server, business, key) as link:
            assert link.recv(9) == b"HTTP/1.1 "
    until(lambda: open_files(server) <= before)


def test_a_large_body_is_taken_where_files_are_and_from_whom_has_a_key(server, business, key):
    body = b'{"name": "Ada", "email": "ada@example.com"}\n'.ljust(10 << 20)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    path = "/v1/customers/import"
    assert server.call("POST", path, body, headers)[0] == 202
    chunks = iter([body[: 5 << 20], body[5 << 20 :]])
    assert server.call("POST", f"{path}/", chunks, headers)[0] == 202

    def declared(method, path, length, authorization=f"Bearer {key}"):
        """The answer to what is not read at all."""
        lines = (f"Authorization: {authorization}", f"Content-Length: {length}")
        return server.raw(head(method, path, "Content-Type: application/x-ndjson", *lines))[9:12]

    assert declared("POST", path, (10 << 20) + 1) == b"413"
    assert declared("POST", path, 1 << 20, "Bearer test_sk_unknown") == b"401"
    assert declared("POST", "/v1/customers", 1 << 20) == b"415"  # the type is asked first
    assert declared("PUT", path, 1 << 20) in (b"404", b"405", b"413")
    assert declared("POST", f"{path}/more", 1 << 20) == b"404"
