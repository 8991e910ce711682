"""The database goes and comes back, under load."""

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import closing

from bench.drills.audit import audit
from bench.drills.ledger import Ledger
from bench.drills.load import load
from bench.drills.report import Result
from bench.drills.world import POSTGRES, World, world

AWAY_SECONDS = 3.0
# Longer than the 5 seconds that a write waits for the lock.
LOCKED_SECONDS = 9.0
REFUSED_SECONDS = 7.0
PROBE_SECONDS = 1.0
BACK_SECONDS = 15.0


def run(db: str, quick: bool) -> Result:
    result = Result("database away", db)
    rounds = 1 if quick else 3
    ledger = Ledger()
    with world(db, workers=2) as there:
        with load(there, ledger, refusals=True) as writers:
            for n in range(rounds):
                time.sleep(2.5)
                if db == POSTGRES:
                    _stopped(there, result, (signal.SIGINT, signal.SIGQUIT)[n % 2])
                else:
                    _locked(there, result, ledger)
                back = there.probe("/readyz", 200, BACK_SECONDS)
                result.require(back is not None, "/readyz stays away when the database is back")
                result.require(writers.goes_on(BACK_SECONDS), "no write after the database is back")
        result.wrong += writers.wrong
        how = (
            f"stopped for {AWAY_SECONDS:.0f} s, fast and at once"
            if db == POSTGRES
            else f"lock held for {LOCKED_SECONDS:.0f} s by another process"
        )
        result.did = f"{rounds} times {how}"
        result.require(ledger.refused, "no write was refused while the database was away")
        result.account(ledger, audit(there, ledger))
    return result


def _stopped(there: World, result: Result, how: signal.Signals) -> None:
    assert there.postgres is not None
    there.postgres.stop(how)
    gone = time.monotonic()
    try:
        _healthy(there, result)
        result.require(
            there.probe("/readyz", 503, REFUSED_SECONDS) is not None,
            "/readyz does not say that the database is away",
        )
        time.sleep(max(0.0, gone + AWAY_SECONDS - time.monotonic()))
    finally:
        there.postgres.start()


def _locked(there: World, result: Result, ledger: Ledger) -> None:
    with closing(sqlite3.connect(there.sqlite_file, timeout=30, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began, before = time.monotonic(), ledger.refused
        while time.monotonic() - began < REFUSED_SECONDS:
            _healthy(there, result)
            time.sleep(0.2)
        result.require(
            ledger.refused > before,
            f"no write behind the lock was refused within {REFUSED_SECONDS:.0f} s",
        )
        time.sleep(max(0.0, began + LOCKED_SECONDS - time.monotonic()))
        other.execute("ROLLBACK")


def _healthy(there: World, result: Result) -> None:
    result.require(
        there.probe("/healthz", 200, PROBE_SECONDS) is not None,
        f"/healthz did not answer within {PROBE_SECONDS:.0f} s while the database was away",
    )
