"""No personal value, query string or key in any log line."""

import asyncio
import json
import logging

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from customers.api import answers
from customers.models import Customer
from finora.http.logging import JsonFormatter
from finora.tests.kit import factories

LIST = "/v1/customers"
VALUES = {
    "name": "Zephyrine Quux",
    "email": "zephyrine@quux.example",
    "phone": "0803 999 8877",
    "address": "77 Xylophone Crescent",
    "tin": "98765432-1098",
    "companyName": "Quuxworks Ltd",
}


@pytest.fixture
def verbose(settings, log):
    """Everything that can be logged, SQL included."""
    settings.DEBUG = True
    connection.force_debug_cursor = True
    before = {}
    for name in ("", "django", "django.db.backends", "django.request", "django.server", "finora"):
        logger = logging.getLogger(name)
        before[logger] = logger.level
        logger.setLevel(logging.DEBUG)
    yield log
    connection.force_debug_cursor = False
    for logger, level in before.items():
        logger.setLevel(level)


def assert_silent(log, *secrets):
    written = log.getvalue()
    assert written
    for line in written.splitlines():
        json.loads(line)
    for secret in (*VALUES.values(), *secrets):
        assert secret.lower() not in written.lower()
        assert json.dumps(secret)[1:-1].lower() not in written.lower()


def everything(api):
    made = api.post(LIST, VALUES).json()["data"]
    path = f"{LIST}/{made['id']}"
    api.post(LIST, VALUES)
    api.post(f"{LIST}/find-or-create", {"email": VALUES["email"], "name": VALUES["name"]})
    api.get(path)
    api.get(LIST, {name: VALUES[name] for name in ("email", "phone", "tin")})
    api.get(f"{LIST}/search", {"q": VALUES["name"]})
    api.get(LIST, {"email": VALUES["email"] + "\0"})
    api.put(path, VALUES | {"name": VALUES["name"] + "!"})
    api.put(path, {name: value + "\0" for name, value in VALUES.items()})
    api.post(LIST, json.dumps(VALUES).encode()[:-1])
    api.post(LIST, VALUES, content_type="text/plain")
    api.get(f"/v1/{VALUES['email']}")
    api.get(f"/{VALUES['email']}")
    api.get(f"{LIST}/{VALUES['email']}")
    api.get(LIST, {"businessId": VALUES["email"]})
    api.get(LIST, headers={"authorization": f"Bearer {VALUES['name']}"})
    api.get(LIST, headers={"host": "zephyrine@quux.example"})
    api.delete(path)


def test_no_call_leaves_a_value_or_the_key_in_the_log(api, verbose):
    everything(api)
    assert_silent(verbose, api.key, api.key[8:], "businessId=", "limit=")
    assert "django.db.backends" in verbose.getvalue()


def test_one_line_says_who_did_what_and_how_it_went(api, log):
    response = api.get(LIST, {"email": VALUES["email"]})
    [line] = map(json.loads, log.getvalue().splitlines())
    assert line["logger"] == "finora.access"
    assert (line["method"], line["status"]) == ("GET", 200)
    assert line["requestId"] == response["X-Request-Id"] == response.json()["meta"]["requestId"]
    assert line["key"].startswith("key_")
    assert line["ms"] > 0
    assert "customers" in line["route"]


def test_exceptions_leave_their_message_and_locals_out(api, business, verbose, monkeypatch):
    def fail(customer):
        email = customer.email
        try:
            raise ValueError(f"bad {email}")
        except ValueError as error:
            raise RuntimeError(f"worse {customer.name}") from error

    monkeypatch.setattr(answers, "customer_data", fail)
    factories.customer(business, name=VALUES["name"], email=VALUES["email"])
    response = api.get(LIST)
    assert response.status_code == 500
    assert_silent(verbose)
    [line] = [json.loads(x) for x in verbose.getvalue().splitlines() if "INTERNAL_ERROR" in x]
    assert {"ValueError", "RuntimeError", "which led to"} <= set(line["exception"])
    assert line["requestId"] == response["X-Request-Id"]


def test_the_databases_own_message_is_left_out(business, verbose):
    """PostgreSQL quotes the row that breaks a constraint."""
    customer = factories.customer(business, name=VALUES["name"])
    log = logging.getLogger("finora.api")
    try:
        with transaction.atomic():
            Customer.objects.filter(pk=customer.pk).update(is_active=False)
    except IntegrityError as error:
        log.exception("told", exc_info=error)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT %s FROM nowhere", [VALUES["email"]])
    except Exception as error:
        log.exception("told", exc_info=error)
    assert verbose.getvalue().count("told") == 2
    assert_silent(verbose)


def test_a_librarys_arguments_are_left_out():
    record = logging.LogRecord("somelib", 30, "f.py", 1, "saw %s", (VALUES["email"],), None)
    line = json.loads(JsonFormatter().format(record))
    assert line["message"] == "saw %s"
    for ours in ("finora", "finora.x"):
        record.name = ours
        assert VALUES["email"] in JsonFormatter().format(record)
    record.name = "finorasomelib"
    assert VALUES["email"] not in JsonFormatter().format(record)


def test_of_a_librarys_finished_text_only_the_place_is_written(log):
    loop = asyncio.new_event_loop()
    loop.call_exception_handler({"message": VALUES["name"], "email": VALUES["email"]})
    loop.close()
    [line] = map(json.loads, log.getvalue().splitlines())
    assert "base_events.py" in line["message"]
    assert_silent(log)


# Django's own words for each of these quote the request.
REFUSALS = {
    "DisallowedHost": {"headers": {"host": VALUES["email"]}},
    "csrf": {"data": {"username": VALUES["email"]}, "headers": {"referer": VALUES["email"]}},
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_of_djangos_refusals_only_the_class_and_the_request_are_written(db, log, refusal):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    response = client.post(f"/admin/login/?next={VALUES['email']}", **REFUSALS[refusal])
    assert response.status_code in {400, 403}
    lines = [json.loads(x) for x in log.getvalue().splitlines() if "django.security" in x]
    assert len(lines) == 1
    assert lines[0].keys() == {"time", "level", "logger", "message", "requestId"}
    assert lines[0]["message"] == refusal
    assert lines[0]["requestId"] == response["X-Request-Id"]
    assert_silent(log)


def test_an_unreadable_row_is_named_by_its_id_only(api, business, verbose):
    customer = factories.customer(business, name=VALUES["name"], address=VALUES["address"])
    token = factories.stored(customer, "address")
    factories.store(customer, "address", token[:-4])
    api.get(LIST)
    api.get(f"{LIST}/{customer.public_id}")
    assert customer.public_id in verbose.getvalue()
    assert_silent(verbose, token[:30])


def test_nothing_personal_is_in_a_repr(business):
    customer = factories.customer(
        business, **{k: v for k, v in VALUES.items() if k != "companyName"}
    )
    loaded = Customer.objects.get()
    opened = Customer.objects.get()
    assert opened.email
    for each in (customer, loaded, opened, [loaded], Customer.objects.all(), business):
        for value in VALUES.values():
            assert value not in repr(each) + str(each)
