"""Search, all that match at once, and the trail of it: in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from customers.models import Customer
from finora.tests.kit import factories
from finora.tests.kit.screens import fits, press, said

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]


@pytest.fixture
def crowd(shop) -> list[Customer]:
    # Emails of our own: the factory's count to 5678, too.
    made = [
        factories.customer(shop, name=f"Olakunle Adebayo {n:02}", email=f"ade{n:02}@example.com")
        for n in range(55)
    ]
    factories.customer(
        shop,
        name="Bola Ige",
        email="bola@example.com",
        phone="0803 123 5678",
        company_name="Lekki Books",
    )
    return made


def find(page, what: str) -> None:
    page.get_by_label("Search", exact=True).fill(what)
    press(page, "Search")


def test_a_search_is_paged_to_its_end_and_exported_whole(screens, crowd):
    page = screens.open("/admin/")
    page.get_by_label("Find a customer").fill("adebayo olakunle")
    press(page, "Search")
    expect(page.get_by_text("50 on this page, and more follow.")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("5 on this page, the last one.")).to_be_visible()
    press(page, "Export all that match…")
    expect(page.get_by_role("heading", name="Export 55 customers?")).to_be_visible()
    fits(page)
    with page.expect_download() as download:
        press(page, "Yes, export 55 customers")
    text = Path(download.value.path()).read_text()
    assert all(customer.email in text for customer in crowd)
    assert "Bola" not in text
    page.goto("/admin/audit/auditevent/")
    page.get_by_label("Action", exact=True).select_option(label="Exported")
    press(page, "Show")
    row = page.locator("#result_list tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Exported: 55 together")
    fits(page)
    row.get_by_role("link", name="amaka").click()
    expect(page.get_by_label("Person")).to_have_value("amaka")


def test_the_digits_that_a_mask_shows_and_a_company_find_a_customer(screens, crowd):
    page = screens.open("/admin/customers/customer/")
    for typed in ("5678", "books lekki", "ige 5678"):
        find(page, typed)
        expect(page.get_by_text("1 customer.")).to_be_visible()
        expect(page.get_by_role("link", name="Bola Ige")).to_be_visible()


def test_all_that_match_are_deactivated_after_their_number_was_said(screens, crowd):
    page = screens.open("/admin/customers/customer/")
    find(page, "adebayo")
    press(page, "Deactivate all that match…")
    expect(page.get_by_role("heading", name="Deactivate 55 customers?")).to_be_visible()
    press(page, "Yes, deactivate 55 customers")
    said(page, "55 customers deactivated. Nothing was removed.")
    assert Customer.objects.active().count() == 1
