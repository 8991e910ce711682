"""SQLite's file is the whole directory: nobody else on the machine reads it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import Any

COMPANIONS = ("", "-wal", "-shm", "-journal")


class PrivateConnection(sqlite3.Connection):
    """Makes the file with mode 0600, before a byte is in it, and takes one that is there back to
    that. SQLite makes the companions with the mode of the file.

    What is no path (`:memory:`, a URI) is left alone, and another owner's file is its owner's.
    """

    def __init__(self, database: str | os.PathLike[str], *args: Any, **kwargs: Any) -> None:
        path = os.fspath(database)
        if path and not path.startswith((":memory:", "file:")):
            with contextlib.suppress(OSError):
                # Never opened where it exists: closing it would drop this process's locks on it.
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            for companion in COMPANIONS:
                with contextlib.suppress(OSError):
                    _make_private(path + companion)
        super().__init__(database, *args, **kwargs)


def _make_private(path: str) -> None:
    if os.stat(path).st_mode & 0o077:
        os.chmod(path, 0o600)
