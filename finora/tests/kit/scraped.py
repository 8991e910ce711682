"""What Prometheus would read from `/metrics`."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

TOKEN = "cT7mWq2vY9xLr4KdHs8NbF3jZp6uGe5A"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def samples(text: str) -> list[tuple[str, dict[str, str], float]]:
    """Each figure with its name and labels."""
    families = text_string_to_metric_families(text)
    return [(each.name, each.labels, each.value) for family in families for each in family.samples]


def figures(text: str) -> dict[str, float]:
    """The figures by name and labels, `name{a=1,b=2}`, but for the parts of histograms."""
    found = {}
    for name, labels, value in samples(text):
        if "le" not in labels and not name.endswith("_sum"):
            pairs = ",".join(f"{label}={labels[label]}" for label in sorted(labels))
            found[f"{name}{{{pairs}}}" if pairs else name] = value
    return found
