"""The figures as Markdown tables, which read well in a terminal too."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from bench.plan import CONNECTIONS, OURS, REFERENCE, STARTS, TAIL, WORKERS

Result = dict[str, Any]
BASE = "ours, HTTP"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all values do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def spread(values: Sequence[float]) -> list[float]:
    """The mean, p50, p95, p99 and the largest."""
    percentiles = [percentile(values, share) for share in (0.5, 0.95, 0.99)]
    return [fmean(values), *percentiles, max(values)]


def flat(timings: dict[str, list[float]]) -> list[float]:
    return [ms for values in timings.values() for ms in values]


def number(value: float) -> str:
    """Three figures that count, or all of a large one."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [list(head), *map(list, rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [
        [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
        for row in (cells[0], rule, *cells[1:])
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _brand(result: Result) -> str:
    return str(result["database"]).split()[0]


def _search(results: list[Result]) -> str:
    rows = []
    for result in results:
        base = spread(flat(result["search"][BASE]))
        for name, timings in result["search"].items():
            figures = spread(flat(timings))
            times = ["", "", ""]
            if name != BASE:
                times = [f"{figures[i] / base[i]:.1f}" for i in (0, 1, 3)]
            kinds = str(len(timings))
            rows.append([f"{name} · {_brand(result)}", kinds, *map(number, figures), *times])
    # The databases side by side.
    order = list(dict.fromkeys(name for result in results for name in result["search"]))
    rows.sort(key=lambda row: order.index(row[0].split(" · ")[0]))
    head = (
        *("search, ms", "kinds", "mean", "p50", "p95", "p99", "max"),
        *("mean to ours", "p50 to ours", "p99 to ours"),
    )
    return _table(head, rows)


def _first(results: list[Result]) -> str:
    counts = list(results[0]["first"])
    head = [
        f"first search of a process, {STARTS} starts in turn, ms",
        *(f"at {int(count):,}" for count in counts),
    ]
    rows = [
        [_brand(result), *(" · ".join(map(number, result["first"][count])) for count in counts)]
        for result in results
    ]
    return _table(head, rows)


def _lists(results: list[Result]) -> str:
    rows = []
    for result in results:
        (small, base), *others = result["list"].items()
        for count, times in ((small, base), *others):
            ratio = percentile(times, 0.5) / percentile(base, 0.5)
            name = f"at {int(count):,} · {_brand(result)}"
            walked = f"{result['walk']:,.0f}" if count != small else ""
            rows.append([name, *map(number, spread(times)), f"{ratio:.2f}", walked])
    head = ("list of 50, HTTP, ms", "mean", "p50", "p95", "p99", "max", "p50 ratio", "walk, rows/s")
    return _table(head, rows)


def _requests(results: list[Result]) -> str:
    rows = []
    for result in results:
        for route in dict.fromkeys(r["route"] for r in result["requests"]):
            every = [r for r in result["requests"] if r["route"] == route]
            ours = next(r for r in every if (r["app"], r["server"]) == (OURS, "granian"))
            for r in every:
                database = "" if r["database cpu"] is None else number(r["database cpu"])
                rows.append(
                    [
                        f"{route} · {_brand(result)} · {r['app']}, {r['server']}",
                        f"{r['rate']:,.0f}",
                        number(r["cpu"]),
                        database,
                        *(number(percentile(r["ms"], share)) for share in (0.5, 0.99)),
                        f"{ours['rate'] / r['rate']:.2f}",
                        f"{r['cpu'] / ours['cpu']:.2f}",
                    ]
                )
    head = (
        f"{CONNECTIONS} connections, {WORKERS} workers",
        *("requests/s", "CPU ms each", "database's", "p50 ms", "p99 ms"),
        *("ours faster by", "ours less CPU by"),
    )
    return _table(head, rows)


def slowest(results: list[Result], count: int = 8) -> str:
    """The kinds that take ours the longest, by the median of their rounds."""
    rows = []
    for result in results:
        by_kind = {k: percentile(v, 0.5) for k, v in result["search"][BASE].items()}
        for kind in sorted(by_kind, key=by_kind.__getitem__)[: -count - 1 : -1]:
            rows.append([f"{kind} · {_brand(result)}", number(by_kind[kind])])
    return _table(("slowest kinds of query over HTTP", "p50 ms"), rows)


def markdown(results: list[Result]) -> str:
    """All tables, under what they were measured on."""
    first = results[0]
    databases = " and ".join(str(result["database"]) for result in results)
    versions = f"Python {first['python']}, Django {first['django']}"
    cores, kinds = os.cpu_count(), len(first["queries"])
    return f"""Measured on {first["count"]:,} customers of one business: {databases}, as they come;
{versions}; {cores} cores that server, database and client share.
{kinds} kinds of query: one to twelve characters, common to nowhere, names that sort last, across
the `@`, accents. Every answer was compared with brute force while it was timed. The others are
asked without HTTP and without accents; "the tail full" is with {TAIL} customers changed since their
segment was written.

{_search(results)}
{slowest(results)}
{_first(results)}
{_lists(results)}
{_requests(results)}
CPU is user and system time of the server's processes ("database's": of PostgreSQL's) for each
request. "{REFERENCE}" is `bench/reference`: what startproject writes and REST framework
documents, the package's own fields, cursor pagination, the same customers.
"""
