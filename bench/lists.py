"""Lists: the walk by cursor through a whole directory, and a list of 50 anywhere in it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bench.checks import expect, say
from bench.http import Client
from bench.plan import FASTAPI, OURS
from bench.servers import serving
from bench.world import Directory, World

Timings = dict[str, list[float]]


def run(world: World) -> dict[str, Any]:
    cursors, rate = _walk(world.large, world)
    small_cursors, _ = _walk(world.small, world)
    walks = {OURS: rate}
    if world.on_postgres:
        walks[FASTAPI] = _reference_walk(world)
    by_count = {world.small.count: small_cursors, world.large.count: cursors}
    return {"walk": walks, "list": _lists(world, by_count)}


def _walk(of: Directory, world: World) -> tuple[list[str], float]:
    """The whole directory by cursor: the cursors, and rows a second."""
    cursors: list[str | None] = []
    seen: list[str] = []
    with serving(OURS, world.env) as server, Client(server.port, of.key) as client:
        path = of.path + "&limit=100"
        total = 0.0
        cursor: str | None = ""
        while cursor is not None:
            ms, answer = client.get(f"{path}&cursor={cursor}" if cursor else path)
            total += ms
            seen += [customer["id"] for customer in answer["data"]["customers"]]
            cursor = answer["meta"].get("nextCursor")
            cursors.append(cursor)
    expect("the walk", seen == [row.public_id for row in world.truth(of).rows], True)
    rate = len(seen) / total * 1000
    say(f"walked {len(seen):,} customers, {rate:,.0f} a second")
    return [cursor for cursor in cursors if cursor], rate


def _reference_walk(world: World) -> float:
    """The same through the fast reference, as far as takes some seconds: rows a second."""
    path = world.large.path + "&limit=100"
    seen: set[str] = set()
    total, behind = 0.0, ""
    with (
        serving(FASTAPI, world.reference_env) as server,
        Client(server.port, world.large.key) as client,
    ):
        while len(seen) < world.plan.reference_walk:
            ms, answer = client.get(path + behind)
            total += ms
            page = answer["data"]["customers"]
            if not page:
                break
            seen |= {customer["id"] for customer in page}
            behind = f"&afterName={quote(page[-1]['name'])}&afterId={page[-1]['id']}"
    known = {row.public_id for row in world.truth(world.large).rows}
    expect(
        "the reference's walk",
        (len(seen), seen <= known),
        (min(world.plan.reference_walk, len(known)), True),
    )
    rate = len(seen) / total * 1000
    say(f"walked {len(seen):,} of the reference's, {rate:,.0f} a second")
    return rate


def _lists(world: World, cursors: dict[int, list[str]]) -> Timings:
    """Lists of 50 all over both directories, in turn."""
    small, large = world.small, world.large
    times: Timings = {str(small.count): [], str(large.count): []}
    with serving(OURS, world.env) as server:
        clients = {of.count: Client(server.port, of.key) for of in (small, large)}
        for lap in range(-10, world.plan.lists):
            for of in (small, large):
                # The last page is left out, as it may be short.
                some = ["", *(f"&cursor={cursor}" for cursor in cursors[of.count][:-1])]
                page = some[lap * 7919 % len(some)]
                ms, answer = clients[of.count].get(f"{of.path}{page}")
                expect("a list's length", answer["data"]["count"], 50)
                if lap >= 0:
                    times[str(of.count)].append(ms)
        for client in clients.values():
            client.close()
    return times
