"""In and out in bulk: the export that streams, the import that is done behind its answer."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.db import connection

from customers.api import bulk
from customers.models import Customer
from customers.transfer.models import Import, ImportChunk
from finora.audit.models import AuditEvent
from finora.tests.kit import factories
from finora.tests.kit.answers import refused
from finora.tests.kit.tasks import run_tasks

EXPORT, IMPORT, IMPORTS = "/v1/customers/export", "/v1/customers/import", "/v1/imports/"
NDJSON, CSV = "application/x-ndjson", "text/csv"
LIMIT = settings.LARGE_BODIES[IMPORT]


def lines(response):
    assert response.status_code == 200
    assert response["Content-Type"] == NDJSON
    return [json.loads(line) for line in response.getvalue().splitlines()]


def sent(api, body, content_type=NDJSON, query="", **extra):
    return api.call("POST", f"{IMPORT}{query}", body, content_type=content_type, **extra)


def people(count):
    made = ({"name": f"Ada {n}", "email": f"ada{n}@example.com"} for n in range(count))
    return b"".join(json.dumps(each).encode() + b"\n" for each in made)


# Out.


def test_an_export_has_a_customer_a_line_as_the_list_has_it_and_ends_with_the_count(
    api, business, monkeypatch
):
    monkeypatch.setattr(bulk, "PAGE_ROWS", 2)
    for name in ("Zainab", "Ada", "Ọlá", "Bola", "Chidi"):
        factories.customer(business, name=name)
    factories.customer(business, name="Gone").delete()
    *customers, last = lines(api.get(EXPORT))
    assert customers == api.get("/v1/customers").json()["data"]["customers"]
    assert last == {"count": 5}
    assert lines(api.get(f"{EXPORT}/"))[-1] == {"count": 5}


def test_the_lists_filters_apply(api, business):
    ada = factories.customer(business, email="ada@example.com")
    factories.customer(business).delete()
    assert [each["id"] for each in lines(api.get(EXPORT, {"email": "ADA@example.com"}))[:-1]] == [
        ada.public_id
    ]
    assert lines(api.get(EXPORT, {"status": "all"}))[-1] == {"count": 2}
    refused(api.get(EXPORT, {"status": "some"}), 400, "INVALID_REQUEST", ["status"])
    refused(api.get(EXPORT, {"email": " "}), 400, "INVALID_REQUEST", ["email"])
    refused(api.get(EXPORT, {"businessId": None}), 400, "MISSING_BUSINESS_ID", ["businessId"])


def test_an_export_has_every_answers_headers_and_nobody_elses_customers(
    api, other_business, settings
):
    settings.RATE_LIMITS = "60/minute"
    factories.customer(other_business)
    answer = api.get(EXPORT)
    assert lines(answer) == [{"count": 0}]
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Request-Id"].startswith("req_")
    assert int(answer["X-RateLimit-Remaining"]) < int(answer["X-RateLimit-Limit"])


def test_an_export_is_one_line_of_the_trail_with_the_count_before_it_goes_out(api, business):
    for _ in range(3):
        factories.customer(business)
    api.get(EXPORT)
    [event] = AuditEvent.objects.filter(action="exported")
    assert (event.subject, event.count) == (business.public_id, 3)
    assert event.actor_kind == "key"
    assert event.request_id.startswith("req_")


def test_a_head_takes_nothing_out(api, business):
    factories.customer(business)
    query = f"?businessId={business.public_id}"
    assert api.call("HEAD", f"{EXPORT}{query}").status_code == 200
    assert not AuditEvent.objects.filter(action="exported").exists()


def test_a_row_that_cannot_be_opened_is_named_at_the_end_and_noted(api, business):
    bad = factories.customer(business, name="Ada")
    factories.customer(business, name="Bola")
    factories.store(bad, "phone", "s1.forged")
    assert lines(api.get(EXPORT))[-1] == {"count": 1, "unreadable": [bad.public_id]}
    event = AuditEvent.objects.get(action="unreadable")
    assert (event.subject, event.actor_kind) == (bad.public_id, "key")
    Customer.objects.exclude(pk=bad.pk).delete()
    refused(api.get(EXPORT), 500, "INTERNAL_ERROR")


@pytest.mark.django_db(transaction=True)
def test_a_stream_counts_as_a_call_until_its_end(api, business, settings):
    settings.RATE_LIMITS = "60/minute,1 concurrent"
    factories.customer(business)
    going = api.get(EXPORT)
    refused(api.get("/v1/customers"), 429, "RATE_LIMIT")
    going.close()
    assert api.get("/v1/customers").status_code == 200
    assert lines(api.get(EXPORT))  # read to its end
    assert api.get("/v1/customers").status_code == 200


# In.


def told(api, answer):
    run_tasks()
    return api.get(answer["Location"]).json()["data"]


def test_an_import_is_answered_at_once_and_told_of_later(api, business):
    body = people(2) + b'{"name": "No email"}\n{"name": "Ada", "email": "none"}\n'
    answer = sent(api, body)
    assert answer.status_code == 202
    begun = answer.json()["data"]
    assert begun == {"id": begun["id"], "state": "waiting"}
    assert api.get(f"{IMPORTS}{begun['id']}").json()["data"]["state"] == "waiting"
    assert not business.customers.exists()
    data = told(api, answer)
    assert {name: data[name] for name in ("id", "state", "rows", "created", "updated")} == {
        "id": begun["id"], "state": "done", "rows": 4, "created": 2, "updated": 0,
    }  # fmt: skip
    assert data["skipped"] + data["rejected"] == 2
    [line] = [each for each in data["report"] if each["field"] == "email" and each["line"] == 4]
    assert "none" not in line["message"]
    assert business.customers.count() == 2


def test_csv_comes_in_by_its_content_type_and_duplicates_as_they_are_told(api, business):
    factories.customer(business, name="Ada", email="ada@example.com")
    file = b"name,email,phone\nAda Obi,ADA@example.com,0803 123 4567\nBola,bola@example.com,\n"
    assert told(api, sent(api, file, CSV))["skipped"] == 1
    ada = business.customers.active_with_email("ada@example.com")
    assert (ada.name, ada.phone) == ("Ada", None)
    data = told(api, sent(api, file, f"{CSV}; charset=utf-8", "?onDuplicate=update"))
    assert data["updated"] >= 1
    ada = business.customers.active_with_email("ada@example.com")
    assert (ada.name, ada.phone) == ("Ada Obi", "0803 123 4567")
    refused(sent(api, file, CSV, "?onDuplicate=replace"), 400, "INVALID_REQUEST", ["onDuplicate"])


def test_an_export_comes_in_as_it_went_out(api, other_api, business, other_business):
    for n in range(3):
        factories.customer(business, email=f"c{n}@example.com", phone="+2348031234567")
    out = api.get(EXPORT).getvalue()
    assert told(other_api, sent(other_api, out))["created"] == 3
    theirs, mine = ([*lines(each.get(EXPORT))] for each in (other_api, api))
    for one, other in zip(theirs, mine, strict=True):
        ours = ("name", "email", "phone", "address", "tin", "companyName", "count")
        assert {name: one.get(name) for name in ours} == {name: other.get(name) for name in ours}


def test_the_report_tells_what_of_the_file_has_no_place_and_how_it_was_read(api):
    file = "name,email,colour\nAndré,andre@example.com,red\nBola,none,\n".encode("cp1252")
    report = told(api, sent(api, file, CSV))["report"]
    assert [(each["line"], each["field"]) for each in report] == [(0, ""), (1, ""), (3, "email")]
    assert "Windows-1252" in report[0]["message"]
    assert "“colour”" in report[1]["message"]
    lines = b'{"name": "Ada", "email": "ada@example.com", "colour": "red"}\n' * 2
    [line] = told(api, sent(api, lines))["report"]
    assert "“colour”" in line["message"]
    assert "red" not in str(report) + str(line)


def test_a_file_that_nothing_places_fails_and_says_why(api):
    data = told(api, sent(api, b"colour,shape\nred,round\n", CSV))
    assert data["state"] == "failed"
    assert data["report"][0]["line"] == 0
    assert "colour" in data["report"][0]["message"]


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain", "", "*/*", "application/x-www-form-urlencoded"],
)
def test_another_content_type_is_refused(api, content_type):
    refused(sent(api, people(1), content_type), 415, "INVALID_REQUEST")
    assert not Import.objects.exists()


def test_an_import_has_at_most_10_mb(api):
    body = people(1).ljust(LIMIT, b"\n")
    assert sent(api, body).status_code == 202
    message = refused(sent(api, body + b"\n"), 413, "INVALID_REQUEST")["message"]
    assert message == f"A body has at most {LIMIT} bytes."
    refused(sent(api, b""), 400, "INVALID_REQUEST")
    assert Import.objects.count() == 1


def test_an_import_is_done_once_for_one_idempotency_key(api, business):
    first = sent(api, people(2), headers={"idempotency-key": "one"})
    again = sent(api, people(2), headers={"idempotency-key": "one"})
    assert again["Idempotency-Replayed"] == "true"
    assert again.json()["data"] == first.json()["data"]
    assert again["Location"] == first["Location"]
    refused(sent(api, people(3), headers={"idempotency-key": "one"}), 409, "CONFLICT")
    other = sent(api, people(2), query="?onDuplicate=update", headers={"idempotency-key": "one"})
    refused(other, 409, "CONFLICT")
    assert Import.objects.count() == 1
    assert run_tasks() == 1


def test_what_waits_is_sealed(api):
    sent(api, people(200))
    kept = b"".join(bytes(chunk) for chunk in stored_chunks())
    assert kept
    assert b"example.com" not in kept


def stored_chunks():
    table = connection.ops.quote_name(ImportChunk._meta.db_table)
    columns = [f.column for f in ImportChunk._meta.fields if f.get_internal_type() == "BinaryField"]
    with connection.cursor() as cursor:
        for column in columns:
            cursor.execute(f"SELECT {connection.ops.quote_name(column)} FROM {table}")
            yield from (value for (value,) in cursor.fetchall())


def test_another_business_has_no_such_import(api, other_api):
    begun = sent(api, people(1)).json()["data"]
    strange = other_api.get(f"{IMPORTS}{begun['id']}")
    refused(strange, 404, "NOT_FOUND")
    refused(other_api.get(f"{IMPORTS}imp_none"), 404, "NOT_FOUND")
    refused(sent(api, people(1), query="?businessId=biz_other"), 403, "FORBIDDEN")
