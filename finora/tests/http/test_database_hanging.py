"""A database that hangs behind a network that says nothing: everybody is answered, in time."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from finora.tests.kit import factories
from finora.tests.kit.bouncers import server_of
from finora.tests.kit.forwarder import HOST, Forwarder
from finora.tests.kit.served import Served

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

# Of each call: far more than the server takes, and far less than a kernel.
SECONDS = 60


@pytest.fixture
def forwarder():
    server = server_of(connection)
    forwarder = Forwarder(str(Path(str(server["host"]), f".s.PGSQL.{server['port']}")))
    yield forwarder
    forwarder.close()


@pytest.fixture
def served(forwarder, tmp_path):
    keys = (settings.FINORA_DATA_DIR / "demo-keys.json").read_bytes()
    (tmp_path / "demo-keys.json").write_bytes(keys)
    server, name = server_of(connection), connection.settings_dict["NAME"]
    user = f"{server['user']}:{server.get('password', '')}"
    served = Served(
        tmp_path / "log",
        DATABASE_URL=f"postgresql://{user}@{HOST}:{forwarder.port}/{name}",
        DATABASE_CONN_MAX_AGE="600",
        FINORA_DATA_DIR=str(tmp_path),
    )
    yield served.wait()
    served.stop()


def test_who_asks_is_refused_and_answered_again_when_the_database_is(served, forwarder):
    business = factories.business()
    ada = factories.customer(business)
    headers = {"Authorization": f"Bearer {factories.api_key(business)[1]}"}

    def answers(path):
        status, _, body = served.call("GET", path, headers=headers, timeout=SECONDS)
        return status, json.loads(body)

    paths = ["/readyz", f"/v1/customers/{ada.public_id}"]
    forwarder.hang()  # under a connection that stood the last time that /readyz was asked
    for path in paths:
        status, body = answers(path)
        assert status == 503
        assert body["error"]["code"] == "SERVICE_UNAVAILABLE"
        assert body["error"]["retryAfter"] > 0
    assert answers("/healthz")[0] == 200
    forwarder.go_on()
    served.wait()
    assert answers(paths[1])[1]["data"]["id"] == ada.public_id
