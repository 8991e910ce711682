"""The limits of one key: exact, aligned to the clock, shared by workers, and never in the way.

Every behaviour is asked of both stores, this process's own and a real Redis, under a clock the
test sets. Redis' clock is replaced inside the script, the only place where it is read.
"""

import gc
import logging
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis

from finora.limits import windows
from finora.limits.windows import Limits, RateLimiter, Verdict, parse_limits
from finora.tests.kit.stores import RedisServer, start_python, wait_until

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[3]
START = 1_750_000_000.25  # 15:06:40.25 UTC, some way into an hour and a day
USUAL = Limits(minute=60, hour=1000, day=10_000, concurrent=10)


class Clock:
    """Time that moves only when told."""

    def __init__(self, client: "redis.Redis | None") -> None:
        self._client = client
        self.set(START)

    def set(self, now: float) -> None:
        self.now = now
        if self._client is not None:
            micros = round(now * 1_000_000)
            self._client.mset({"clock:s": micros // 1_000_000, "clock:us": micros % 1_000_000})

    def forward(self, seconds: float) -> None:
        self.set(self.now + seconds)


def told_clock(monkeypatch: pytest.MonkeyPatch, client: "redis.Redis | None") -> Clock:
    clock = Clock(client)
    monkeypatch.setattr(windows.time, "time", lambda: clock.now)
    told = windows._ENTER.replace("call('TIME')", "call('MGET', 'clock:s', 'clock:us')")
    assert told != windows._ENTER
    monkeypatch.setattr(windows, "_ENTER", told)
    told = windows._KEEP.replace("call('TIME')", "call('MGET', 'clock:s', 'clock:us')")
    assert told != windows._KEEP
    monkeypatch.setattr(windows, "_KEEP", told)
    return clock


@pytest.fixture(scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.close()


@pytest.fixture
def server(_server: RedisServer) -> RedisServer:
    _server.client.flushall()
    return _server


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    """One that the test may kill."""
    server = RedisServer(tmp_path)
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _no_socket_left_open() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture(params=["local", "redis"])
def store(request: pytest.FixtureRequest) -> "RedisServer | None":
    return request.getfixturevalue("server") if request.param == "redis" else None


@pytest.fixture
def clock(store: "RedisServer | None", monkeypatch: pytest.MonkeyPatch) -> Clock:
    return told_clock(monkeypatch, store.client if store else None)


@pytest.fixture
def limiter(store: "RedisServer | None", clock: Clock) -> RateLimiter:
    return RateLimiter(store.url if store else None)


def finish(limiter: RateLimiter, limits: Limits, key: str = "k") -> Verdict:
    """One request, begun and ended."""
    verdict = limiter.enter(key, limits)
    limiter.leave(key, verdict)
    return verdict


def passed(limiter: RateLimiter, limits: Limits, calls: int) -> int:
    return sum(finish(limiter, limits).allowed for _ in range(calls))


# --- Reading the configuration


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("60/minute,1000/hour,10000/day,10 concurrent", USUAL),
        (" 10 concurrent , 10000/day, 60/MINUTE ,1000/hour ", USUAL),
        ("5/minute", Limits(minute=5)),
        ("3 concurrent", Limits(concurrent=3)),
        ("off", None),
        (" OFF ", None),
    ],
)
def test_limits_are_read_in_any_order_and_in_part(text: str, limits: Limits | None) -> None:
    assert parse_limits(text) == limits


@pytest.mark.parametrize(
    "text",
    [
        "",
        "60",
        "60/second",
        "60/minute,",
        "60/minute;5/hour",
        "-1/minute",
        "1.5/minute",
        "٦٠/minute",
        "10concurrent",
        "10/concurrent",
        "60 minute",
        "off,60/minute",
        "60/minute,70/minute",
        "9999999999/day",
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"no rate limit.*write '60/minute"):
        parse_limits(text)


@pytest.mark.parametrize("text", ["0/minute", "60/minute,0 concurrent"])
def test_a_limit_of_zero_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        parse_limits(text)


@pytest.mark.parametrize(
    ("limits", "within"),
    [
        (Limits(minute=60, day=100), True),
        (Limits(minute=59, hour=1, day=1, concurrent=1), True),
        (Limits(minute=61, day=100), False),
        (Limits(minute=60, day=101), False),
        (Limits(minute=60), False),
        (Limits(), False),
    ],
)
def test_within_is_no_limit_higher_and_none_missing(limits: Limits, within: bool) -> None:
    assert bool(limits.is_within(Limits(minute=60, day=100))) is within
    assert limits.is_within(Limits())


# --- The minute


def test_sixty_pass_and_the_sixty_first_does_not(limiter: RateLimiter) -> None:
    verdicts = [finish(limiter, USUAL) for _ in range(61)]
    assert [v.allowed for v in verdicts] == [True] * 60 + [False]
    assert [v.remaining for v in verdicts] == [*range(59, -1, -1), 0]
    assert {v.limit for v in verdicts} == {60}
    assert {v.reset for v in verdicts} == {START + 60}
    assert (verdicts[0].retry_after, verdicts[0].reason) == (None, None)
    assert (verdicts[60].retry_after, verdicts[60].reason) == (60, "minute")


def test_keys_do_not_share_an_allowance(limiter: RateLimiter) -> None:
    assert passed(limiter, Limits(minute=1), 2) == 1
    assert finish(limiter, Limits(minute=1), "other").allowed


def test_the_minute_rolls_one_request_at_a_time(limiter: RateLimiter, clock: Clock) -> None:
    for _ in range(3):
        assert finish(limiter, Limits(minute=3)).allowed
        clock.forward(10)
    refused = finish(limiter, Limits(minute=3))
    assert (refused.allowed, refused.retry_after, refused.reset) == (False, 30, START + 60)
    clock.set(START + 59.999999)
    assert finish(limiter, Limits(minute=3)).retry_after == 1
    clock.set(START + 60)
    again = finish(limiter, Limits(minute=3))
    assert (again.allowed, again.remaining, again.reset) == (True, 0, START + 70)
    assert not finish(limiter, Limits(minute=3)).allowed


def test_a_lowered_limit_counts_what_was_used_and_says_how_long(
    limiter: RateLimiter, clock: Clock
) -> None:
    for _ in range(4):
        finish(limiter, Limits(minute=4))
        clock.forward(10)
    lowered = finish(limiter, Limits(minute=2))
    assert (lowered.allowed, lowered.remaining, lowered.retry_after) == (False, 0, 40)
    clock.forward(40)
    assert finish(limiter, Limits(minute=2)).allowed


def test_a_raised_limit_adds_only_the_difference(limiter: RateLimiter) -> None:
    assert passed(limiter, Limits(minute=5, hour=5), 6) == 5
    assert passed(limiter, Limits(minute=8, hour=8), 9) == 3


def test_without_a_minute_limit_there_is_nothing_to_tell_of_it(limiter: RateLimiter) -> None:
    verdict = finish(limiter, Limits(hour=1))
    assert (verdict.limit, verdict.remaining, verdict.reset) == (None, None, START + 60)
    assert finish(limiter, Limits(hour=1)).reason == "hour"
    assert passed(limiter, Limits(), 3) == 3


# --- The hour and the day


def test_the_hour_starts_at_the_full_hour(limiter: RateLimiter, clock: Clock) -> None:
    limits = Limits(hour=5)
    clock.set(1_749_999_600 + 3599.5)
    assert passed(limiter, limits, 6) == 5
    assert finish(limiter, limits).retry_after == 1
    clock.forward(0.5)
    assert passed(limiter, limits, 6) == 5
    assert finish(limiter, limits).retry_after == 3600


def test_the_day_starts_at_midnight_utc(limiter: RateLimiter, clock: Clock) -> None:
    midnight = 1_750_032_000  # 2025-06-16 00:00 UTC
    limits = Limits(hour=4, day=5)
    clock.set(midnight - 7200)
    assert passed(limiter, limits, 5) == 4
    clock.set(midnight - 10)
    assert passed(limiter, limits, 2) == 1
    refused = finish(limiter, limits)
    assert (refused.reason, refused.retry_after) == ("day", 10)
    clock.set(midnight)
    assert passed(limiter, limits, 5) == 4


def test_a_refused_request_consumes_nothing(limiter: RateLimiter, clock: Clock) -> None:
    clock.set(1_749_999_600)  # a full hour
    limits = Limits(minute=2, hour=3, day=4, concurrent=1)
    assert passed(limiter, limits, 20) == 2  # 18 refused by the minute
    clock.forward(60)
    assert passed(limiter, limits, 20) == 1  # 19 refused by the hour, though the minute had room
    clock.forward(3600)
    assert passed(limiter, limits, 20) == 1  # 19 refused by the day
    held = Limits(minute=3, concurrent=1)
    first = limiter.enter("held", held)
    assert not any(limiter.enter("held", held).allowed for _ in range(20))
    limiter.leave("held", first)
    assert [finish(limiter, held, "held").remaining for _ in range(2)] == [1, 0]


def test_the_longest_wait_is_told_and_is_true(limiter: RateLimiter, clock: Clock) -> None:
    limits = Limits(minute=2, hour=2)
    assert passed(limiter, limits, 3) == 2
    refused = finish(limiter, limits)
    assert (refused.reason, refused.retry_after) == ("hour", 3200)  # 15:06:40.25 to 16:00, up
    clock.forward(3200)
    assert finish(limiter, limits).allowed


# --- A clock that is set back


@pytest.mark.parametrize("back", [0.000001, 1, 59, 3600, 86_400])
def test_a_clock_set_back_makes_nobody_wait_for_the_old_time(
    limiter: RateLimiter, clock: Clock, back: float
) -> None:
    assert passed(limiter, Limits(minute=3), 4) == 3
    clock.forward(-back)
    first = finish(limiter, Limits(minute=3))
    assert (first.allowed, first.remaining, first.reset) == (True, 2, clock.now + 60)
    assert passed(limiter, Limits(minute=3), 3) == 2
    refused = finish(limiter, Limits(minute=3))
    assert (refused.allowed, refused.retry_after, refused.reset) == (False, 60, clock.now + 60)
    clock.forward(60)
    assert finish(limiter, Limits(minute=3)).allowed


def test_what_was_called_before_the_new_time_still_counts(
    limiter: RateLimiter, clock: Clock
) -> None:
    finish(limiter, Limits(minute=3))
    clock.forward(20)
    finish(limiter, Limits(minute=3))
    clock.forward(-10)
    assert passed(limiter, Limits(minute=3), 3) == 2


def test_the_hour_and_the_day_of_the_old_time_do_not_count(
    limiter: RateLimiter, clock: Clock
) -> None:
    limits = Limits(hour=2, day=3)
    assert passed(limiter, limits, 3) == 2
    clock.forward(-3600)
    assert passed(limiter, limits, 2) == 1
    assert finish(limiter, limits).reason == "day"
    clock.forward(-86_400)
    assert passed(limiter, limits, 3) == 2


def test_a_slot_of_a_killed_worker_does_not_outlive_a_clock_set_back(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = told_clock(monkeypatch, server.client)
    limiter, limits = RateLimiter(server.url), Limits(concurrent=1)
    limiter.enter("k", limits)
    clock.forward(-3600)
    running = limiter.enter("k", limits)
    assert running.allowed
    assert limiter.enter("k", limits).reason == "concurrent"
    clock.forward(windows.SLOT_SECONDS)
    assert limiter.enter("k", limits).allowed


# --- At once


def test_ten_run_at_once_and_an_end_lets_the_next_in(limiter: RateLimiter) -> None:
    running = [limiter.enter("k", USUAL) for _ in range(10)]
    assert all(v.allowed and v.ticket for v in running)
    refused = limiter.enter("k", USUAL)
    assert (refused.reason, refused.retry_after, refused.ticket) == ("concurrent", 1, None)
    limiter.leave("k", refused)  # frees nothing: it held nothing
    assert not limiter.enter("k", USUAL).allowed
    limiter.leave("k", running.pop())
    assert limiter.enter("k", USUAL).allowed
    assert not limiter.enter("k", USUAL).allowed


# --- Both stores are one behaviour


def test_redis_and_memory_give_the_same_verdicts(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = told_clock(monkeypatch, server.client)
    monkeypatch.setattr(windows, "SLOT_SECONDS", 1e9)  # in memory, slots do not expire
    limiters = (RateLimiter(None), RateLimiter(server.url))
    running: list[tuple[str, tuple[Verdict, ...]]] = []
    dice = random.Random(20_250_615)
    choices = [None, 1, 2, 5, 9]
    seen = set()
    for _ in range(1500):
        # Steps of 1/64 s are exact in binary, so both clocks show the same microsecond.
        clock.forward(dice.randrange(1 + 64 * dice.choice([0, 0, 1, 8, 60, 3660])) / 64)
        if running and dice.random() < 0.6:
            key, verdicts = running.pop(dice.randrange(len(running)))
            for limiter, verdict in zip(limiters, verdicts, strict=True):
                limiter.leave(key, verdict)
        key = dice.choice("ab")
        limits = Limits(*(dice.choice(choices) for _ in range(4)))
        verdicts = tuple(limiter.enter(key, limits) for limiter in limiters)
        assert verdicts[0]._replace(ticket=None) == verdicts[1]._replace(ticket=None)
        seen.add(verdicts[0].reason)
        running.append((key, verdicts))
    assert seen == {None, *windows.NAMES}


# --- Threads and processes


def test_eight_threads_get_exactly_sixty(
    limiter: RateLimiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = windows._verdict

    def judge_and_let_others_run(*seen: Any) -> Verdict:
        verdict = judge(*seen)
        time.sleep(0.000_1)
        return verdict

    monkeypatch.setattr(windows, "_verdict", judge_and_let_others_run)
    with ThreadPoolExecutor(8) as pool:
        counts = pool.map(lambda _: passed(limiter, Limits(minute=60, hour=999), 25), range(8))
        assert sum(counts) == 60
    assert finish(limiter, Limits(hour=61)).allowed  # the 140 refused took nothing from the hour
    assert not finish(limiter, Limits(hour=61)).allowed


CALL_FIFTY_TIMES = """
import sys
from finora.limits.windows import Limits, RateLimiter
limiter = RateLimiter(sys.argv[1])
sys.stdin.readline()
print(sum(limiter.enter("k", Limits(minute=60)).allowed for _ in range(50)))
"""


def test_four_processes_get_exactly_sixty_of_two_hundred(server: RedisServer) -> None:
    workers = [start_python(CALL_FIFTY_TIMES, server.url) for _ in range(4)]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    assert sum(int(worker.communicate(timeout=30)[0]) for worker in workers) == 60


HOLD_A_SLOT = """
import sys
from finora.limits import windows
windows.SLOT_SECONDS = 3.0
limiter = windows.RateLimiter(sys.argv[1])
print(limiter.enter("k", windows.Limits(concurrent=1)).allowed, flush=True)
sys.stdin.readline()
"""


def test_the_slot_of_a_killed_worker_is_free_after_its_time(server: RedisServer) -> None:
    limiter, limits = RateLimiter(server.url), Limits(concurrent=2)
    worker = start_python(HOLD_A_SLOT, server.url)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "True\n"
    os.kill(worker.pid, signal.SIGKILL)
    worker.communicate()
    assert limiter.enter("k", limits).allowed  # and goes on, so the slots are in use
    assert limiter.enter("k", limits).reason == "concurrent"
    wait_until(lambda: limiter.enter("k", limits).allowed, seconds=20)
    assert limiter.enter("k", limits).reason == "concurrent"


def test_a_slot_that_nobody_frees_is_free_after_a_minute(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = told_clock(monkeypatch, server.client)
    limiter, limits = RateLimiter(server.url), Limits(concurrent=2)
    assert limiter.enter("k", limits).allowed
    clock.forward(30)
    assert limiter.enter("k", limits).allowed
    clock.set(START + 59.999999)
    assert not limiter.enter("k", limits).allowed
    clock.set(START + 60)
    assert limiter.enter("k", limits).allowed
    assert not limiter.enter("k", limits).allowed  # the second is still held


def test_a_slot_that_is_kept_is_held_for_as_long_again_and_then_freed(
    limiter: RateLimiter, clock: Clock
) -> None:
    """As by a stream, which goes on for longer than any other call."""
    limits = Limits(concurrent=1)
    held = limiter.enter("k", limits)
    for _ in range(5):
        clock.forward(windows.SLOT_SECONDS / 2)
        limiter.keep("k", held)
        assert limiter.enter("k", limits).reason == "concurrent"
    limiter.leave("k", held)
    limiter.settle()
    limiter.keep("k", held)  # too late: it brings nothing back
    assert limiter.enter("k", limits).allowed


# --- Memory


def test_memory_follows_the_keys_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    now = START
    monkeypatch.setattr(windows.time, "time", lambda: now)
    limiter = RateLimiter(None)
    threads = threading.active_count()
    most = 0
    for number in range(20_000):  # ten new addresses a second, each seen once
        now += 0.1
        finish(limiter, Limits(minute=60, concurrent=2), f"addr:{number}")
        most = max(most, len(limiter._local._recent))
    assert most <= 1200  # six hundred of them in the last minute
    assert not limiter._local._busy
    assert not limiter._local._hours
    assert threading.active_count() == threads


def test_the_hour_and_day_counts_of_idle_keys_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    now = START
    monkeypatch.setattr(windows.time, "time", lambda: now)
    limiter = RateLimiter(None)
    for number in range(100):
        finish(limiter, USUAL, f"key {number}")
    assert (len(limiter._local._hours), len(limiter._local._days)) == (100, 100)
    now += 3600
    finish(limiter, USUAL)
    assert (len(limiter._local._hours), len(limiter._local._days)) == (1, 101)
    now += 86_400
    finish(limiter, USUAL)
    assert (len(limiter._local._hours), len(limiter._local._days)) == (1, 1)


def test_keys_of_a_time_that_a_clock_set_back_took_away_are_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = START
    monkeypatch.setattr(windows.time, "time", lambda: now)
    limiter = RateLimiter(None)
    for number in range(100):
        finish(limiter, Limits(minute=60), f"addr:{number}")
    now -= 3600
    for _ in range(100):
        finish(limiter, Limits(minute=200), "k")
    assert list(limiter._local._recent) == ["k"]


def test_redis_forgets_idle_keys_and_no_sooner(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_clock(monkeypatch, server.client)
    limiter = RateLimiter(server.url)
    limiter.enter("k", USUAL)
    limiter.enter("addr:192.0.2.1", Limits(minute=60))
    names = server.client.keys("finora:*")
    lives = {name.decode(): server.client.pttl(name) / 1000 for name in names}
    midnight = 86_400 - START % 86_400
    longest = {
        "finora:rate:{k}:minute": 60,
        "finora:rate:{k}:slots": 60,
        "finora:rate:{k}:counts": midnight,
        "finora:rate:{addr:192.0.2.1}:minute": 60,
    }
    assert lives.keys() == longest.keys()
    for name, life in lives.items():  # a slow machine may take some seconds to look
        assert longest[name] - 20 < life <= longest[name]


# --- Redis away


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "finora.rate_limits"]


def test_a_killed_redis_leaves_the_api_answering_and_comes_back(
    own_server: RedisServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.WARNING, logger="finora.rate_limits")
    monkeypatch.setattr(windows, "STORE_RETRY", 0.2)
    limiter, limits = RateLimiter(own_server.url), Limits(minute=60, concurrent=10)
    assert passed(limiter, limits, 61) == 60
    running = limiter.enter("other", limits)

    own_server.kill()
    limiter.leave("other", running)  # its ticket went with the store; nothing is raised
    start = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        counts = pool.map(lambda _: passed(limiter, limits, 25), range(8))
        assert sum(counts) == 60  # local limits from the first request
    while time.monotonic() - start < 0.5:  # looked for again meanwhile, without a word
        assert not finish(limiter, limits).allowed
    assert messages(caplog) == [
        "The rate limit store is away (ConnectionError); each process counts."
    ]

    caplog.clear()
    held_locally = limiter.enter("other", limits)
    assert held_locally.ticket == "local"
    own_server.start()
    wait_until(lambda: finish(limiter, limits, "third").ticket != "local")
    assert messages(caplog) == ["The rate limit store is back."]
    limiter.leave("other", held_locally)
    assert not limiter._local._busy
    assert passed(limiter, limits, 61) == 60  # counted in the new, empty store
    limiter.close()


def test_a_store_that_hangs_costs_one_timeout_not_one_per_request(
    own_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    limiter = RateLimiter(own_server.url)
    assert limiter.enter("k", USUAL).ticket != "local"
    own_server.process.send_signal(signal.SIGSTOP)
    try:
        start = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            counts = pool.map(lambda _: passed(limiter, Limits(minute=60), 25), range(8))
            assert sum(counts) == 60
        # Each of the threads has 25.
        assert time.monotonic() - start < 25 * windows.STORE_TIMEOUT / 2
    finally:
        own_server.process.send_signal(signal.SIGCONT)
    assert messages(caplog) == ["The rate limit store is away (TimeoutError); each process counts."]


def test_while_the_store_is_away_one_caller_at_a_time_looks_for_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Away:
        asked = 0

        def ask(self, key: str, limits: Limits) -> Callable[[], Verdict]:
            self.asked += 1
            time.sleep(0.05)
            raise redis.TimeoutError

    def eight_callers() -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: limiter.enter("k", USUAL), range(8)))

    monotonic = time.monotonic
    # A clock that lets the other threads run shows what is not under the lock.
    monkeypatch.setattr(windows.time, "monotonic", lambda: time.sleep(0.001) or monotonic())
    limiter = RateLimiter("unix:///nonexistent/redis.sock")
    limiter._shared = Away()
    eight_callers()
    assert limiter._shared.asked == 8  # nobody knew
    eight_callers()
    assert limiter._shared.asked == 8
    limiter._look_again = 0.0  # the few seconds are over
    eight_callers()
    assert limiter._shared.asked == 9
    assert len(messages(caplog)) == 1


def test_a_store_that_was_never_there_is_no_obstacle(caplog: pytest.LogCaptureFixture) -> None:
    limiter = RateLimiter("unix:///nonexistent/redis.sock")
    assert passed(limiter, USUAL, 61) == 60
    assert len(messages(caplog)) == 1
    assert "k" not in messages(caplog)[0].split()


def test_a_store_that_refuses_to_write_is_no_obstacle(server: RedisServer) -> None:
    limiter = RateLimiter(server.url)
    server.client.set("finora:rate:{k}:minute", "not a sorted set")
    assert passed(limiter, USUAL, 61) == 60
