"""A large binary column, read a piece at a time."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Greatest, Length

# PostgreSQL fills the socket with the next one while this one is looked at.
PIECE_BYTES = 64 * 1024


class Pieces(models.Func):
    """For the values_list() of a query of one row: on PostgreSQL a row for each piece, in order
    (one, if it is empty), on SQLite the whole. With Prepared.stream() no more than a piece of it
    is in memory.
    """

    function = "SUBSTRING"
    set_returning = True

    def __init__(self, column: str) -> None:
        starts = models.Func(
            1,
            Greatest(Length(column), 1),
            PIECE_BYTES,
            function="generate_series",
            output_field=models.IntegerField(),
        )
        super().__init__(column, starts, PIECE_BYTES, output_field=models.BinaryField())

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:
        return compiler.compile(self.get_source_expressions()[0])
