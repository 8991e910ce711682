from __future__ import annotations


class SealError(Exception):
    """Sealed bytes that cannot be opened: forged, moved, cut, or sealed with a key not held.

    The message never holds the bytes or a key. Of a field of a row, `row` is its public id.
    """

    row = ""
