"""Many new rows at once: by PostgreSQL's COPY, and on SQLite by one INSERT that is told of each.

What takes long, sealing and hashing, is done ahead, field by field, and asks no database: so
another process can do it while the rows before are written. Of PostgreSQL's ways COPY in the binary
form is the fastest, and the lines of a text one are quoted in errors.

Private parts of Django, and what would break: `CursorWrapper.cursor` is psycopg's own, and
`BaseDatabaseWrapper.wrap_database_errors` makes Django's errors of psycopg's;
`CursorWrapper._execute_with_wrappers` tells who listens; a model's keys are
of the sequence that `pg_get_serial_sequence`, or SQLite's AUTOINCREMENT, gives them from. Wrong, a
load fails. finora/tests/orm/test_copying.py holds what it writes against a bulk_create of the
same rows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import copy
from datetime import datetime
from itertools import count
from types import NoneType
from typing import Any

from django.db import connections, models, router, transaction

from finora.orm.prepared import READ_IN_BINARY
from finora.orm.tenant import TenantRow

# JSON is read as text (see there), and written as it is.
_WRITTEN = READ_IN_BINARY | {"JSONField"}
# What databases are given as it is. Any other value is made ready by its field, which costs.
_PLAIN = {NoneType, bool, bytes, float, int, str}


class NewRows:
    """New rows of one model, and each column's values as they will be written.

    A field may make those of all rows at once, in `pre_save_all`: pre_save() of each, as Django
    asks it of a row that is added. Pickled, these are the columns alone, without the instances.
    """

    def __init__(self, rows: Sequence[models.Model]) -> None:
        self.rows = rows
        self.columns: dict[str, list[Any]] = {}
        # Integer keys, once they are inserted.
        self.keys: list[int] = []
        if rows:
            self.model = type(rows[0])
            self._using = router.db_for_write(self.model)
            for field in self.model._meta.concrete_fields:
                if field.primary_key:
                    self.columns[field.attname] = [row.pk for row in rows]
                else:
                    self.columns[field.attname] = _values(field, rows, connections[self._using])

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"rows": ()}

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def part(self, numbers: Sequence[int]) -> NewRows:
        """These of them alone."""
        part = copy(self)
        part.rows = [self.rows[n] for n in numbers] if self.rows else ()
        part.columns = {name: [of[n] for n in numbers] for name, of in self.columns.items()}
        return part

    def insert(self) -> None:
        """Writes them. Raises what bulk_create() raises, and TypeError where a value is of no type
        of its column's.
        """
        if not len(self):
            return
        connection = connections[self._using]
        with transaction.atomic(self._using, savepoint=False), connection.cursor() as cursor:
            key = self.model._meta.pk.attname
            keys = self._given_keys(cursor, self.columns[key])
            (_copy if connection.vendor == "postgresql" else _insert)(
                cursor, self.model, {**self.columns, key: keys}
            )
        self.keys = keys
        for row, pk in zip(self.rows, keys, strict=False):
            row.pk = pk
            row._state.adding, row._state.db = False, self._using

    def _given_keys(self, cursor: Any, keys: list[Any]) -> list[Any]:
        """The rows' keys, and where they have none such as an INSERT gives."""
        table = self.model._meta.db_table
        lacking = keys.count(None)
        if not lacking:
            return keys
        if cursor.db.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
                [cursor.db.ops.quote_name(table), self.model._meta.pk.column, lacking],
            )
            new: Any = (key for (key,) in cursor.fetchall())
        else:
            # Nobody else writes until this transaction ends.
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            new = count(1 + sum(last for (last,) in cursor.fetchall()))
        return [next(new) if key is None else key for key in keys]


def update(rows: Sequence[TenantRow], names: Collection[str]) -> None:
    """Writes these columns of rows of one model that are there, and locked: by one UPDATE that is
    told of each.
    """
    model = type(rows[0])
    connection = connections[router.db_for_write(model)]
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    columns = [_values(field, rows, connection) for field in fields]
    columns += [[row.business_id for row in rows], [row.pk for row in rows]]
    quote = connection.ops.quote_name
    key: Any = model._meta.pk
    changes = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    statement = (
        f"UPDATE {quote(model._meta.db_table)} SET {changes} "  # noqa: S608 - names of models
        f"WHERE {quote('business_id')} = %s AND {quote(key.column)} = %s"
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(zip(*columns, strict=True)))


def _values(field: Any, rows: Sequence[models.Model], connection: Any) -> list[Any]:
    """A column's values as they are written."""
    is_copied = connection.vendor == "postgresql"
    if is_copied and field.get_internal_type() not in _WRITTEN:
        raise TypeError(f"{field} is of no type that COPY is known to write.")
    if hasattr(field, "pre_save_all"):
        values = field.pre_save_all(rows)
    elif type(field).pre_save is models.Field.pre_save:
        values = [getattr(row, field.attname) for row in rows]
    else:
        values = [field.pre_save(row, True) for row in rows]
    plain = _PLAIN
    if is_copied and all(value.tzinfo is not None for value in values if type(value) is datetime):
        plain = plain | {datetime}
    if set(map(type, values)) <= plain:
        return list(values)
    return [field.get_db_prep_save(value, connection) for value in values]


def _named(cursor: Any, model: type[models.Model], columns: dict[str, Any]) -> tuple[Any, str, str]:
    """The fields of these columns, their names, and the table's."""
    quote = cursor.db.ops.quote_name
    fields = [model._meta.get_field(attname) for attname in columns]
    names = ", ".join(quote(field.column) for field in fields)  # type: ignore[union-attr]
    return fields, names, quote(model._meta.db_table)


def _copy(cursor: Any, model: type[models.Model], columns: dict[str, list[Any]]) -> None:
    fields, names, table = _named(cursor, model, columns)
    types = [str(field.cast_db_type(cursor.db)).partition("(")[0] for field in fields]
    statement = f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)"

    def send(*_: Any) -> None:
        with cursor.db.wrap_database_errors, cursor.cursor.copy(statement.encode()) as copy:
            copy.set_types(types)
            for row in zip(*columns.values(), strict=True):
                copy.write_row(row)

    # So that execute_wrapper() hears of it, as of every other statement.
    cursor._execute_with_wrappers(statement, None, many=False, executor=send)


def _insert(cursor: Any, model: type[models.Model], columns: dict[str, list[Any]]) -> None:
    _, names, table = _named(cursor, model, columns)
    places = ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608 - names of models
    cursor.executemany(statement, zip(*columns.values(), strict=True))
