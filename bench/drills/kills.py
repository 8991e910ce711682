"""kill -9, under load: of a worker, of the main process alone, of all of it at once."""

from __future__ import annotations

import random
import subprocess
import sys
import time

from bench.drills.audit import audit
from bench.drills.ledger import Ledger
from bench.drills.load import load
from bench.drills.report import Result
from bench.drills.world import ROOT, STOP_SECONDS, World, world

WORKERS = 2
BACK_SECONDS = 20.0


def run(db: str, quick: bool) -> Result:
    result = Result("kill -9", db)
    rounds = 1 if quick else 3
    ledger = Ledger()
    chance = random.Random(9)
    with world(db, workers=WORKERS) as there:
        with load(there, ledger) as writers:
            for _ in range(rounds):
                for kill in (_worker, _main, _everything):
                    repack = _repack(there)
                    time.sleep(chance.uniform(2.5, 4))
                    kill(there, result)
                    result.require(repack.poll() is None, "repack_search ended by itself")
                    repack.kill()
                    repack.wait()
                    result.require(writers.goes_on(BACK_SECONDS), f"{kill.__name__}: no way back")
        result.wrong += writers.wrong
        result.account(ledger, audit(there, ledger))
        result.did = (
            f"{rounds} times each: a worker, the main process, all at once;"
            f" {3 * rounds} times `repack_search`"
        )
    return result


def _repack(there: World) -> subprocess.Popen[bytes]:
    """Writes all search segments anew meanwhile, again and again, and is killed as well."""
    command = [sys.executable, "-m", "bench.drills.repack"]
    with (there.home / "repack.log").open("ab") as log:
        return subprocess.Popen(command, cwd=ROOT, env=there.env, stdout=log, stderr=log)


def _worker(there: World, result: Result) -> None:
    """The main process makes a new one."""
    workers = there.workers()
    result.require(len(workers) == WORKERS, f"{len(workers)} workers instead of {WORKERS}")
    killed = random.Random(len(workers)).choice(workers)
    killed.kill()
    deadline = time.monotonic() + BACK_SECONDS
    while len([w for w in there.workers() if w.pid != killed.pid]) < WORKERS:
        if time.monotonic() > deadline:
            result.wrong.append("a killed worker was not replaced")
            break
        time.sleep(0.1)
    result.require(there.ready(BACK_SECONDS), "no answer after a worker was killed")


def _main(there: World, result: Result) -> None:
    """Its workers must not outlive it: they would answer beside the next one, with old keys."""
    processes = there.processes()
    processes[0].kill()
    took = there.ended_within(processes, STOP_SECONDS)
    result.require(took is not None, "workers outlived the main process by more than 10 s")
    there.kill()
    there.start()


def _everything(there: World, result: Result) -> None:
    there.kill()
    there.start()
