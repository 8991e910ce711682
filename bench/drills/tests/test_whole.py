"""One drill as `make drills` runs it."""

import os
import subprocess
import sys

from bench.drills.world import ROOT

DB = os.environ.get("TEST_DB", "sqlite")


def test_a_drill_ends_well_and_writes_its_table(tmp_path):
    out = tmp_path / "drills.md"
    done = subprocess.run(
        [sys.executable, "-m", "bench.drills", "signals", "--quick", "--db", DB, "--out", out],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    table = out.read_text()
    assert f"| TERM and HUP | {DB} | 1 times each under load;" in table
    assert done.returncode == 0, table
    assert "| nothing |" in table
    assert table in done.stdout


def test_a_drill_that_there_is_not_is_refused():
    command = [sys.executable, "-m", "bench.drills", "earthquake"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no such drill: earthquake" in done.stderr
