"""A business after the storm, beside the ledger and beside brute force; all through the API."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from bench.drills.client import Unanswered
from bench.drills.ledger import Ledger, Row, unsorted, wrong_search
from bench.drills.world import World

SAMPLE = 60
# What many have in common, with accents and without, and what nobody has.
QUERIES = ["obi", "adebayo", "Adébáyọ̀", "ọ́", "b", "@own", "changed.example", "shop", "%", "q1x"]


@dataclass
class Audit:
    rows: list[Row] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    searches: int = 0
    lookups: int = 0


def audit(world: World, ledger: Ledger) -> Audit:
    """Lists all customers and holds ledger, searches, lookups and lists to them."""
    found = Audit()
    client = world.client()
    try:
        found.rows = list(client.walk(world.business, status="all"))
        rows = found.rows
        found.wrong += ledger.check(rows) + unsorted(rows)
        active = [row for row in rows if row["isActive"]]
        if list(client.walk(world.business)) != active:
            found.wrong.append("the list of active customers differs from the list of all")
        sample = random.Random(len(rows)).sample(rows, min(SAMPLE, len(rows)))
        words = [word for row in sample for word in (row["name"], row["email"])]
        for query in [*QUERIES, *words, *(word[1:8] for word in words)]:
            query = query.strip()
            found.searches += 1
            found.wrong += wrong_search(rows, query, client.search(world.business, query))
        for row in sample:
            for name in ("email", "phone"):
                if row[name] is None:
                    continue
                found.lookups += 1
                wanted = {r["id"] for r in active if r[name] == row[name]}
                answer = {r["id"] for r in client.walk(world.business, **{name: row[name]})}
                if answer != wanted:
                    found.wrong.append(
                        f"{name} {row[name]}: {len(answer)} instead of {len(wanted)}"
                    )
    except (Unanswered, ValueError) as error:
        found.wrong.append(f"the audit got no answer: {error!r}")
    return found
