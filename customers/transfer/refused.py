from __future__ import annotations

from collections.abc import Sequence


class FileRefused(ValueError):
    """A file that cannot be imported as it is. The message says why, and holds no cell of it.

    `columns` are those of a header that is of no tool, each with what would become of it: a mapping
    may say so.
    """

    def __init__(self, message: str, columns: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.columns = list(columns)
