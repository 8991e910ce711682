"""The clock is stepped an hour back and forth under the server, and under Redis."""

from __future__ import annotations

import glob
import os
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.drills import redis_store
from bench.drills.audit import audit
from bench.drills.client import Answer
from bench.drills.ledger import Ledger
from bench.drills.load import load
from bench.drills.report import Result
from bench.drills.world import World, world

LIBRARIES = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
MISSING = "no libfaketime here (Debian package `faketime`)"
LIMIT = 30
HOUR = 3600
STEPS = (-HOUR, 0, HOUR, 0, -HOUR, HOUR, 0)
# Until every process has seen that.
CACHED_SECONDS = 1.2
# What a client is told to wait for a window of a minute.
MINUTE = 60


class Clock:
    """What the processes with this environment take for the time: the true one and an offset."""

    def __init__(self, home: Path) -> None:
        self._file = home / "offset"
        self.step(0)
        self.env = {
            "LD_PRELOAD": LIBRARIES[0],
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            # To read the file each time somebody asks would cost more than the request.
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Or it mends waits that are not broken here: threads then wait half a second.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }

    def step(self, seconds: int) -> None:
        # In one step: a process never reads half of it.
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.replace(self._file)
        time.sleep(CACHED_SECONDS)


def run(db: str, quick: bool) -> Result:
    result = Result("clock stepped", db)
    if not LIBRARIES:
        result.untried = MISSING
        return result
    steps = STEPS[:3] if quick else STEPS
    parts = []
    for store in ("memory", "Redis"):
        ledger = Ledger()
        with ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="finora-clock-")))
            clock = Clock(home)
            env = dict(clock.env)
            if store == "Redis":
                own = stack.enter_context(redis_store.running(home, os.environ | clock.env))
                env["REDIS_URL"] = own.url
            there = stack.enter_context(world(db, keys=2, limits=f"{LIMIT}/minute", env=env))
            _drill(there, clock, ledger, steps, result, store)
            found = audit(there, ledger)
            result.wrong += found.wrong
            parts.append(f"{ledger.acknowledged:,} with limits in {store}")
    result.did = f"{len(steps)} steps of an hour, back and forth, under the server and Redis"
    result.checked = "acknowledged answers: " + ", ".join(parts)
    return result


def _drill(
    there: World, clock: Clock, ledger: Ledger, steps: tuple[int, ...], result: Result, store: str
) -> None:
    begun = datetime.now(UTC) - timedelta(seconds=2)
    mirrored = _create(there, ledger)
    with load(there, ledger, writers=2) as writers:
        for step in steps:
            _use_up(there, result, f"{store}, before the clock is at {step:+d} s")
            clock.step(step)
            # A minute's window is over after a minute of the true clock or of the stepped one.
            answer = _use_up(there, result, f"{store}, clock at {step:+d} s")
            result.require(
                answer is None or answer.body["error"]["retryAfter"] <= MINUTE,
                f"{store}, clock at {step:+d} s: told to wait {_wait(answer)} s",
            )
            _mirror(there, mirrored, begun, ledger, result, f"{store}, clock at {step:+d} s")
            result.require(writers.goes_on(10), f"{store}, clock at {step:+d} s: no write")
    result.wrong += writers.wrong


def _wait(answer: Answer | None) -> int | None:
    return None if answer is None else answer.body["error"]["retryAfter"]


def _create(there: World, ledger: Ledger) -> list[str]:
    client = there.client()
    made = []
    for n in range(6):
        body = {"name": f"Clock {n}", "email": f"clock{n}@drill.example.ng"}
        data = client.call("POST", "/v1/customers", body).data
        ledger.told(data)
        made.append(data["id"])
    return made


def _use_up(there: World, result: Result, when: str) -> Answer | None:
    """Calls until one is refused, and answers that one; never more than the limit in between."""
    client = there.client(key=1)
    path = f"/v1/customers?businessId={there.business}&limit=1"
    for _ in range(LIMIT + 1):
        answer = client.call("GET", path)
        if answer.status == 429:
            return answer
        result.require(answer.status == 200, f"{when}: a call got {answer}")
    result.require(False, f"{when}: {LIMIT + 1} calls at once of a limit of {LIMIT}")
    return None


def _mirror(
    there: World, ids: list[str], begun: datetime, ledger: Ledger, result: Result, when: str
) -> None:
    """Each row is edited; who asks what changed since before its first version sees all."""
    client = there.client()
    name = f"Clock {time.monotonic_ns()}"
    for public_id in ids:
        answer = client.call("PUT", f"/v1/customers/{public_id}", {"name": name})
        ledger.changed(public_id, {"name": name}, sure=answer.status == 200)
        result.require(answer.status == 200, f"{when}: an edit got {answer}")
    since = begun.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    seen = {row["id"]: row["name"] for row in client.walk(there.business, updatedSince=since)}
    shown = sum(seen.get(public_id) == name for public_id in ids)
    result.require(shown == len(ids), f"{when}: updatedSince shows {shown} of {len(ids)} changes")
