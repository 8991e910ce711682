"""One drill as `make drills` runs it."""

import os
import subprocess
import sys

import pytest

from bench.drills.world import ROOT

pytestmark = pytest.mark.slow
DB = os.environ.get("TEST_DB", "sqlite")


def drilled(tmp_path, drill):
    """The table of a drill that ended well."""
    out = tmp_path / "drills.md"
    done = subprocess.run(
        [sys.executable, "-m", "bench.drills", drill, "--quick", "--db", DB, "--out", out],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    table = out.read_text()
    assert done.returncode == 0, table
    assert "| nothing |" in table
    assert table in done.stdout
    return table


def test_a_drill_ends_well_and_writes_its_table(tmp_path):
    assert f"| TERM and HUP | {DB} | 1 times each under load;" in drilled(tmp_path, "signals")


@pytest.mark.postgres
def test_nothing_acknowledged_is_lost_when_a_replica_takes_over(tmp_path):
    assert "| failover | postgres | primary crashed under load" in drilled(tmp_path, "failover")


def test_a_drill_that_there_is_not_is_refused():
    command = [sys.executable, "-m", "bench.drills", "earthquake"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no such drill: earthquake" in done.stderr
