"""What the two commands that change keys have in common: every model in its turn, counted."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from typing import Any

from django.db import models

from finora.management.keyed import KeyedCommand
from finora.sealing import registry
from finora.sealing.rotation import NAMED, Count

TOLD_EVERY = 2  # seconds


class RotatingCommand(KeyedCommand):
    """A command that goes through all rows of all models that have declared a kind of field."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, and write nothing")

    def go_through(
        self,
        declared: registry.Declared,
        step: Callable[..., Iterator[Count]],
        options: dict[str, Any],
    ) -> dict[type[models.Model], Count]:
        """What a step saw and did of each model; on the way it says how far it is."""
        totals, told = {}, time.monotonic()
        for model in declared.models():
            total = totals[model] = Count()
            for count in step(model, dry_run=options["dry_run"]):
                total += count
                if time.monotonic() - told > TOLD_EVERY:
                    told = time.monotonic()
                    self.stderr.write(f"{_plural(model)}: {total.rows:,} seen")
        return totals


def anew(totals: dict[type[models.Model], Count]) -> str:
    """How many of each model were changed."""
    counts = [f"{t.changed:,} of {t.rows:,} {_plural(model)}" for model, t in totals.items()]
    return f"{', '.join(counts)} anew."


def unreadable(totals: dict[type[models.Model], Count]) -> list[str]:
    """A sentence for each model of which rows could not be opened, with the first of them."""
    said = []
    for model, total in totals.items():
        if total.unreadable:
            commands = {getattr(f, "rebuilt_by", "") for f in registry.sealed.of(model)} - {""}
            remedy = "".join(f", which {command} replaces" for command in sorted(commands))
            more = " and more" if total.unreadable > NAMED else ""
            said.append(
                f"{total.unreadable:,} {_plural(model)} could not be opened{remedy}:"
                f" {', '.join(total.named)}{more}."
            )
    return said


def _plural(model: type[models.Model]) -> str:
    return str(model._meta.verbose_name_plural)
