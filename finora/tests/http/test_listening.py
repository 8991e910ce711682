"""The sockets of one port: which of them is dealt a connection, and who else may have the port."""

import contextlib
import os
import socket

import pytest

from finora.http import listening
from finora.http.listening import Dealer, listen
from finora.tests.kit.served import free_port

pytestmark = pytest.mark.once


@pytest.fixture
def listening_to():
    """Listens on a free port, and says of so many connections how many came to each socket."""
    with contextlib.ExitStack() as opened:

        def start(host, workers):
            port = free_port()
            listeners = [opened.enter_context(one) for one in listen(host, port, workers)]
            for listener in listeners:
                listener.settimeout(0)

            def dealt(count, to="127.0.0.1"):
                with contextlib.ExitStack() as links:
                    for _ in range(count):
                        links.enter_context(socket.create_connection((to, port), 5))
                    return [_accepted(listener) for listener in listeners]

            return listeners, port, dealt

        yield start


def _accepted(listener):
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            count += 1
    return count


@pytest.fixture
def a_process():
    """Runs something in a forked process, as a worker."""

    def run(act):
        process = os.fork()
        if process == 0:
            with contextlib.suppress(BaseException):
                act()
                os._exit(0)
            os._exit(1)
        assert os.waitpid(process, 0)[1] == 0
        return process

    return run


@pytest.mark.parametrize(
    ("host", "to"), [("127.0.0.1", "127.0.0.1"), ("::", "127.0.0.1"), ("::1", "::1")]
)
def test_connections_are_dealt_to_the_workers_that_answer(listening_to, a_process, host, to):
    listeners, _, dealt = listening_to(host, 3)
    dealer = Dealer(listeners)
    assert sum(dealt(30, to)) == 30  # none has loaded: each waits somewhere
    first = a_process(lambda: dealer.begin(1))
    assert dealt(30, to) == [0, 30, 0]
    second = a_process(lambda: dealer.begin(2))
    none, *shares = dealt(200, to)
    assert none == 0
    assert min(shares) > 40
    dealer.end(1, first)
    assert dealt(30, to) == [0, 0, 30]
    dealer.end(2, second)  # all are gone: each waits for whoever comes
    assert sum(dealt(30, to)) == 30
    a_process(lambda: dealer.begin(1))
    assert dealt(30, to) == [0, 30, 0]


def test_a_worker_that_was_replaced_takes_nothing_along(listening_to, a_process):
    """After HUP the new one answers before the old one ends."""
    listeners, _, dealt = listening_to("127.0.0.1", 2)
    dealer = Dealer(listeners)
    old = a_process(lambda: dealer.begin(0))
    new = a_process(lambda: dealer.begin(0))
    a_process(lambda: dealer.begin(1))
    dealer.end(0, old)
    assert min(dealt(200)) > 40
    dealer.end(0, new)
    assert dealt(30) == [0, 30]


def test_what_waits_in_the_socket_of_a_worker_waits_for_its_successor(listening_to, a_process):
    listeners, port, _ = listening_to("127.0.0.1", 2)
    dealer = Dealer(listeners)
    worker = a_process(lambda: dealer.begin(0))
    with socket.create_connection(("127.0.0.1", port), 5) as link:
        link.sendall(b"begun")
        dealer.end(0, worker)
        accepted, _ = listeners[0].accept()
        with accepted:
            assert accepted.recv(100) == b"begun"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_is_one_server_s_alone(listening_to, monkeypatch, workers):
    monkeypatch.setattr(listening, "BIND_SECONDS", 0.3)
    _, port, _ = listening_to("127.0.0.1", 2)
    for host in ("127.0.0.1", "0.0.0.0"):
        with pytest.raises(OSError, match="Address already in use"):
            listen(host, port, workers)
