"""One connection to Redis, and answers that nobody waits for: no limit is less exact by it."""

import gc
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from finora.limits.windows import Limits, RateLimiter
from finora.tests.kit.stores import RedisServer, start_python

pytestmark = pytest.mark.once

USUAL = Limits(minute=60, hour=1000, day=10_000, concurrent=10)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    gc.collect()  # no socket is left open
    server.close()


def calls(limiter: RateLimiter, count: int) -> list[int | None]:
    """What is left of the minute after each of so many calls."""
    verdicts = []
    for _ in range(count):
        verdicts.append(limiter.enter("k", USUAL))
        limiter.leave("k", verdicts[-1])
    return [verdict.remaining for verdict in verdicts]


def test_a_slot_is_free_for_whoever_calls_once_it_was_left(server: RedisServer) -> None:
    """Two workers' connections, by turns: the end of one request comes before the next one."""
    limiters = [RateLimiter(server.url) for _ in range(2)]
    limits = Limits(concurrent=1)
    for number in range(2000):
        limiter = limiters[number % 2]
        verdict = limiter.enter("k", limits)
        assert verdict.allowed, number
        limiter.leave("k", verdict)
        limiter.settle()


def test_the_answer_to_a_leave_is_not_taken_for_a_verdict(server: RedisServer) -> None:
    limiter, limits = RateLimiter(server.url), Limits(minute=60, concurrent=2)
    for remaining in (59, 58, 57):
        verdict = limiter.enter("k", limits)
        assert verdict.remaining == remaining
        limiter.leave("k", verdict)
        limiter.leave("k", verdict)
    verdict = limiter.enter("k", limits)
    server.client.set("finora:rate:{k}:slots", "no set")  # so the answer is an error
    limiter.leave("k", verdict)
    assert limiter.enter("other", limits).remaining == 59
    assert limiter._look_again is None


@pytest.mark.parametrize("left_unread", [False, True])
def test_a_connection_that_redis_closed_meanwhile_is_opened_anew(
    server: RedisServer, left_unread: bool, caplog: pytest.LogCaptureFixture
) -> None:
    limiter, limits = RateLimiter(server.url), Limits(minute=60, concurrent=1)
    verdict = limiter.enter("k", limits)
    if left_unread:
        limiter.leave("k", verdict)
    server.client.client_kill_filter(_type="normal", skipme=True)
    assert limiter.enter("k", Limits(minute=60)).remaining == 58
    assert not [r for r in caplog.records if r.name == "finora.rate_limits"]


def test_a_verdict_is_asked_for_and_read_later(server: RedisServer) -> None:
    limiter, limits = RateLimiter(server.url), Limits(minute=60, concurrent=2)
    first, second = (limiter.ask("k", limits) for _ in range(2))
    third = limiter.ask("k", limits)
    assert limiter.enter("other", limits).remaining == 59  # its own answer, not another's
    allowed = [verdict for verdict in (third(), second(), first()) if verdict.allowed]
    assert [verdict.remaining for verdict in sorted(allowed)] == [58, 59]
    limiter.leave("k", allowed[0])
    server.client.script_flush()
    assert limiter.ask("k", limits)().remaining == 57


def test_a_store_that_goes_away_before_its_verdict_is_read_is_no_obstacle(
    server: RedisServer,
) -> None:
    limiter = RateLimiter(server.url)
    server.process.send_signal(signal.SIGSTOP)
    try:
        verdict = limiter.ask("k", USUAL)()
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert (verdict.remaining, verdict.ticket) == (59, "local")
    assert limiter._look_again is not None


def test_a_script_that_redis_forgot_is_sent_again(server: RedisServer) -> None:
    limiter = RateLimiter(server.url)
    assert calls(limiter, 2) == [59, 58]
    server.client.script_flush()
    assert calls(limiter, 2) == [57, 56]
    assert limiter._look_again is None  # all of them counted in Redis


def test_settling_waits_for_what_redis_has_not_done(server: RedisServer) -> None:
    limiter = RateLimiter(server.url)
    verdict = limiter.enter("k", USUAL)
    server.process.send_signal(signal.SIGSTOP)
    try:
        limiter.leave("k", verdict)
        assert limiter._look_again is None
        limiter.settle()
        assert limiter._look_again is not None  # it waited in vain
    finally:
        server.process.send_signal(signal.SIGCONT)


CALL_IN_TWO_PROCESSES = """
import os, sys
from finora.limits.windows import Limits, RateLimiter
limiter = RateLimiter(sys.argv[1])
limits = Limits(minute=1000, concurrent=2)
limiter.leave("k", limiter.enter("k", limits))
child = os.fork()
for _ in range(200):
    verdict = limiter.enter("k", limits)
    assert verdict.allowed and verdict.ticket != "local"
    limiter.leave("k", verdict)
    limiter.settle()
if child:
    assert os.waitpid(child, 0)[1] == 0
    print(limiter.enter("k", limits).remaining)
"""


def test_a_fork_shares_no_connection(server: RedisServer) -> None:
    """Each would read the answers to the other's questions."""
    forking = start_python(CALL_IN_TWO_PROCESSES, server.url)
    assert forking.communicate(timeout=60)[0] == f"{1000 - 402}\n"
    assert forking.returncode == 0
