"""SQL that is sent again and again, with other values each time.

On PostgreSQL and outside of a transaction it goes to libpq directly: one prepared statement costs
15 µs of CPU and 33 µs in all so, 78 and 119 through Django's and psycopg's cursors, of which every
request would make two or three. Values and rows go through psycopg's own adapters, as they do
there. Anything else takes the ordinary way: SQLite, a transaction (which psycopg begins with its
first statement), and whoever listens to what is sent (tests that count, execute_wrapper()).

Behind a bouncer (DATABASE_BOUNCER) nothing is prepared: the next statement is another session's.

Parts of psycopg that are less than documented, and what would break; finora/tests/orm/
test_statements.py holds each against a cursor's own answers:

- `Transformer.dump_sequence`, `.types`, `.formats`, `.load_rows`: values on their way there and
  back. A changed one would raise, or adapt otherwise than a cursor does.
- psycopg's `Cursor.format` and `Connection.prepare_threshold`, documented, below Django's.
- psycopg's `Cursor.stream`, documented, below Django's.
- `PGconn.exec_prepared`, `.exec_params`, `.prepare`: documented (psycopg.pq), below its cursors.
- `errors.error_from_result`: the exception that a cursor would raise.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from itertools import count
from typing import Any, cast

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Connection, OperationalError
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import InvalidSqlStatementName, error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult

TEXT, BINARY = 0, 1  # psycopg.pq.Format
Key = tuple["Statement", tuple[int, ...]]

_number = count()


class _Session:
    """What is kept of a connection to PostgreSQL: the names of what is prepared there, of a
    statement for values of these types; and psycopg's adapters, as to look them up for each
    statement takes 20 µs.
    """

    def __init__(self, connection: Connection[Any]) -> None:
        self.connection = connection
        self.prepared: dict[Key, bytes] = {}
        self.adapted = Transformer(connection)


def _session(connection: Any) -> _Session:
    """Kept with Django's own, which opens another one when one is lost."""
    session: _Session | None = getattr(connection, "finora_session", None)
    if session is None or session.connection is not connection.connection:
        session = connection.finora_session = _Session(connection.connection)
    return session


class Statement:
    """SQL with `%s` for each value. `fetch` answers its rows as tuples, `stream` one by one.

    `binary`: whether PostgreSQL sends them in binary. `planned_once`: whether it keeps the plan.
    """

    def __init__(self, sql: str, *, binary: bool, planned_once: bool) -> None:
        self.sql, self.planned_once = sql, planned_once
        self.format = BINARY if binary else TEXT
        number = count(1)
        numbered = re.sub("%[s%]", lambda m: "%" if m[0] == "%%" else f"${next(number)}", sql)
        self._numbered = numbered.encode()

    def fetch(self, connection: BaseDatabaseWrapper, params: Sequence[Any]) -> list[Any]:
        """The rows. Raises what Django's cursor would."""
        if connection.vendor == "postgresql":
            connection.close_if_health_check_failed()
            connection.ensure_connection()
            if connection.autocommit and not _is_heard(connection):
                with connection.wrap_database_errors:
                    return self._fetch_directly(_session(connection), params)
        with connection.cursor() as cursor:
            if connection.vendor != "postgresql":
                cursor.execute(self.sql, params)
                return cast(list[Any], cursor.fetchall())
            cursor.cursor.format = self.format
            connection.connection.prepare_threshold = 0 if self._is_kept() else None
            try:
                cursor.execute(self.sql, params)
            finally:
                connection.connection.prepare_threshold = None
            return cast(list[Any], cursor.fetchall())

    def stream(
        self, connection: BaseDatabaseWrapper, params: Sequence[Any]
    ) -> Generator[tuple[Any, ...], None, None]:
        """The rows one by one, as PostgreSQL makes them: no other is in memory.

        Nothing else can be asked until it has ended or was closed.
        """
        if connection.vendor != "postgresql" or _is_heard(connection):
            yield from self.fetch(connection, params)
            return
        with connection.cursor() as cursor, connection.wrap_database_errors:
            rows = cursor.cursor.stream(self.sql, params, binary=self.format == BINARY)
            try:
                yield from rows
            finally:
                # To cancel it, as psycopg would, costs a connection of its own.
                for _ in rows:
                    pass

    def _is_kept(self) -> bool:
        return self.planned_once and not settings.DATABASE_BOUNCER

    def _fetch_directly(self, session: _Session, params: Sequence[Any]) -> list[Any]:
        connection, adapted = session.connection, session.adapted
        values = adapted.dump_sequence(params, [PyFormat.AUTO] * len(params))
        if self._is_kept():
            result = self._execute_prepared(session, values)
        else:
            result = connection.pgconn.exec_params(
                self._numbered, values, adapted.types, adapted.formats, self.format
            )
        _raise_error(connection, result)
        adapted.set_pgresult(result)
        rows: list[Any] = adapted.load_rows(0, result.ntuples, tuple)
        adapted.set_pgresult(None)  # or the rows would stay in memory
        return rows

    def _execute_prepared(self, session: _Session, values: Sequence[Any]) -> PGresult:
        connection, prepared = session.connection, session.prepared
        types, formats = tuple(session.adapted.types or ()), session.adapted.formats
        while True:
            name = prepared.get((self, types))
            is_new = name is None
            if name is None:
                name = f"finora_{next(_number)}".encode()
                made = connection.pgconn.prepare(name, self._numbered, types)
                _raise_error(connection, made)
                prepared[self, types] = name
            result = connection.pgconn.exec_prepared(name, values, formats, self.format)
            if is_new or result.status != ExecStatus.FATAL_ERROR or not _is_unknown(result):
                return result
            # psycopg lets all statements go after a ROLLBACK.
            prepared.clear()


def _is_heard(connection: BaseDatabaseWrapper) -> bool:
    return bool(connection.queries_logged or connection.execute_wrappers)


def _is_unknown(result: PGresult) -> bool:
    return isinstance(error_from_result(result), InvalidSqlStatementName)


def _raise_error(connection: Connection[Any], result: PGresult) -> None:
    if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return
    if connection.pgconn.status != ConnStatus.OK:
        raise OperationalError("the connection is lost")
    raise error_from_result(result, connection.info.encoding)
