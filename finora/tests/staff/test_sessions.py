"""Who of the staff is logged in, and a superuser who ends it."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from finora import clock
from finora.staff.models import StaffSession
from finora.staff.sessions import SessionStore
from finora.tests.kit.staff import member

USERS = "/admin/auth/user/"


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ada(db) -> User:
    return member("Viewer")


def end(client: Client, *users: User, **extra: str):
    data = {"action": "end_sessions", "_selected_action": [u.pk for u in users], "index": "0"}
    return client.post(USERS, data | extra)


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def shown(response) -> dict[str, str]:
    """User name → what the list says of its sessions."""
    text = response.content.decode()
    row = r'field-username.*?<a[^>]*>(.*?)</a>.*?field-logged_in">(.*?)<'
    return dict(re.findall(row, text, re.DOTALL))


def test_the_list_says_who_is_logged_in_and_shows_no_key_of_a_session(staff, ada):
    first, second = logged_in(ada), logged_in(ada)
    nobody, gone = member("Viewer"), member("Viewer")
    logged_in(gone)
    StaffSession.objects.filter(user=gone).update(expire_date=clock.now())
    answer = staff.get(USERS)
    said = shown(answer)
    assert said.keys() == {"staff", ada.username, nobody.username, gone.username}
    assert re.fullmatch(r"2 sessions, since \d+ \w+ \d{4}, \d\d:\d\d WAT", said[ada.username])
    assert re.fullmatch(r"since \d+ \w+ \d{4}, \d\d:\d\d WAT", said["staff"])
    assert said[nobody.username] == said[gone.username] == "-"
    now = staff.get(f"{USERS}?logged_in=now")
    assert shown(now).keys() == {"staff", ada.username}
    pages = (answer, now, staff.get(f"{USERS}{ada.pk}/change/"), end(staff, ada))
    for client in (first, second, staff):
        for page in pages:
            assert client.session.session_key not in page.content.decode()


def test_ended_after_a_question_they_are_out_in_every_browser_and_others_stay(staff, ada, log):
    first, second, other = logged_in(ada), logged_in(ada), logged_in(member("Viewer"))
    asked = end(staff, ada)
    assert "End the sessions of 1 user?" in asked.content.decode()
    assert ada.username in asked.content.decode()
    assert is_in(first)
    done = end(staff, ada, confirmed="yes")
    assert "2 sessions ended." in staff.get(done["Location"]).content.decode()
    assert [is_in(c) for c in (first, second, other, staff)] == [False, False, True, True]
    entry = LogEntry.objects.get(object_id=str(ada.pk))
    assert (entry.user.username, entry.get_change_message()) == ("staff", "Sessions ended.")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (line,) = [line for line in lines if line["message"] == "sessions ended"]
    assert (line["account"], line["by"]) == (ada.pk, entry.user.pk)
    assert ada.username not in str(line)


def test_a_button_on_the_accounts_page_does_it_too(staff, ada):
    client = logged_in(ada)
    page = staff.get(f"{USERS}{ada.pk}/change/").content.decode()
    assert ">End sessions<" in page
    assert 'value="end_sessions"' in page
    done = end(staff, ada, confirmed="yes", from_page="yes")
    assert done["Location"] == f"{USERS}{ada.pk}/change/"
    assert not is_in(client)
    assert ">End sessions<" not in staff.get(done["Location"]).content.decode()


def test_only_a_superuser_does(staff, ada):
    client = logged_in(ada)
    helper = member("Administrator")
    rights = Permission.objects.filter(content_type__app_label="auth")
    helper.user_permissions.set(rights)
    assert ada.username in shown(logged_in(helper).get(USERS))
    end(logged_in(helper), ada, confirmed="yes")
    assert logged_in(member("Administrator")).get(USERS).status_code == 403
    assert staff.get(USERS, {"action": "end_sessions", "confirmed": "yes"}).status_code in (
        302,
        400,
    )
    assert is_in(client)


def test_a_request_under_way_does_not_bring_an_ended_session_back(staff, ada):
    client = logged_in(ada)
    under_way = SessionStore(client.session.session_key)
    under_way["seen"] = "yes"
    end(staff, ada, confirmed="yes")
    with pytest.raises(UpdateError):
        under_way.save()
    assert not StaffSession.objects.filter(user=ada).exists()


def test_the_list_costs_the_same_however_many_are_logged_in(staff, ada):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            staff.get(USERS)
        return len(captured)

    before = queries()
    for _ in range(5):
        logged_in(member("Viewer"))
    assert queries() == before <= 7


def test_an_account_that_goes_takes_its_sessions_along(ada):
    client = logged_in(ada)
    ada.delete()
    assert not StaffSession.objects.exists()
    assert not is_in(client)
