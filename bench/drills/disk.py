"""The disk is full under load, and then there is space again."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.drills.audit import audit
from bench.drills.client import Unanswered
from bench.drills.ledger import Ledger
from bench.drills.load import load
from bench.drills.report import Result
from bench.drills.world import POSTGRES, World, world

SIZES = {"sqlite": "48m", "postgres": "160m"}
BLOCK = bytes(64 << 10)
FULL_SECONDS = 4.0
SAYS_SECONDS = 20.0
BACK_SECONDS = 30.0
# A write that was refused counts for a minute there.
READY_SECONDS = 90.0


def run(db: str, quick: bool) -> Result:
    result = Result("disk full", db)
    if os.geteuid() != 0:
        result.untried = "a file system of its own needs root to mount it"
        return result
    rounds = 1 if quick else 2
    ledger = Ledger()
    with small_disk(SIZES[db]) as home, world(db, workers=2, home=home) as there:
        with load(there, ledger, refusals=True) as writers:
            for n in range(rounds):
                time.sleep(2)
                _full(there, ledger, result, log_too=n % 2 == 1)
                if there.postgres is not None:
                    # It ends itself when its log has no room; who runs it starts it again.
                    there.postgres.start()
                result.require(writers.goes_on(BACK_SECONDS), "no write when there is space again")
                back = there.probe("/readyz", 200, READY_SECONDS)
                result.require(back is not None, "/readyz does not come back with the space")
        result.wrong += writers.wrong
        result.did = f"{rounds} times the database's own file system of {SIZES[db].upper()}B filled"
        result.account(ledger, audit(there, ledger))
    return result


def _full(there: World, ledger: Ledger, result: Result, *, log_too: bool) -> None:
    """`log_too`: PostgreSQL's write-ahead log as well, which it ends itself for."""
    ballast = there.home / "ballast"
    refused = ledger.refused
    end = time.monotonic() + SAYS_SECONDS
    said = False
    try:
        with ballast.open("wb", buffering=0) as file:
            while time.monotonic() < end and not said:
                # Again and again: what the database frees meanwhile is filled as well.
                with suppress(OSError):
                    while file.write(BLOCK):
                        pass
                if ledger.refused > refused:
                    said = there.probe("/readyz", 503, 0.5) is not None
                time.sleep(0.1)
        result.require(ledger.refused > refused, "no write was refused by a full disk")
        result.require(said, f"/readyz says nothing of a full disk for {SAYS_SECONDS:.0f} s")
        if log_too and there.postgres is not None:
            there.postgres.begin_new_logs()
        _answers_meanwhile(there, ledger, result)
    finally:
        ballast.unlink()


def _answers_meanwhile(there: World, ledger: Ledger, result: Result) -> None:
    """Reads go on where the database itself does, and the reason that is given is the true one."""
    client = there.client()
    end = time.monotonic() + FULL_SECONDS
    body = {"name": "Full", "email": "full@drill.example.ng"}
    ledger.asks(body["email"])
    while time.monotonic() < end:
        result.require(there.probe("/healthz", 200, 2) is not None, "/healthz is silent")
        gone = there.postgres is not None and there.postgres.process() is None
        try:
            write = client.call("POST", "/v1/customers/find-or-create", body)
            read = client.call("GET", f"/v1/customers?businessId={there.business}&limit=1")
        except Unanswered as error:
            result.require(False, f"a full disk: no answer ({error})")
            continue
        gone = gone or (there.postgres is not None and there.postgres.process() is None)
        if write.status < 300:
            ledger.told(write.data | {"isActive": True})  # there was room for one more
            return
        result.require(write.status == 503, f"a write on a full disk got {write}")
        if not gone and there.db != POSTGRES:
            result.require(read.status == 200, f"a read on a full disk got {read}")
            message = write.body.get("error", {}).get("message", "")
            result.require("reach" not in message, f"a full disk is said to be: {message}")
        time.sleep(0.2)


@contextmanager
def small_disk(size: str) -> Iterator[Path]:
    """A file system in memory of its own, as large as `mount -o size=` says."""
    with tempfile.TemporaryDirectory(prefix="finora-disk-") as place:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", place]
        subprocess.run(mount, check=True)
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)
