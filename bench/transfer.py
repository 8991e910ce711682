"""A file brought in: `import_customers`, beside COPY of the same values and the API's own calls."""

from __future__ import annotations

import csv
import secrets
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from bench.bulk import BATCH, copied
from bench.checks import expect, say
from bench.http import Client
from bench.plan import OURS
from bench.servers import ROOT, serving
from bench.world import World, directory
from customers.management.people import people

# As Shopify has them, with columns that have no place here.
HEADER = (
    *("Customer ID", "First Name", "Last Name", "Email", "Accepts Email Marketing"),
    *("Default Address Company", "Default Address Address1", "Default Address City"),
    *("Default Address Country Code", "Phone", "Total Spent", "Total Orders", "Tags"),
)
# Between two looks at the memory.
MEMORY_SECONDS = 0.5
IMPORT, AGAIN = "import_customers", "the same file again"
COPY, CALLS = "COPY of plain text", "POST /v1/customers, one after the other"


def run(world: World) -> dict[str, Any]:
    """Rows a second and the importing processes' largest memory in MB, by way."""
    rates: dict[str, float] = {}
    memory: dict[str, float] = {}
    business = directory(0, f"transfer_{secrets.token_hex(4)}").business
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="", encoding="utf-8") as file:
        _write(file, world.count)
        file.flush()
        say(f"a file of {world.count:,} rows, {Path(file.name).stat().st_size >> 20} MB")
        for name in (IMPORT, AGAIN):
            seconds, memory[name] = _import(world, business.public_id, file.name)
            rates[name] = world.count / seconds
            expect("imported", business.customers.count(), world.count)
    found = business.customers.search("adebayo")
    expect("found", bool(found), any("adebayo" in p.name.lower() for p in people(world.count)))
    if world.rivals_url:
        rows = [asdict(person) for person in people(world.plan.import_rows)]
        batches = [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]
        rates[COPY] = len(rows) / copied(batches, world.rivals_url)
    rates[CALLS] = world.plan.import_calls / _calls(world)
    for name, rate in rates.items():
        say(f"{name}: {rate:,.0f} rows a second, {memory.get(name, 0):,.0f} MB")
    return {"rates": rates, "memory": memory, "rows": world.count}


def _write(file: Any, count: int) -> None:
    writer = csv.writer(file)
    writer.writerow(HEADER)
    for number, person in enumerate(people(count), start=7_000_000):
        first, _, last = person.name.partition(" ")
        street = (person.address or "").replace("\n", " ")
        phone = f"'{person.phone}" if person.phone else ""
        company = person.company_name or ""
        writer.writerow(
            (f"'{number}", first, last, person.email, "yes", company, street, "Lagos", "NG",
             phone, "12500.00", "3", "wholesale, lagos")
        )  # fmt: skip


def _import(world: World, business_id: str, path: str) -> tuple[float, float]:
    """Seconds of a command, its start counted; and the largest memory in MB of all its processes
    together, what they share counted once.
    """
    started, largest = time.perf_counter(), 0
    command = psutil.Popen(
        [sys.executable, "manage.py", "import_customers", business_id, path],
        cwd=ROOT,
        env=world.env,
        stdout=sys.stderr,
    )
    while True:
        try:
            expect("exit code", command.wait(MEMORY_SECONDS), 0)
            return time.perf_counter() - started, largest / (1 << 20)
        except psutil.TimeoutExpired:
            largest = max(largest, _memory(command))


def _memory(command: psutil.Popen) -> int:
    """In bytes; 0 of one that ends meanwhile."""
    try:
        every = [command, *command.children(recursive=True)]
        return sum(each.memory_full_info().pss for each in every)
    except psutil.NoSuchProcess:
        return 0


def _calls(world: World) -> float:
    """Seconds that the API takes for so many new customers of one client."""
    of = directory(0, "transfer_calls")
    word = secrets.token_hex(4)
    with serving(OURS, world.env) as server, Client(server.port, of.key) as client:
        started = time.perf_counter()
        for n in range(world.plan.import_calls):
            body = {"name": f"Ada Obi {n}", "email": f"{word}.{n}@called.example.ng"}
            _, answer = client.post("/v1/customers", body)
            expect("created", answer["data"]["email"], body["email"])
        return time.perf_counter() - started
