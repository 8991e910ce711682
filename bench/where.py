"""Where the time goes in a load, a walk and a search: CPU of ours, CPU of PostgreSQL, and in all.

For each row or call, in µs. What is CPU of neither is waiting: for a disk, a lock, or a core. The
load adds to the directory that is there, so this is the last of the sections.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import asdict
from itertools import islice
from typing import Any
from urllib.parse import quote

from bench.bulk import BATCH
from bench.checks import say
from bench.http import Client
from bench.plan import OURS
from bench.servers import cpu_seconds, serving
from bench.world import World
from customers.api import answers
from customers.management.people import people
from customers.search import index, lines, store
from customers.search.segment import build, first_matches
from finora import loads
from finora.orm.copying import NewRows

QUERIES = ("ade", "gmail", "qxzjv", "ltd", "1990", "a", "ọla", "okafor@")
Step = list[float]  # µs of our CPU, of the database's, in all


class Meter:
    """Of this process, or of a server's; and of the database's processes."""

    def __init__(self, world: World, server: Any = None) -> None:
        self._server, self._database = server, world.postmaster

    def _now(self) -> Step:
        ours = cpu_seconds(self._server) if self._server else time.process_time()
        database = cpu_seconds(self._database) if self._database else 0.0
        return [ours, database, time.perf_counter()]

    def each(self, count: int, work: Callable[[], Any]) -> Step:
        """What this work takes, divided by `count`."""
        before = self._now()
        work()
        return [(after - was) / count * 1e6 for was, after in zip(before, self._now(), strict=True)]


def run(world: World) -> dict[str, Any]:
    steps = {
        "of a load, a customer": _load(world),
        "of a walk, a customer": _walk(world),
        "of a search": _search(world),
    }
    for name, each in steps.items():
        for step, figures in each.items():
            say(f"{name}: {step}: {' / '.join(f'{us:,.1f}' for us in figures)} µs")
    return {"steps": steps, "queries": QUERIES}


def _load(world: World) -> dict[str, Step]:
    """One thing after the other, into the directory that is there."""
    count, meter = world.plan.import_rows, Meter(world)
    steps: dict[str, Step] = {}
    customers = world.large.business.customers
    with loads.in_bulk():
        made: list[Any] = []
        steps["made up, by seed_customers alone"] = meter.each(
            count, lambda: made.extend(people(count, seed=3))
        )
        word = secrets.token_hex(3)  # nobody of them is there yet
        rows = [asdict(person) | {"email": f"{word}.{person.email}"} for person in made]
        new: list[Any] = []
        steps["an instance"] = meter.each(
            count, lambda: new.extend(customers.new(**row) for row in rows)
        )
        some = [new[at : at + BATCH] for at in range(0, count, BATCH)]
        steps["sealed and hashed"] = meter.each(count, lambda: [NewRows(each) for each in some])
        steps["lines for search"] = meter.each(
            count,
            lambda: [index.segment_of(customers.business.pk, each) for each in some],
        )
        batches = [customers.sealed(each) for each in some]
        steps["known emails looked up"] = meter.each(
            count, lambda: [customers.without_known_emails(each) for each in batches]
        )
        steps["written"] = meter.each(
            count, lambda: [customers.import_packed(each) for each in batches]
        )
        steps["segments merged"] = meter.each(count, lambda: index.merge_all(world.large.business))
    return steps


def _walk(world: World) -> dict[str, Step]:
    of, meter, laps = world.large, Meter(world), world.plan.lists
    customers, size = of.business.customers, 100
    pages: list[list[Any]] = []

    def read() -> None:
        after = None
        for _ in range(laps):
            pages.append(customers.page(size + 1, after))
            after = pages[-1][-1].name_key, pages[-1][-1].public_id

    count = laps * min(size, of.count)
    steps = {"rows read and opened": meter.each(count, read)}
    steps["answers made of them"] = meter.each(
        count, lambda: [answers.customer_data(row) for page in pages for row in page[:size]]
    )
    with serving(OURS, world.env) as server, Client(server.port, of.key) as client:

        def walk() -> None:
            cursor = ""
            for _ in range(laps):
                _, answer = client.get(f"{of.path}&limit={size}{cursor}")
                following = answer["meta"].get("nextCursor")
                cursor = f"&cursor={following}" if following else ""

        walk()
        steps["all of it, over HTTP"] = Meter(world, server.process).each(count, walk)
    return steps


def _search(world: World) -> dict[str, Step]:
    of, meter, laps = world.large, Meter(world), world.plan.lists // 5
    count = laps * len(QUERIES)
    business, customers = of.business, of.business.customers

    def often(work: Callable[[str], Any]) -> Step:
        return meter.each(count, lambda: [work(query) for _ in range(laps) for query in QUERIES])

    segments = [each for group in store.opened(business.pk, set()) for each in group.values()]
    found = {q: {c.public_id for c in islice(first_matches(segments, q), 50)} for q in QUERIES}
    steps = {
        "the tail read": often(lambda _: build(lines.entries(customers.tail()))),
        "segments listed": often(lambda _: list(store.opened(business.pk, set()))),
        "lines scanned": often(lambda query: list(islice(first_matches(segments, query), 50))),
        "rows read and opened": often(lambda query: customers.among(found[query])),
        "all of it, in process": often(customers.search),
    }
    with serving(OURS, world.env) as server, Client(server.port, of.key) as client:
        paths = [of.search_path + quote(query) for query in QUERIES]

        def ask() -> None:
            for _ in range(laps):
                for path in paths:
                    client.get(path)

        first = Meter(world, server.process).each(1, lambda: client.get(paths[0]))
        steps["all of it, over HTTP"] = Meter(world, server.process).each(count, ask)
        steps["the first one of a process"] = first
    return steps
