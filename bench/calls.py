"""The calls of an integration under load: ours with limits and without, beside the references.

Server after server in each round, and nobody always first: what the machine does meanwhile falls
upon all of them. Each server's answers are looked at before it is timed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

import psutil
import psycopg

from bench.checks import Wrong, expect, say
from bench.drills import redis_store
from bench.http import Client
from bench.load import GENERATOR, Calls, load
from bench.plan import (
    FASTAPI,
    FOUND,
    HIGH_LIMITS,
    LIST,
    MADE,
    MODELVIEWSET,
    ONE,
    OURS,
    OURS_LIMITED,
    OURS_UNLIMITED,
    WORKERS,
    Plan,
)
from bench.servers import Server, cpu_seconds, serving
from bench.truth import Row
from bench.world import World
from customers.models import Customer

FIND_OR_CREATE = "/v1/customers/find-or-create"
NEW = {"email": "{slice}.{n}@made.example.ng", "name": "Ada Obi", "phone": "0803 123 4567"}


@dataclass(frozen=True)
class Subject:
    """A server that is measured, and what is sent to it by route."""

    name: str
    server: Server
    calls: dict[str, Calls]


def run(world: World) -> dict[str, Any]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="finora-redis-")))
        store = stack.enter_context(redis_store.running(home))
        watched = {"database": world.postmaster, "redis": psutil.Process(store.process.pid)}
        limits = {"REDIS_URL": store.url, "RATE_LIMITS": HIGH_LIMITS}
        envs = {OURS_LIMITED: world.env | limits, OURS_UNLIMITED: world.env}
        if world.on_postgres:
            envs[FASTAPI] = world.reference_env
        envs[MODELVIEWSET] = world.reference_env
        stack.enter_context(no_autovacuum(world))
        subjects = [
            subject_of(name, stack.enter_context(serve(name, env)), world)
            for name, env in envs.items()
        ]
        rows = rounds(world, subjects, watched, world.plan.routes)
    made = Customer.objects.in_business(world.made.business.pk).count()
    expect("as many customers made as were answered", made >= _made_by_ours(rows), True)
    return {
        "generator": GENERATOR,
        "rounds": world.plan.rounds,
        "seconds": world.plan.slices * world.plan.slice_seconds,
        "rows": rows,
    }


def serve(name: str, env: dict[str, str]) -> Any:
    return serving(OURS if name in (OURS_LIMITED, OURS_UNLIMITED) else name, env, WORKERS)


@contextmanager
def no_autovacuum(world: World) -> Iterator[None]:
    """It would fall into one server's turn and not into another's; between rounds it is made up."""
    if not world.on_postgres:
        yield
        return
    with psycopg.connect(world.reference_url, autocommit=True) as connection:
        for setting in ("off", "on"):
            connection.execute(f"ALTER SYSTEM SET autovacuum = {setting}")
            connection.execute("SELECT pg_reload_conf()")
            if setting == "off":
                yield


def _vacuum(world: World) -> None:
    if world.on_postgres:
        for url in (world.env["DATABASE_URL"], world.reference_url):
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE")


# What is sent.


def subject_of(name: str, server: Server, world: World) -> Subject:
    """Asks for the pages once, and looks whether each call is answered as it should be."""
    truth = world.truth(world.large)
    rows = truth.rows[:: max(1, len(truth.rows) // world.plan.customers)]
    key = world.large.key
    with Client(server.port, key) as client:
        pages = list(_pages(name, client, world))
        emails = {row.public_id: row.email for row in truth.rows}
        for path in pages:
            for customer in _customers(client.get(path)[1]):
                expect(f"{name}, email", customer["email"], emails[customer["id"]])
        for row in rows[:20]:
            _look(name, client, row)
    with Client(server.port, world.made.key) as client:
        body = {"email": f"{name.replace(' ', '')}{server.port}@made.example.ng".replace(",", "")}
        made = [_data(client.post(FIND_OR_CREATE, body)[1]) for _ in range(2)]
        expect(f"{name}, made", [one["created"] for one in made], [True, False])
    calls = {
        FOUND: Calls.posts(key, FIND_OR_CREATE, ({"email": row.email} for row in rows)),
        MADE: Calls.posts(world.made.key, FIND_OR_CREATE, [NEW]),
        ONE: Calls.gets(key, (f"/v1/customers/{row.public_id}" for row in rows)),
        LIST: Calls.gets(key, pages),
    }
    return Subject(name, server, calls)


def _look(name: str, client: Client, row: Row) -> None:
    one = _data(client.get(f"/v1/customers/{row.public_id}")[1])
    expect(f"{name}, email", one["email"], row.email)
    found = _data(client.post(FIND_OR_CREATE, {"email": row.email.upper()})[1])
    expect(f"{name}, found", (found["id"], found["created"]), (row.public_id, False))


def _data(answer: Any) -> Any:
    return answer.get("data", answer)


def _customers(answer: Any) -> Any:
    return answer["results"] if "results" in answer else answer["data"]["customers"]


def _pages(name: str, client: Client, world: World) -> Iterator[str]:
    """The paths of the first lists of 50."""
    first = path = "/v1/customers" if name == MODELVIEWSET else world.large.path
    for _ in range(min(world.plan.pages, (world.count - 1) // 50)):
        yield path
        answer = client.get(path)[1]
        customers = _customers(answer)
        expect("a list's length", len(customers), 50)
        if name == MODELVIEWSET:
            path = "/" + answer["next"].split("/", 3)[3]
        elif name == FASTAPI:
            last = customers[-1]
            path = f"{first}&afterName={quote(last['name'])}&afterId={last['id']}"
        else:
            path = f"{first}&cursor={answer['meta'].get('nextCursor')}"


# What it took.


def rounds(
    world: World,
    subjects: list[Subject],
    watched: dict[str, psutil.Process | None],
    routes: Sequence[str],
) -> list[dict[str, Any]]:
    """A row for each route and server: the rounds' own figures in a list each."""
    rows = {
        (route, subject.name): {"route": route, "server": subject.name, "figures": []}
        for route in routes
        for subject in subjects
    }
    if world.plan.warm_seconds:
        for subject in subjects:
            for route in routes:
                load(subject.server.port, subject.calls[route], 1, world.plan.warm_seconds)
    for number in range(world.plan.rounds):
        _vacuum(world)
        first = number % len(subjects)
        for route in routes:
            for subject in subjects[first:] + subjects[:first]:
                figures = measure(subject, route, watched, world.plan)
                rows[route, subject.name]["figures"].append(figures)
        say(f"round {number + 1} of {world.plan.rounds}")
    for row in rows.values():
        rates = [figures["rate"] for figures in row["figures"]]
        say(f"{row['route']}, {row['server']}: {median(rates):,.0f} a second")
    return list(rows.values())


def measure(
    subject: Subject, route: str, watched: dict[str, psutil.Process | None], plan: Plan
) -> dict[str, Any]:
    """Of one server's slices: requests a second, ms, and ms of CPU a request by whose."""
    processes = {"server": subject.server.process, **watched}
    before = {name: cpu_seconds(process) for name, process in processes.items() if process}
    done = load(subject.server.port, subject.calls[route], plan.slices, plan.slice_seconds)
    if not done.requests:
        raise Wrong(f"{subject.name} answered no {route}")
    spent = {name: cpu_seconds(processes[name]) - before[name] for name in before}
    cpu = {
        name: seconds * 1000 / done.requests
        for name, seconds in {**spent, "load": done.cpu}.items()
    }
    return {
        "requests": done.requests,
        "rate": done.requests / done.seconds,
        "p50": done.p50,
        "p99": done.p99,
        "max": done.max,
        "cpu": cpu,
    }


def _made_by_ours(rows: list[dict[str, Any]]) -> int:
    ours = (OURS_LIMITED, OURS_UNLIMITED)
    return sum(answered(row) for row in rows if row["route"] == MADE and row["server"] in ours)


def answered(row: dict[str, Any]) -> int:
    return sum(figures["requests"] for figures in row["figures"])
