"""axe-core, as Deque publishes it on npm, looks at every kind of page in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from finora.tenants.models import ApiKey
from finora.tests.kit import books
from finora.tests.kit.axe import findings
from finora.tests.kit.screens import look, made_up_people, page_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_of_weight_on_any_kind_of_page(screens, transactional_db, width, scheme):
    shown = made_up_people()
    books.receipt(shown, 50_000, {books.invoice(shown).public_id: 40_000})
    window = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    page = screens.open("/admin/login/", logged_in=False, **window)
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    found = {"login": findings(page)}
    look(page, f"login-{width}-{scheme}")
    page = screens.open("/admin/", **window)
    business = shown.business.public_id
    for name, path in {
        "front": "/admin/",
        "list": f"/admin/customers/customer/?business={business}",
        "customer": page_of(shown),
        "add": "/admin/customers/customer/add/",
        "keys": "/admin/tenants/apikey/",
        "key": f"/admin/tenants/apikey/{ApiKey.objects.get().pk}/change/",
        "audit": "/admin/audit/auditevent/",
        "tasks": "/admin/tasks/queuedtask/",
    }.items():
        page.goto(path)
        expect(page.locator("#content h1")).to_have_count(1)
        found[name] = findings(page)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found[name].append("wider than the window")
        look(page, f"{name}-{width}-{scheme}")
    assert found == {name: [] for name in found}


def test_axe_finds_what_there_is_to_find(screens):
    page = screens.open("/admin/login/", logged_in=False)
    page.locator("label[for=id_username]").evaluate("label => label.remove()")
    assert [text for text in findings(page) if "must have labels" in text]
