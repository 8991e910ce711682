"""The store of the rate limits is killed, hung and emptied, under load."""

from __future__ import annotations

import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

from bench.drills import redis_store
from bench.drills.audit import audit
from bench.drills.client import Unanswered
from bench.drills.ledger import Ledger
from bench.drills.load import load
from bench.drills.report import Result
from bench.drills.world import World, world

WORKERS = 2
LIMIT = 40
# The keys that are counted; the writers' own never reaches its limit, and asks all the same.
LIMITS = f"{LIMIT}/minute"
WRITERS_LIMITS = "1000000/minute,10 concurrent"
CALLERS = 8
# Redis is given up after 0.25 s and asked again after 5 s.
SLOW_SECONDS = 3.0
BACK_SECONDS = 8.0
AWAY = "rate limit store is away"


def run(db: str, quick: bool) -> Result:
    result = Result("Redis", db)
    rounds = 1 if quick else 3
    ledger, keys = Ledger(), count(1)
    with (
        tempfile.TemporaryDirectory(prefix="finora-redis-") as home,
        redis_store.running(Path(home)) as store,
        world(
            db,
            workers=WORKERS,
            keys=1 + 8 * rounds,
            limits=LIMITS,
            env={"REDIS_URL": store.url, "RATE_LIMITS": WRITERS_LIMITS},
        ) as there,
    ):

        def allows(when: str, at_most: int, at_least: int = LIMIT, key: int | None = None) -> None:
            """How many of many calls with a fresh key are let through."""
            said = there.log().count(AWAY)
            let = _let_through(there, next(keys) if key is None else key, result, when)
            if there.log().count(AWAY) > said:
                # A worker had no answer in time, on a machine that is too busy: so it counts alone.
                at_most = max(at_most, WORKERS * LIMIT)
            result.require(
                at_least <= let <= at_most,
                f"{when}: {let} calls of a limit of {LIMIT} were let through",
            )

        with load(there, ledger, writers=4) as writers:
            for _ in range(rounds):
                allows("Redis is there", LIMIT)
                store.signal(signal.SIGKILL)
                allows("Redis is killed", WORKERS * LIMIT)
                store.start()
                _wait_until_asked_again(there)
                allows("Redis is back", LIMIT)
                store.signal(signal.SIGSTOP)
                allows("Redis hangs", WORKERS * LIMIT)
                store.signal(signal.SIGCONT)
                _wait_until_asked_again(there)
                key = next(keys)
                allows("Redis goes on", LIMIT, key=key)
                store.client.flushall()
                store.client.script_flush()
                allows("Redis is emptied", LIMIT, key=key)
                result.require(writers.goes_on(BACK_SECONDS), "no write after Redis was emptied")
        result.wrong += writers.wrong
        slowest = max(writer.slowest for writer in writers.writers)
        result.require(slowest < SLOW_SECONDS, f"a call took {slowest:.1f} s")
        result.require(not ledger.unanswered, f"{ledger.unanswered} calls got no answer")
        result.did = f"{rounds} times killed and started, hung and continued, emptied"
        result.checked = f"slowest call {slowest * 1000:.0f} ms"
        result.account(ledger, audit(there, ledger))
    return result


def _let_through(there: World, key: int, result: Result, when: str) -> int:
    """Calls from several connections, so from all workers, until both say no often enough."""
    statuses: Counter[int] = Counter()

    def call() -> None:
        client = there.client(key)
        path = f"/v1/customers?businessId={there.business}&limit=1"
        for _ in range(3 * WORKERS * LIMIT // CALLERS):
            try:
                statuses[client.call("GET", path).status] += 1
            except Unanswered:
                statuses[0] += 1
        client.close()

    _together([call] * CALLERS)
    odd = {status: times for status, times in statuses.items() if status not in (200, 429)}
    result.require(not odd, f"{when}: answers {odd}")
    return statuses[200]


def _together(calls: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=call, daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def _wait_until_asked_again(there: World) -> None:
    """Each worker looks for a store that was away once in 5 s; the load makes it look."""
    time.sleep(5.5)
