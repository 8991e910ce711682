"""The short tables of the documents: the calls, what many customers cost, and the drills."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bench.plan import FASTAPI, MODELVIEWSET, OURS, OURS_LIMITED, OURS_UNLIMITED
from bench.report import (
    BASE,
    MISSING,
    Figures,
    Results,
    brand,
    by_route,
    flat,
    number,
    of_rounds,
    ratio,
    spread,
    table,
    under_load,
)

_Value = Callable[[Figures], str]


def calls(results: Results) -> str:
    """Requests a second on PostgreSQL, and beside the fast reference's."""
    figures = results["calls"]["postgres"]
    names = (OURS_LIMITED, OURS_UNLIMITED, FASTAPI, MODELVIEWSET)
    rows = []
    for route, servers in by_route(figures).items():
        cells = []
        for name in names:
            cell = MISSING
            if name in servers:
                cell = f"{of_rounds(servers[name], 'rate'):,.0f}"
                if name in (OURS_LIMITED, OURS_UNLIMITED):
                    cell += f" · **{ratio(servers[name], servers[FASTAPI]):.2f}**"
            cells.append(cell)
        rows.append([route, *cells])
    return table((f"requests/s at {figures['count']:,} customers", *names), rows)


def sales(results: Results) -> str:
    """Invoices under load on PostgreSQL, or nothing where they were not measured."""
    figures = results.get("sales", {}).get("postgres")
    if figures is None:
        return ""
    right = ", ".join(f"{name}: {count:,}" for name, count in figures["books"].items())
    return f"""{under_load({"postgres": figures})}
In books of {figures["count"]:,} invoices of {figures["customers"]:,} customers. Added up
afterwards, all balances and numbers were right (invoices by then: {right}).
"""


def scale(results: Results) -> str:
    """What many customers cost, each figure beside its peer of the same run."""
    rows = [
        [
            what,
            *(_told(results, section, db, ours) for db in ("sqlite", "postgres")),
            f"{peer} {_told(results, section, 'postgres', theirs)}" if peer else "",
        ]
        for what, section, ours, peer, theirs in (
            (
                *("search, p50 / p99 / max ms", "search", _search(BASE)),
                *("pg_trgm", _search("plain text, pg_trgm")),
            ),
            ("first search, ms", "search", _first(OURS), "pg_trgm", _first("pg_trgm")),
            (
                *("`seed_customers`, rows/s", "bulk", _rate("seed_customers")),
                *("COPY under pg_trgm", _rate("COPY of plain text under pg_trgm")),
            ),
            (
                *("`import_packed`, rows/s", "bulk", _rate("import_packed")),
                *("COPY under pg_trgm", _rate("COPY of plain text under pg_trgm")),
            ),
            (
                *("`import_customers` of a file, rows/s", "transfer", _rate("import_customers")),
                *("COPY", _rate("COPY of plain text")),
            ),
            ("walk by cursor, rows/s", "lists", _walk(OURS), "FastAPI", _walk(FASTAPI)),
            (
                "longest wait of a write for packing, ms",
                "packing",
                _longest_wait,
                "",
                _longest_wait,
            ),
        )
    ]
    if "search" not in results:
        return ""
    count = next(iter(results["search"].values()))["count"]
    measured = [row for row in rows if {*row[1:3]} != {MISSING}]
    head = (f"at {count:,} customers", "SQLite", "PostgreSQL", "beside PostgreSQL's")
    return table(head, measured)


def search(results: Results) -> str:
    """Every way to search on PostgreSQL, and ours on SQLite."""
    section = results["search"]
    shown = [(BASE, section["sqlite"])]
    shown += [
        (name, section["postgres"])
        for name in section["postgres"]["search"]
        if "process" not in name
    ]
    rows = [
        [
            f"**sealed segments, HTTP**, {brand(figures)}" if name == BASE else name,
            *map(number, spread(flat(figures["search"][name]))),
        ]
        for name, figures in shown
    ]
    count = section["postgres"]["count"]
    head = (f"search among {count:,}, ms", "mean", "p50", "p95", "p99", "max")
    return table(head, rows)


def _told(results: Results, section: str, db: str, value: _Value) -> str:
    figures = results.get(section, {}).get(db)
    return value(figures) if figures else MISSING


def _search(name: str) -> _Value:
    def value(figures: Figures) -> str:
        _, p50, _, p99, slowest = spread(flat(figures["search"][name]))
        return " / ".join(map(number, (p50, p99, slowest)))

    return value


def _first(name: str) -> _Value:
    """The slowest of several starts, in the largest directory."""
    return lambda figures: number(max(list(figures["first"].values())[-1][name]))


def _rate(name: str) -> _Value:
    return lambda figures: number(figures["rates"].get(name))


def _walk(name: str) -> _Value:
    return lambda figures: number(figures["walk"][name])


def _longest_wait(figures: Figures) -> str:
    return number(max(figures["waits"]))


def drills(text: str) -> str:
    """The last drills' own table under its heading, a line for both databases."""
    heading, *lines = text.splitlines()
    rows: dict[str, list[list[str]]] = {}
    for line in lines:
        if " | sqlite | " in line or " | postgres | " in line:
            drill, _, *cells = (cell.strip() for cell in line.strip("| ").split(" | "))
            rows.setdefault(drill, []).append(cells)
    return _plain(
        (heading.rstrip("."), "did", "checked on SQLite: found", "on PostgreSQL: found"),
        (
            [
                drill,
                " / ".join(dict.fromkeys(did for did, *_ in by_database if did)),
                *(
                    f"{checked}: **{found}**" if checked else found
                    for _, checked, found, _ in by_database
                ),
            ]
            for drill, by_database in rows.items()
        ),
    )


def _plain(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Not padded, as its cells are long."""
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))
