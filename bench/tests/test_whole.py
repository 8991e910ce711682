"""`make bench` as it is run, with little of each: it measures, looks at answers and tells."""

import os
import re
import subprocess
import sys

import pytest

from bench.plan import (
    FASTAPI,
    MODELVIEWSET,
    OURS_LIMITED,
    OURS_UNLIMITED,
    ROUTES,
    SALES_ROUTES,
    SECTIONS,
)
from bench.servers import ROOT

pytestmark = pytest.mark.slow
DB = os.environ.get("TEST_DB", "sqlite")
BRAND = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[DB]


def run(*options):
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--db", DB, "--count", "300", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    # Cells without their padding.
    return {
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in done.stdout.splitlines()
        if line.startswith("|")
    }


def test_calls_and_invoices_are_measured_beside_the_references_and_added_up():
    rows = {row[0]: row[1:] for row in run("--only", "calls,sales")}
    ours = [OURS_LIMITED, OURS_UNLIMITED, MODELVIEWSET]
    for route in (*ROUTES, *SALES_ROUTES):
        servers = ours if route in ROUTES else [OURS_UNLIMITED]
        for server in [*servers, FASTAPI] if DB == "postgres" else servers:
            rate, beside, cpu, database, _, p50, p99, _, load = rows[
                f"{route} · {BRAND} · {server}"
            ]
            assert all(float(figure.replace(",", "")) > 0 for figure in (rate, cpu, p50, p99, load))
            assert (database != "–") == (DB == "postgres")
            assert (beside != "") == (DB == "postgres" and server != FASTAPI)


def test_what_a_call_takes_is_told_by_part():
    names = {row[0] for row in run("--only", "profile", "--route", ROUTES[0])}
    assert {"asking the database", "limits, asking Redis", "the log line", "**all**"} <= names
    for server in (OURS_LIMITED, OURS_UNLIMITED):
        assert f"{server}, {BRAND}: µs of CPU a call" in names


def test_all_that_is_not_under_load_is_measured():
    others = [name for name in SECTIONS if name not in ("calls", "sales", "profile")]
    rows = run("--only", ",".join(others))
    names = {row[0] for row in rows}
    assert {"seed_customers", "import_packed", "COPY of plain text under pg_trgm"} <= names
    assert {"import_customers", "the same file again"} <= names
    assert ("sealed and hashed" in names) == ("lines scanned" in names) == (DB == "postgres")
    assert {f"ours, HTTP · {BRAND}", f"plain text, pg_trgm · {BRAND}"} <= names
    assert {f"ours · {BRAND} · at 300", f"pg_trgm · {BRAND} · at 300"} <= names
    assert {f"ours · {BRAND}", f"at 300 · {BRAND}"} <= names
    assert (f"{FASTAPI} · {BRAND}" in names) == (DB == "postgres")
    longer = "beside packing: longer than the middle one of the others by"
    assert {f"new customers, HTTP · {BRAND}", f"{longer} · {BRAND}"} <= names


def test_a_soak_finds_all_that_was_written(tmp_path):
    """Its exit code is about time, too, which a busy machine has less of."""
    command = [sys.executable, "-m", "bench.soak", "--db", DB, "--out", str(tmp_path)]
    command += ["--seconds", "3", "--rate", "60", "--count", "300"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    report = (tmp_path / f"soak-{DB}.txt").read_text()
    assert report == done.stdout, done.stderr[-3000:]
    assert " searches checked, 0 wrong" in report
    waits = re.search(r"of them waiting for packing: (\d+);", report)
    assert waits
    assert int(waits[1]) > 0


@pytest.mark.parametrize("options", [["--only", "earthquake"], ["--db", "oracle"]], ids=str)
def test_what_there_is_not_is_refused(options):
    command = [sys.executable, "-m", "bench", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"invalid choice: '{options[1]}'" in done.stderr
