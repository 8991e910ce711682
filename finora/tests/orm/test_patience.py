"""A thread that waits for a database that hangs is helped out."""

import threading

import pytest
from django.db import OperationalError, connection, connections, transaction

from finora.orm.patience import Patience
from finora.orm.statements import Statement

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

SLEEP = Statement("SELECT pg_sleep(%s), 1", binary=True, planned_once=False)
LONG = 60  # seconds, which no test waits for


def in_a_thread(call):
    """What the call answers or raises, on a connection of its own."""
    answers = []

    def run():
        try:
            answers.append(call())
        except Exception as error:
            answers.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(LONG - 10)
    assert answers, "it waits still"
    return answers[0]


def connect():
    with connection.cursor() as cursor:  # the server, too, soon sees that a connection is gone
        cursor.execute("SET client_connection_check_interval = 100")


def directly():
    return SLEEP.fetch(connection, [LONG])


def by_a_cursor():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [LONG])


@pytest.mark.parametrize("ask", [directly, by_a_cursor])
def test_a_statement_that_is_not_answered_fails_as_on_a_lost_connection(ask):
    def call():
        patience = Patience()
        connect()
        patience.begin(0.1)
        try:
            ask()
        finally:
            patience.end()

    assert isinstance(in_a_thread(call), OperationalError)


def test_the_next_request_has_all_its_time():
    def call():
        patience = Patience()
        connect()
        patience.begin(0.1)
        with pytest.raises(OperationalError):
            directly()
        patience.end()
        connection.close()
        patience.begin(LONG)
        return SLEEP.fetch(connection, [0.5])[0][1]

    assert in_a_thread(call) == 1


def test_without_a_request_nothing_is_hurried():
    def call():
        patience = Patience()
        patience.begin(0.1)
        patience.end()
        return SLEEP.fetch(connection, [1])[0][1]

    assert in_a_thread(call) == 1
