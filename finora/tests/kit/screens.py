"""The directory as staff have it on their screens: browser windows, and what tests do in them.

Every page is listened to: an error in its console, a request to another host or anything that the
Content-Security-Policy forbids fails the test that opened it. With SCREENSHOTS=1 the tests also
draw the pictures of docs/staff.md, from made-up people.
"""

from __future__ import annotations

import os
import re
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
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from customers.management.people import people
from customers.models import Customer
from finora import clock
from finora.staff.models import StaffSession
from finora.staff.sessions import SessionStore
from finora.tenants.models import ApiKey
from finora.tests.kit import factories
from finora.tests.kit.programs import needed

PASSWORD = "correct horse battery"
PICTURES = Path(settings.BASE_DIR) / "docs" / "screenshots"
DESKTOP, PHONE = {"width": 1280, "height": 820}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = needed("chromium", "the staff's pages in a browser")
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
        here = (self.url, f"blob:{self.url}", "data:")  # ReDoc searches in a worker made by itself
        if not request.url.startswith(here):
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


def measured(page: Page, expression: str) -> Any:
    """What a script answers about the page on show, once all of it is there.

    While a page is on its way there is no document to ask: after a click first expect something
    that only the next page has.
    """
    page.wait_for_load_state()
    return page.locator("html").evaluate(f"() => {expression}")


def fits(page: Page) -> None:
    """Nothing sticks out to the right, so a phone shows the page without panning."""
    # A phone's innerWidth grows with what sticks out; the screen does not.
    wide = measured(page, "document.documentElement.scrollWidth") - page.viewport_size["width"]
    assert wide <= 0, f"{page.url} is {wide} px too wide"


def made_up_people() -> Customer:
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
        measured(page, "document.activeElement.blur()")
        page.screenshot(path=PICTURES / name)


def look(page: Page, name: str) -> None:
    """A picture for whoever works on a page: LOOK=some/folder."""
    if folder := os.environ.get("LOOK"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def let_the_password_grow_old() -> None:
    """As if every login had been an hour ago."""
    for row in StaffSession.objects.all():
        store = SessionStore(row.session_key)
        store["password_proved"] -= 3600
        store.save()
