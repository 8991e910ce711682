"""Many new rows at once, by PostgreSQL's COPY.

It takes rows as they come: while it writes and indexes the first ones, the next are being sealed.
Of an INSERT it hears when its last value is ready, and Django and psycopg take as long for the
40,000 parameters of 2,000 rows as the sealing does: 3,000 rows a second, where by COPY it is 8,800.
In the binary form, as the lines of a text one are quoted in errors.

Private parts of Django, and what would break: `CursorWrapper.cursor` is psycopg's own, and
`BaseDatabaseWrapper.wrap_database_errors` makes Django's errors of psycopg's. Wrong, a load fails.
finora/tests/orm/test_copying.py holds what it writes against a bulk_create of the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connections, models, router

from finora.orm.prepared import READ_IN_BINARY

# What psycopg writes as it is. Any other value is made ready by its field, which costs.
_PLAIN = {type(None), bool, bytes, float, int, str}


def insert(rows: Sequence[models.Model], batch_size: int) -> None:
    """Django's bulk_create() of new rows of one model, `batch_size` at once; by COPY where it can.

    Raises what bulk_create() raises, and TypeError where a value is of no type of its column's.
    """
    if not rows:
        return
    model = type(rows[0])
    using = router.db_for_write(model)
    if connections[using].vendor != "postgresql":
        model._default_manager.using(using).bulk_create(rows, batch_size)
        return
    for start in range(0, len(rows), batch_size):
        _copy(model, rows[start : start + batch_size], using)


def _copy(model: type[models.Model], rows: Sequence[models.Model], using: str) -> None:
    from psycopg.copy import QueuedLibpqWriter  # which no other database has

    connection = connections[using]
    fields: Sequence[Any] = model._meta.concrete_fields
    for field in fields:
        if field.get_internal_type() not in READ_IN_BINARY:
            raise TypeError(f"{field} is of no type that COPY is known to write.")
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    table = quote(model._meta.db_table)
    with connection.cursor() as cursor:
        _give_keys(model, rows, cursor)
        plain: Any = cursor.cursor
        with (
            connection.wrap_database_errors,
            plain.copy(
                f"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)".encode(),
                # A thread that waits for the database, while this one makes the next rows.
                writer=QueuedLibpqWriter(plain),
            ) as copy,
        ):
            copy.set_types(
                [str(field.cast_db_type(connection)).partition("(")[0] for field in fields]
            )
            for row in rows:
                copy.write_row([_value(field, row, connection) for field in fields])
    for row in rows:
        row._state.adding, row._state.db = False, using


def _give_keys(model: type[models.Model], rows: Sequence[models.Model], cursor: Any) -> None:
    """From the sequence that an INSERT takes them from."""
    key = model._meta.pk
    new = [row for row in rows if row.pk is None]
    cursor.execute(
        "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
        [cursor.db.ops.quote_name(model._meta.db_table), key.column, len(new)],
    )
    for row, (pk,) in zip(new, cursor.fetchall(), strict=True):
        row.pk = pk


def _value(field: Any, row: models.Model, connection: Any) -> Any:
    value = field.pre_save(row, True)
    if type(value) in _PLAIN or (type(value) is datetime and value.tzinfo is not None):
        return value
    return field.get_db_prep_save(value, connection)
