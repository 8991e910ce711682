"""Every way to search, over the same kinds of query; and the first search of a process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from psutil import Process

from bench import queries
from bench.checks import expect, say
from bench.http import Client
from bench.plan import OURS, TAIL
from bench.rivals import GRAM, decrypt_and_scan
from bench.servers import Server, serving
from bench.waiting import Times, Watch, told
from bench.world import Directory, World, rest
from customers.models import Customer
from customers.search.models import Unpacked
from finora.text import fold

Timings = dict[str, list[float]]
SLOWEST = 5  # answers of which is told what they waited for


def run(world: World) -> dict[str, Any]:
    # All that is filled is filled, and at rest, before anything is timed.
    for of in (world.middle, world.large):
        world.truth(of)
    _ = world.rivals
    rest()
    first = {str(of.count): _first(of, world) for of in (world.middle, world.large)}
    kinds = queries.choose(world.truth(world.large))
    return {"first": first, "queries": kinds, "search": _searches(world, kinds)}


def _first(of: Directory, world: World) -> Timings:
    """The first search of a server process, several times over; and of a connection to pg_trgm."""
    truth = world.truth(of)
    query = truth.rows[len(truth.rows) // 2].email.partition("@")[0]
    wanted = truth.first(query)
    times: Timings = {OURS: []}
    for _ in range(world.plan.starts):
        with (
            serving(OURS, world.env) as server,
            Client(server.port, of.key) as client,
            _watch(server, world) as watch,
        ):
            before = watch.now()
            ms, answer = client.get(of.search_path + quote(query))
            say(f"first search, {ms:.0f} ms: {told(before, watch.now())}")
        expect("first search", [c["id"] for c in answer["data"]["customers"]], wanted)
        times[OURS].append(ms)
    say(f"first search after a start at {of.count:,}: {max(times[OURS]):.0f} ms")
    if world.rivals and of is world.large:
        search = _clocked(world.rivals.plain_text)
        times["pg_trgm"] = []
        for _ in range(world.plan.starts):
            world.rivals.reconnect()
            ms, found = search(fold(query))
            expect("first search, pg_trgm", found, truth.first(fold(query)))
            times["pg_trgm"].append(ms)
    return times


def _watch(server: Server, world: World) -> Watch:
    return Watch({"server": server.process, "PostgreSQL": world.postmaster, "bench": Process()})


def _timed(
    name: str,
    kinds: Mapping[str, str],
    wanted: Mapping[str, list[str]],
    search: Callable[[str], tuple[float, list[str]]],
    rounds: int,
    watch: Watch | None = None,
) -> Timings:
    """Milliseconds by kind, behind one round that only warms up."""
    times: Timings = {kind: [] for kind in kinds}
    every: list[tuple[float, str, Times, Times]] = []
    for lap in range(rounds + 1):
        for kind, query in kinds.items():
            before = watch.now() if watch else {}
            ms, found = search(query)
            after = watch.now() if watch else {}
            expect(f"{name}, {kind} ({query!r})", found, wanted[kind])
            if lap:
                times[kind].append(ms)
                every.append((ms, kind, before, after))
    every.sort(key=lambda each: each[0])
    say(f"{name}: p50 {every[len(every) // 2][0]:.2f} ms, max {every[-1][0]:.1f} ms")
    if watch:
        for ms, kind, before, after in every[: -SLOWEST - 1 : -1]:
            say(f"  {ms:.1f} ms, {kind}: {told(before, after)}")
    return times


def _clocked(search: Callable[[str], list[str]]) -> Callable[[str], tuple[float, list[str]]]:
    def timed(query: str) -> tuple[float, list[str]]:
        started = time.perf_counter()
        found = search(query)
        return (time.perf_counter() - started) * 1000, found

    return timed


def _searches(world: World, kinds: dict[str, str]) -> dict[str, Timings]:
    of, truth = world.large, world.truth(world.large)
    business = of.business
    wanted = {kind: truth.first(query) for kind, query in kinds.items()}
    results: dict[str, Timings] = {}

    with serving(OURS, world.env) as server, Client(server.port, of.key) as client:

        def through_http(query: str) -> tuple[float, list[str]]:
            ms, answer = client.get(of.search_path + quote(query))
            return ms, [customer["id"] for customer in answer["data"]["customers"]]

        name = "ours, HTTP"
        with _watch(server, world) as watch:
            results[name] = _timed(
                name, kinds, wanted, through_http, world.plan.search_rounds, watch
            )
        say(f"its process holds {server.memory_mb():.0f} MB")

    def in_process(query: str) -> list[str]:
        return [customer.public_id for customer in business.customers.search(query)]

    name = "ours, in process"
    results[name] = _timed(name, kinds, wanted, _clocked(in_process), world.plan.search_rounds)
    newest = Customer.objects.in_business(business.pk).active().order_by("-id")[:TAIL]
    Unpacked.objects.add(business.pk, newest.values_list("public_id", flat=True))
    try:
        name = "ours, in process, the tail full"
        results[name] = _timed(name, kinds, wanted, _clocked(in_process), world.plan.search_rounds)
    finally:
        business.search_tail.all().delete()

    # The others know no accents: they are asked, and held to, the folded query.
    kinds = {kind: fold(query) for kind, query in kinds.items()}
    wanted = {kind: truth.first(query) for kind, query in kinds.items()}
    if rivals := world.rivals:
        name = "plain text, pg_trgm"
        results[name] = _timed(
            name, kinds, wanted, _clocked(rivals.plain_text), world.plan.rival_rounds
        )
        long = {kind: query for kind, query in kinds.items() if len(query) >= GRAM}
        name = "keyed trigram tokens, GIN"
        results[name] = _timed(name, long, wanted, _clocked(rivals.tokens), world.plan.rival_rounds)
    few = {kind: kinds[kind] for kind in ("common, 3", "rare, 6", "none, 6")}
    scan = _clocked(lambda query: decrypt_and_scan(business, query))
    results["decrypt and scan"] = _timed("decrypt and scan", few, wanted, scan, 1)
    return results
