"""A new row and what is noted of it elsewhere: written by one statement, compiled once.

BEGIN, three INSERTs, COMMIT are five questions to the database, and the INSERTs are built and
compiled anew for each row. PostgreSQL writes all rows in one statement, whole or not at all by
itself: a find-or-create that makes a customer takes 40 % of the time so.

Private parts of Django, held against Django's own INSERT in finora/tests/orm/test_inserting.py:

- `Model._do_insert` is where save() comes to its INSERT, between pre_save and post_save. Under
  another name save() would write a row alone, and nothing would be noted.
- `Field.pre_save`, `.get_placeholder`, `.get_db_prep_save`, as its compiler asks them. Expressions,
  which that compiles into the INSERT, no adapter takes: they raise.
"""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import Any

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from finora.orm.statements import Statement


def is_one_transaction(connection: BaseDatabaseWrapper) -> bool:
    """Whether `insert` is one by itself, here and now."""
    connection.ensure_connection()
    return connection.vendor == "postgresql" and connection.autocommit


def insert(using: str, row: models.Model, *notes: models.Model) -> list[tuple[Any]]:
    """Inserts new rows, without keys that the database gives; answers the first one's as
    _do_insert() does.

    Where this is not one transaction, the caller has one around it.
    """
    connection = connections[using]
    if connection.vendor == "postgresql":
        rows = (*notes, row)
        values = chain.from_iterable(_values(each, connection) for each in rows)
        return _together(using, *map(type, rows)).fetch(connection, [*values])
    answered, *_ = (
        _alone(using, type(each)).fetch(connection, _values(each, connection))
        for each in (row, *notes)
    )
    return answered


def _values(row: models.Model, connection: BaseDatabaseWrapper) -> list[Any]:
    return [
        field.get_db_prep_save(field.pre_save(row, add=True), connection)
        for field in _fields(type(row))
    ]


@cache
def _fields(model: type[models.Model]) -> tuple[Any, ...]:
    concrete = model._meta.local_concrete_fields
    return tuple(f for f in concrete if not (f.generated or f is model._meta.auto_field))


@cache
def _together(using: str, *rows: type[models.Model]) -> Statement:
    *notes, last = (_sql(using, each) for each in rows)
    noted = ", ".join(f"noted{n} AS ({sql})" for n, sql in enumerate(notes))
    return Statement(f"WITH {noted} {last}", binary=True, planned_once=True)


@cache
def _alone(using: str, model: type[models.Model]) -> Statement:
    return Statement(_sql(using, model), binary=False, planned_once=False)


def _sql(using: str, model: type[models.Model]) -> str:
    connection = connections[using]
    name = connection.ops.quote_name
    fields, key = _fields(model), model._meta.pk
    columns = ", ".join(name(field.column) for field in fields)
    places = ", ".join(
        field.get_placeholder(b"", None, connection) if hasattr(field, "get_placeholder") else "%s"
        for field in fields
    )
    table = name(model._meta.db_table)
    return f"INSERT INTO {table} ({columns}) VALUES ({places}) RETURNING {name(key.column)}"  # noqa: S608 - names of models
