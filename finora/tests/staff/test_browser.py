"""Staff at the directory, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from customers.models import Customer
from finora.tenants.models import ApiKey
from finora.tests.kit.screens import (
    PASSWORD,
    PHONE,
    fits,
    made_up_people,
    measured,
    page_of,
    picture,
    press,
    said,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]


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
    assert measured(page, outline) == "solid"
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
    assert measured(page, "navigator.clipboard.readText()") == text
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("link", name="Web shop").click()
    expect(page.locator("#content")).to_contain_text(text[-4:])
    assert text not in page.content()


def test_the_front_page_tells_in_numbers_and_as_a_chart(screens, transactional_db):
    made_up_people()
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
    shown = made_up_people()
    page = screens.open(f"/admin/customers/customer/?business={shown.business.public_id}")
    expect(page.locator("#result_list tbody tr")).to_have_count(50)
    fits(page)
    picture(page, "list.png")
    page.goto(page_of(shown))
    fits(page)
    picture(page, "customer.png")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone_by_day_and_by_night(screens, transactional_db, scheme):
    shown = made_up_people()
    phone = {"viewport": PHONE, "color_scheme": scheme, "is_mobile": True, "has_touch": True}
    fits(screens.open("/admin/login/", logged_in=False, **phone))
    page = screens.open("/admin/", **phone)
    fits(page)
    background = measured(page, "getComputedStyle(document.body).backgroundColor")
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
    while measured(page, "document.documentElement.dataset.theme") != "dark":
        toggle.click()
    page.reload()
    assert measured(page, "document.documentElement.dataset.theme") == "dark"
    assert measured(page, "getComputedStyle(document.documentElement).colorScheme") == "dark"
