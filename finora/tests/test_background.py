"""Work that no request waits for."""

import os
import threading

import pytest

from finora import background
from finora.request import request_id


@pytest.fixture
def in_a_request():
    token = request_id.set("req_0")
    yield
    request_id.reset(token)


def test_a_request_does_not_wait_for_it(in_a_request):
    may_go_on, done = threading.Event(), []

    def work():
        assert may_go_on.wait(20)
        done.append(threading.current_thread().name)

    background.run(work)
    background.run(lambda: done.append("second"))
    assert done == []
    may_go_on.set()
    background.end()
    assert done == ["background", "second"]


def test_elsewhere_it_is_done_at_once():
    done = []
    background.run(lambda: done.append(threading.current_thread()))
    assert done == [threading.current_thread()]
    with pytest.raises(ZeroDivisionError):
        background.run(lambda: 1 / 0)


def test_what_fails_is_logged_and_the_next_is_done(in_a_request, log):
    done = []
    background.run(lambda: 1 / 0)
    background.run(lambda: done.append(1))
    background.end()
    assert done == [1]
    assert "ZeroDivisionError" in log.getvalue()


def test_after_an_end_there_is_a_new_thread(in_a_request):
    done = []
    for n in range(3):
        background.run(lambda n=n: done.append(n))
        background.end()
    background.end()
    assert done == [0, 1, 2]


def test_it_ends_whatever_is_still_being_done(in_a_request):
    may_go_on = threading.Event()
    background.run(may_go_on.wait)
    background.end(0.01)
    may_go_on.set()


def test_what_is_done_there_is_in_no_request(in_a_request):
    seen = []
    background.run(lambda: seen.append(request_id.get()))
    background.end()
    assert seen == [""]


def test_a_fork_has_a_thread_of_its_own(in_a_request):
    background.run(lambda: None)
    read, write = os.pipe()
    if not (pid := os.fork()):
        background.run(lambda: os.write(write, b"done"))
        background.end(20)
        os._exit(0)
    os.close(write)
    assert os.waitpid(pid, 0)[1] == 0
    assert os.read(read, 10) == b"done"
    os.close(read)
