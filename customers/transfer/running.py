"""Imports run as a whole: of a file that lies sealed here, and of one that a command reads."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db import Error as DatabaseError
from django.db import transaction

from customers.transfer import writer
from customers.transfer.decoding import Pieces
from customers.transfer.findings import Finding
from customers.transfer.models import Import, State
from customers.transfer.preview import Preview
from customers.transfer.reading import Reading
from customers.transfer.refused import FileRefused
from customers.transfer.writer import Overtaken, Progress, acting_as
from finora import clock

_PIECE = 1 << 18
PREVIEW_SECONDS = 1.0
SHOWN = 20  # of what a preview tells of rows
CUT_OFF = "It was cut off. The same file again makes nobody twice."


def pieces_of(path: Path) -> Pieces:
    """A file on disk, piece by piece."""

    def pieces() -> Iterator[bytes]:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    return pieces


def run(import_: Import) -> None:
    """Runs an import that waits, or goes on with one that was cut off; what is done or undone it
    leaves alone. Safe to be called again at any time, also beside itself.

    Raises SealError and what the database raises: then it waits for the next call.
    """
    with acting_as(import_):
        try:
            facts = import_.facts
            reading = Reading(import_.pieces, import_.format, facts.get("mapped"))
            writer.start(import_, reading).all()
        except FileRefused as why:
            fail(import_, str(why))
        except Overtaken:
            return


def run_file(
    import_: Import,
    pieces: Pieces,
    mapped: Mapping[str, str],
    progress: Progress,
) -> Import:
    """The same of a file that is read where it lies; nothing of it is kept. Answers the import as
    it is then. Raises FileRefused, Overtaken, MakerLost; whatever is raised, it is over.
    """
    with acting_as(import_):
        try:
            run_ = writer.start(import_, Reading(pieces, import_.format, mapped))
        except FileRefused as why:
            fail(import_, str(why))
            raise
        try:
            run_.all(progress, ahead=True)
        except Overtaken:
            raise
        except BaseException:
            # Ctrl-C too. Nobody goes on with it: its page must not say for ever that it runs.
            with suppress(DatabaseError):
                fail(run_.import_, CUT_OFF)
            raise
    return run_.import_


def preview(import_: Import) -> None:
    """Counts what a file that was sent would do, and keeps that with the import; what is known
    before the end is kept each PREVIEW_SECONDS. Of no use any more, it stops.
    """
    facts = import_.facts
    try:
        reading = Reading(import_.pieces, import_.format, facts.get("mapped"))
    except FileRefused as why:
        refuse(import_, str(why), header=why.columns)
        return
    counted, bad = Preview(import_, reading), list[Finding]()
    kept = 0.0

    def keep(*, done: bool) -> bool:
        told = {"counts": vars(counted.counts), "bad": bad, "done": done}
        return _keep(import_, **reading.told(), preview=told, refused=None)

    for portion in counted.portions():
        bad += portion.findings[: SHOWN - len(bad)]
        if time.monotonic() - kept >= PREVIEW_SECONDS:
            if not keep(done=False):
                return
            kept = time.monotonic()
    keep(done=True)


def refuse(import_: Import, why: str, header: Sequence[tuple[str, str]] | None = None) -> None:
    """A file that was sent could not be looked at: it may be with other options."""
    _keep(import_, refused=why, header=header, preview=None)


def _keep(import_: Import, **facts: Any) -> bool:
    """Says whether the import still waits for just this."""
    with transaction.atomic():
        mine = import_.locked()
        asked = (mine.state, mine.on_duplicate, mine.missing_email, mine.facts.get("mapped"))
        if asked != (
            State.SENDING,
            import_.on_duplicate,
            import_.missing_email,
            import_.facts.get("mapped"),
        ):
            return False
        mine.tell(**facts)
        mine.save(update_fields=["told"])
    return True


def stay_undone(import_: Import, why: str) -> None:
    """An undo could not be finished: it may be asked for again."""
    with transaction.atomic():
        mine = import_.locked()
        if "undone" not in mine.facts:
            mine.tell(not_undone=why)
            mine.save(update_fields=["told"])


def fail(import_: Import, why: str) -> None:
    """It is over, for a reason that holds no value; nothing of the file is kept."""
    with transaction.atomic():
        mine = import_.locked()
        if mine.state in (State.DONE, State.UNDONE):
            return
        mine.state, mine.finished_at = State.FAILED, clock.now()
        mine.tell(why=why)
        mine.save(update_fields=["state", "finished_at", "told"])
        mine.drop_file()
