"""Server processes for the length of a measurement, on a free port of the loopback address."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.http import HOST, connect, request_bytes
from bench.plan import FASTAPI, MODELVIEWSET, OURS, SOAKED

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60
STOP_SECONDS = 10

# What a command line is given: {port} and {workers}.
COMMANDS = {
    OURS: ("manage.py", "serve"),
    # Its packing timed.
    SOAKED: (
        *("-m", "granian", "--interface", "wsgi", "--no-ws", "--blocking-threads", "1"),
        *("--host", HOST, "--port", "{port}", "--workers", "{workers}"),
        "bench.soak_wsgi:application",
    ),
    FASTAPI: (
        *("-m", "uvicorn", "--loop", "uvloop", "--http", "httptools", "--no-access-log"),
        *("--host", HOST, "--port", "{port}", "--workers", "{workers}"),
        "bench.reference.fastapi_app:app",
    ),
    MODELVIEWSET: (
        *("-m", "gunicorn", "--worker-class", "gthread", "--threads", "4"),
        *("--bind", f"{HOST}:{{port}}", "--workers", "{workers}"),
        "bench.reference.wsgi:application",
    ),
}


@dataclass(frozen=True)
class Server:
    port: int
    process: Any

    def cpu_seconds(self) -> float:
        """User and system time of the server and its workers until now."""
        return cpu_seconds(self.process)

    def memory_mb(self) -> float:
        """Memory of the largest of its processes; a database's mapped file is not its own."""
        every = [self.process, *self.process.children(recursive=True)]
        return float(max(process.memory_full_info().uss for process in every) / 2**20)


def cpu_seconds(process: Any) -> float:
    """User and system time of a process and its children until now."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        with connect(port) as connection:
            connection.sendall(request_bytes("/readyz", "none"))
            return bool(connection.recv(1))
    except OSError:
        return False


@contextmanager
def serving(app: str, env: Mapping[str, str], workers: int = 1) -> Iterator[Server]:
    """Starts it, waits until it answers, and stops it at the end. Its log goes to a file."""
    port = _free_port()
    command = [part.format(port=port, workers=workers) for part in COMMANDS[app]]
    # The others have no tasks.
    env = {**env, "PORT": str(port), "WORKERS": str(workers), "TASK_WORKERS": "0"}
    log = Path(env["FINORA_DATA_DIR"], f"server-{port}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=env, stdout=output, stderr=output
        )
    tree = psutil.Process(process.pid)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{app}: no start:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield Server(port, tree)
    finally:
        children = tree.children(recursive=True) if process.poll() is None else []
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for child in psutil.wait_procs(children, STOP_SECONDS)[1]:
            child.kill()


def environment(data_dir: Path, database_url: str) -> dict[str, str]:
    """What all processes of a measurement are given: no setting of the developer's own."""
    own = (
        "SECRET_KEY",
        "FIELD_ENCRYPTION_KEY",
        "BLIND_INDEX_KEY",
        "METRICS_TOKEN",
        "REDIS_URL",
        "DEBUG",
    )
    names = {*own, *(f"{name}_FILE" for name in own), "LOG_LEVEL", "HOST", "SEARCH_CACHE_BYTES"}
    return {name: value for name, value in os.environ.items() if name not in names} | {
        "ENV_FILE": os.devnull,
        "FINORA_DATA_DIR": str(data_dir),
        "FINORA_ENVIRONMENT": "test",
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "finora.settings",
        "RATE_LIMITS": "off",
        "STRANGER_LIMITS": "off",
        "LOGIN_LIMITS": "off",
    }
