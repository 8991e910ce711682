"""The password again: before values are shown or taken out, once for a stretch of work."""

from __future__ import annotations

import html
import re

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.models import User
from django.forms.models import model_to_dict
from django.test import Client

from customers.models import Customer
from finora.audit.models import AuditEvent
from finora.staff.models import StaffSession
from finora.tenants.models import ApiKey
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import LIST, PERSONAL, page

PASSWORD = "correct horse battery"
WRONG = "Wr0ng-Zephyrine-77"
KEYS, USERS = "/admin/tenants/apikey/", "/admin/auth/user/"
JSON = {"accept": "application/json"}


@pytest.fixture(autouse=True)
def _static_files_as_they_are_and_quick_passwords(settings):
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": static}
    # Slow on purpose elsewhere; here dozens of passwords are tried.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ada(business) -> Customer:
    return factories.customer(business, **PERSONAL)


@pytest.fixture
def boss(db, client) -> Client:
    User.objects.create_superuser("amaka", password=PASSWORD)
    client.post("/admin/login/", {"username": "amaka", "password": PASSWORD})
    return client


def wait(client: Client, minutes: float) -> None:
    """As if the password had been given so much earlier."""
    session = client.session
    session["password_proved"] -= minutes * 60
    session.save()


def asks(response) -> bool:
    return "Your password again" in response.content.decode()


def go_on(client: Client, response, password: str = PASSWORD, **extra):
    """What a browser sends from the page that asks: all that the page holds, and the password."""
    text = response.content.decode().partition('<form method="post">')[2].partition("</form>")[0]
    held = re.findall(r'<input type="hidden" name="(.*?)" value="(.*?)">', text)
    data: dict[str, list[str]] = {"password": [password]}
    for name, value in held:
        data.setdefault(html.unescape(name), []).append(html.unescape(value))
    request = response.request
    query = request["QUERY_STRING"]
    return client.post(f"{request['PATH_INFO']}?{query}", data, **extra)


def reveals(client, ada):
    return client.post(f"{LIST}{ada.pk}/reveal/", {"field": "email"})


def chooses_to_export(client, *customers, **extra):
    data = {"action": "export", "_selected_action": [c.pk for c in customers], "index": "0"}
    return client.post(f"{LIST}?status=all", data | extra)


def exports(client, ada):
    return chooses_to_export(client, ada, confirmed="yes")


def erases(client, ada):
    return client.post(f"{LIST}{ada.pk}/erase/", {"typed": ada.public_id})


def issues(client, ada):
    return client.post(f"{KEYS}add/", {"business": ada.business_id, "name": "A & B", "more": ["1"]})


def adds_an_account(client, ada):
    return client.get(f"{USERS}add/")


def opens_an_account(client, ada):
    return client.get(f"{USERS}{User.objects.get().pk}/change/")


def sets_a_password(client, ada):
    return client.get(f"{USERS}{User.objects.get().pk}/password/")


ACTS = [reveals, exports, erases, issues, adds_an_account, opens_an_account, sets_a_password]


def body(response) -> str:
    return b"".join(response).decode()


def done(response, ada) -> bool:
    """Whether the act went through."""
    shown = body(response)
    ada = Customer.objects.get(pk=ada.pk)
    return (
        PERSONAL["email"] in shown
        or bool(ada.erased_at)
        or ApiKey.objects.exists()
        or 'name="username"' in shown
        or 'name="password1"' in shown
    )


@pytest.mark.parametrize("act", ACTS)
def test_with_a_password_of_late_nothing_is_asked(boss, ada, act):
    wait(boss, 14.9)
    assert done(act(boss, ada), ada)


@pytest.mark.parametrize("act", ACTS)
def test_with_an_older_one_it_is_asked_first_and_then_goes_on(boss, ada, act):
    wait(boss, 15)
    asked = act(boss, ada)
    assert asks(asked)
    assert "no-store" in asked["Cache-Control"]
    assert not done(asked, ada)
    assert not AuditEvent.objects.filter(action__in=("revealed", "exported", "erased")).exists()
    wrong = go_on(boss, asked, WRONG)
    assert "This is not your password." in wrong.content.decode()
    assert WRONG not in wrong.content.decode()
    assert not done(wrong, ada)
    answer = go_on(boss, wrong)
    if answer.status_code == 302 and answer["Location"] == asked.request["PATH_INFO"]:
        answer = boss.get(answer["Location"])  # a page that was to be opened
    assert done(answer, ada)
    for text in (str(answer.headers), *(str(s.get_decoded()) for s in StaffSession.objects.all())):
        assert ada.email not in text


def test_an_export_that_is_not_confirmed_yet_is_asked_about_before_it_is_confirmed(boss, ada):
    other = factories.customer(ada.business)
    wait(boss, 16)
    asked = chooses_to_export(boss, ada, other)
    assert asks(asked)
    assert "Export 2 customers?" in go_on(boss, asked).content.decode()


def test_the_script_is_told_and_sends_the_password_beside(boss, ada):
    url, field = f"{LIST}{ada.pk}/reveal/", {"field": "tin"}
    wait(boss, 16)
    asked = boss.post(url, field, headers=JSON).json()
    assert asked == {"reauthenticate": "Type your password to go on."}
    wrong = boss.post(url, field | {"password": WRONG}, headers=JSON).json()
    assert wrong == {"reauthenticate": "This is not your password."}
    assert boss.post(url, field | {"password": ""}, headers=JSON).json() == {
        "reauthenticate": "Type your password."
    }
    right = boss.post(url, field | {"password": PASSWORD}, headers=JSON).json()
    assert right == {"value": ada.tin}


def test_one_password_serves_for_a_stretch_of_work(boss, ada):
    wait(boss, 16)
    go_on(boss, reveals(boss, ada))
    wait(boss, 14)
    for act in (reveals, exports, opens_an_account):
        assert done(act(boss, ada), ada)
    wait(boss, 2)
    assert asks(reveals(boss, ada))


def test_a_change_or_a_look_asks_for_nothing(boss, ada):
    wait(boss, 60)
    for url in ("/admin/", LIST, page(ada), f"{LIST}add/", f"{KEYS}add/", USERS):
        assert not asks(boss.get(url))


def test_how_long_it_serves_is_a_setting(boss, ada, settings):
    settings.ADMIN_REAUTHENTICATION_AGE /= 3
    wait(boss, 6)
    assert asks(reveals(boss, ada))


def test_a_proof_from_the_future_is_none(boss, ada):
    wait(boss, -10)
    assert asks(reveals(boss, ada))


def test_a_session_without_any_proof_is_asked(boss, ada):
    session = boss.session
    del session["password_proved"]
    session.save()
    assert asks(reveals(boss, ada))


def test_wrong_ones_count_and_lock_as_at_the_login(boss, ada):
    wait(boss, 16)
    asked = reveals(boss, ada)
    codes = [go_on(boss, asked, WRONG).status_code for _ in range(5)]
    assert codes == [200, 200, 200, 200, 429]
    assert go_on(boss, asked).status_code == 429
    assert go_on(boss, asked, headers=JSON).status_code == 429
    login = {"username": "amaka", "password": PASSWORD}
    assert Client().post("/admin/login/", login).status_code == 429
    assert not AuditEvent.objects.filter(action="revealed").exists()
    # What needs no password goes on.
    assert boss.get(page(ada)).status_code == 200


def test_failures_at_the_login_count_too_and_a_right_one_clears_all(boss, ada):
    stranger = Client()
    for _ in range(4):
        stranger.post("/admin/login/", {"username": "amaka", "password": WRONG})
    wait(boss, 16)
    assert go_on(boss, reveals(boss, ada)).status_code == 200
    assert not AccessAttempt.objects.exists()
    wait(boss, 16)
    assert [go_on(boss, reveals(boss, ada), WRONG).status_code for _ in range(4)] == [200] * 4


def test_an_address_that_tries_many_is_slowed_down(boss, ada, settings):
    settings.LOGIN_LIMITS = "2/minute"
    wait(boss, 16)
    asked = reveals(boss, ada)
    codes = [go_on(boss, asked, WRONG).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    slowed = go_on(boss, asked)
    assert 0 < int(slowed["Retry-After"]) <= 60
    assert not AuditEvent.objects.filter(action="revealed").exists()


def test_nobody_elses_password_opens_it(boss, ada):
    User.objects.create_superuser("bola", password="another fine horse")
    wait(boss, 16)
    for name in ("amaka", "bola"):
        asked = reveals(boss, ada)
        extra = {"username": name}
        data = {"field": "email", "password": "another fine horse"} | extra
        assert asks(boss.post(asked.request["PATH_INFO"], data))


def test_who_else_holds_the_sessions_key_gains_nothing_by_it(boss, ada):
    wait(boss, 16)
    thief = Client()
    thief.cookies["sessionid"] = boss.cookies["sessionid"].value
    assert thief.get("/admin/").status_code == 200
    go_on(boss, reveals(boss, ada))
    assert thief.get("/admin/").status_code == 302
    assert boss.get("/admin/").status_code == 200


def test_a_proof_makes_a_session_no_younger(boss, ada):
    began = StaffSession.objects.get().began_at
    wait(boss, 16)
    go_on(boss, reveals(boss, ada))
    assert StaffSession.objects.get().began_at == began


def test_no_password_is_stored_logged_or_shown(boss, ada, log):
    wait(boss, 16)
    passwords = {"password1": "Brand-new-99", "password2": "Brand-new-99", "password": WRONG}
    answer = boss.post(f"{USERS}add/", passwords | {"username": "chidi"})
    reveals(boss, ada)
    stored = [
        model_to_dict(row) for row in (*AccessAttempt.objects.all(), *AccessLog.objects.all())
    ]
    assert len(stored) == 2
    for secret in (WRONG, PASSWORD, "Brand-new-99"):
        for text in (str(stored), log.getvalue(), answer.content.decode()):
            assert secret not in text
    assert 'value="chidi"' in answer.content.decode()
