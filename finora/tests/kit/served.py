"""`manage.py serve` as a process of its own, on the test's database, and raw connections to it."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
from django.db import connection

HOST = "127.0.0.1"
START_SECONDS = 60
ROOT = Path(__file__).resolve().parents[3]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def database_url() -> str:
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


class Served:
    """`command` and `env` are those of a deployment, where they are given; else the test's own."""

    def __init__(
        self,
        log: Path,
        workers: int = 1,
        command: Sequence[str] = (),
        root: Path = ROOT,
        **env: str,
    ) -> None:
        self.port = int(env.get("PORT") or free_port())
        self.log = log
        self.root = root
        self._command = command or [sys.executable, "manage.py", "serve"]
        usual = (
            {} if command else os.environ | {"DATABASE_URL": database_url(), "TASK_WORKERS": "0"}
        )
        own = {"HOST": HOST, "PORT": str(self.port), "WORKERS": str(workers)}
        self._env = usual | own | env
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self._command, cwd=self.root, env=self._env, stdout=out, stderr=out
            )

    def wait(self) -> Served:
        """Until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                if self.call("GET", "/readyz")[0] == 200:
                    return self
            except (OSError, http.client.HTTPException):
                pass
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.05)

    def family(self) -> list[psutil.Process]:
        """The main process and its workers, the oldest first, without Python's watcher of
        semaphores."""
        main = psutil.Process(self.process.pid)
        workers = [one for one in main.children(recursive=True) if _is_worker(one)]
        return [main, *workers]

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> None:
        if self.process.poll() is None:
            family = self.family()
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
            for one in family:  # nothing of a failed test stays
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
            self.process.wait()

    def connect(self, timeout: float = 30) -> socket.socket:
        return socket.create_connection((HOST, self.port), timeout)

    def call(self, method, path, body=None, headers=None, timeout=30):
        """Status, headers and body of one call on a connection of its own."""
        link = http.client.HTTPConnection(HOST, self.port, timeout=timeout)
        try:
            link.request(method, path, body, headers or {})
            answer = link.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            link.close()

    def raw(self, *parts: bytes, timeout: float = 30) -> bytes:
        """What comes back, until the server closes, for these bytes."""
        with self.connect(timeout) as link:
            for part in parts:
                link.sendall(part)
            received = b""
            with contextlib.suppress(ConnectionResetError):
                while chunk := link.recv(1 << 16):
                    received += chunk
            return received


def _is_worker(process: psutil.Process) -> bool:
    try:
        command = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return bool(command) and "resource_tracker" not in command


def head(method: str, path: str, *lines: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()
