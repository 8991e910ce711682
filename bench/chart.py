"""The figures as a picture: search by percentile, and the request path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

from bench.plan import KEEPING, OURS, REFERENCE
from bench.report import Result, flat, number, spread

_COLOURS = {
    "ours, HTTP": "#0b7a75",
    "plain text, pg_trgm": "#b0b7bf",
    "keyed trigram tokens, GIN": "#8a94a0",
    "decrypt and scan": "#5d6874",
}
_OURS, _THEIRS = "#0b7a75", "#b0b7bf"
_FIGURES = ("mean", "p50", "p95", "p99", "max")


def draw(results: list[Result], path: Path) -> None:
    """Writes the PNG, from the last result that has all rivals."""
    result = next((r for r in reversed(results) if len(r["search"]) > 4), results[-1])
    plt.rcParams.update({"font.size": 9, "font.family": "DejaVu Sans", "axes.titleweight": "bold"})
    figure, (left, *right) = plt.subplots(
        1, 3, figsize=(11, 4), width_ratios=[2.6, 1, 1], layout="constrained"
    )
    _search(left, result)
    for axes, route in zip(right, ("list of 50", "get one"), strict=True):
        _route(axes, result, route)
    for axes in (left, *right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
    figure.savefig(path, dpi=140)
    plt.close(figure)


def _search(axes: Any, result: Result) -> None:
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


def _route(axes: Any, result: Result, route: str) -> None:
    rows = [r for r in result["requests"] if r["route"] == route]
    ours = next(r for r in rows if (r["app"], r["server"]) == (OURS, "granian"))
    theirs = [
        max((r for r in rows if r["app"] == app), key=lambda r: float(r["rate"]))
        for app in (REFERENCE, KEEPING)
    ]
    bars = [ours, *theirs]
    labels = ["ours", "plain DRF", "plain DRF,\nconnections kept"]
    rates = [r["rate"] for r in bars]
    drawn = axes.bar(labels, rates, 0.7, color=[_OURS, *(_THEIRS for _ in theirs)])
    axes.bar_label(drawn, [f"{rate:,.0f}" for rate in rates], fontsize=8, padding=1)
    axes.tick_params(axis="x", labelsize=7.5)
    axes.set_title(f"{route.capitalize()}, requests/s")
