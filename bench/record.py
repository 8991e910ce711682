"""python -m bench.record: the tables and the picture anew from bench/results/results.json.

`make bench BENCH=--record` does it behind a run, whose sections take the place of those of before.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from bench.chart import draw
from bench.report import Results, markdown
from bench.servers import ROOT
from bench.summary import calls, drills, scale, search

RESULTS = ROOT / "bench" / "results" / "results.json"
# Where a document has figures between `<!-- bench: NAME -->` and `<!-- /bench -->`.
DOCUMENTS = tuple(
    ROOT / name for name in ("README.md", "docs/benchmarks.md", "docs/adr/0001-sealed-segments.md")
)
_PLACE = re.compile(r"(<!-- bench: (\w+) -->\n).*?(<!-- /bench -->)", re.DOTALL)
_TABLES = {
    "calls": calls,
    "scale": scale,
    "search": search,
    "drills": lambda _: drills((RESULTS.parent / "drills.md").read_text()),
}


def add(results: Results) -> None:
    """Keeps these sections, in place of what was measured of them on these databases before."""
    kept = read()
    for name, section in results.items():
        kept[name] = {**kept.get(name, {}), **section}
    RESULTS.write_text(json.dumps(_rounded(kept), separators=(",", ":")) + "\n")
    write(read())


def read() -> Results:
    if not RESULTS.exists():
        return {}
    found: Results = json.loads(RESULTS.read_text())
    return found


def filled(text: str, results: Results) -> str:
    """A document with these figures."""

    def fill(place: re.Match[str]) -> str:
        begin, name, end = place.groups()
        return f"{begin}{_TABLES[name](results)}{end}"

    return _PLACE.sub(fill, text)


def write(results: Results) -> None:
    RESULTS.with_suffix(".md").write_text(markdown(results))
    for path in DOCUMENTS:
        path.write_text(filled(path.read_text(), results))
    draw(results, RESULTS.with_suffix(".png"))


def _rounded(value: Any) -> Any:
    """Times in microseconds are told exactly enough."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    write(read())
    sys.stdout.write("Written.\n")
