"""A database that is there and says no: a full disk, a standby, a lock. The answers say which."""

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from django.db import connection, connections, transaction

from finora.api import errors
from finora.http import probes
from finora.tenants.models import Business
from finora.tests.kit import factories
from finora.tests.kit.answers import accepted, refused
from finora.tests.kit.fixtures import Api

ADA = {"name": "Ada", "email": "ada@example.com"}
NOW_AND_THEN = 10.0


@pytest.fixture(autouse=True)
def asked_anew_each_time(monkeypatch):
    monkeypatch.setattr(probes, "WRITES_EVERY", 0.0)
    monkeypatch.setattr(probes, "REFUSAL_STANDS", 0.0)


@pytest.fixture
def api():
    return Api(factories.business())


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def said(response):
    """The message of a 503."""
    error = refused(response, 503, "SERVICE_UNAVAILABLE")
    assert error["retryAfter"] == int(response["Retry-After"])
    return error["message"]


# --- Full ---------------------------------------------------------------------------------------


def test_sqlite_on_a_full_disk_reads_and_says_that_writes_fail(tmp_path):
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path / 'own.sqlite3'}"}
    run = subprocess.run(
        [sys.executable, "-m", "finora.tests.kit.full_disk"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    outcome = json.loads(run.stdout)
    told = {step: (status, message) for step, status, message in outcome["told"]}
    for step in ("before", "after"):
        assert told[f"{step} ready"] == told[f"{step} list"] == told[f"{step} change"]
        assert told[f"{step} ready"] == (200, None)
        assert told[f"{step} create"] == (201, None)
    assert told["full alive"] == told["full list"] == (200, None)
    assert (
        told["full ready"]
        == told["full create"]
        == told["full change"]
        == (503, errors.NO_WRITES.message)
    )
    assert told["full delete"] == (404, told["before delete"][1])
    assert outcome["names"] == ["after", "after", "before"]
    # The same by SQLite's own account of a full disk, and nothing of a refused one is there.
    made = outcome["statuses"].count(201)
    assert outcome["statuses"] == [201] * made + [503] * (60 - made)
    assert made < 60
    assert outcome["said"] == [errors.NO_WRITES.message]
    assert outcome["count"] == 3 + made
    # What /readyz writes fits where a customer does not: it heeds what the call met.
    assert outcome["small"] == [200, 503]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_postgresqls_error_for_a_full_disk_is_told_so(api, client):
    """/dev/full is a disk that is always full: the server's own error, at each write."""
    execute(
        """
        CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN COPY (SELECT 1) TO '/dev/full'; RETURN NEW; END $$
        """
    )
    tables = ("customers_customer", "sealing_keycanary")
    for table in tables:
        execute(
            f"CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION full_disk()"
        )
    try:
        assert said(api.post("/v1/customers", ADA)) == errors.NO_WRITES.message
        assert said(api.post("/v1/customers/find-or-create", ADA)) == errors.NO_WRITES.message
        assert said(client.get("/readyz")) == errors.NO_WRITES.message
        assert accepted(api.get("/v1/customers"))["count"] == 0
    finally:
        for table in tables:
            execute(f"DROP TRIGGER full_disk ON {table}")
        execute("DROP FUNCTION full_disk()")
    accepted(client.get("/readyz"))
    accepted(api.post("/v1/customers", ADA), 201)


# --- A standby ----------------------------------------------------------------------------------


@contextmanager
def read_only():
    on, off = (
        ("PRAGMA query_only=ON", "PRAGMA query_only=OFF")
        if connection.vendor == "sqlite"
        else ("SET default_transaction_read_only=on", "SET default_transaction_read_only=off")
    )
    execute(on)
    try:
        yield
    finally:
        execute(off)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_read_only_reads_and_says_that_writes_fail(api, client):
    with read_only():
        assert said(api.post("/v1/customers", ADA)) == errors.NO_WRITES.message
        assert said(client.get("/readyz")) == errors.NO_WRITES.message
        assert accepted(api.get("/v1/customers"))["count"] == 0
    accepted(client.get("/readyz"))


# --- Locked -------------------------------------------------------------------------------------


@contextmanager
def locked(business):
    """Another connection holds what a write needs."""
    holding, done = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                Business.objects.one_at_a_time(business.pk)
                holding.set()
                done.wait(30)
        finally:
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(30)
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_busy_is_not_said_to_be_away(api, settings):
    settings.BLIND_INDEX_KEYS = [*settings.BLIND_INDEX_KEYS, "another key 0123456789abcdefghijkl"]
    impatient, patient = (
        ("PRAGMA busy_timeout=50", "PRAGMA busy_timeout=20000")
        if connection.vendor == "sqlite"
        else ("SET lock_timeout='50ms'", "SET lock_timeout=0")
    )
    execute(impatient)
    try:
        with locked(api.business):
            message = said(api.post("/v1/customers", ADA))
    finally:
        execute(patient)
    assert message == errors.IN_TROUBLE.message
    accepted(api.post("/v1/customers", ADA), 201)


# --- How often /readyz writes -------------------------------------------------------------------


@pytest.mark.django_db
def test_what_a_write_said_stands_for_a_while(client, monkeypatch):
    """Also when it failed: who asks often must not make the process wait often."""
    monkeypatch.setattr(probes, "WRITES_EVERY", NOW_AND_THEN)
    moment = [1000.0]
    monkeypatch.setattr(probes.time, "monotonic", lambda: moment[0])
    writes = []
    touch = type(probes.KeyCanary.objects.all()).touch

    def counted(self):
        writes.append(moment[0])
        return touch(self)

    monkeypatch.setattr(type(probes.KeyCanary.objects.all()), "touch", counted)
    monkeypatch.setattr(type(probes.KeyCanary.objects), "touch", counted)
    for second in range(30):
        moment[0] = 1000.0 + second
        accepted(client.get("/readyz"))
    assert writes == [1000.0, 1010.0, 1020.0]
