"""What staff see only for a password, and for so long: in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import expect

from finora.audit.models import AuditEvent
from finora.tests.kit.screens import (
    PASSWORD,
    PHONE,
    fits,
    let_the_password_grow_old,
    look,
    page_of,
    press,
    said,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]


def test_a_value_is_revealed_by_a_click_and_gone_with_the_page(screens, ada):
    page = screens.open(page_of(ada))
    expect(page.get_by_text(ada.email)).to_have_count(0)
    press(page, "Reveal Email")
    expect(page.get_by_text(ada.email)).to_be_visible()
    assert page.url.endswith(page_of(ada))
    event = AuditEvent.objects.latest("id")
    assert (event.action, event.actor_id, event.fields) == ("revealed", "amaka", ["email"])
    page.reload()
    expect(page.get_by_text(ada.email)).to_have_count(0)


def test_a_reveal_asks_for_an_old_password_in_its_place_and_keeps_what_is_typed(screens, ada):
    let_the_password_grow_old()
    page = screens.open(page_of(ada), viewport=PHONE, is_mobile=True, has_touch=True)
    page.locator("#id_company_name").fill("Half-typed Ltd")
    press(page, "Reveal Email")
    box = page.get_by_role("dialog")
    expect(box).to_contain_text("Type your password to go on.")
    expect(box.get_by_label("Password")).to_be_focused()
    fits(page)
    look(page, "dialog-390")
    box.get_by_label("Password").fill("wrong")
    press(page, "Go on")
    expect(box).to_contain_text("This is not your password.")
    expect(box.get_by_label("Password")).to_have_value("")
    box.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text(ada.email)).to_be_visible()
    expect(box).to_be_hidden()
    press(page, "Reveal Phone")
    expect(page.get_by_text(ada.phone)).to_be_visible()
    expect(page.locator("#id_company_name")).to_have_value("Half-typed Ltd")
    press(page, "Save and continue editing")
    said(page, "was changed successfully")
    let_the_password_grow_old()
    press(page, "Reveal Email")
    press(page, "No, leave it")
    expect(page.get_by_text(ada.email)).to_have_count(0)
    expect(page.get_by_role("button", name="Reveal Email")).to_be_enabled()


@pytest.mark.parametrize("width", [1440, 390])
def test_an_export_goes_on_after_the_password_and_an_erasure_too(screens, ada, width):
    let_the_password_grow_old()
    page = screens.open("/admin/customers/customer/", viewport={"width": width, "height": 844})
    page.locator("#result_list tbody input[type=checkbox]").check()
    page.locator("select[name=action]").select_option("export")
    page.locator("button[name=index]").click()
    expect(page.get_by_role("heading", name="Your password again")).to_be_visible()
    fits(page)
    look(page, f"password-{width}")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Go on")
    expect(page.get_by_role("button", name="Yes, export 1 customer")).to_be_visible()
    assert "=" not in page.url
    with page.expect_download() as download:
        press(page, "Yes, export 1 customer")
    assert ada.email in Path(download.value.path()).read_text()
    let_the_password_grow_old()
    page.goto(f"/admin/customers/customer/{ada.pk}/erase/")
    page.locator("input[name=typed]").fill(ada.public_id)
    press(page, "Erase for good")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Go on")
    said(page, "is erased")


def test_an_account_is_opened_after_the_password(screens):
    let_the_password_grow_old()
    page = screens.open("/admin/auth/user/add/")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Go on")
    expect(page.get_by_label("Username")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_a_superuser_ends_anothers_sessions(screens, width):
    bola = User.objects.create_user("bola", is_staff=True)
    other = Client()
    other.force_login(bola)
    page = screens.open("/admin/auth/user/?logged_in=now", viewport={"width": width, "height": 844})
    row = page.get_by_role("row").filter(has_text="bola")
    expect(row).to_contain_text("since")
    fits(page)
    look(page, f"accounts-{width}")
    row.get_by_role("link", name="bola").click()
    expect(page.get_by_role("button", name="End sessions")).to_be_visible()
    fits(page)
    look(page, f"account-{width}")
    press(page, "End sessions")
    expect(page.get_by_role("heading", name="End the sessions of 1 user?")).to_be_visible()
    fits(page)
    look(page, f"end-{width}")
    press(page, "Yes, end the sessions of 1 user")
    said(page, "1 session ended.")
    assert other.get("/admin/").status_code == 302
