"""What packing the search index costs those who write: new customers one after the other."""

from __future__ import annotations

import secrets
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.checks import expect, say
from bench.http import Client
from bench.plan import SOAKED
from bench.servers import serving
from bench.world import World, directory


def run(world: World) -> dict[str, Any]:
    """In ms: each write as its client sees it; what those under way beside packing took longer than
    the middle one of the others, which is what they waited for it at most; and packing's steps."""
    of = directory(world.plan.middle, "packing")
    word = secrets.token_hex(4)
    writes: list[tuple[float, float]] = []
    with tempfile.NamedTemporaryFile("r", suffix=".times") as times:
        env = world.env | {"SOAK_TIMES": times.name}
        with serving(SOAKED, env) as server, Client(server.port, of.key) as client:
            for n in range(world.plan.writes):
                body = {"name": f"Ada Obi {n}", "email": f"{word}.{n}@packed.example.ng"}
                begun = time.perf_counter()
                ms, answer = client.post("/v1/customers", body)
                expect("created", answer["data"]["email"], body["email"])
                writes.append((begun, ms))
        held, steps = read_times(Path(times.name))
    expect("waits seen", len(held), world.plan.writes)
    beside, alone = _beside(writes, steps)
    usual = median(alone or beside)
    waits = [max(0.0, ms - usual) for ms in beside]
    took = [ms for _, ms in steps]
    say(f"longest wait for packing: {max(waits, default=0):.1f} ms; {len(steps)} steps")
    return {
        "customers": of.count,
        "writes": [ms for _, ms in writes],
        "waits": waits,
        "others": [max(0.0, ms - usual) for ms in alone],
        "steps": took,
    }


def _beside(
    writes: list[tuple[float, float]], steps: list[tuple[float, float]]
) -> tuple[list[float], list[float]]:
    """The ms of the writes while a step of packing ran, and of the others."""
    beside: list[float] = []
    alone: list[float] = []
    for begun, ms in writes:
        end = begun + ms / 1000
        met = any(start < end and begun < start + took / 1000 for start, took in steps)
        (beside if met else alone).append(ms)
    return beside, alone


def read_times(path: Path) -> tuple[list[float], list[tuple[float, float]]]:
    """What soak_wsgi.py wrote: how long each write was held up, in ms; when each step began, and
    its ms."""
    lines = [line.split() for line in path.read_text().splitlines()]
    held = [float(ms) for what, ms, _ in lines if what == "wait"]
    return held, [(float(begun), float(ms)) for what, ms, begun in lines if what == "step"]
