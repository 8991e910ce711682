"""What packing the search index costs those who write: new customers one after the other."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from typing import Any

from bench.checks import expect, say
from bench.http import Client
from bench.plan import SOAKED
from bench.servers import serving
from bench.world import World, directory


def run(world: World) -> dict[str, Any]:
    """In ms: each write as its client sees it; of it the wait for packing; and packing's steps."""
    of = directory(world.plan.middle, "packing")
    word = secrets.token_hex(4)
    writes = []
    with tempfile.NamedTemporaryFile("r", suffix=".times") as times:
        env = world.env | {"SOAK_TIMES": times.name}
        with serving(SOAKED, env) as server, Client(server.port, of.key) as client:
            for n in range(world.plan.writes):
                body = {"name": f"Ada Obi {n}", "email": f"{word}.{n}@packed.example.ng"}
                ms, answer = client.post("/v1/customers", body)
                expect("created", answer["data"]["email"], body["email"])
                writes.append(ms)
        waits, steps = read_times(Path(times.name))
    expect("waits seen", len(waits), world.plan.writes)
    say(f"longest wait for packing: {max(waits):.1f} ms; steps: {max(steps, default=0):.1f} ms")
    return {"customers": of.count, "writes": writes, "waits": waits, "steps": steps}


def read_times(path: Path) -> tuple[list[float], list[float]]:
    """The waits and the steps that soak_wsgi.py wrote, in ms."""
    lines = [line.split() for line in path.read_text().splitlines()]
    waits, steps = ([float(ms) for what, ms in lines if what == kind] for kind in ("wait", "step"))
    return waits, steps
