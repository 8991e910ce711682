"""The staff's API keys: issued and shown once, watched, renamed, revoked."""

from __future__ import annotations

import json
import logging
import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from finora import clock
from finora.audit.models import AuditEvent
from finora.staff.models import StaffSession
from finora.tenants.models import ApiKey
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import named_queries, said
from finora.tests.kit.staff import browser

LIST = "/admin/tenants/apikey/"
KEY = re.compile(r"test_sk_[0-9a-f]{48}")


def page(key: ApiKey) -> str:
    return f"{LIST}{key.pk}/change/"


def act(client: Client, *keys: ApiKey, **extra: str):
    data = {"action": "revoke", "_selected_action": [k.pk for k in keys], "index": "0"}
    return client.post(LIST, data | extra, follow=True)


def listed(response) -> list[str]:
    return sorted(row.name for row in response.context["cl"].result_list)


def test_a_key_is_issued_and_opens_the_api(staff, business):
    response = staff.post(f"{LIST}add/", {"business": business.pk, "name": "Shop"})
    assert response.status_code == 200
    text = KEY.search(response.content.decode())[0]
    key = ApiKey.for_request(text)
    assert (key.name, key.business) == ("Shop", business)
    days = (key.expires_at - clock.now()).days
    assert days in (89, 90)


def test_the_key_is_in_that_one_answer_and_nowhere_else(staff, business, caplog):
    caplog.set_level(logging.DEBUG)
    response = staff.post(f"{LIST}add/", {"business": business.pk, "name": "Shop"})
    text = KEY.search(response.content.decode())[0]
    secret = text.removeprefix("test_sk_")[4:-4]  # the stored prefix and last four are no secret
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies.get("messages")
    places = [
        *(json.dumps(session.get_decoded()) for session in StaffSession.objects.all()),
        *(entry.change_message + entry.object_repr for entry in LogEntry.objects.all()),
        str(response.headers) + str(response.cookies),
        caplog.text,
        *(staff.get(url).content.decode() for url in (LIST, page(ApiKey.objects.get()), "/admin/")),
    ]
    for place in places:
        assert secret not in place


def test_the_page_of_the_key_copies_without_an_inline_script(staff, business):
    html = staff.post(f"{LIST}add/", {"business": business.pk, "name": "A"}).content.decode()
    assert "staff/copy.js" in html
    assert 'data-copies="issued-key"' in html
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)


def test_a_form_issues_one_key_however_often_it_is_sent(staff, business):
    ticket = staff.get(f"{LIST}add/").context["adminform"].form["ticket"].value()
    sent = {"business": business.pk, "name": "Shop", "ticket": ticket}
    assert KEY.search(staff.post(f"{LIST}add/", sent).text)
    again = staff.post(f"{LIST}add/", sent, follow=True)
    assert "issued its key before" in again.text
    assert not KEY.search(again.text)
    assert again.request["PATH_INFO"] == page(ApiKey.objects.get())
    assert AuditEvent.objects.filter(action="key issued").count() == 1
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize("change", [lambda t: t + "x", lambda t: t.replace("key_", "key_0")])
def test_a_ticket_that_was_not_made_here_issues_nothing(staff, business, change):
    ticket = change(staff.get(f"{LIST}add/").context["adminform"].form["ticket"].value())
    sent = {"business": business.pk, "name": "Shop", "ticket": ticket}
    assert "This form is too old" in staff.post(f"{LIST}add/", sent).text
    assert not ApiKey.objects.exists()


def test_keys_of_a_suspended_business_say_so(staff, business):
    key, _ = factories.api_key(business)
    business.is_suspended = True
    business.save(update_fields=["is_suspended"])
    for url in (LIST, page(key), "/admin/"):
        assert '<span class="tag bad">Business suspended</span>' in staff.get(url).text
    assert listed(staff.get(f"{LIST}?status=usable")) == []
    issued = staff.post(f"{LIST}add/", {"business": business.pk, "name": "Shop"})
    assert "The key opens nothing until that ends." in issued.text


def test_a_form_without_a_name_issues_nothing(staff, business):
    response = staff.post(f"{LIST}add/", {"business": business.pk, "name": " "})
    assert response.context["adminform"].form.errors
    assert not ApiKey.objects.exists()


def test_the_list_shows_what_recognises_a_key_and_warns_before_it_expires(staff, business):
    def made(name: str, **delta: float) -> ApiKey:
        key, _ = factories.api_key(business, expires_at=clock.now() + timedelta(**delta))
        ApiKey.objects.filter(pk=key.pk).update(name=name)
        return key

    key = made("far", days=14, minutes=1)
    made("near", days=13, hours=23)
    made("last day", hours=5)
    made("over", days=-1)
    gone = made("gone", days=3)
    ApiKey.objects.filter(pk=gone.pk).revoke()
    ApiKey.objects.filter(pk=key.pk).record_use(12345)

    rows = staff.get(LIST).content.decode().split('class="action-checkbox"')[1:]
    row = {re.search(r"/change/[^>]*>([^<]*)", row)[1]: row for row in rows}
    assert f"<code>{key.prefix}…{key.last_four}</code>" in row["far"]
    assert "12345" in row["far"].replace(",", "")
    assert "never" in row["near"]
    assert "warn" not in row["far"]
    assert "in 13 days" in row["near"]
    assert "within a day" in row["last day"]
    assert "Expired" in row["over"]
    assert "Revoked" in row["gone"]
    assert "warn" not in row["gone"]

    def shown(status: str) -> list[str]:
        return listed(staff.get(f"{LIST}?status={status}"))

    assert shown("usable") == ["far", "last day", "near"]
    assert shown("expiring") == ["last day", "near"]
    assert shown("expired") == ["over"]
    assert shown("revoked") == ["gone"]


def test_keys_are_found_by_name_last_four_and_by_the_whole_key_unseen(staff, business):
    key, text = factories.api_key(business)
    factories.api_key(business, expires_at=clock.now())
    ApiKey.objects.filter(pk=key.pk).update(name="Web shop")
    for term in ("shop", text):
        response = staff.post(LIST, {"q": term})
        assert term not in response["Location"]
        assert listed(staff.get(response["Location"])) == ["Web shop"]
    found = staff.post(LIST, {"q": key.last_four}, follow=True)
    assert "Web shop" in listed(found)


def test_only_the_name_can_be_edited(staff, business, other_business):
    key, text = factories.api_key(business)
    before = ApiKey.objects.values().get()
    staff.post(
        page(key),
        {"name": "New", "business": other_business.pk, "expires_at_0": "2999-01-01", "digest": "x"},
    )
    assert ApiKey.objects.values().get() == before | {"name": "New"}
    assert ApiKey.for_request(text)


def test_renaming_does_not_undo_a_revocation_that_came_meanwhile(staff, business, monkeypatch):
    key, _ = factories.api_key(business)
    monkeypatch.setattr(
        ApiKey, "validate_constraints", lambda *_, **__: ApiKey.objects.filter(pk=key.pk).revoke()
    )
    staff.post(page(key), {"name": "New"})
    now = ApiKey.objects.get()
    assert now.name == "New"
    assert now.is_revoked


def test_a_key_cannot_be_deleted(staff, business):
    key, _ = factories.api_key(business)
    assert staff.post(f"{LIST}{key.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete" not in staff.get(page(key)).content.decode().lower()
    act(staff, key, action="delete_selected", post="yes")
    assert ApiKey.objects.get() == key


def test_revoking_asks_with_the_count_and_refuses_the_keys_at_once(staff, business):
    keys = [factories.api_key(business) for _ in range(3)]
    two = [key for key, _ in keys[:2]]
    assert "Revoke 2 API keys?" in act(staff, *two).content.decode()
    assert ApiKey.objects.usable().count() == 3
    assert "2 API keys revoked" in said(act(staff, *two, confirmed="yes"))
    assert not ApiKey.for_request(keys[0][1])
    assert ApiKey.for_request(keys[2][1])
    assert {e.get_change_message() for e in LogEntry.objects.all()} == {"Revoked."}
    # Again on the same: nothing happens, and when it was revoked stays.
    when = ApiKey.objects.get(pk=two[0].pk).revoked_at
    assert "Nothing to revoke" in said(act(staff, *two, confirmed="yes"))
    assert ApiKey.objects.get(pk=two[0].pk).revoked_at == when


def test_revoking_from_the_keys_page(staff, business):
    key, _ = factories.api_key(business)
    assert "Revoke" in staff.get(page(key)).content.decode()
    response = act(staff, key, confirmed="yes", from_page="yes")
    assert response.request["PATH_INFO"] == page(key)
    assert '<button type="submit">Revoke' not in response.content.decode()


@pytest.mark.parametrize("status", ["", "?status=revoked"])
def test_the_list_costs_a_fixed_number_of_queries(staff, business, status):
    factories.api_key(business)
    few = len(queries(staff, LIST + status))
    for _ in range(20):
        factories.api_key(business)
    assert len(queries(staff, LIST + status)) == few <= 6


def queries(staff: Client, url: str) -> list[str]:
    return named_queries(staff, url, counting=True)


# Limits.

CONFIGURED = "60/minute,1000/hour,10000/day,10 concurrent"
LOOSER = (
    "off",
    " OFF ",
    "999999999/minute,999999999/hour,999999999/day,999999999 concurrent",
    "61/minute,1000/hour,10000/day,10 concurrent",
    "60/minute,1000/hour,10000/day",
    "10 concurrent",
)


@pytest.fixture
def administrator(staff, business, settings) -> Client:
    settings.RATE_LIMITS = CONFIGURED
    return browser("Administrator", "Key issuer")


@pytest.mark.parametrize("text", LOOSER)
def test_only_a_superuser_lifts_a_limit(administrator, staff, business, text):
    key, _ = factories.api_key(business, rate_limits="5/minute,9/hour,9/day,1 concurrent")
    for url, count in ((page(key), 1), (f"{LIST}add/", 1)):
        form = {"business": business.pk, "name": "Shop", "rate_limits": text}
        response = administrator.post(url, form)
        errors = response.context["adminform"].form.errors["rate_limits"]
        assert "Only a superuser" in errors[0]
        assert CONFIGURED in errors[0]
        assert ApiKey.objects.count() == count
    assert ApiKey.objects.get().rate_limits == "5/minute,9/hour,9/day,1 concurrent"

    staff.post(page(key), {"name": "Shop", "rate_limits": text})
    assert ApiKey.objects.get().rate_limits == text.strip()
    staff.post(f"{LIST}add/", {"business": business.pk, "name": "B", "rate_limits": text})
    assert ApiKey.objects.get(name="B").rate_limits == text.strip()


@pytest.mark.parametrize("text", ["", CONFIGURED, "1/day,2/hour,3/minute,4 concurrent"])
def test_an_administrator_limits_a_key_to_what_is_configured_and_less(
    administrator, business, text
):
    key, _ = factories.api_key(business, rate_limits="9/minute,9/hour,9/day,1 concurrent")
    administrator.post(page(key), {"name": "Shop", "rate_limits": text})
    assert ApiKey.objects.get().rate_limits == text


@pytest.mark.parametrize(
    ("configured", "text", "saved"),
    [
        ("off", "off", False),
        ("off", "99999/minute", True),
        ("60/minute", "60/minute", True),
        ("60/minute", "1/hour", False),
        ("60/minute", "lots", False),
    ],
)
def test_what_an_administrator_may_set_follows_the_configuration(
    administrator, business, settings, configured, text, saved
):
    settings.RATE_LIMITS = configured
    key, _ = factories.api_key(business)
    administrator.post(page(key), {"name": "Shop", "rate_limits": text})
    assert (ApiKey.objects.get().rate_limits == text) is saved


def test_renaming_leaves_the_limits_that_a_superuser_set(administrator, business, monkeypatch):
    key, _ = factories.api_key(business, rate_limits="off")
    keys = ApiKey.objects.filter(pk=key.pk)
    administrator.post(page(key), {"name": "One", "rate_limits": "off"})
    assert keys.values_list("name", "rate_limits").get() == ("One", "off")
    # Taken back while the form is being read, the limits do not come again with the new name.
    monkeypatch.setattr(
        ApiKey, "validate_constraints", lambda *_, **__: keys.update(rate_limits="5/minute")
    )
    administrator.post(page(key), {"name": "Two", "rate_limits": "off"})
    assert keys.values_list("name", "rate_limits").get() == ("Two", "5/minute")


def test_a_form_that_changes_nothing_writes_nothing(staff, business):
    key, _ = factories.api_key(business)
    before = AuditEvent.objects.count()
    staff.post(page(key), {"name": key.name, "rate_limits": ""})
    assert AuditEvent.objects.count() == before
