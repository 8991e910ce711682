"""What staff see instead of a page: why they are at the login again, and what was refused."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from finora import clock
from finora.staff.models import StaffSession
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import LIST, page
from finora.tests.kit.staff import browser

IDLE = "You were logged out: 30 minutes had passed without a click."
OLD = "You were logged out, as 12 hours had passed since your login."
ENDED = "Your session has ended. Please log in again."


def told(client: Client, path: str = "/admin/") -> str:
    answer = client.get(path, follow=True)
    assert answer.request["PATH_INFO"] == "/admin/login/"
    return " ".join(str(message) for message in answer.context["messages"])


@pytest.fixture
def viewer(db, settings) -> Client:
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": static}
    return browser("Viewer")


def test_a_log_out_for_idleness_says_so_once(viewer):
    viewer.get("/admin/")
    StaffSession.objects.update(expire_date=clock.now())
    assert told(viewer, LIST) == IDLE
    assert told(viewer, LIST) == ""


def test_the_login_page_itself_says_it_too(viewer):
    StaffSession.objects.update(expire_date=clock.now())
    assert told(viewer, "/admin/login/") == IDLE


def test_a_session_that_was_too_old_or_ended_says_that(viewer):
    now = clock.now()
    StaffSession.objects.update(began_at=now - timedelta(hours=12), expire_date=now)
    assert told(viewer) == OLD
    other = browser("Viewer")
    StaffSession.objects.all().delete()
    assert told(other) == ENDED


def test_who_was_not_logged_in_is_told_nothing(viewer, db):
    assert told(Client()) == ""
    viewer.post("/admin/logout/")
    assert told(viewer) == ""


def test_the_browser_keeps_the_sessions_name_until_it_is_closed(viewer):
    """Else it would forget it at the very minute, and nobody could say what happened."""
    StaffSession.objects.update(expire_date=clock.now() + timedelta(minutes=20))
    cookie = viewer.get("/admin/").cookies["sessionid"]
    assert (cookie["max-age"], cookie["expires"]) == ("", "")


def looks_like_the_others(answer, heading: str) -> str:
    html = answer.content.decode()
    assert f"<h1>{heading}</h1>" in html
    assert "staff/directory.css" in html
    assert "Log out" in html
    assert '<a href="/admin/">To the front page</a>' in html
    return html


def test_a_refused_page_looks_like_the_others_and_leads_back(viewer, business):
    customer = factories.customer(business)
    came_from = f"http://testserver{page(customer)}"
    refused = viewer.get(f"{LIST}{customer.pk}/erase/", headers={"referer": came_from})
    assert refused.status_code == 403
    html = looks_like_the_others(refused, "Not allowed")
    assert f'<a href="{came_from}" rel="prev">Go back</a>' in html
    assert viewer.post(page(customer), {"name": "x"}).status_code == 403


@pytest.mark.parametrize(
    "came_from", ["https://elsewhere.example/", "javascript:alert(1)", "http://testserver/admin/x/"]
)
def test_it_leads_back_to_no_other_host_and_not_to_itself(viewer, came_from):
    missing = viewer.get("/admin/x/", headers={"referer": came_from})
    assert missing.status_code == 404
    assert "Go back" not in looks_like_the_others(missing, "Not found")


def test_a_form_that_no_page_sent_and_a_condition_that_no_list_offers_are_such_pages(viewer):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = viewer.cookies
    unsent = strict.post(LIST, {"q": "ada"})
    assert unsent.status_code == 403
    looks_like_the_others(unsent, "Not sent")
    closed = viewer.get(f"{LIST}?address__startswith=1")
    assert closed.status_code == 400
    looks_like_the_others(closed, "Not understood")


def test_a_page_that_fails_leads_back_too(viewer, monkeypatch):
    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr("finora.staff.front_page.render", fail)
    viewer.raise_request_exception = False
    failed = viewer.get("/admin/")
    assert failed.status_code == 500
    html = failed.content.decode()
    assert "<h1>Not available</h1>" in html
    assert re.search(r'<a href="/admin/">To the front page</a>', html)
