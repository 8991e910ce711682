"""The directory as staff have it on their screens: in a real browser, with its own eyes.

Every page is listened to: an error in its console, a request to another host or anything that the
Content-Security-Policy forbids fails the test that opened it. With SCREENSHOTS=1 these tests also
draw the pictures of docs/staff.md, from made-up people.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from customers.management.people import people
from customers.models import Customer
from finora import clock
from finora.audit.models import AuditEvent
from finora.staff.models import StaffSession
from finora.staff.sessions import SessionStore
from finora.tenants.models import ApiKey
from finora.tests.kit import factories

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery"
PICTURES = Path(settings.BASE_DIR) / "docs" / "screenshots"
DESKTOP, PHONE = {"width": 1280, "height": 820}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed: the directory in a browser")
    with pytest.MonkeyPatch.context() as patch:
        # Playwright keeps an event loop in this thread. Nothing of Django's ever runs in it, so
        # its guard against queries from a loop has nothing to guard here.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=20_000)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path)
            yield browser
            browser.close()


class Screens:
    """Browser windows at the directory, whose pages are listened to."""

    def __init__(self, browser: Browser, url: str, session: str) -> None:
        self.browser, self.url, self.session = browser, url, session
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def open(self, path: str, *, logged_in: bool = True, **options: Any) -> Page:
        context = self.browser.new_context(
            base_url=self.url, viewport=options.pop("viewport", DESKTOP), **options
        )
        self.contexts.append(context)
        if logged_in:
            cookie = {"name": "sessionid", "value": self.session, "url": self.url}
            context.add_cookies([cookie])
        page = context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self._request)
        page.goto(path)
        return page

    def _console(self, message: Any) -> None:
        # A script or style that the policy forbids is an error in the console.
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.url, "data:")):
            self.complaints.append(f"request: {request.url}")


@pytest.fixture
def screens(chromium, client, live_server, settings) -> Iterator[Screens]:
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": static}
    cache.clear()
    client.force_login(User.objects.create_superuser("amaka", password=PASSWORD))
    screens = Screens(chromium, live_server.url, client.session.session_key)
    yield screens
    for context in screens.contexts:
        context.close()
    connections.close_all()
    assert screens.complaints == []


@pytest.fixture
def shop(transactional_db):
    return factories.business(name="Ikeja Hardware Ltd")


@pytest.fixture
def ada(shop) -> Customer:
    return factories.customer(
        shop, name="Ada Obi", email="ada.obi@acme.example", phone="+2348031235678"
    )


def page_of(customer: Customer) -> str:
    return f"/admin/customers/customer/{customer.pk}/change/"


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def said(page: Page, text: str | re.Pattern[str]) -> None:
    expect(
        page.locator(".messagelist, .errornote, .errorlist").filter(has_text=text)
    ).not_to_have_count(0)


def fits(page: Page) -> None:
    """Nothing sticks out to the right, so a phone shows the page without panning."""
    # A phone's innerWidth grows with what sticks out; the screen does not.
    wide = page.evaluate("document.documentElement.scrollWidth") - page.viewport_size["width"]
    assert wide <= 0, f"{page.url} is {wide} px too wide"


def test_staff_log_in_find_a_customer_and_open_it(screens, ada):
    page = screens.open("/admin/", logged_in=False)
    page.get_by_label("Username").fill("amaka")
    page.get_by_label("Password").fill("wrong")
    press(page, "Log in")
    said(page, "enter the correct username")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Log in")
    page.get_by_label("Find a customer").fill("0803 123 5678")
    press(page, "Search")
    row = page.locator("#result_list tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("+234 ••• ••• 5678")
    assert "0803" not in page.url
    row.get_by_role("link", name="Ada Obi").click()
    expect(page).to_have_url(re.compile(re.escape(page_of(ada))))
    expect(page.get_by_text(ada.public_id).first).to_be_visible()


def test_the_keyboard_alone_gets_to_the_customer(screens, ada):
    page = screens.open("/admin/")
    expect(page.get_by_label("Find a customer")).to_be_focused()
    page.keyboard.type("ada")
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name="Ada Obi")
    expect(link).to_be_visible()
    for _ in range(60):
        if link.evaluate("link => link === document.activeElement"):
            break
        page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name", exact=False).first).to_be_visible()


def test_staff_edit_a_customer(screens, ada):
    page = screens.open(page_of(ada))
    page.locator("#id_name").fill("Ada Obi-Eze")
    press(page, "Save and continue editing")
    said(page, "was changed successfully")
    ada.refresh_from_db()
    assert ada.name == "Ada Obi-Eze"


def test_an_email_in_use_is_a_message_beside_the_field(screens, ada, shop):
    page = screens.open("/admin/customers/customer/add/")
    page.locator("#id_business").select_option(label=shop.name)
    page.locator("#id_name").fill("Ada the second")
    page.locator("#id_email").fill("ADA.OBI@acme.example")
    press(page, "Save")
    said(page, "An active customer of this business has this email.")
    expect(page.locator("#id_name")).to_have_value("Ada the second")
    assert Customer.objects.count() == 1


def test_of_two_editors_the_second_is_told(screens, ada):
    first, second = screens.open(page_of(ada)), screens.open(page_of(ada))
    first.locator("#id_company_name").fill("First Ltd")
    press(first, "Save")
    said(first, "was changed successfully")
    second.locator("#id_company_name").fill("Second Ltd")
    press(second, "Save")
    said(second, "Somebody else changed this customer")
    ada.refresh_from_db()
    assert ada.company_name == "First Ltd"


def test_staff_deactivate_and_restore_a_customer(screens, ada):
    page = screens.open(page_of(ada))
    page.get_by_role("link", name="Deactivate").click()
    press(page, "Yes, deactivate 1 customer")
    said(page, "Nothing was removed.")
    ada.refresh_from_db()
    assert not ada.is_active
    press(page, "Restore")
    press(page, "Yes, restore 1 customer")
    said(page, "1 customer restored.")
    ada.refresh_from_db()
    assert ada.is_active


def test_a_new_key_is_shown_once_and_copied(screens, shop):
    page = screens.open(
        "/admin/tenants/apikey/add/", permissions=["clipboard-read", "clipboard-write"]
    )
    page.locator("#id_business").select_option(label=shop.name)
    page.locator("#id_name").fill("Web shop")
    press(page, "Save")
    text = page.locator("#issued-key").input_value()
    assert re.fullmatch(r"test_sk_[0-9a-f]{48}", text)
    press(page, "Copy")
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == text
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("link", name="Web shop").click()
    expect(page.locator("#content")).to_contain_text(text[-4:])
    assert text not in page.content()


def fill_with_made_up_people() -> Customer:
    """Three shops that grow week by week, a key that is about to expire, and some work done."""
    now, made = clock.now(), iter(people(120))
    shops = (("Ikeja Hardware Ltd", 60, 76), ("Mama Nkechi Foods", 40, 50), ("Lekki Books", 20, 28))
    for name, count, days in shops:
        shop = factories.business(name=name)
        rows = [Customer(business=shop, **asdict(next(made))) for _ in range(count)]
        for number, customer in enumerate(rows):
            customer.created_at = now - timedelta(days=number * days // count)
        shop.customers.import_packed(rows)
    ApiKey.objects.issue(shop, "WooCommerce", expires_at=now + timedelta(days=9, hours=1))
    shown = Customer.objects.exclude(phone_hash=None).exclude(tin_hash=None).earliest("id")
    shown.company_name = "Made-up Trading Ltd"
    shown.save(update_fields=["company_name"])
    return shown


def picture(page: Page, name: str) -> None:
    """For docs/staff.md, on demand: `make screenshots`."""
    if os.environ.get("SCREENSHOTS"):
        PICTURES.mkdir(exist_ok=True)
        page.evaluate("document.activeElement.blur()")
        page.screenshot(path=PICTURES / name)


def look(page: Page, name: str) -> None:
    """A picture for whoever works on a page: LOOK=some/folder."""
    if folder := os.environ.get("LOOK"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_the_front_page_tells_in_numbers_and_as_a_chart(screens, transactional_db):
    fill_with_made_up_people()
    page = screens.open("/admin/")
    expect(
        page.get_by_role("img", name=re.compile("last twelve weeks, 120 together"))
    ).to_be_visible()
    assert page.locator(".chart rect").count() == 12
    expect(page.get_by_role("row", name=re.compile("Ikeja Hardware Ltd 60"))).to_be_visible()
    for panel in ("New API keys", "API keys about to expire"):
        keys = page.get_by_role("region", name=panel)
        expect(keys.get_by_role("link", name="WooCommerce")).to_be_visible()
    picture(page, "front.png")
    page.get_by_text("The same as a table").press("Enter")
    expect(page.get_by_role("columnheader", name="Week from")).to_be_visible()
    fits(page)


def test_list_and_customer_in_the_light(screens, transactional_db):
    shown = fill_with_made_up_people()
    page = screens.open(f"/admin/customers/customer/?business={shown.business.public_id}")
    expect(page.locator("#result_list tbody tr")).to_have_count(50)
    fits(page)
    picture(page, "list.png")
    page.goto(page_of(shown))
    fits(page)
    picture(page, "customer.png")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone_by_day_and_by_night(screens, transactional_db, scheme):
    shown = fill_with_made_up_people()
    phone = {"viewport": PHONE, "color_scheme": scheme, "is_mobile": True, "has_touch": True}
    fits(screens.open("/admin/login/", logged_in=False, **phone))
    page = screens.open("/admin/", **phone)
    fits(page)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) < 200) == (scheme == "dark")
    if scheme == "dark":
        picture(page, "phone-dark.png")
    key = ApiKey.objects.get()
    for path in (
        "customers/customer/", page_of(shown).removeprefix("/admin/"), "customers/customer/add/",
        "tenants/apikey/", f"tenants/apikey/{key.pk}/change/", "tenants/apikey/add/",
        "tenants/business/", f"tenants/business/{shown.business_id}/change/",
        f"customers/customer/{shown.pk}/delete/",
    ):  # fmt: skip
        page.goto(f"/admin/{path}")
        fits(page)


def test_the_theme_button_turns_the_light_off_and_remembers_it(screens, shop):
    page = screens.open("/admin/", color_scheme="light")
    toggle = page.locator("#user-tools .theme-toggle")
    toggle.click()
    while page.evaluate("document.documentElement.dataset.theme") != "dark":
        toggle.click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


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


def let_the_password_grow_old() -> None:
    """As if every login had been an hour ago."""
    for row in StaffSession.objects.all():
        store = SessionStore(row.session_key)
        store["password_proved"] -= 3600
        store.save()


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
    fits(page)
    look(page, f"account-{width}")
    press(page, "End sessions")
    expect(page.get_by_role("heading", name="End the sessions of 1 user?")).to_be_visible()
    fits(page)
    look(page, f"end-{width}")
    press(page, "Yes, end the sessions of 1 user")
    said(page, "1 session ended.")
    assert other.get("/admin/").status_code == 302
