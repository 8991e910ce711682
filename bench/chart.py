"""The figures as a picture: search by percentile, and the request path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

from bench.plan import FASTAPI, FOUND, LIST, MODELVIEWSET, OURS_LIMITED
from bench.report import Figures, Results, by_route, flat, number, of_rounds, spread

_COLOURS = {
    "ours, HTTP": "#0b7a75",
    "plain text, pg_trgm": "#b0b7bf",
    "keyed trigram tokens, GIN": "#8a94a0",
    "decrypt and scan": "#5d6874",
}
_OURS, _THEIRS = "#0b7a75", "#b0b7bf"
_FIGURES = ("mean", "p50", "p95", "p99", "max")


def draw(results: Results, path: Path) -> None:
    """Writes the PNG, of what was measured on PostgreSQL."""
    search = results["search"]["postgres"]
    calls = by_route(results["calls"]["postgres"])
    plt.rcParams.update({"font.size": 9, "font.family": "DejaVu Sans", "axes.titleweight": "bold"})
    figure, (left, *right) = plt.subplots(
        1, 3, figsize=(11, 4), width_ratios=[2.6, 1, 1], layout="constrained"
    )
    _search(left, search)
    for axes, route in zip(right, (FOUND, LIST), strict=True):
        _route(axes, calls[route], route)
    for axes in (left, *right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
    figure.savefig(path, dpi=140)
    plt.close(figure)


def _search(axes: Any, result: Figures) -> None:
    shown = [name for name in _COLOURS if name in result["search"]]
    width = 0.84 / len(shown)
    for place, name in enumerate(shown):
        figures = spread(flat(result["search"][name]))
        at = [i + (place - (len(shown) - 1) / 2) * width for i in range(len(figures))]
        bars = axes.bar(at, figures, width * 0.92, color=_COLOURS[name], label=name)
        axes.bar_label(bars, [number(f) for f in figures], fontsize=7, padding=1)
    axes.set_yscale("log")
    axes.margins(y=0.12)
    axes.set_xticks(range(len(_FIGURES)), _FIGURES)
    axes.set_ylabel("milliseconds, log scale")
    axes.set_title(f"Search in {result['count']:,} customers, {result['database'].split()[0]}")
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    axes.set_ylim(top=axes.get_ylim()[1] * 12)


def _route(axes: Any, servers: dict[str, dict[str, Any]], route: str) -> None:
    names = {
        OURS_LIMITED: "ours, limits\nin Redis",
        FASTAPI: "FastAPI",
        MODELVIEWSET: "ModelViewSet",
    }
    shown = [name for name in names if name in servers]
    rates = [of_rounds(servers[name], "rate") for name in shown]
    colours = [_OURS if name == OURS_LIMITED else _THEIRS for name in shown]
    drawn = axes.bar([names[name] for name in shown], rates, 0.7, color=colours)
    axes.bar_label(drawn, [f"{rate:,.0f}" for rate in rates], fontsize=8, padding=1)
    axes.tick_params(axis="x", labelsize=7.5)
    axes.set_title(f"{route.capitalize()}, requests/s", fontsize=8.5)
