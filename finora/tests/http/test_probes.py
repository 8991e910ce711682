"""/healthz and /readyz, for load balancers."""

import threading

import pytest
from django.db import InterfaceError, OperationalError, connection, connections

from finora.orm import nodes
from finora.tenants.models import ApiKey
from finora.tests.kit.answers import accepted, refused, statements


def test_healthz_asks_nothing_of_the_database(client, db):
    assert statements(lambda: accepted(client.get("/healthz"))) == []


def test_readyz_asks_the_database_what_requests_ask(client, db):
    nodes.away()  # it learns once that this is no cluster
    asked = statements(lambda: accepted(client.get("/readyz")))
    assert asked == [
        "SELECT tenants_apikey",
        "SELECT sales_invoice",
        "SELECT sales_receipt",
        "SELECT customers_customer",  # the search tail
        "SELECT customers_searchsegment",
        "SELECT customers_customer",
        "SELECT sealing_keycanary",
        "UPDATE sealing_keycanary",
        "UPDATE sealing_keycanary",
    ]
    # Anybody may ask: a write is made once in ten seconds.
    assert statements(lambda: accepted(client.get("/readyz"))) == asked[:-2]


@pytest.mark.django_db(transaction=True)
def test_readyz_says_that_a_table_is_not_there(client):
    with connection.schema_editor() as editor:
        editor.alter_db_table(ApiKey, "tenants_apikey", "elsewhere")
    try:
        refused(client.get("/readyz"), 503, "SERVICE_UNAVAILABLE")
    finally:
        with connection.schema_editor() as editor:
            editor.alter_db_table(ApiKey, "elsewhere", "tenants_apikey")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_they_need_no_key_and_tell_nothing(client, db, path):
    response = client.get(path)
    assert accepted(response) == {"status": "ok"}
    assert response["Cache-Control"] == "no-store"
    assert response["X-Request-Id"].startswith("req_")
    assert client.head(path).status_code == 200


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("debug", [False, True])
def test_readyz_says_that_the_database_is_away(client, db, settings, monkeypatch, error, debug):
    settings.DEBUG = debug

    def fail(*args):
        raise error("could not connect to server at 10.0.0.7")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", fail)
        response = client.get("/readyz")
    refused(response, 503, "SERVICE_UNAVAILABLE")
    assert "10.0.0.7" not in response.content.decode()
    accepted(client.get("/healthz"))


def test_healthz_answers_with_the_database_truly_away(client, db):
    answers = []

    def run():
        settings = connection.settings_dict | {"HOST": "127.0.0.1", "PORT": "1"}
        if connection.vendor == "sqlite":
            settings["NAME"] = "/nonexistent/directory/db.sqlite3"
        connection.settings_dict = settings
        answers.extend([client.get("/healthz"), client.get("/readyz")])
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert [answer.status_code for answer in answers] == [200, 503]
