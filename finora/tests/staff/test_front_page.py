"""The front page: numbers, keys and events of what its reader may see, in a few queries."""

from __future__ import annotations

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from finora import clock
from finora.audit import models
from finora.audit.models import AuditEvent
from finora.orm.scope import Scope
from finora.tenants.models import ApiKey
from finora.tests.kit import factories
from finora.tests.kit import staff as staff_kit
from finora.tests.kit.staff import browser

FRONT = "/admin/"


@pytest.fixture(autouse=True)
def nothing_counted_yet():
    cache.clear()


def created(customer: Customer, **ago: int) -> None:
    moment = clock.now() - timedelta(**ago)
    Customer.objects.filter(pk=customer.pk).update(created_at=moment)


def rows(response) -> list[tuple[str, int, int]]:
    return [(r.business.name, r.active, r.new) for r in response.context["business_rows"]]


def member(client, *permissions: str) -> None:
    user = staff_kit.member()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)


def test_counts_active_customers_by_business_the_largest_first(staff, business, other_business):
    factories.customer(other_business)
    factories.customer(other_business).delete()
    for _ in range(3):
        created(factories.customer(business), weeks=5)
    page = staff.get(FRONT)
    assert rows(page) == [(business.name, 3, 0), (other_business.name, 1, 2)]
    assert page.context["active_in_all"] == 4
    assert f'href="/admin/customers/customer/?business={business.public_id}"' in page.text


def test_charts_twelve_weeks_of_new_customers(staff, business):
    for weeks in (0, 0, 0, 3, 11, 12, 40):
        created(factories.customer(business), weeks=weeks)
    page = staff.get(FRONT)
    bars = page.context["bars"]
    assert [bar.number for bar in bars] == [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 3]
    assert all(bar.week.weekday() == 0 and bar.week.hour == 0 for bar in bars)
    heights = [bar.height for bar in bars]
    assert heights[-1] == max(heights)
    assert heights[0] > 0 == heights[1]
    assert all(bar.y + bar.height == bars[0].y + bars[0].height for bar in bars)


def test_the_chart_is_said_in_words_and_as_a_table_too(staff, business):
    factories.customer(business)
    text = staff.get(FRONT).text
    assert "twelve weeks, 1 together; this week 1 so far</title>" in text
    table = text[text.index("The same as a table") :]
    assert table[: table.index("</details>")].count('<th scope="row">') == 12


def test_a_directory_without_customers_has_a_front_page(staff):
    page = staff.get(FRONT)
    assert page.status_code == 200
    assert "No business yet." in page.text
    assert [bar.height for bar in page.context["bars"]] == [0] * 12


def test_customers_are_counted_once_in_a_while_and_the_page_says_when(staff, business):
    factories.customer(business)
    first = staff.get(FRONT)
    factories.customer(business)
    second = staff.get(FRONT)
    assert rows(second) == rows(first)
    assert second.context["counted_at"] == first.context["counted_at"]
    at = first.context["counted_at"].astimezone(ZoneInfo("Africa/Lagos"))
    assert f"Counted on {at.day} {at:%b %Y, %H:%M} WAT." in second.text


def test_lists_keys_that_expire_within_two_weeks_the_next_first(staff, business):
    now = clock.now()
    for name, days in (("later", 9), ("soon", 2), ("in time", 30), ("over", -1)):
        key, _ = factories.api_key(business, expires_at=now + timedelta(days=days))
        ApiKey.objects.filter(pk=key.pk).update(name=name)
    page = staff.get(FRONT)
    assert [key.name for key in page.context["expiring_keys"]] == ["soon", "later"]
    assert "in 1\xa0week" in page.text


def test_a_new_key_is_shown_to_the_privacy_officer(staff, business, other_business):
    old, _ = factories.api_key(business)
    ApiKey.objects.filter(pk=old.pk).update(created_at=clock.now() - timedelta(days=15))
    factories.api_key(business)
    form = {"business": business.pk, "name": "Shop", "rate_limits": "off"}
    issued = staff.post("/admin/tenants/apikey/add/", form)
    key = ApiKey.objects.get(name="Shop")
    ApiKey.objects.filter(pk=key.pk).revoke()
    factories.api_key(other_business)

    page = browser("Privacy officer", scope=(business,)).get(FRONT)
    shown = page.context["new_keys"]
    assert [(each.name, each.issuer) for each in shown] == [("Shop", "staff"), ("a test", "")]
    told = page.text[page.text.index('id="new-keys"') : page.text.index('id="expiring"')]
    for words in ("by staff", "by the system", "Without limits", "Revoked", key.last_four):
        assert words in told
    assert issued.context["text"] not in page.text
    assert browser("Privacy officer").get(f"/admin/tenants/apikey/{key.pk}/change/").text


def test_new_keys_beyond_the_first_ten_are_not_hidden(staff, business):
    for _ in range(10):
        factories.api_key(business)
    assert "More of them" not in staff.get(FRONT).text
    factories.api_key(business)
    assert "More of them" in staff.get(FRONT).text


def test_tells_who_did_what_last_with_a_link_and_without_a_value(staff, business):
    customer = factories.customer(business, name="Ada Obi", email="ada@acme.com")
    customer.phone = "+2348031235678"
    customer.save(update_fields=["phone"])
    key, text = factories.api_key(business)
    page = staff.get(FRONT)
    told = [(row.event.action, row.url) for row in page.context["events"]]
    assert told == [
        ("key issued", f"/admin/tenants/apikey/{key.pk}/change/"),
        ("updated", f"/admin/customers/customer/{customer.pk}/change/"),
        ("created", f"/admin/customers/customer/{customer.pk}/change/"),
        ("created", f"/admin/tenants/business/{business.pk}/change/"),
    ]
    assert "Changed phone" in page.text
    for value in ("Ada Obi", "ada@", "acme.com", "5678", text):
        assert value not in page.text


def test_an_event_of_one_business_never_links_to_a_customer_of_another(
    staff, business, other_business
):
    customer = factories.customer(business)
    AuditEvent.objects.record("exported", other_business.pk, [customer.public_id])
    assert staff.get(FRONT).context["events"][0].url is None


def test_the_latest_events_are_looked_for_among_the_newest_only(
    business, other_business, monkeypatch
):
    monkeypatch.setattr(models, "RECENT", 3)
    AuditEvent.objects.record("exported", business.pk, ["old"])
    AuditEvent.objects.record("exported", business.pk, ["new"])
    AuditEvent.objects.record("exported", other_business.pk, ["a", "b"])
    found = AuditEvent.objects.latest_in(Scope.of([business.pk]), 10)
    assert [event.subject for event in found] == ["new"]


def test_takes_as_many_queries_for_many_rows_as_for_few(staff, business):
    def queries() -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            assert staff.get(FRONT).status_code == 200
        return len(captured)

    factories.api_key(business)
    few = queries()
    for _ in range(6):
        other = factories.business()
        factories.customer(other)
        factories.api_key(other, expires_at=clock.now() + timedelta(days=3))
    assert queries() == few <= 14


def test_reads_no_sealed_field(staff, business):
    factories.customer(business)
    with CaptureQueriesContext(connection) as captured:
        staff.get(FRONT)
    # Whether there is one is asked, of whom e-invoices can be made.
    columns = r'"customers_customer"."(email|phone|tin|address|name)"(?! IS NOT NULL)'
    assert not re.search(columns, str(captured.captured_queries))


@pytest.mark.parametrize(
    ("permission", "shown"),
    [
        ("view_customer", "by-business"),
        ("view_apikey", "new-keys"),
        ("view_auditevent", "recent"),
        ("view_business", None),
    ],
)
def test_shows_a_member_of_staff_only_what_they_may_view(staff, business, permission, shown):
    customer = factories.customer(business)
    factories.api_key(business, expires_at=clock.now() + timedelta(days=3))
    member(staff, permission)
    page = staff.get(FRONT)
    parts = {"by-business", "by-week", "new-keys", "expiring", "recent"}
    beside = {"by-business": {"by-week"}, "new-keys": {"expiring"}}
    expected = {shown} | beside.get(shown, set())
    assert {part for part in parts if f'id="{part}"' in page.text} == expected - {None}
    if permission == "view_auditevent":
        assert customer.public_id in page.text
        assert f"/customer/{customer.pk}/" not in page.text
