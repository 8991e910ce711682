"""What is measured. Each section checks its answers and raises Wrong for any that is not right."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any
from urllib.parse import quote

from bench.http import Client
from bench.plan import (
    CONNECTIONS,
    KEEPING,
    LISTS,
    LOAD_SECONDS,
    OURS,
    PAGES,
    REFERENCE,
    RIVAL_ROUNDS,
    ROUNDS,
    STARTS,
    TAIL,
    WARM_SECONDS,
    WORKERS,
)
from bench.rivals import GRAM, Rivals, decrypt_and_scan
from bench.servers import ROOT, Server, cpu_seconds, serving
from bench.truth import Truth
from bench.world import Directory
from customers.models import Customer
from finora.text import fold

Env = Mapping[str, str]


class Wrong(Exception):
    """An answer that brute force does not give."""


def say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()


def expect(what: str, got: Any, wanted: Any) -> None:
    if got != wanted:
        raise Wrong(f"{what}: {got!r:.300} instead of {wanted!r:.300}")


# Search.

Timings = dict[str, list[float]]


def _timed(
    name: str,
    kinds: Mapping[str, str],
    wanted: Mapping[str, list[str]],
    search: Callable[[str], tuple[float, list[str]]],
    rounds: int,
) -> Timings:
    """Milliseconds by kind, behind one round that only warms up."""
    times: Timings = {kind: [] for kind in kinds}
    for lap in range(rounds + 1):
        for kind, query in kinds.items():
            ms, found = search(query)
            expect(f"{name}, {kind} ({query!r})", found, wanted[kind])
            if lap:
                times[kind].append(ms)
    every = sorted(ms for values in times.values() for ms in values)
    say(f"{name}: p50 {every[len(every) // 2]:.2f} ms, max {every[-1]:.1f} ms")
    return times


def _clocked(search: Callable[[str], list[str]]) -> Callable[[str], tuple[float, list[str]]]:
    def timed(query: str) -> tuple[float, list[str]]:
        started = time.perf_counter()
        found = search(query)
        return (time.perf_counter() - started) * 1000, found

    return timed


def search(
    of: Directory, truth: Truth, kinds: dict[str, str], env: Env, rivals_url: str | None
) -> dict[str, Timings]:
    """Every way to search, over the same kinds of query."""
    business = of.business
    wanted = {kind: truth.first(query) for kind, query in kinds.items()}
    results: dict[str, Timings] = {}

    with serving(OURS, "granian", env, workers=1) as server, Client(server.port, of.key) as client:

        def through_http(query: str) -> tuple[float, list[str]]:
            ms, answer = client.get(of.search_path + quote(query))
            return ms, [customer["id"] for customer in answer["data"]["customers"]]

        results["ours, HTTP"] = _timed("ours, HTTP", kinds, wanted, through_http, ROUNDS)
        say(f"its process holds {server.memory_mb():.0f} MB")

    def in_process(query: str) -> list[str]:
        return [customer.public_id for customer in business.customers.search(query)]

    name = "ours, in process"
    results[name] = _timed(name, kinds, wanted, _clocked(in_process), ROUNDS)
    newest = Customer.objects.in_business(business.pk).active().order_by("-id")[:TAIL]
    marks = dict(newest.values_list("pk", "packed"))
    tail = Customer.objects.filter(pk__in=marks)
    tail.update(packed=0)
    try:
        name = "ours, in process, the tail full"
        results[name] = _timed(name, kinds, wanted, _clocked(in_process), ROUNDS)
    finally:
        for mark in set(marks.values()):
            tail.filter(pk__in=[pk for pk in marks if marks[pk] == mark]).update(packed=mark)

    # The others know no accents: they are asked, and held to, the folded query.
    kinds = {kind: fold(query) for kind, query in kinds.items()}
    wanted = {kind: truth.first(query) for kind, query in kinds.items()}
    if rivals_url:
        say("filling the rivals' tables")
        rivals = Rivals(rivals_url, truth)
        name = "plain text, pg_trgm"
        results[name] = _timed(name, kinds, wanted, _clocked(rivals.plain_text), RIVAL_ROUNDS)
        long = {kind: query for kind, query in kinds.items() if len(query) >= GRAM}
        name = "keyed trigram tokens, GIN"
        results[name] = _timed(name, long, wanted, _clocked(rivals.tokens), RIVAL_ROUNDS)
        rivals.close()
    few = {kind: kinds[kind] for kind in ("common, 3", "rare, 6", "none, 6")}
    scan = _clocked(lambda query: decrypt_and_scan(business, query))
    results["decrypt and scan"] = _timed("decrypt and scan", few, wanted, scan, 1)
    return results


def first_search(of: Directory, truth: Truth, env: Env) -> list[float]:
    """The first search of a server process, several times over."""
    row = truth.rows[len(truth.rows) // 2]
    query = row.email.partition("@")[0]
    wanted = truth.first(query)
    times = []
    for _ in range(STARTS):
        with serving(OURS, "granian", env, workers=1) as server:
            with Client(server.port, of.key) as client:
                ms, answer = client.get(of.search_path + quote(query))
            expect("first search", [c["id"] for c in answer["data"]["customers"]], wanted)
            times.append(ms)
    say(f"first search after a start at {of.count:,}: {max(times):.0f} ms")
    return times


# Lists.


def walk(of: Directory, truth: Truth, env: Env) -> tuple[list[str], float]:
    """The whole directory by cursor: the cursors, and rows a second."""
    cursors: list[str | None] = []
    seen: list[str] = []
    with serving(OURS, "granian", env, workers=1) as server, Client(server.port, of.key) as client:
        path = of.path + "&limit=100"
        total = 0.0
        cursor: str | None = ""
        while cursor is not None:
            ms, answer = client.get(f"{path}&cursor={cursor}" if cursor else path)
            total += ms
            seen += [customer["id"] for customer in answer["data"]["customers"]]
            cursor = answer["meta"].get("nextCursor")
            cursors.append(cursor)
    expect("the walk", seen == [row.public_id for row in truth.rows], True)
    rate = len(seen) / total * 1000
    say(f"walked {len(seen):,} customers, {rate:,.0f} a second")
    return [cursor for cursor in cursors if cursor], rate


def lists(
    small: Directory, large: Directory, cursors: Mapping[int, list[str]], env: Env
) -> Timings:
    """Lists of 50 all over both directories, in turn."""
    times: Timings = {str(small.count): [], str(large.count): []}
    with serving(OURS, "granian", env, workers=1) as server:
        clients = {of.count: Client(server.port, of.key) for of in (small, large)}
        for lap in range(-10, LISTS):
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


# The request path.


def _load(server: Server, key: str, paths: list[str], seconds: float) -> dict[str, Any]:
    task = {"port": server.port, "key": key, "paths": paths}
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        cwd=ROOT,
        input=json.dumps({**task, "connections": CONNECTIONS, "seconds": seconds}),
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    if done.returncode:
        raise Wrong(f"the load ended with: {done.stderr[-500:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _pages(client: Client, path: str, app: str) -> tuple[list[str], dict[str, Any]]:
    """The paths of the first lists of 50, and the customers in them by id."""
    paths: list[str] = []
    customers: dict[str, Any] = {}
    for _ in range(PAGES):
        paths.append(path)
        _, answer = client.get(path)
        if app == OURS:
            rows, cursor = answer["data"]["customers"], answer["meta"].get("nextCursor")
            path = f"{path.partition('&cursor')[0]}&cursor={cursor}"
        else:
            rows, link = answer["results"], answer["next"]
            path = "/" + link.split("/", 3)[3]
        expect("a list's length", len(rows), 50)
        customers |= {row["id"]: row for row in rows}
    return paths, customers


def requests(
    of: Directory, truth: Truth, env: Env, reference_env: Env, database: Any
) -> list[dict[str, Any]]:
    """Lists of 50 and single customers under load: ours and the reference, under each server.

    The reference also with connections that it keeps, which is a setting away from plain.
    """
    envs = {
        OURS: env,
        REFERENCE: reference_env,
        KEEPING: {**reference_env, "REFERENCE_CONN_MAX_AGE": "600"},
    }
    emails = {row.public_id: row.email for row in truth.rows}
    ids = [row.public_id for row in truth.rows[:: max(1, len(truth.rows) // 1000)]]
    results = []
    for app, name in product(envs, ("granian", "gunicorn")):
        with serving(app, name, envs[app], WORKERS) as server:
            with Client(server.port, of.key) as client:
                first = of.path if app == OURS else "/v1/customers"
                pages, customers = _pages(client, first, app)
                for public_id, customer in customers.items():
                    expect(f"{app}, email", customer["email"], emails[public_id])
                for public_id in ids[:20]:
                    _, answer = client.get(f"/v1/customers/{public_id}")
                    answer = answer["data"] if app == OURS else answer
                    expect(f"{app}, email", answer["email"], emails[public_id])
            for route, paths in (
                ("list of 50", pages),
                ("get one", [f"/v1/customers/{public_id}" for public_id in ids]),
            ):
                _load(server, of.key, paths, WARM_SECONDS)
                before = server.cpu_seconds(), database and cpu_seconds(database)
                done = _load(server, of.key, paths, LOAD_SECONDS)
                count = len(done["ms"])
                result = {
                    "app": app,
                    "server": name,
                    "route": route,
                    "rate": count / done["seconds"],
                    "cpu": (server.cpu_seconds() - before[0]) / count * 1000,
                    "database cpu": database and (cpu_seconds(database) - before[1]) / count * 1000,
                    "ms": done["ms"],
                }
                say(
                    f"{app}, {name}, {route}: {result['rate']:,.0f} a second,"
                    f" {result['cpu']:.2f} ms of CPU each"
                )
                results.append(result)
    return results
