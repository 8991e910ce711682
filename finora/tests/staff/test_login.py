"""The staff's login: locked after failures, forgotten when idle, and silent about secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.db import IntegrityError, connection, transaction
from django.forms.models import model_to_dict
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from finora import clock
from finora.request import client_address
from finora.staff.models import StaffSession
from finora.tests.kit import factories

LOGIN = "/admin/login/"
PASSWORD = "correct horse battery"
WRONG = "Wr0ng-Zephyrine-77"


@pytest.fixture
def browser(db, client, settings) -> Client:
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": static}
    User.objects.create_superuser("amaka", password=PASSWORD)
    User.objects.create_superuser("bola", password=PASSWORD)
    return client


def log_in(browser: Client, password: str = PASSWORD, username: str = "amaka", **extra):
    return browser.post(LOGIN, {"username": username, "password": password}, **extra)


def fail(browser: Client, times: int, **extra) -> list[int]:
    return [log_in(browser, WRONG, **extra).status_code for _ in range(times)]


def test_five_failures_lock_a_user_name_also_for_the_right_password(browser):
    assert fail(browser, 5) == [200, 200, 200, 200, 429]
    locked = log_in(browser)
    assert locked.status_code == 429
    assert "Try again in 15 minutes" in locked.text
    assert "_auth_user_id" not in browser.session


def test_a_lock_holds_for_one_user_name_at_one_address(browser):
    fail(browser, 5)
    assert log_in(browser, username="bola").status_code == 302
    assert log_in(browser, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_an_address_that_tries_many_user_names_is_slowed_down(browser, settings):
    settings.LOGIN_LIMITS = "3/minute"
    names = [f"nobody{n}" for n in range(3)]
    assert [log_in(browser, WRONG, name).status_code for name in names] == [200, 200, 200]
    refused = log_in(browser)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60
    assert "Too many logins from here" in refused.text
    assert "_auth_user_id" not in browser.session
    # The page itself can be read, and others are let in.
    assert browser.get(LOGIN).status_code == 200
    assert log_in(browser, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_another_browser_at_the_address_is_locked_too(browser):
    agents = [f"Browser {n}" for n in range(5)]
    codes = [log_in(browser, WRONG, headers={"user-agent": agent}).status_code for agent in agents]
    assert codes[-1] == 429
    assert log_in(browser, headers={"user-agent": "Another"}).status_code == 429


def test_a_success_clears_the_failures(browser):
    assert fail(browser, 4) == [200] * 4
    assert log_in(browser).status_code == 302
    assert fail(browser, 4) == [200] * 4


def test_a_lock_ends_after_15_minutes_however_often_somebody_tries_meanwhile(browser):
    fail(browser, 5)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    assert fail(browser, 3) == [429] * 3
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
    assert log_in(browser).status_code == 302


def test_the_page_of_a_lock_is_a_page_of_the_admin(browser):
    fail(browser, 4)
    locked = log_in(browser, WRONG)
    assert "Finora directory" in locked.text
    assert "Log out" not in locked.text
    assert "script-src 'self'" in locked["Content-Security-Policy"]


def test_no_password_is_stored_or_logged_and_the_lock_is(browser, log):
    fail(browser, 6)
    log_in(browser, username="bola")
    stored = [
        model_to_dict(row) for row in (*AccessAttempt.objects.all(), *AccessLog.objects.all())
    ]
    assert len(stored) == 2
    for secret in (WRONG, PASSWORD):
        assert secret not in str(stored)
        assert secret not in log.getvalue()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    told = [line for line in lines if line["logger"].startswith("axes")]
    assert "AXES: Locking out %s after repeated login failures." in [t["message"] for t in told]
    assert not any(name in str(told) for name in ("amaka", "127.0.0.1"))


def test_what_attempts_store_has_a_bound(browser):
    for _ in range(8):
        browser.post(
            LOGIN, {"username": "amaka", "password": WRONG, "more": "x" * 5000}, follow=False
        )
    assert len(AccessAttempt.objects.get().post_data) < 6000


def test_the_api_knows_nothing_of_locks(browser, api):
    fail(browser, 5)
    factories.customer(api.business)
    assert api.get("/v1/customers").status_code == 200


def test_staff_are_logged_out_when_idle_and_not_while_they_work(browser, settings):
    assert settings.SESSION_COOKIE_AGE == 30 * 60
    log_in(browser)
    session = StaffSession.objects.get()
    soon = timezone.now() + timedelta(minutes=1)
    StaffSession.objects.update(expire_date=soon)
    assert browser.get("/admin/").status_code == 200
    session.refresh_from_db()
    assert session.expire_date > soon + timedelta(minutes=25)
    StaffSession.objects.update(expire_date=timezone.now())  # idle for half an hour
    assert browser.get("/admin/").url == "/admin/login/?next=/admin/"


def at(monkeypatch, moment):
    """From now on it is that late."""
    monkeypatch.setattr(clock, "now", lambda: moment)
    monkeypatch.setattr(timezone, "now", lambda: moment)


def test_a_session_ends_twelve_hours_after_its_login_however_it_is_used(browser, monkeypatch):
    log_in(browser)
    began = StaffSession.objects.get().began_at
    for minutes in range(20, 12 * 60, 20):
        at(monkeypatch, began + timedelta(minutes=minutes))
        assert browser.get("/admin/").status_code == 200
        assert StaffSession.objects.get().began_at == began
    at(monkeypatch, began + timedelta(hours=12))
    assert browser.get("/admin/").url == "/admin/login/?next=/admin/"


def test_logging_in_again_within_a_session_makes_it_no_younger(browser, monkeypatch):
    log_in(browser)
    began = StaffSession.objects.get().began_at
    at(monkeypatch, began + timedelta(minutes=20))
    log_in(browser)
    assert StaffSession.objects.get().began_at == began
    browser.post("/admin/logout/")
    log_in(browser)
    assert StaffSession.objects.get().began_at > began


def test_the_last_half_hour_of_a_session_writes_it_no_more_often(browser, monkeypatch):
    log_in(browser)
    began = StaffSession.objects.get().began_at
    for minutes in range(20, 12 * 60 - 10, 20):
        at(monkeypatch, began + timedelta(minutes=minutes))
        browser.get("/admin/")
    at(monkeypatch, began + timedelta(hours=12, minutes=-2))
    with CaptureQueriesContext(connection) as captured:
        assert browser.get("/admin/").status_code == 200
    assert not [q for q in captured if q["sql"].startswith("UPDATE")]


def test_a_session_that_nobody_began_is_refused_by_the_database(browser):
    log_in(browser)
    with pytest.raises(IntegrityError), transaction.atomic():
        StaffSession.objects.update(began_at=None)


def test_a_page_within_a_minute_of_the_last_writes_no_session(browser):
    log_in(browser)
    before = StaffSession.objects.get().expire_date
    browser.get("/admin/")
    assert StaffSession.objects.get().expire_date == before


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(browser):
    cookie = log_in(browser).cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", "")


def test_cookies_travel_by_https_alone_in_a_live_environment(browser, settings):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    page = browser.get(LOGIN, secure=True)
    assert page.cookies["csrftoken"]["secure"]
    assert log_in(browser, secure=True).cookies["sessionid"]["secure"]


@pytest.mark.parametrize(
    ("behind_proxy", "remote", "forwarded", "address"),
    [
        (False, "192.0.2.1", "203.0.113.9", "192.0.2.1"),
        (False, "::ffff:192.0.2.1", "", "192.0.2.1"),
        (False, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::"),
        (False, "", "203.0.113.9", None),
        (True, "10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        (True, "10.0.0.1", "nonsense", None),
        (True, "10.0.0.1", "", None),
    ],
)
def test_an_address_is_the_one_that_we_or_our_proxy_saw(
    settings, behind_proxy, remote, forwarded, address
):
    settings.BEHIND_PROXY = behind_proxy
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote)
    assert client_address(request) == address


def test_behind_a_proxy_a_made_up_address_does_not_escape_the_lock(browser, settings):
    settings.BEHIND_PROXY = True
    for n in range(5):
        log_in(browser, WRONG, headers={"x-forwarded-for": f"203.0.113.{n}, 198.51.100.7"})
    answer = log_in(browser, headers={"x-forwarded-for": "203.0.113.77, 198.51.100.7"})
    assert answer.status_code == 429


@pytest.mark.parametrize("deploy", [False, True])
def test_the_locks_own_checks_have_nothing_to_say(deploy):
    said = run_checks(include_deployment_checks=deploy)
    assert [m for m in said if m.id and m.id.startswith("axes") and not m.is_silenced()] == []


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("ADMIN_IDLE_MINUTES", minutes) for minutes in ("0", "1441", "soon")),
        *(("ADMIN_SESSION_HOURS", hours) for hours in ("0", "169", "0.5")),
    ],
)
def test_bounds_of_a_session_that_make_no_sense_stop_the_start(name, value):
    run = subprocess.run(
        [sys.executable, "-c", "import finora.settings"],
        env=os.environ | {name: value},
        capture_output=True,
        text=True,
    )
    assert run.returncode != 0
    assert name in run.stderr
