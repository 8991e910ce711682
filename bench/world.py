"""The data set: businesses of one seed with a key each, made when a section first needs them."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from typing import Any

import psutil
from django.core.management import call_command
from django.db import connection

from bench.checks import say
from bench.plan import Plan
from bench.rivals import Rivals
from bench.servers import ROOT
from bench.truth import Truth
from customers.models import Customer
from customers.search.models import SearchSegment
from finora.tenants.models import ApiKey, Business

# For an autovacuum that has begun, of whichever database.
REST_SECONDS = 120
_VACUUMING = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'"
_COPIED = ("name", "email", "phone", "address", "tin", "company_name", "account_balance_kobo")


@dataclass(frozen=True)
class Directory:
    """A business with so many customers, and a key that opens it."""

    business: Business
    count: int
    key: str
    seeded: float | None = None  # rows a second, where all of them were made in this run

    @property
    def path(self) -> str:
        return f"/v1/customers?businessId={self.business.public_id}"

    @property
    def search_path(self) -> str:
        return f"/v1/customers/search?businessId={self.business.public_id}&q="


def directory(count: int, name: str = "", invoices: int = 0) -> Directory:
    """Made and seeded at the first call; on kept data it goes on where it stopped."""
    business, _ = Business.objects.get_or_create(
        public_id=f"biz_bench_{name or count}", defaults={"name": name or f"{count:,} customers"}
    )
    there = Customer.objects.in_business(business.pk).count()
    seeded = None
    if there < count:
        started = time.perf_counter()
        options = {"count": count, "invoices": invoices, "stdout": sys.stderr}
        call_command("seed_customers", business.public_id, **options)
        if not there:
            seeded = count / (time.perf_counter() - started)
        _settle()
    _, key = ApiKey.objects.issue(business, "bench")
    return Directory(business, count, key, seeded)


def _settle() -> None:
    """As PostgreSQL would by itself within minutes, beside what is measured; rivals' likewise."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for model in Customer, SearchSegment:
                cursor.execute(f"VACUUM ANALYZE {connection.ops.quote_name(model._meta.db_table)}")
            cursor.execute("CHECKPOINT")


def rest() -> None:
    """Waits until what was loaded is done with: vacuumed and written by PostgreSQL, and none of
    this process's own objects left that the collector would look at while something is timed.
    """
    gc.collect()
    gc.freeze()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
            cursor.execute("CHECKPOINT")
            deadline = time.monotonic() + REST_SECONDS
            while time.monotonic() < deadline:
                cursor.execute(_VACUUMING)
                if not cursor.fetchone()[0]:
                    return
                time.sleep(0.5)
        say("PostgreSQL is vacuuming still")


class World:
    """What the sections of one database's run share."""

    def __init__(self, task: Mapping[str, Any]) -> None:
        self.env: dict[str, str] = task["env"]
        self.count: int = task["count"]
        self.plan = Plan(**task["plan"])
        self.rivals_url: str | None = task["rivals"]
        self.reference_url: str = task["reference"]
        self.on_postgres = connection.vendor == "postgresql"
        self.postmaster = psutil.Process(task["postmaster"]) if task["postmaster"] else None
        self.truth = cache(lambda of: Truth(of.business))

    @cached_property
    def small(self) -> Directory:
        return directory(self.plan.small)

    @cached_property
    def middle(self) -> Directory:
        return directory(self.plan.middle)

    @cached_property
    def large(self) -> Directory:
        return directory(self.count)

    @cached_property
    def made(self) -> Directory:
        """A business of its own for customers that are made under load."""
        return directory(0, "made")

    @cached_property
    def rivals(self) -> Rivals | None:
        """None in the run of the one database, as they are measured once."""
        if self.rivals_url is None:
            return None
        say("filling the rivals' tables")
        return Rivals(self.rivals_url, self.truth(self.large))

    @cached_property
    def reference_env(self) -> dict[str, str]:
        """What the references run with; their tables are filled when it is first asked for."""
        return self.fill_reference(self.large, [self.large, self.made])

    def fill_reference(self, source: Directory, callers: list[Directory]) -> dict[str, str]:
        """With one directory's customers, and these keys: what the references run with."""
        env = {
            **self.env,
            "DATABASE_URL": self.reference_url,
            "DJANGO_SETTINGS_MODULE": "bench.reference.settings",
        }
        say("filling the references' tables")
        _copy_to_reference(source, callers, env)
        return env


def _copy_to_reference(source: Directory, callers: list[Directory], env: dict[str, str]) -> None:
    """The same customers, keys and values for the references, sealed their own way."""
    loader = subprocess.Popen(
        [sys.executable, "-m", "bench.reference.load"],
        cwd=ROOT,
        env=env,
        stdin=subprocess.PIPE,
        text=True,
    )
    assert loader.stdin is not None
    rows = Customer.objects.in_business(source.business.pk).active().order_by("id")
    task = {
        "business_id": source.business.public_id,
        "count": rows.count(),
        "keys": [
            {
                "digest": sha256(caller.key.encode()).hexdigest(),
                "business_id": caller.business.public_id,
            }
            for caller in callers
        ],
    }
    try:
        with loader.stdin as out:
            out.write(json.dumps(task) + os.linesep)
            for customer in rows.iterator(chunk_size=2000):
                row = {name: getattr(customer, name) for name in _COPIED}
                row["public_id"] = customer.public_id
                row["created_at"] = customer.created_at.isoformat()
                out.write(json.dumps(row) + os.linesep)
    except BrokenPipeError:
        pass  # it had them
    if loader.wait():
        raise RuntimeError("the references' tables could not be filled")
