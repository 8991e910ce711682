"""At the login again, and at a page that is not there: in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from finora import clock
from finora.staff.models import StaffSession
from finora.tests.kit.screens import PASSWORD, fits, look, press, said

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]


@pytest.mark.parametrize("width", [1440, 390])
def test_who_was_idle_for_too_long_is_told_so_and_goes_on_from_there(screens, shop, width):
    page = screens.open("/admin/", viewport={"width": width, "height": 844})
    StaffSession.objects.update(expire_date=clock.now())
    page.get_by_role("link", name=shop.name).click()
    said(page, "You were logged out: 30 minutes had passed without a click.")
    fits(page)
    look(page, f"idle-{width}")
    page.get_by_label("Username").fill("amaka")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Log in")
    expect(page.get_by_label("Business")).to_have_value(shop.public_id)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_a_refused_page_looks_like_the_others_and_leads_back(screens, shop, width, scheme):
    window = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme}
    page = screens.open("/admin/tenants/apikey/", **window)
    page.goto("/admin/nothing/", referer=page.url)
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    expect(page.get_by_role("link", name="Finora directory")).to_be_visible()
    fits(page)
    look(page, f"refused-{width}-{scheme}")
    page.get_by_role("link", name="Go back").click()
    expect(page).to_have_url(re.compile("/admin/tenants/apikey/$"))
    # The browser's own line about what it asked for.
    assert len(screens.complaints) == 1
    assert "404" in screens.complaints.pop()
