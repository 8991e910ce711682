"""Integer keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _BigAutoField = models.BigAutoField[int | str, int]
else:
    _BigAutoField = models.BigAutoField


class SequenceField(_BigAutoField):
    """Django's, of which PostgreSQL takes the numbers from a sequence, not from an identity column.

    Where tables are spread over machines a sequence is one for all, and the order of numbers that
    of their making; an identity column of such a table cannot be changed, nor one be added.
    """

    def db_parameters(self, connection: Any) -> Any:
        """What a new column is made of."""
        parameters: Any = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["type"] = "bigserial"  # a bigint, and its sequence, which goes with it
        return parameters

    def db_type_suffix(self, connection: Any) -> str | None:
        if connection.vendor == "postgresql":
            return None
        suffix: str | None = super().db_type_suffix(connection)  # type: ignore[misc]
        return suffix
