"""python -m bench.drills [DRILL …] [--db sqlite|postgres|both] [--quick] [--steps N] [--out FILE]

Breaks a running product on purpose, on both databases, and says what each drill did, how often,
and what was found: as a table, ready for the README. Exits with 1 when anything was found.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from bench.drills import clock, database, disk, failover, history, kills, limits, signals, slow
from bench.drills.report import Result, markdown, text
from bench.drills.world import POSTGRES, SQLITE

RESULTS = Path(__file__).resolve().parents[1] / "results" / "drills.md"
DRILLS: dict[str, Callable[[str, bool], Result]] = {
    "kills": kills.run,
    "database": database.run,
    "failover": failover.run,
    "redis": limits.run,
    "disk": disk.run,
    "clock": clock.run,
    "slow": slow.run,
    "signals": signals.run,
}
HISTORY = "history"


def _one(name: str, drill: Callable[[], Result], db: str) -> Result:
    """A drill that breaks itself is a finding too, and the others go on."""
    began = time.monotonic()
    try:
        result = drill()
    except Exception as error:  # whatever it is, it is said, and the run fails
        sys.stderr.write(traceback.format_exc())
        result = Result(name, db, wrong=[f"the drill ended with {error!r}"])
    result.seconds = time.monotonic() - began
    sys.stderr.write(text([result]))
    return result


def run(names: list[str], databases: list[str], *, quick: bool, steps: int | None) -> list[Result]:
    results = []
    for name in names:
        if name != HISTORY:
            results += [_one(name, lambda: DRILLS[name](db, quick), db) for db in databases]  # noqa: B023
    if HISTORY in names:
        # One process each: they have the machine to themselves by now.
        with ThreadPoolExecutor(len(databases)) as pool:
            results += pool.map(
                lambda db: _one(HISTORY, lambda: history.run(db, steps), db), databases
            )
    return results


def main() -> int:
    parser = argparse.ArgumentParser(prog="make drills", description=__doc__.splitlines()[2])
    every = [*DRILLS, HISTORY]
    parser.add_argument("drills", nargs="*", metavar="DRILL", help=f"of {', '.join(every)}")
    parser.add_argument("--db", choices=(SQLITE, POSTGRES, "both"), default="both")
    parser.add_argument("--quick", action="store_true", help="one round of each, a short history")
    parser.add_argument("--steps", type=int, help="of the history (default: 5 minutes of them)")
    parser.add_argument("--out", type=Path, help="write the table there, besides printing it")
    options = parser.parse_args()
    if unknown := set(options.drills) - set(every):
        parser.error(f"no such drill: {', '.join(sorted(unknown))}")
    # Whoever stops the run stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    databases = [SQLITE, POSTGRES] if options.db == "both" else [options.db]
    names = [name for name in every if name in options.drills or not options.drills]
    steps = options.steps or (history.QUICK_STEPS if options.quick else None)
    began = time.monotonic()
    results = run(names, databases, quick=options.quick, steps=steps)
    found = sum(len(result.wrong) for result in results)
    heading = (
        f"{len(results)} {'quick ' if options.quick else ''}drills,"
        f" {datetime.now(UTC):%Y-%m-%d}, in"
        f" {(time.monotonic() - began) / 60:.0f} minutes: {found or 'no'} findings."
    )
    table = markdown(results, heading)
    out = options.out
    if out is None and names == every and len(databases) == 2 and not options.quick:
        out = RESULTS
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(table)
    sys.stdout.write(f"\n{text(results)}\n{table}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
