"""The figures as Markdown tables, which read well in a terminal too.

Results are by section, and in it by database (`sqlite`, `postgres`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import fmean, median
from typing import Any

from bench.plan import (
    CONNECTIONS,
    FASTAPI,
    MODELVIEWSET,
    TAIL,
    WORKERS,
)

Figures = dict[str, Any]
Section = dict[str, Figures]
Results = dict[str, Section]
BASE = "ours, HTTP"
MISSING = "–"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all values do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def spread(values: Sequence[float]) -> list[float]:
    """The mean, p50, p95, p99 and the largest."""
    percentiles = [percentile(values, share) for share in (0.5, 0.95, 0.99)]
    return [fmean(values), *percentiles, max(values)]


def flat(timings: dict[str, list[float]]) -> list[float]:
    return [ms for values in timings.values() for ms in values]


def number(value: float | None) -> str:
    """Three figures that count, or all of a large one."""
    if value is None:
        return MISSING
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [list(head), *map(list, rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [
        [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
        for row in (cells[0], rule, *cells[1:])
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def brand(figures: Figures) -> str:
    return str(figures["database"]).split()[0]


# The calls under load.


def of_rounds(row: dict[str, Any], what: str) -> float:
    """The median of what the rounds measured."""
    return median(figures[what] for figures in row["figures"])


def _cpu(row: dict[str, Any], whose: str) -> float | None:
    found = [figures["cpu"].get(whose) for figures in row["figures"]]
    return None if None in found else median(found)


def ratio(row: dict[str, Any], other: dict[str, Any], what: str = "rate") -> float:
    """The median of each round's own ratio."""
    pairs = zip(row["figures"], other["figures"], strict=True)
    return median(mine[what] / theirs[what] for mine, theirs in pairs)


def by_route(figures: Figures) -> dict[str, dict[str, dict[str, Any]]]:
    """The rows by route and server."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in figures["rows"]:
        found.setdefault(row["route"], {})[row["server"]] = row
    return found


def under_load(section: Section) -> str:
    """Each call of each server."""
    rows = []
    for figures in section.values():
        for route, servers in by_route(figures).items():
            for name, row in servers.items():
                beside = ""
                if FASTAPI in servers and name != FASTAPI:
                    beside = f"{ratio(row, servers[FASTAPI]):.2f}"
                p50, p99 = of_rounds(row, "p50"), of_rounds(row, "p99")
                rows.append(
                    [
                        f"{route} · {brand(figures)} · {name}",
                        f"{of_rounds(row, 'rate'):,.0f}",
                        beside,
                        *(number(_cpu(row, whose)) for whose in ("server", "database", "redis")),
                        *(number(p50), number(p99), f"{p99 / p50:.1f}"),
                        number(_cpu(row, "load")),
                    ]
                )
    head = (
        f"{CONNECTIONS} connections, {WORKERS} workers",
        *("requests/s", "to FastAPI's", "CPU ms each", "database's", "Redis'"),
        *("p50 ms", "p99 ms", "p99 to p50", "load's own CPU"),
    )
    return table(head, rows)


def _calls(section: Section) -> str:
    first = next(iter(section.values()))
    return f"""{under_load(section)}
At {first["count"]:,} customers, {first["rounds"]} rounds of {first["seconds"]} s for each,
load by {first["generator"]}. Rates and times are medians of the rounds, "to FastAPI's" is the
median of each round's own ratio. CPU is user and system time for each request: of the server, of
PostgreSQL, of Redis, of the load.
"{FASTAPI}" and "{MODELVIEWSET}" are `bench/reference`: they have no limits, audit or search.
"""


def _sales(section: Section) -> str:
    first = next(iter(section.values()))
    books = "".join(
        f"- {brand(figures)}, {name}: {count:,} invoices, all balances and numbers right\n"
        for figures in section.values()
        for name, count in figures["books"].items()
    )
    return f"""{under_load(section)}
In books of {first["count"]:,} invoices of {first["customers"]:,} customers; {first["rounds"]}
rounds of {first["seconds"]} s for each, as of the calls. Added up afterwards, with what was made:

{books}"""


# Many customers.


def _search(section: Section) -> str:
    rows = []
    for figures in section.values():
        base = spread(flat(figures["search"][BASE]))
        for name, timings in figures["search"].items():
            values = spread(flat(timings))
            times = ["", "", ""]
            if name != BASE:
                times = [f"{values[i] / base[i]:.1f}" for i in (0, 1, 3)]
            kinds = str(len(timings))
            rows.append([f"{name} · {brand(figures)}", kinds, *map(number, values), *times])
    # The databases side by side.
    order = list(dict.fromkeys(name for figures in section.values() for name in figures["search"]))
    rows.sort(key=lambda row: order.index(row[0].split(" · ")[0]))
    head = (
        *("search, ms", "kinds", "mean", "p50", "p95", "p99", "max"),
        *("mean to ours", "p50 to ours", "p99 to ours"),
    )
    first = next(iter(section.values()))
    kinds = len(first["queries"])
    return f"""At {first["count"]:,} customers; {kinds} kinds of query: one to twelve characters,
common to nowhere, names that sort last, across the `@`, accents. Every answer was compared with
brute force while it was timed; whatever was loaded had been vacuumed and written. The others are
asked without HTTP and without accents; "the tail full" is with {TAIL} customers changed since
their segment was written.

{table(head, rows)}
{_slowest(section)}
{_first(section)}"""


def _slowest(section: Section, count: int = 8) -> str:
    """The kinds that take ours the longest, by the median of their rounds."""
    rows = []
    for figures in section.values():
        by_kind = {k: percentile(v, 0.5) for k, v in figures["search"][BASE].items()}
        for kind in sorted(by_kind, key=by_kind.__getitem__)[: -count - 1 : -1]:
            rows.append([f"{kind} · {brand(figures)}", number(by_kind[kind])])
    return table(("slowest kinds of query over HTTP", "p50 ms"), rows)


def _first(section: Section) -> str:
    rows = []
    for figures in section.values():
        for count, by_name in figures["first"].items():
            for name, times in by_name.items():
                row = f"{name} · {brand(figures)} · at {int(count):,}"
                rows.append([row, " · ".join(map(number, times))])
    return table(("first search of a process or connection, several in turn", "ms"), rows)


def _bulk(section: Section) -> str:
    names = dict.fromkeys(name for figures in section.values() for name in figures["rates"])
    rows = [
        [name, *(number(figures["rates"].get(name)) for figures in section.values())]
        for name in names
    ]
    first = next(iter(section.values()))
    return f"""{table(("rows a second", *map(brand, section.values())), rows)}
`seed_customers` makes up and imports {first["count"]:,}; the others take {first["rows"]:,} that
are made up before. The copied table has plain columns and plain indexes, and is empty before.
"""


def _lists(section: Section) -> str:
    rows = []
    for figures in section.values():
        (_, base), *_others = figures["list"].items()
        for count, times in figures["list"].items():
            to_base = percentile(times, 0.5) / percentile(base, 0.5)
            name = f"at {int(count):,} · {brand(figures)}"
            rows.append([name, *map(number, spread(times)), f"{to_base:.2f}"])
    walks = [
        [f"{name} · {brand(figures)}", f"{rate:,.0f}"]
        for figures in section.values()
        for name, rate in figures["walk"].items()
    ]
    head = ("list of 50, HTTP, ms", "mean", "p50", "p95", "p99", "max", "p50 ratio")
    return f"{table(head, rows)}\n{table(('walk by cursor, 100 a page', 'rows a second'), walks)}"


def _packing(section: Section) -> str:
    first = next(iter(section.values()))
    rows = [
        [
            f"{what} · {brand(figures)}",
            f"{len(figures[kind]):,}",
            *map(number, spread(figures[kind])),
        ]
        for figures in section.values()
        for kind, what in (
            ("writes", "new customers, HTTP"),
            ("waits", "beside packing: longer than the middle one of the others by"),
            ("others", "not beside packing: the same"),
            ("steps", "steps of packing"),
        )
        if figures.get(kind)
    ]
    head = (
        f"one client, one worker, {first['customers']:,} customers before, ms",
        "",
        "mean",
        "p50",
        "p95",
        "p99",
        "max",
    )
    return table(head, rows)


def _transfer(section: Section) -> str:
    names = dict.fromkeys(name for figures in section.values() for name in figures["rates"])
    rows = [
        [
            name,
            *(number(figures["rates"].get(name)) for figures in section.values()),
            *(number(figures["memory"].get(name)) for figures in section.values()),
        ]
        for name in names
    ]
    brands = [brand(figures) for figures in section.values()]
    first = next(iter(section.values()))
    head = ("rows a second", *brands, *(f"largest memory, MB, {each}" for each in brands))
    return f"""{table(head, rows)}
A file of {first["rows"]:,} rows in Shopify's columns: decoded, held to the rules, looked up,
sealed, indexed and packed for search, by a process of its own from its start to its end.
"""


# Where the CPU of a call goes.

_BESIDE = {"database": "PostgreSQL", "redis": "Redis", "load": "the load's generator"}


def spent(figures: Figures) -> str:
    """µs of CPU a call, with limits and without."""
    servers = dict.fromkeys(row["server"] for row in figures["rows"])
    return "\n".join(_spent(figures, server) for server in servers)


def _spent(figures: Figures, server: str) -> str:
    of = {row["route"]: row for row in figures["rows"] if row["server"] == server}
    cpu = {
        route: {whose: ms * 1000 for whose, ms in row["cpu"].items()} for route, row in of.items()
    }
    django = {route: sum(row["parts"].values()) for route, row in of.items()}
    parts = next(iter(of.values()))["parts"]
    together = {route: sum(each.values()) for route, each in cpu.items()}
    most = {route: figures["cores"] * 1e6 / each for route, each in together.items()}
    lines = {part: [f"{row['parts'][part]:.0f}" for row in of.values()] for part in parts}
    lines["HTTP, sockets, from thread to thread"] = [
        f"{cpu[route]['server'] - django[route]:.0f}" for route in of
    ]
    lines["**ours**"] = [f"**{each['server']:.0f}**" for each in cpu.values()]
    for whose, name in _BESIDE.items():
        lines[name] = [f"{each.get(whose, 0):.0f}" for each in cpu.values()]
    lines["**all**"] = [f"**{each:.0f}**" for each in together.values()]
    lines[f"calls/s that {figures['cores']} cores have CPU for"] = [
        f"{each:,.0f}" for each in most.values()
    ]
    lines["calls/s reached"] = [
        f"{row['rate']:,.0f} ({row['rate'] / most[route]:.0%})" for route, row in of.items()
    ]
    return table(
        (f"{server}, {brand(figures)}: µs of CPU a call", *of),
        [[name, *cells] for name, cells in lines.items()],
    )


def _profile(section: Section) -> str:
    return "\n".join(spent(figures) for figures in section.values())


def where(section: Section) -> str:
    """Where the time goes, on PostgreSQL."""
    figures = section["postgres"]
    tables = []
    for name, steps in figures["steps"].items():
        rows = [[step, *map(number, each)] for step, each in steps.items()]
        tables.append(table((f"µs {name}", "our CPU", "PostgreSQL's", "in all"), rows))
    return "\n".join(tables)


def _where(section: Section) -> str:
    queries = ", ".join(next(iter(section.values()))["queries"])
    told = where(section) if "postgres" in section else ""
    return f"""{told}
At {next(iter(section.values()))["count"]:,} customers, one thing after the other. The searches are
for {queries}. What is CPU of neither is waiting.
"""


_SECTIONS = {
    "calls": _calls,
    "sales": _sales,
    "bulk": _bulk,
    "search": _search,
    "lists": _lists,
    "packing": _packing,
    "transfer": _transfer,
    "profile": _profile,
    "where": _where,
}


def markdown(results: Results) -> str:
    """All tables of the sections that there are, under what they were measured on."""
    parts = []
    for name, write in _SECTIONS.items():
        if section := results.get(name):
            parts.append(f"## {name.capitalize()}\n\n{write(section)}")
    every = [figures for section in results.values() for figures in section.values()]
    on = " and ".join(sorted({str(f["database"]) for f in every}))
    versions = f"Python {every[0]['python']}, Django {every[0]['django']}"
    settings = " or ".join(sorted({f["settings"] for f in every if f.get("settings")}))
    return f"""Measured on {on}, {settings or "as they come"}; {versions}; {every[0]["cores"]} cores
that server, database and load share.

{chr(10).join(parts)}"""
