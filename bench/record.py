"""python -m bench.record: the tables and the picture anew from bench/results/results.json.

`make bench BENCH=--record` does it behind a run, whose sections take the place of those of before.
Those of another number of customers have a file of their own beside it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.chart import draw
from bench.plan import COUNT, MILLION
from bench.report import Results, markdown, spent, where
from bench.servers import ROOT
from bench.summary import calls, drills, sales, scale, search

RESULTS = ROOT / "bench" / "results" / "results.json"
# Where a document has figures between `<!-- bench: NAME -->` and `<!-- /bench -->`.
DOCUMENTS = tuple(
    ROOT / name for name in ("README.md", "docs/benchmarks.md", "docs/adr/0001-sealed-segments.md")
)
_PLACE = re.compile(r"(<!-- bench: (\w+) -->\n).*?(<!-- /bench -->)", re.DOTALL)
_TABLES: dict[str, Callable[[Results], str]] = {
    "calls": calls,
    "scale": scale,
    "million": lambda _: scale(read(MILLION)),
    "search": search,
    "sales": lambda results: sales(read(MILLION)) or sales(results),
    "profile": lambda results: (
        spent(results["profile"]["postgres"]) if "profile" in results else ""
    ),
    "where": lambda _: where(read(MILLION)["where"]) if "where" in read(MILLION) else "",
    "drills": lambda _: drills((RESULTS.parent / "drills.md").read_text()),
}


def add(results: Results, count: int = COUNT) -> None:
    """Keeps these sections, in place of what was measured of them on these databases before."""
    kept = read(count)
    for name, section in results.items():
        kept[name] = {**kept.get(name, {}), **section}
    _file(count).write_text(json.dumps(_rounded(kept), separators=(",", ":")) + "\n")
    write(count)


def read(count: int = COUNT) -> Results:
    """What was measured at this number of customers."""
    if not _file(count).exists():
        return {}
    found: Results = json.loads(_file(count).read_text())
    return found


def _file(count: int) -> Path:
    return RESULTS if count == COUNT else RESULTS.with_stem(f"{RESULTS.stem}-{count}")


def filled(text: str, results: Results) -> str:
    """A document with these figures."""

    def fill(place: re.Match[str]) -> str:
        begin, name, end = place.groups()
        return f"{begin}{_TABLES[name](results)}{end}"

    return _PLACE.sub(fill, text)


def write(count: int = COUNT) -> None:
    """The tables of this number of customers; and in the documents all of them."""
    results = read()
    for path in DOCUMENTS:
        path.write_text(filled(path.read_text(), results))
    _file(count).with_suffix(".md").write_text(markdown(read(count)))
    if count == COUNT:
        draw(results, RESULTS.with_suffix(".png"))


def _rounded(value: Any) -> Any:
    """Times in microseconds are told exactly enough."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    write()
    sys.stdout.write("Written.\n")
