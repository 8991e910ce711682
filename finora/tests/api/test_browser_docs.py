"""/docs and /redoc, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from finora.tests.kit import factories
from finora.tests.kit.screens import look, measured, press

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]

DARK_GROUND = "rgb(28, 32, 34)"
WHITE = "rgb(255, 255, 255)"


def ground(page: Page) -> str:
    return measured(page, "getComputedStyle(document.body).backgroundColor")


def text_colour(page: Page, selector: str) -> str:
    return page.locator(selector).first.evaluate("it => getComputedStyle(it).color")


def is_light(colour: str) -> bool:
    return sum(map(int, re.findall(r"\d+", colour)[:3])) > 3 * 128


@pytest.mark.parametrize(("path", "title"), [("/docs", ".info .title"), ("/redoc", "h1")])
def test_the_pages_follow_the_systems_dark_mode(screens, path, title):
    page = screens.open(path, logged_in=False, color_scheme="dark")
    expect(page.locator(title).first).to_contain_text("Finora customers API")
    assert ground(page) == DARK_GROUND
    light = text_colour(page, title)
    assert is_light(light)
    look(page, f"{path[1:]}-dark")
    page.emulate_media(color_scheme="light")
    expect(page.locator("body")).to_have_css("background-color", WHITE)
    expect(page.locator(title).first).not_to_have_css("color", light)  # ReDoc starts anew
    assert not is_light(text_colour(page, title))
    look(page, f"{path[1:]}-light")


def test_once_authorized_the_business_is_filled_in_and_the_call_works(screens, shop):
    _, key = factories.api_key(shop)
    page = screens.open("/docs", logged_in=False)
    page.locator(".auth-wrapper").get_by_role("button", name="Authorize").click()
    page.get_by_label("auth-bearer-value").fill(key)
    page.locator(".modal-ux").get_by_role("button", name="Apply credentials").click()
    page.locator(".modal-ux").get_by_role("button", name="Close", exact=True).click()
    operation = page.locator(".opblock").filter(has=page.locator("[data-path='/v1/customers']"))
    operation.first.locator(".opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    expect(page.locator("tr[data-param-name=businessId] input")).to_have_value(shop.public_id)
    look(page, "docs-authorized")
    press(page, "Execute")
    answered = page.locator(".live-responses-table tbody .response-col_status")
    expect(answered).to_contain_text("200")


def test_the_business_of_a_key_is_told_to_nobody_without_it(api, client):
    with_key = {"authorization": f"Bearer {api.key}"}
    told = client.get("/docs/business", headers=with_key).json()
    assert told["data"] == {"businessId": api.business.public_id}
    assert client.get("/docs/business").json()["error"]["code"] == "UNAUTHORIZED"
    assert client.post("/docs/business", headers=with_key).status_code == 405
