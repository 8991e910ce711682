"""A file for personal values: its owner's alone, written over no other, and whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from django.core.management.base import CommandError


@contextmanager
def private_file(path: Path) -> Iterator[TextIO]:
    """A new file, for text; removed where what is inside fails. Raises CommandError."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.") from None
    try:
        with open(number, "w", encoding="utf-8", newline="") as file:
            yield file
    except BaseException:
        path.unlink()
        raise
