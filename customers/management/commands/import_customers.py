from __future__ import annotations

import os
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from customers.transfer import report
from customers.transfer.findings import NO_PLACE, Finding, of_file
from customers.transfer.formats import FORMATS, JSON_LINES
from customers.transfer.models import Import, MissingEmail, OnDuplicate
from customers.transfer.portions import Counts
from customers.transfer.preview import Preview
from customers.transfer.reading import MAP_FIELDS, Reading
from customers.transfer.refused import FileRefused
from customers.transfer.running import pieces_of, run_file
from customers.transfer.writer import Overtaken
from finora.loads import MakerLost
from finora.management import businesses
from finora.management.keyed import KeyedCommand

EVERY = 2.0  # seconds between two lines of progress


class Command(KeyedCommand):
    """Brings customers in from a file that a shop or an accountant exported.

    Tool, encoding and delimiter are recognised; every row is held to the API's rules, and one that
    breaks them stops no other. Rows go in by batches that commit as they go. The same file again
    makes nothing twice: so a run that was cut off is simply given again. `undo_import` takes an
    import back, by the id that is printed at its end.

    The report names line, column and rule; no output holds a value.
    """

    help = "Import customers from a file of another tool, or of our own."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("business_id", metavar="BUSINESS_ID")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--format", choices=[*FORMATS, JSON_LINES], default="")
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")
        parser.add_argument(
            "--on-duplicate", choices=OnDuplicate.values, default=OnDuplicate.SKIP.value
        )
        parser.add_argument(
            "--missing-email", choices=MissingEmail.values, default=MissingEmail.SKIP.value
        )
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="COLUMN=FIELD",
            help=f"what a column becomes: {', '.join(MAP_FIELDS)}; may be given several times",
        )
        parser.add_argument("--report", type=Path, help="a CSV of all rows and cells left out")

    def handle(self, *args: Any, **options: Any) -> str:
        business = businesses.named(options["business_id"])
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError("There is no such file.")
        # Before anything is done: it is written at the end.
        if told := options["report"]:
            if not told.parent.is_dir():
                raise CommandError("There is no such directory for the report.")
            if told.is_dir() or not os.access(told if told.exists() else told.parent, os.W_OK):
                raise CommandError("The report cannot be written there.")
            if told.exists() and told.samefile(path):
                raise CommandError("The report would be written over the file.")
        mapped = dict(map(_mapping, options["map"]))
        wanted = {name: options[name] for name in ("format", "on_duplicate", "missing_email")}
        self.size, self.started = path.stat().st_size, time.monotonic()
        self.shown, self.done = self.started, 0
        try:
            if options["dry_run"]:
                return self._count(Import(business=business, **wanted), path, mapped, options)
            # It is read where it lies: all of it is here.
            import_ = business.imports.open(**wanted, size=self.size, arrived=self.size)
            return self._run(import_, path, mapped, options)
        except FileRefused as why:
            fields = ", ".join(MAP_FIELDS)
            hint = f" Say what they become: --map COLUMN=FIELD; fields are {fields}."
            raise CommandError(f"{why}{hint if why.columns else ''}") from None

    def _count(
        self, import_: Import, path: Path, mapped: dict[str, str], options: dict[str, Any]
    ) -> str:
        reading = Reading(pieces_of(path), import_.format, mapped)
        preview = Preview(import_, reading)

        def findings() -> Iterator[Finding]:
            yield from of_file(reading.told())
            for portion in preview.portions():
                yield from portion.findings
                self._say(preview.counts.rows, portion.read_bytes)

        self._report(findings(), options["report"])
        self._tell(reading.told() | {"columns": reading.plan.becomes()})
        return f"Dry run, nothing was changed. {_closing(preview.counts)}"

    def _run(
        self, import_: Import, path: Path, mapped: dict[str, str], options: dict[str, Any]
    ) -> str:
        self.stderr.write(f"{import_.public_id} begins.")
        try:
            done = run_file(
                import_, pieces_of(path), mapped, lambda now: self._say(now.rows, now.read)
            )
        except Overtaken:
            raise CommandError(f"{import_.public_id} was undone meanwhile.") from None
        except MakerLost:
            raise CommandError(
                f"{import_.public_id}: the process that reads the file was ended, as for lack of "
                "memory. Give the command again: nobody is made twice."
            ) from None
        self._report(done.findings(), options["report"])
        self._tell(done.facts)
        return f"{done.public_id}: {_closing(done)}"

    def _report(self, findings: Iterable[Finding], path: Path | None) -> None:
        """All of them, as they come; the file only where it was asked for."""
        if path is None:
            for _ in findings:
                pass
            return
        with path.open("w", newline="", encoding="utf-8") as file:
            file.writelines(report.lines(findings))

    def _tell(self, facts: dict[str, Any]) -> None:
        said = [facts["title"], facts["encoding"], facts["delimiter"]]
        self.stderr.write(", ".join(filter(None, said)))
        placed = [column for column in facts["columns"] if column[1] != NO_PLACE]
        self.stderr.write("; ".join(f"{name}: {becomes}" for name, becomes in placed))
        if others := [name for name, becomes in facts["columns"] if becomes == NO_PLACE]:
            self.stderr.write(f"Columns without a place here: {', '.join(others)}")

    def _say(self, rows: int, read_bytes: int) -> None:
        now = time.monotonic()
        if now - self.shown < EVERY:
            return
        self.shown = now
        seconds = now - self.started
        share = min(1.0, read_bytes / self.size) if self.size else 1.0
        left = seconds / share - seconds if share else 0.0
        self.stderr.write(f"{rows:,} rows, {rows / seconds:,.0f}/s, {left:,.0f} s left")


def _mapping(text: str) -> tuple[str, str]:
    column, _, field = text.rpartition("=")
    if not column or field not in MAP_FIELDS:
        raise CommandError(f"--map takes COLUMN=FIELD; fields are {', '.join(MAP_FIELDS)}.")
    return column, field


def _closing(counts: Counts | Import) -> str:
    return (
        f"{counts.rows:,} rows: {counts.created:,} created, {counts.updated:,} updated, "
        f"{counts.skipped:,} skipped ({counts.without_email:,} without an email), "
        f"{counts.rejected:,} rejected; {counts.in_file:,} were twice in the file, "
        f"{counts.in_directory:,} there already; {counts.cells_left:,} cells have no place."
    )
