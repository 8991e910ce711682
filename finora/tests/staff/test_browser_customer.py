"""A customer's page, and what becomes of what was typed into it: in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from customers.models import Customer
from finora.tenants.models import ApiKey
from finora.tests.kit import factories
from finora.tests.kit.screens import fits, look, measured, page_of, press, said

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]

GLANCE = {"width": 1440, "height": 900}


def edit(page: Page, label: str, value: str) -> None:
    page.locator(f"summary[aria-label='Edit {label}']").click()
    expect(page.get_by_label(f"New {label}")).to_be_focused()
    page.keyboard.insert_text(value)


@pytest.fixture
def whole(ada) -> Customer:
    ada.company_name, ada.tin, ada.address = "Obi & Daughters Ltd", "12345678-0001", "1 Road\nIkeja"
    ada.save()
    return ada


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_person_record_and_story_are_read_at_one_glance(screens, whole, scheme):
    page = screens.open(page_of(whole), viewport=GLANCE, color_scheme=scheme)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada Obi")
    expect(page.get_by_role("heading", name="Person")).to_be_visible()
    for part in (".person fieldset", ".person .submit-row", ".record fieldset", ".record .story"):
        expect(page.locator(part)).to_be_in_viewport(ratio=1)
    fits(page)
    look(page, f"customer-1440-{scheme}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_value_stands_in_one_place_with_reveal_and_edit_beside_it(screens, whole, scheme):
    page = screens.open(
        page_of(whole), viewport={"width": 390, "height": 844}, color_scheme=scheme,
        is_mobile=True, has_touch=True,
    )  # fmt: skip
    expect(page.get_by_text("a•••••@acme.example")).to_have_count(1)
    for label in ("Email", "Phone", "TIN", "Address"):
        row = page.locator(".value").filter(has_text=f"{label}:")
        expect(row).to_have_count(1)
        expect(row.get_by_role("button", name=f"Reveal {label}")).to_be_visible()
        expect(row.get_by_text("Edit", exact=True)).to_be_visible()
        expect(page.get_by_label(f"New {label}")).to_be_hidden()
    fits(page)
    look(page, f"customer-390-{scheme}")
    page.locator("summary[aria-label='Edit Phone']").click()
    expect(page.get_by_label("New Phone")).to_be_visible()
    fits(page)
    look(page, f"customer-edit-390-{scheme}")


def test_a_value_is_edited_and_cleared_in_its_place(screens, whole):
    page = screens.open(page_of(whole))
    edit(page, "Email", "ada@new.example")
    page.locator("summary[aria-label='Edit TIN']").click()
    page.get_by_label("Clear the stored TIN").check()
    press(page, "Save and continue editing")
    said(page, "was changed successfully")
    expect(page.locator("#shown-email")).to_have_text("a•••••@new.example")
    expect(page.locator("#shown-tin")).to_have_text("-")
    whole.refresh_from_db()
    assert (whole.email, whole.tin, whole.phone) == ("ada@new.example", None, "+2348031235678")


def test_what_is_refused_stays_typed_and_the_page_goes_on_telling_what_is_stored(screens, whole):
    page = screens.open(page_of(whole))
    page.locator("#id_name").fill("Typed Over")
    edit(page, "Email", "typed@elsewhere")
    press(page, "Save")
    said(page, "Enter a valid email address.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada Obi")
    expect(page.locator("#shown-email")).to_have_text("a•••••@acme.example")
    expect(page.get_by_label("New Email")).to_have_value("typed@elsewhere")
    expect(page.locator("#id_name")).to_have_value("Typed Over")
    look(page, "customer-refused")


def test_a_taken_email_links_to_its_holder(screens, ada, shop):
    factories.customer(shop, name="Eve")
    page = screens.open("/admin/customers/customer/add/")
    page.locator("#id_business").select_option(label=shop.name)
    page.locator("#id_name").fill("Ada the second")
    page.locator("#id_email").fill("ADA.OBI@acme.example")
    press(page, "Save")
    page.get_by_role("link", name=ada.public_id).click()
    expect(page).to_have_url(re.compile(re.escape(page_of(ada))))


def test_of_two_editors_the_second_keeps_what_was_typed_and_saves_it_over(screens, ada):
    first, second = screens.open(page_of(ada)), screens.open(page_of(ada))
    first.locator("#id_company_name").fill("First Ltd")
    first.locator("#id_name").fill("Ada First")
    press(first, "Save")
    said(first, "was changed successfully")
    second.locator("#id_company_name").fill("Second Ltd")
    edit(second, "Phone", "0800 000 0000")
    press(second, "Save")
    said(second, "Somebody else changed this customer")
    expect(second.locator("#id_company_name")).to_have_value("Second Ltd")
    expect(second.get_by_text("Stored now: First Ltd")).to_be_visible()
    expect(second.locator("#id_name")).to_have_value("Ada First")  # not touched by the second
    expect(second.get_by_label("New Phone")).to_have_value("0800 000 0000")
    ada.refresh_from_db()
    assert ada.company_name == "First Ltd"
    look(second, "customer-conflict")
    press(second, "Save")
    said(second, "was changed successfully")
    ada.refresh_from_db()
    now = (ada.name, ada.company_name, ada.phone)
    assert now == ("Ada First", "Second Ltd", "0800 000 0000")


def test_a_reload_of_an_issued_key_issues_nothing(screens, shop):
    page = screens.open("/admin/tenants/apikey/add/")
    page.locator("#id_business").select_option(label=shop.name)
    page.locator("#id_name").fill("Web shop")
    press(page, "Save")
    expect(page.get_by_role("heading", name="Key issued")).to_be_visible()
    text = page.locator("#issued-key").input_value()
    page.reload()
    said(page, "This form issued its key before")
    assert text not in page.content()
    assert ApiKey.objects.get().name == "Web shop"


def test_a_second_click_does_not_take_the_key_away(screens, shop):
    page = screens.open("/admin/tenants/apikey/add/")
    page.locator("#id_business").select_option(label=shop.name)
    page.locator("#id_name").fill("Web shop")
    page.get_by_role("button", name="Save", exact=True).dblclick()
    expect(page.locator("#issued-key")).to_have_value(re.compile("^test_sk_"))
    assert measured(page, "document.querySelectorAll('.messagelist').length") == 0
