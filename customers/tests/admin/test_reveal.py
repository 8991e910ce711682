"""Personal values: masked for all, revealed one at a time and exported by who may, always noted."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from customers.models import Customer
from finora.audit.models import AuditEvent
from finora.staff.models import StaffSession
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import LIST, PERSONAL, act, form_of, page, save, search
from finora.tests.kit.staff import browser, member

SEALED = {name: PERSONAL[name] for name in ("email", "phone", "tin", "address")}
REVEALED, EXPORTED = AuditEvent.Action.REVEALED, AuditEvent.Action.EXPORTED


@pytest.fixture(autouse=True)
def _static_files_as_they_are(settings):
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": static}


@pytest.fixture
def ada(business) -> Customer:
    return factories.customer(business, **PERSONAL)


@pytest.fixture
def officer(db) -> Client:
    return browser("Privacy officer")


def reveal(client: Client, customer: Customer, field: str, **headers: str):
    return client.post(f"{LIST}{customer.pk}/reveal/", {"field": field}, headers=headers)


JSON = {"accept": "application/json"}


@pytest.mark.parametrize("field", SEALED)
def test_one_field_is_revealed_and_noted_by_name(officer, ada, field):
    response = reveal(officer, ada, field)
    html = response.content.decode()
    assert SEALED[field] in html
    for other, value in SEALED.items():
        assert (value in html) is (other == field)
    event = AuditEvent.objects.get(action=REVEALED)
    assert (event.subject, event.fields) == (ada.public_id, [field])
    assert (event.actor_kind, event.request_id) == ("staff", response["X-Request-Id"])


@pytest.mark.parametrize("headers", [{}, JSON])
def test_the_answer_is_stored_nowhere(officer, ada, headers):
    response = reveal(officer, ada, "email", **headers)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies.get("messages")
    for text in (
        str(response.headers),
        *(str(s.get_decoded()) for s in StaffSession.objects.all()),
    ):
        assert ada.email not in text
    # The next look at the page is masked again.
    assert ada.email not in officer.get(page(ada)).content.decode()


def test_the_script_gets_the_value_alone(officer, ada):
    assert reveal(officer, ada, "tin", **JSON).json() == {"value": ada.tin}
    html = officer.get(page(ada)).content.decode()
    assert "staff/reveal.js" in html
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r"\son\w+=", html)


def test_without_scripts_the_form_of_the_page_still_saves_to_the_page(ada):
    both = browser("Editor", "Privacy officer")
    html = reveal(both, ada, "email").content.decode()
    assert f'action="{page(ada)}" method="post" id="customer_form"' in html
    assert f'value="{ada.email}"' not in html


def test_a_reveal_needs_a_post_a_csrf_token_a_sealed_field_and_the_permission(officer, ada):
    url = f"{LIST}{ada.pk}/reveal/"
    assert officer.get(f"{url}?field=email").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(member("Privacy officer"))
    assert strict.post(url, {"field": "email"}).status_code == 403
    for field in ("name", "email_hash", "business", "", "pk"):
        assert reveal(officer, ada, field).status_code == 404
    for role in ("Viewer", "Editor", "Administrator"):
        assert reveal(browser(role), ada, "email").status_code == 403
    assert not AuditEvent.objects.filter(action=REVEALED).exists()


def test_what_is_unreadable_says_so_and_what_is_not_there_has_no_button(officer, ada):
    factories.store(ada, "email", "s1.forged")
    assert "unreadable" in reveal(officer, ada, "email").content.decode()
    assert reveal(officer, ada, "email", **JSON).json() == {"value": None}
    bare = factories.customer(ada.business)
    assert officer.get(page(bare)).content.decode().count(">Reveal</button>") == 1


def test_no_page_shows_a_value_to_who_may_not_see_it(ada):
    editor = browser("Editor")
    other = factories.customer(ada.business)
    save(editor, ada, name="Ada Two")
    taken = save(editor, other, email=ada.email.upper())
    assert taken.context["adminform"].form.errors["email"]
    ada.delete()
    pages = [
        editor.get(LIST),
        editor.get(page(ada)),
        editor.get(page(other)),
        editor.get(f"{LIST}{ada.pk}/history/"),
        editor.get(f"{LIST}{ada.pk}/delete/"),
        editor.get("/admin/"),
        search(editor, "Ada Two", "status=all"),
        act(editor, "restore", ada, query="status=all"),
        act(editor, "export", ada, query="status=all", confirmed="yes"),
    ]
    for response in pages:
        for value in SEALED.values():
            assert value not in response.content.decode()


def test_a_form_of_who_may_reveal_holds_no_value_either(ada):
    for value in form_of(browser("Editor", "Privacy officer"), ada).values():
        assert value not in SEALED.values()


# The form: blank keeps, a new value replaces, a tick clears.


def test_blank_keeps_and_a_tick_clears(ada):
    editor = browser("Editor")
    save(editor, ada, name="Ada Two", clear_phone="on")
    now = Customer.objects.get(pk=ada.pk)
    assert (now.name, now.email, now.tin, now.address) == (
        "Ada Two", ada.email, ada.tin, ada.address,
    )  # fmt: skip
    assert (now.phone, now.phone_hash) == (None, None)
    assert LogEntry.objects.get().get_change_message() == "Changed Name and Phone."
    event = AuditEvent.objects.filter(action="updated").get()
    assert event.fields == ["name", "phone"]


def test_a_value_and_a_tick_at_once_are_told(ada):
    response = save(browser("Editor"), ada, phone="0800 000 0000", clear_phone="on")
    assert "not both" in response.content.decode()
    assert Customer.objects.get(pk=ada.pk).phone == ada.phone


def test_an_email_cannot_be_cleared(ada):
    save(browser("Editor"), ada, clear_email="on", email="")
    assert Customer.objects.get(pk=ada.pk).email == ada.email


# Export.


def exported(response) -> list[dict[str, str]]:
    text = b"".join(response).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_an_export_asks_with_the_count_and_is_noted_for_each(officer, ada):
    bare = factories.customer(ada.business)
    asked = act(officer, "export", ada, bare).content.decode()
    assert "Export 2 customers?" in asked
    assert ada.email not in asked
    assert not AuditEvent.objects.filter(action=EXPORTED).exists()
    response = act(officer, "export", ada, bare, confirmed="yes")
    assert response.streaming
    assert "no-store" in response["Cache-Control"]
    assert response["Content-Disposition"] == 'attachment; filename="customers.csv"'
    rows = {row["id"]: row for row in exported(response)}
    assert rows.keys() == {ada.public_id, bare.public_id}
    mine = rows[ada.public_id]
    assert (mine["email"], mine["phone"], mine["tin"]) == (ada.email, f"'{ada.phone}", ada.tin)
    assert (mine["name"], mine["isActive"], rows[bare.public_id]["phone"]) == (ada.name, "true", "")
    events = AuditEvent.objects.filter(action=EXPORTED)
    assert {event.subject for event in events} == rows.keys()
    assert {tuple(event.fields) for event in events} == {()}


def test_an_exported_balance_is_exact_and_a_bad_row_does_not_end_the_file(officer, ada):
    other = factories.customer(ada.business)
    factories.store(ada, "email", "s1.forged")
    Customer.objects.filter(pk=ada.pk).update(account_balance_kobo=-(2**53) - 1)
    rows = exported(act(officer, "export", ada, other, confirmed="yes"))
    mine = next(row for row in rows if row["id"] == ada.public_id)
    assert (mine["email"], mine["accountBalanceKobo"]) == ("(unreadable)", "-9007199254740993")
    assert len(rows) == 2
