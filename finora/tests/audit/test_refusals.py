"""Refused access leaves an audit event without a value, at most one a minute, with a count."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from finora import clock
from finora.audit import acting, models
from finora.audit.models import AuditEvent
from finora.audit.refusal import Refusal, Tally
from finora.tenants.models import ApiKey
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import LIST, PERSONAL, act, page
from finora.tests.kit.staff import browser

KEYS, AUDIT = "/admin/tenants/apikey/", "/admin/audit/auditevent/"
# Of today, as sessions that began then end by the database's clock.
HALF_PAST = datetime.now(UTC).replace(second=30, microsecond=0)


@pytest.fixture(autouse=True)
def _static_files_as_they_are(settings):
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": static}


@pytest.fixture
def ada(business) -> Customer:
    return factories.customer(business, **PERSONAL)


@pytest.fixture
def eve(other_business) -> Customer:
    return factories.customer(other_business, name="Eve", email="eve@elsewhere.example")


@pytest.fixture
def one_minute(monkeypatch):
    """The clock stands, so that no test meets the end of a minute."""
    monkeypatch.setattr(clock, "now", lambda: HALF_PAST)


@pytest.fixture(autouse=True)
def _nothing_seen_yet(monkeypatch):
    """By the process: rows of different tests can have the same number."""
    monkeypatch.setattr(models, "tally", Tally())


REFUSED = ("reveal refused", "export refused", "erase refused", "access refused", "unreadable")


def told() -> list[tuple[str, str, list[str], int]]:
    """What was refused, of whom, which fields, and how often."""
    events = AuditEvent.objects.filter(action__in=REFUSED).with_times().order_by("id")
    return [(e.action, e.subject, e.fields, e.times) for e in events]


def reveal(client: Client, customer: Customer, field: str = "email", **extra):
    return client.post(f"{LIST}{customer.pk}/reveal/", {"field": field} | extra)


# By staff, who may not.


@pytest.mark.parametrize("role", ["Viewer", "Editor", "Administrator"])
def test_a_refused_reveal_is_noted_with_the_fields_name(ada, role, one_minute):
    response = reveal(browser(role), ada, "tin")
    assert response.status_code == 403
    assert told() == [("reveal refused", ada.public_id, ["tin"], 1)]
    event = AuditEvent.objects.get(action="reveal refused")
    assert (event.business_id, event.actor_kind) == (ada.business_id, "staff")
    assert event.request_id == response["X-Request-Id"]


def test_what_a_caller_makes_up_as_a_field_is_not_noted(ada, one_minute):
    assert reveal(browser("Viewer"), ada, "ada.obi@acme.com").status_code == 403
    assert told() == [("reveal refused", ada.public_id, [], 1)]


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_refused_erasure_is_noted(ada, method, one_minute):
    client = browser("Editor")
    assert getattr(client, method)(f"{LIST}{ada.pk}/erase/").status_code == 403
    assert told() == [("erase refused", ada.public_id, [], 1)]


@pytest.mark.parametrize("role", ["Viewer", "Editor"])
def test_a_refused_export_is_noted_of_each_that_was_ticked(ada, role, one_minute):
    other = factories.customer(ada.business)
    response = act(browser(role), "export", ada, other, confirmed="yes")
    assert not response.streaming
    assert told() == [("export refused", c.public_id, [], 1) for c in (ada, other)]


def test_ticks_that_are_no_rows_are_nobodys(ada, one_minute):
    client = browser("Editor")
    data = {"action": "export", "_selected_action": ["", "9" * 40, "-1", str(ada.pk + 99)]}
    assert client.post(LIST, data | {"index": "0"}).status_code in (200, 302)
    assert told() == []


def test_a_wrong_password_is_a_refusal_and_being_asked_for_it_is_none(ada, one_minute, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    officer = browser("Privacy officer")
    session = officer.session
    del session["password_proved"]
    session.save()
    reveal(officer, ada)
    assert told() == []
    reveal(officer, ada, password="wrong")
    officer.post(f"{LIST}{ada.pk}/erase/", {"typed": ada.public_id, "password": "wrong"})
    act(officer, "export", ada, password="wrong")
    assert told() == [
        ("reveal refused", ada.public_id, ["email"], 1),
        ("erase refused", ada.public_id, [], 1),
        ("export refused", ada.public_id, [], 1),
    ]


# By staff, out of whose scope it is.


@pytest.fixture
def limited(ada) -> Client:
    everything = ("Editor", "Privacy officer", "Administrator")
    return browser(*everything, scope=(ada.business,))


@pytest.mark.parametrize(
    "ask",
    [
        lambda client, eve: client.get(page(eve)),
        lambda client, eve: client.post(page(eve), {"name": "Mine"}),
        lambda client, eve: client.get(f"{LIST}{eve.pk}/history/"),
        lambda client, eve: client.post(f"{LIST}{eve.pk}/delete/", {"post": "yes"}),
        lambda client, eve: reveal(client, eve),
        lambda client, eve: client.get(f"{LIST}{eve.pk}/erase/"),
        lambda client, eve: act(client, "deactivate", eve, confirmed="yes"),
        lambda client, eve: act(client, "export", eve, confirmed="yes"),
    ],
)
def test_a_row_out_of_scope_is_noted_where_it_belongs(limited, eve, ask, one_minute):
    ask(limited, eve)
    assert told() == [("access refused", eve.public_id, [], 1)]
    event = AuditEvent.objects.get(action="access refused")
    assert (event.business_id, event.actor_kind) == (eve.business_id, "staff")
    # Who asked is told of it nowhere.
    assert eve.public_id not in limited.get(AUDIT).content.decode()
    assert eve.public_id not in limited.get("/admin/").content.decode()


def test_so_are_a_key_an_event_and_the_business_itself(limited, eve, one_minute):
    key, _ = factories.api_key(eve.business)
    event = AuditEvent.objects.get(subject=key.public_id)
    limited.get(f"{KEYS}{key.pk}/change/")
    limited.get(f"/admin/tenants/business/{eve.business_id}/change/")
    limited.get(f"{LIST}?business={eve.business.public_id}")
    limited.post(f"{LIST}add/", {"business": eve.business_id, "name": "A", "email": "a@b.co"})
    limited.get(f"{AUDIT}{event.pk}/change/")
    subjects = (key.public_id, eve.business.public_id)
    assert [t[:2] for t in told()] == [("access refused", subject) for subject in subjects]
    assert [t[3] for t in told()] == [2, 3]
    assert {e.business_id for e in AuditEvent.objects.filter(action="access refused")} == {
        eve.business_id
    }


def test_of_what_does_not_exist_and_by_who_reaches_all_nothing_is_noted(limited, ada, eve):
    limited.get(f"{LIST}{eve.pk + 1000}/change/")
    for named in ("biz_nobody", "%00", "%C3%A4"):
        assert limited.get(f"{LIST}?business={named}").status_code == 200
    limited.get(page(ada))
    free = browser("Editor", "Privacy officer")
    for customer in (ada, eve):
        assert free.get(page(customer)).status_code == 200
    assert told() == []


def test_within_reach_no_page_asks_a_query_more(limited, ada, monkeypatch):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert limited.get(page(ada)).status_code == 200
        return len([q for q in captured if "refusal" in q["sql"] and "auditevent" not in q["sql"]])

    assert queries() == 0


# By a key.


def test_a_key_that_names_another_business_is_noted_in_its_own(api, other_business, one_minute):
    key = ApiKey.objects.get()
    before = AuditEvent.objects.filter(business=other_business).count()
    for named in (other_business.public_id, "biz_nobody", "ada.obi@acme.com", "%00", "x" * 500):
        assert api.get("/v1/customers", {"businessId": named}).status_code == 403
    assert api.post("/v1/customers?businessId=x", {}).status_code == 403
    assert told() == [("access refused", key.public_id, [], 6)]
    event = AuditEvent.objects.get(action="access refused")
    assert (event.business_id, event.actor_kind) == (api.business.pk, "key")
    assert event.actor_id == key.public_id
    assert AuditEvent.objects.filter(business=other_business).count() == before
    assert not Refusal.objects.filter(business=other_business).exists()
    written = str([*AuditEvent.objects.values(), *Refusal.objects.values()])
    for named in ("biz_nobody", "ada.obi"):
        assert named not in written


def test_a_flood_of_them_costs_a_few_statements_each_and_no_row(api, business):
    def call() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api.get("/v1/customers", {"businessId": "x"}).status_code == 403
        return len(captured)

    call()
    rows = AuditEvent.objects.count(), Refusal.objects.count()
    assert max(call() for _ in range(5)) <= 5  # the key, and a transaction of two
    new = AuditEvent.objects.count() - rows[0], Refusal.objects.count() - rows[1]
    assert new in ((0, 0), (1, 1))  # the minute may have ended


def test_beyond_sixty_a_minute_only_powers_of_two_are_written(api, business, one_minute):
    def writes() -> bool:
        with CaptureQueriesContext(connection) as captured:
            assert api.get("/v1/customers", {"businessId": "x"}).status_code == 403
        return any("audit_refusal" in q["sql"] for q in captured)

    written = [number for number in range(1, 140) if writes()]
    assert written == [*range(1, 61), 64, 128]
    assert told() == [("access refused", ApiKey.objects.get().public_id, [], 128)]
    (event,) = AuditEvent.objects.filter(action="access refused").with_times()
    assert event.summary == "Access refused (at least 128 times)"


def test_what_a_process_remembers_has_a_bound(monkeypatch):
    monkeypatch.setattr(Tally, "MAX_KEYS", 10)
    seen = Tally()
    for number in range(100):
        assert seen.due(HALF_PAST, (), [str(number)]) == {1: [str(number)]}
        assert len(seen._seen) <= 11


def test_a_stranger_leaves_nothing(api, business):
    api.key = "test_sk_" + "0" * 48
    api.get("/v1/customers", {"businessId": "x"})
    assert told() == []


# Opening fails.


def test_a_reveal_that_cannot_be_opened_is_noted(ada, one_minute):
    factories.store(ada, "email", "s1.forged")
    officer = browser("Privacy officer")
    for _ in range(3):
        assert reveal(officer, ada).status_code == 200
    assert told() == [("unreadable", ada.public_id, ["email"], 3)]
    assert not AuditEvent.objects.filter(action="revealed").exists()


def test_so_is_an_exported_row(ada, one_minute):
    other = factories.customer(ada.business)
    factories.store(ada, "phone", "s1.forged")
    response = act(browser("Privacy officer"), "export", ada, other, confirmed="yes")
    assert b"(unreadable)" in b"".join(response)
    assert told() == [("unreadable", ada.public_id, [], 1)]
    event = AuditEvent.objects.get(action="unreadable")
    assert event.actor_kind == "staff"


def test_so_is_one_that_a_key_reads(api, business, one_minute):
    bad, good = factories.customer(business), factories.customer(business)
    factories.store(bad, "address", "s1.forged")
    path = f"/v1/customers/{bad.public_id}"
    assert api.get(path).status_code == 500
    assert api.put(path, {"name": "New"}).status_code == 500
    listed = api.get("/v1/customers").json()
    assert [c["id"] for c in listed["data"]["customers"]] == [good.public_id]
    assert told() == [("unreadable", bad.public_id, [], 3)]
    assert AuditEvent.objects.get(action="unreadable").actor_kind == "key"


def test_also_where_the_answer_is_kept_for_a_repeated_call(api, business, one_minute):
    bad = factories.customer(business, email="bad@example.com")
    factories.store(bad, "email", "s1.forged")
    headers = {"idempotency-key": "one"}
    answer = api.post("/v1/customers/find-or-create", {"email": "bad@example.com"}, headers=headers)
    assert answer.status_code == 500
    assert told() == [("unreadable", bad.public_id, [], 1)]


# The bound.


def refuse(*subjects: str, business, action="access refused", who="boss") -> None:
    with acting.acting(lambda: acting.Actor("staff", who)):
        AuditEvent.objects.record_refused(action, business.pk, subjects)


def test_each_minute_actor_action_and_subject_has_an_event_of_its_own(business, monkeypatch):
    for moment in (HALF_PAST, HALF_PAST + timedelta(seconds=29), HALF_PAST + timedelta(seconds=30)):
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
        refuse("a", business=business)
    refuse("b", "b", "a", business=business)
    refuse("a", business=business, who="other")
    refuse("a", business=business, action="reveal refused")
    assert [(t[1], t[3]) for t in told()] == [("a", 2), ("a", 2), ("b", 1), ("a", 1), ("a", 1)]


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_one_event_with_an_exact_count(transactional_db, one_minute):
    business = factories.business()
    start = threading.Barrier(6)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            start.wait(10)
            for _ in range(5):
                refuse("a", "b", business=business)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(told()) == [("access refused", subject, [], 30) for subject in "ab"]


def test_the_database_holds_the_bound(business, one_minute):
    refuse("a", business=business)
    row = Refusal.objects.get()
    row.pk = None
    row._state.adding = True
    row.id = Refusal().id
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


@pytest.mark.postgres
def test_it_is_counted_where_the_trail_is_append_only(business, one_minute):
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE finora_app_refused")
        cursor.execute(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public"
            " TO finora_app_refused;"
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO finora_app_refused;"
            "REVOKE UPDATE, DELETE, TRUNCATE ON audit_auditevent FROM finora_app_refused;"
            "SET ROLE finora_app_refused"
        )
        try:
            for _ in range(3):
                refuse("a", business=business)
        finally:
            cursor.execute("RESET ROLE")
    assert told() == [("access refused", "a", [], 3)]


def test_counts_are_pruned_with_their_events(business, monkeypatch):
    old = clock.now() - timedelta(days=400)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: old)
        refuse("a", business=business)
    refuse("b", business=business)
    call_command("prune_audit", "--older-than", "365", stdout=StringIO(), stderr=StringIO())
    assert [t[1] for t in told()] == ["b"]
    assert Refusal.objects.get().subject == "b"


# Where it is read.


def test_the_trail_the_story_and_the_front_page_say_how_often(staff, ada, one_minute):
    viewer = browser("Viewer")
    for field in ("email", "tin", "email"):
        reveal(viewer, ada, field)
    said = "Reveal of email refused (3 times)"
    for url in (page(ada), AUDIT, "/admin/"):
        assert said in staff.get(url).content.decode(), url
    found = staff.post(AUDIT, {"q": ada.public_id}, follow=True)
    assert said in found.content.decode()
