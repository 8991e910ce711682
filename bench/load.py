"""Load on a server, by wrk where it is installed, or else by a generator in Python.

In slices, each with new connections: how these fall upon the workers is chance. The generator
shares the machine with the server, so what it costs itself is told. wrk (Debian package `wrk`)
takes a fraction of what Python takes, which a fast server feels.
"""

from __future__ import annotations

import json
import os
import resource
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.http import HOST
from bench.plan import CONNECTIONS
from bench.servers import ROOT

WRK = shutil.which("wrk")
SCRIPT = Path(__file__).resolve().with_name("wrk.lua")
GENERATOR = "wrk" if WRK else "Python (wrk is not installed)"


class LoadFailed(Exception):
    """An answer that is no success, or none."""


@dataclass(frozen=True)
class Calls:
    """What is sent in turn, with a key: lines of method, path and body between tabs.

    In a body `{slice}` becomes a word that no other slice has, and `{n}` a number that no other
    request of the slice has.
    """

    key: str
    lines: list[str]

    @classmethod
    def gets(cls, key: str, paths: Iterable[str]) -> Calls:
        return cls(key, [f"GET\t{path}\t" for path in paths])

    @classmethod
    def posts(cls, key: str, path: str, bodies: Iterable[object]) -> Calls:
        return cls(key, [f"POST\t{path}\t{json.dumps(body)}" for body in bodies])


@dataclass(frozen=True)
class Load:
    """What some slices had: their sums; of times, in ms, the median of the slices and the worst."""

    requests: int
    seconds: float
    p50: float
    p99: float
    max: float
    cpu: float  # seconds that the generator itself took


def load(port: int, calls: Calls, slices: int, seconds: int) -> Load:
    """So many slices of so many seconds. Raises LoadFailed if any answer was no success."""
    before = _children_cpu()
    done = [_slice(port, calls, seconds) for _ in range(slices)]
    if errors := sum(one["errors"] for one in done):
        raise LoadFailed(f"{errors:.0f} of {calls.lines[0].split('?')[0]!r} and so on failed")
    return Load(
        requests=int(sum(one["requests"] for one in done)),
        seconds=sum(one["seconds"] for one in done),
        p50=median(one["p50"] for one in done),
        p99=median(one["p99"] for one in done),
        max=max(one["max"] for one in done),
        cpu=_children_cpu() - before,
    )


def _slice(port: int, calls: Calls, seconds: int) -> dict[str, float]:
    word = secrets.token_hex(4)
    with tempfile.NamedTemporaryFile("w", suffix=".calls") as file:
        file.write("\n".join(line.replace("{slice}", word) for line in calls.lines))
        file.flush()
        command = [sys.executable, "-m", "bench.generator", str(port), str(CONNECTIONS)]
        command.append(str(seconds))
        if WRK:
            command = [WRK, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s"]
            command += ["-s", str(SCRIPT), f"http://{HOST}:{port}"]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | {"CALLS": file.name, "KEY": calls.key},
            capture_output=True,
            text=True,
            timeout=seconds + 60,
        )
    if done.returncode:
        raise LoadFailed(f"the load ended with: {done.stderr[-500:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _children_cpu() -> float:
    """Of those that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
