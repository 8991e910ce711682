"""Many customers at once: seeding, `import_packed`, and COPY of the same values as plain text."""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict
from typing import Any

import psycopg

from bench.checks import expect, say
from bench.world import World, directory
from customers.management.people import people
from finora import loads

_PLAIN = """
DROP TABLE IF EXISTS imported;
CREATE TABLE imported (
    id bigserial PRIMARY KEY, business text, name text COLLATE "C", email text COLLATE "C",
    phone text, address text, tin text, company_name text
);
CREATE UNIQUE INDEX ON imported (business, email);
CREATE INDEX ON imported (business, name, id);
"""
_TRIGRAMS = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX ON imported USING gin (name gin_trgm_ops);
CREATE INDEX ON imported USING gin (email gin_trgm_ops);
"""
_COLUMNS = ("name", "email", "phone", "address", "tin", "company_name")
BATCH = 2_000


def run(world: World) -> dict[str, Any]:
    """Rows a second by way. Seeding only where the rows were made in this run."""
    rates: dict[str, float | None] = {"seed_customers": world.large.seeded}
    rows = [asdict(person) for person in people(world.plan.import_rows, seed=1)]
    batches = [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]
    rates["import_packed"] = len(rows) / _import(batches)
    if world.rivals_url:
        rates["COPY of plain text"] = len(rows) / copied(batches, world.rivals_url)
        trigrams = copied(batches, world.rivals_url, _TRIGRAMS)
        rates["COPY of plain text under pg_trgm"] = len(rows) / trigrams
    for name, rate in rates.items():
        if rate:
            say(f"{name}: {rate:,.0f} rows a second")
    return {"rates": rates, "rows": len(rows)}


def _import(batches: list[list[dict[str, Any]]]) -> float:
    """Into a new business, beside all that are there: seconds."""
    business = directory(0, f"import_{secrets.token_hex(4)}").business
    customers = business.customers
    made = ([customers.new(**row) for row in batch] for batch in batches)
    started = time.perf_counter()
    with loads.in_bulk(), loads.ahead(map(customers.sealed, made)) as ready:
        for batch in ready:
            customers.import_packed(batch)
    spent = time.perf_counter() - started
    expect("imported", customers.count(), sum(map(len, batches)))
    return spent


def copied(batches: list[list[dict[str, Any]]], url: str, more: str = "") -> float:
    """Into an empty table: seconds."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((_PLAIN + more).encode())
        statement = f"COPY imported ({', '.join(_COLUMNS)}) FROM STDIN".encode()
        started = time.perf_counter()
        for batch in batches:
            with connection.cursor().copy(statement) as copy:
                for row in batch:
                    copy.write_row([row[name] for name in _COLUMNS])
        spent = time.perf_counter() - started
        connection.execute("DROP TABLE imported")
    return spent
