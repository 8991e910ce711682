from __future__ import annotations


class FileRefused(ValueError):
    """A file that cannot be imported as it is. The message says why, and holds no cell of it."""
