"""What is sent to libpq directly is answered as through a cursor."""

import threading
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, transaction
from django.db.backends.postgresql.psycopg_any import Jsonb
from django.test.utils import CaptureQueriesContext

from finora.orm.statements import Statement
from finora.tenants.models import Business

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

VALUES = {
    "a small number": (7, "bigint"),
    "a large number": (2**40, "bigint"),
    "a negative one": (-1, "integer"),
    "text": ("Adébáyọ̀ %s %% $1", "text"),
    "no text": ("", "varchar"),
    "nothing": (None, "text"),
    "bytes": (b"\0\xff", "bytea"),
    "true": (True, "boolean"),
    "a moment": (datetime(2026, 3, 20, 9, 15, 1, 250, tzinfo=UTC), "timestamptz"),
    "a day": (date(2026, 3, 20), "date"),
    "a decimal": (Decimal("12.50"), "numeric"),
    "an id": (UUID(int=7), "uuid"),
    "json": (Jsonb({"a": [1, None, "é"]}), "jsonb"),
}
ways = pytest.mark.parametrize("planned_once", [True, False], ids=["planned once", "each time"])


@ways
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "text"])
@pytest.mark.parametrize(("value", "kind"), VALUES.values(), ids=VALUES)
def test_values_go_and_come_as_through_a_cursor(value, kind, binary, planned_once):
    sql = f"SELECT %s::{kind}, 7 AS seven, %s::{kind} UNION ALL SELECT NULL, 8, NULL"
    statement = Statement(sql, binary=binary, planned_once=planned_once)
    with transaction.atomic():
        as_ever = statement.fetch(connection, [value, value])
    for _ in range(3):
        rows = statement.fetch(connection, [value, value])
        assert rows == as_ever
        assert [list(map(type, row)) for row in rows] == [list(map(type, row)) for row in as_ever]


@ways
def test_a_percent_sign_stays_one(planned_once):
    statement = Statement("SELECT '50 %%s', %s::text", binary=True, planned_once=planned_once)
    assert statement.fetch(connection, ["%s"]) == [("50 %s", "%s")]


@ways
def test_no_row_is_none(planned_once):
    statement = Statement("SELECT 1 WHERE %s", binary=True, planned_once=planned_once)
    assert statement.fetch(connection, [False]) == []


@ways
def test_errors_are_djangos_and_leave_the_connection_usable(business, planned_once):
    same = Statement(
        "INSERT INTO tenants_business (public_id, name, is_suspended, created_at)"
        " VALUES (%s, %s, false, now())",
        binary=True,
        planned_once=planned_once,
    )
    for _ in range(2):
        with pytest.raises(IntegrityError, match="business_public_id_unique"):
            same.fetch(connection, [business.public_id, "Another"])
        with pytest.raises(DataError, match="NUL"):
            same.fetch(connection, ["biz_new", "\0"])
    assert same.fetch(connection, ["biz_new", "New"]) == []
    assert Business.objects.count() == 2


def test_it_is_prepared_anew_when_the_connection_has_let_it_go():
    statement = Statement("SELECT %s::int + 1", binary=True, planned_once=True)
    assert statement.fetch(connection, [1]) == [(2,)]
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    assert statement.fetch(connection, [2]) == [(3,)]
    assert statement.fetch(connection, [3]) == [(4,)]


def test_it_is_prepared_once_for_each_connection():
    statement = Statement("SELECT %s::text || 'prepared here'", binary=True, planned_once=True)
    how_many = (
        "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%prepared here%%'"
        " AND statement NOT LIKE '%%count%%'"
    )
    for _ in range(2):
        for _ in range(3):
            assert statement.fetch(connection, ["is "]) == [("is prepared here",)]
        with connection.cursor() as cursor:
            cursor.execute(how_many)
            assert cursor.fetchone() == (1,)
        connection.close()


def test_a_connection_that_is_gone_is_an_operational_error():
    statement = Statement("SELECT pg_terminate_backend(%s)", binary=True, planned_once=True)
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    with pytest.raises(OperationalError):
        statement.fetch(connection, [pid])
    with pytest.raises(OperationalError):
        statement.fetch(connection, [pid])
    connection.close()


def test_within_a_transaction_it_is_undone_with_it():
    """psycopg begins one with its own first statement: what went past it would be committed."""
    made = Statement(
        "INSERT INTO tenants_business (public_id, name, is_suspended, created_at)"
        " VALUES (%s, 'New', false, now()) RETURNING id",
        binary=True,
        planned_once=True,
    )
    with transaction.atomic():
        made.fetch(connection, ["biz_new"])
        transaction.set_rollback(True)
    assert not Business.objects.exists()


def test_whoever_listens_hears_of_it():
    statement = Statement("SELECT %s::int", binary=True, planned_once=True)
    heard = []

    def listen(execute, sql, params, many, context):
        heard.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen), CaptureQueriesContext(connection) as captured:
        assert statement.fetch(connection, [7]) == [(7,)]
    assert heard == ["SELECT %s::int"]
    assert len(captured) == 1


def test_each_thread_has_its_own():
    statement = Statement("SELECT %s::int, pg_backend_pid()", binary=True, planned_once=True)
    found = []

    def ask():
        try:
            found.extend(statement.fetch(connection, [1]))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3


def test_rows_that_stream_are_those_of_a_cursor():
    sql = "SELECT n, repeat('é', n), %s::bytea FROM generate_series(1, 500) n"
    statement = Statement(sql, binary=True, planned_once=False)
    as_ever = statement.fetch(connection, [b"\0\xff"])
    assert list(statement.stream(connection, [b"\0\xff"])) == as_ever
    with transaction.atomic():
        assert list(statement.stream(connection, [b"\0\xff"])) == as_ever


def test_a_stream_that_is_closed_early_leaves_the_connection_usable():
    statement = Statement("SELECT generate_series(1, %s)", binary=True, planned_once=False)
    with closing(statement.stream(connection, [50_000])) as rows:
        assert next(rows) == (1,)
    assert statement.fetch(connection, [2]) == [(1,), (2,)]


def test_what_fails_in_the_middle_of_a_stream_is_djangos():
    sql = "SELECT 10 / (%s - generate_series(1, 20000))"
    statement = Statement(sql, binary=True, planned_once=False)
    with pytest.raises(DataError, match="division by zero"):
        list(statement.stream(connection, [20_000]))
    assert statement.fetch(connection, [20_001])[0] == (0,)


def test_whoever_listens_hears_of_a_stream():
    statement = Statement("SELECT %s::int", binary=True, planned_once=False)
    with CaptureQueriesContext(connection) as captured:
        assert list(statement.stream(connection, [7])) == [(7,)]
    assert len(captured) == 1
