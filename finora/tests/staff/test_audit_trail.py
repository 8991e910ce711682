"""The audit trail as staff read it: whose, what, when; and of many at once one line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from finora.audit.acting import Actor, acting
from finora.audit.models import AuditEvent
from finora.tests.kit import factories
from finora.tests.kit.staff import browser

TRAIL = "/admin/audit/auditevent/"
AMAKA, BOLA = Actor("staff", "amaka", "req_1"), Actor("staff", "bola", "req_2")


def shown(client, **query) -> list[AuditEvent]:
    return list(client.get(TRAIL, query).context["cl"].result_list)


def note(who: Actor, action: str, business, *subjects: str, at: datetime | None = None) -> None:
    with acting(lambda: who):
        AuditEvent.objects.record(action, business.pk, subjects, at=at)


@pytest.fixture
def auditor(business, other_business, settings):
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": static}
    return browser("Privacy officer")


def test_it_is_filtered_by_person_action_and_business(auditor, business, other_business):
    everything = [
        (who, action, each)
        for who in (AMAKA, BOLA, Actor("key", "amaka"))
        for action in ("revealed", "exported")
        for each in (business, other_business)
    ]
    before = AuditEvent.objects.count()
    for number, (who, action, each) in enumerate(everything):
        note(who, action, each, f"cust_{number}")

    def numbers(**query) -> set[int]:
        found = shown(auditor, **query)
        assert [event.pk for event in found] == sorted((e.pk for e in found), reverse=True)
        return {int(event.subject[5:]) for event in found if event.subject.startswith("cust_")}

    assert len(shown(auditor)) == before + len(everything)
    assert numbers(person="amaka") == {0, 1, 2, 3}
    assert numbers(person=" bola ", action="exported") == {6, 7}
    assert numbers(action="revealed", business=other_business.public_id) == {1, 5, 9}
    assert numbers(person="nobody") == numbers(action="no such") == set()
    assert numbers(person="", action="", **{"from": "", "until": ""}) == set(range(12))
    html = auditor.get(TRAIL, {"person": "amaka"}).content.decode()
    assert 'href="?person=bola"' in auditor.get(TRAIL).content.decode()
    assert 'name="person" id="filter-person" value="amaka"' in html


def test_it_is_filtered_by_days_in_the_staffs_zone(auditor, business, settings):
    settings.STAFF_TIME_ZONE = "Africa/Lagos"  # an hour ahead of UTC
    midnight = datetime(2026, 3, 9, 23, tzinfo=UTC)  # as the tenth begins in Lagos
    moments = {number: midnight + timedelta(hours=number) for number in range(-30, 54, 6)}
    moments[-1] = midnight - timedelta(microseconds=1)
    for number in sorted(moments):
        note(AMAKA, "revealed", business, f"cust_{number}", at=moments[number])

    def hours(**query: str) -> list[int]:
        found = shown(auditor, action="revealed", **query)
        return [int(event.subject[5:]) for event in reversed(found)]

    assert hours(**{"from": "2026-03-10", "until": "2026-03-10"}) == [0, 6, 12, 18]
    assert hours(**{"from": "2026-03-11"}) == [24, 30, 36, 42, 48]
    assert hours(until="2026-03-08") == [-30]
    assert hours(until="2026-03-09") == [-30, -24, -18, -12, -6, -1]
    for nonsense in ("2026-02-30", "yesterday", "9999-12-31", "0001-01-01"):
        assert hours(**{"from": nonsense}) in ([], hours())
        assert auditor.get(TRAIL, {"until": nonsense}).status_code == 200


def test_of_an_export_of_many_there_is_one_line_and_each_has_it_in_its_story(
    auditor, business, other_business
):
    mine = [factories.customer(business) for _ in range(5)]
    theirs = factories.customer(other_business)
    with acting(lambda: AMAKA):
        Customer.objects.filter(pk__in=[c.pk for c in (*mine, theirs)]).note_export()
    lines = shown(auditor, action="exported")
    assert sorted((line.business_id, line.count) for line in lines) == [
        (business.pk, 5),
        (other_business.pk, 1),
    ]
    html = auditor.get(TRAIL, {"action": "exported"}).content.decode()
    assert "Exported: 5 together" in html
    link = re.search(r'href="(\?line=\d+)">and 4 more<', html)[1]
    page = auditor.get(TRAIL + link)
    assert {e.subject for e in page.context["cl"].result_list} == {c.public_id for c in mine}
    for customer in (*mine, theirs):
        told = auditor.get(f"/admin/customers/customer/{customer.pk}/change/").context["story"]
        assert told[0].summary == "Exported"
    # Who looks for one of them finds it, in whatever letter case the id was given.
    found = auditor.post(TRAIL, {"q": mine[0].public_id.upper()}, follow=True).context["cl"]
    assert [e.action for e in found.result_list] == ["exported", "created"]
    elsewhere = browser("Privacy officer", scope=[other_business])
    assert list(elsewhere.get(TRAIL + link).context["cl"].result_list) == []
    front = auditor.get("/admin/").content.decode()
    assert front.count("Exported") == 2
    assert "Exported: 5 together" in front


def test_subjects_are_links_to_what_the_reader_may_see(auditor, business, other_business):
    ada = factories.customer(business)
    key, _ = factories.api_key(business)
    note(AMAKA, "erased", business, "cust_gone")
    html = auditor.get(TRAIL).content.decode()
    for row, path in ((ada, "customers/customer"), (key, "tenants/apikey")):
        link = f'<a href="/admin/{path}/{row.pk}/change/"><code>{row.public_id}</code></a>'
        assert link in html
    assert "<code>cust_gone</code>" in html
    assert "cust_gone</code></a>" not in html


def test_a_page_costs_a_fixed_number_of_queries_whatever_is_chosen(auditor, business):
    for _ in range(60):
        ada = factories.customer(business)
    note(AMAKA, "exported", business, ada.public_id)
    asked = {}
    for name, query in {
        "all": {},
        "person": {"person": "amaka"},
        "action": {"action": "exported"},
        "days": {"from": "2026-01-01", "until": "2099-01-01"},
    }.items():
        with CaptureQueriesContext(connection) as captured:
            assert shown(auditor, **query)
        asked[name] = len(captured)
    # Session, account, scope, permissions, businesses of the filter; events; their pages.
    assert asked["all"] == asked["person"] == asked["action"] <= 10, asked
    assert asked["days"] == asked["all"] + 2


def test_what_one_person_did_and_what_is_rare_is_read_by_its_index(business):
    note(AMAKA, "exported", business, "cust_1")
    chosen = {
        "audit_staff": AuditEvent.objects.by_staff("amaka"),
        "audit_rare": AuditEvent.objects.filter(action="exported"),
    }
    if connection.vendor != "postgresql":
        return  # SQLite does not see that a condition given as a parameter is the index's
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    for index, rows in chosen.items():
        plan = rows.lines().order_by("-id")[:50].explain()
        assert index in plan
        assert "Sort" not in plan
