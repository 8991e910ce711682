"""A long history of one directory after another, in one process, beside a model of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.drills.report import Result
from bench.drills.world import POSTGRES, ROOT, Postgres
from bench.servers import environment

QUICK_STEPS = 2_000
# So long, and as many steps as fit, where nobody says how many.
SECONDS = 300


def run(db: str, steps: int | None) -> Result:
    """So many steps; None: as many as SECONDS have room for."""
    result = Result("history", db)
    how_long = ["--steps", str(steps)] if steps else ["--seconds", str(SECONDS)]
    home = Path(tempfile.mkdtemp(prefix="finora-history-")).resolve()
    server = None
    try:
        url = f"sqlite:///{home}/finora.sqlite3"
        if db == POSTGRES:
            server = Postgres(home)
            # That it keeps what it acknowledged is the other drills' matter.
            url = f"{server.url}&options=-c%20synchronous_commit%3Doff"
        made = subprocess.run(
            [sys.executable, "-m", "bench.drills.history_steps", *how_long],
            cwd=ROOT,
            env=environment(home, url) | {"LOG_LEVEL": "ERROR"},
            stdout=subprocess.PIPE,
            check=True,
        )
        told = json.loads(made.stdout)
        result.wrong = told["wrong"]
        did = told["did"]
        result.did = (
            f"{sum(did.values()):,} steps of {len(did)} kinds, {told['a_minute']:,} a minute;"
            f" among them {did.get('erase', 0):,} erasures, {did.get('restore', 0):,} attempts to"
            f" restore, {did.get('repack', 0) + did.get('repack_cut_off', 0):,} repacks, whole and"
            f" cut off, {did.get('rotate', 0):,} changes of both keys"
        )
        result.checked = (
            f"{told['checks']:,} searches, lookups and pages; {told['comparisons']} times all rows"
        )
    finally:
        if server is not None:
            server.close()
        shutil.rmtree(home, ignore_errors=True)
    return result
