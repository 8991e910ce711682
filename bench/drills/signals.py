"""TERM and HUP under load, and TERM at any moment of a start: no answer that was begun is lost."""

from __future__ import annotations

import random
import signal
import time

from bench.drills.audit import audit
from bench.drills.ledger import Ledger
from bench.drills.load import load
from bench.drills.report import Result
from bench.drills.world import STOP_SECONDS, World, world

WORKERS = 2
BACK_SECONDS = 20.0
# Within these a start is over, or near; one TERM is sent in each part of it.
START_SECONDS = 1.8


def run(db: str, quick: bool) -> Result:
    result = Result("TERM and HUP", db)
    rounds, starts = (1, 4) if quick else (4, 16)
    ledger = Ledger()
    with world(db, workers=WORKERS) as there:
        with load(there, ledger) as writers:
            for n in range(rounds):
                time.sleep(1 + random.Random(n).random())
                _hang_up(there, result)
                result.require(writers.goes_on(BACK_SECONDS), "no write after HUP")
                time.sleep(1 + random.Random(n + 1).random())
                took = there.stop()
                result.require(took is not None, "TERM under load did not end all within 10 s")
                there.start()
                result.require(writers.goes_on(BACK_SECONDS), "no write after TERM and a start")
        result.wrong += writers.wrong
        found = audit(there, ledger)
        result.wrong += ledger.done_without_an_answer(found.rows)
        there.stop()
        for n in range(starts):
            _stopped_while_it_starts(there, result, START_SECONDS * n / starts)
        result.did = f"{rounds} times each under load; TERM at {starts} moments of a start"
        result.account(ledger, found)
    return result


def _hang_up(there: World, result: Result) -> None:
    """All workers are made anew, one after the other; the main process stays."""
    assert there.process is not None
    old = {worker.pid for worker in there.workers()}
    there.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + STOP_SECONDS + BACK_SECONDS
    while old & {w.pid for w in there.workers()} or len(there.workers()) != WORKERS:
        if time.monotonic() > deadline or there.process.poll() is not None:
            result.wrong.append("HUP did not renew the workers")
            there.kill()
            there.start()
            return
        time.sleep(0.1)


def _stopped_while_it_starts(there: World, result: Result, after: float) -> None:
    process = there.launch()
    time.sleep(after)
    processes = there.processes()
    process.terminate()
    # A worker that was made in this very moment is one more to wait for.
    time.sleep(0.05)
    processes += [p for p in there.processes() if p not in processes]
    result.require(
        there.ended_within(processes, STOP_SECONDS) is not None,
        f"TERM {after:.2f} s after the start did not end all within 10 s",
    )
    there.kill()
