"""Times as staff see them: one spelling, in their zone, which is named."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache

from customers.models import Customer
from finora import clock
from finora.staff.models import StaffSession
from finora.tenants.models import ApiKey
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import LIST, page

# In Lagos it is the next day by then, and the next week: the second of March is a Monday.
LATE_ON_SUNDAY = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
# Whatever else could be a day or a time of day on a page.
DAYS_AND_TIMES = re.compile(r"\b\d{1,2}:\d\d\b|\b[ap]\.m\.|\b(?:March|Feb\.|\d{4}-\d\d-\d\d)\b")


class Late(datetime):
    @classmethod
    def now(cls, tz=None) -> datetime:
        return LATE_ON_SUNDAY


@pytest.fixture
def late(monkeypatch):
    monkeypatch.setattr(clock, "datetime", Late)
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def ada(late, business) -> Customer:
    ApiKey.objects.issue(business, "Web shop")
    return factories.customer(business, name="Ada Obi")


def text_of(response) -> str:
    body = response.content.decode().partition("<body")[2]
    return re.sub(r"<[^>]*>", " ", body)


def test_every_page_spells_times_alike_and_names_the_zone(staff, ada):
    key = ApiKey.objects.get()
    for path in (
        "/admin/", page(ada), "/admin/audit/auditevent/", f"/admin/tenants/apikey/{key.pk}/change/",
        f"/admin/tenants/business/{ada.business_id}/change/",
    ):  # fmt: skip
        shown = text_of(staff.get(path))
        assert "2 Mar 2026, 00:30 WAT" in shown, path
        assert not DAYS_AND_TIMES.findall(shown.replace("00:30 WAT", "")), path


def test_a_day_is_the_staffs_day(staff, ada):
    for path in (f"{LIST}?business={ada.business.public_id}", "/admin/tenants/apikey/"):
        shown = text_of(staff.get(path))
        assert "2 Mar 2026" in shown
        assert "1 Mar 2026" not in shown


def test_the_zone_is_a_setting(staff, ada, settings):
    settings.STAFF_TIME_ZONE = "America/New_York"
    assert "1 Mar 2026, 18:30 EST" in text_of(staff.get(page(ada)))


def test_a_week_begins_on_the_staffs_monday(staff, ada):
    shown = staff.get("/admin/")
    last = shown.context["bars"][-1]
    assert (last.week.isoformat(), last.number) == ("2026-03-02T00:00:00+01:00", 1)


def test_the_api_answers_in_utc_whatever_the_staffs_zone(api, late):
    made = api.post("/v1/customers", {"name": "Ada", "email": "a@b.example"}).json()["data"]
    assert made["createdAt"] == "2026-03-01T23:30:00.000Z"


def test_accounts_are_spelled_so_too(staff, late):
    StaffSession.objects.update(began_at=LATE_ON_SUNDAY)
    assert "since 2 Mar 2026, 00:30 WAT" in text_of(staff.get("/admin/auth/user/"))


def test_an_accounts_own_times_too(staff):
    User.objects.update(date_joined=LATE_ON_SUNDAY)
    account = staff.get(f"/admin/auth/user/{User.objects.get().pk}/change/")
    assert "2 Mar 2026, 00:30 WAT" in text_of(account)
