"""The lists by keyboard, by eye and on a phone: in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from finora.tests.kit.screens import PHONE, fits, look, made_up_people, measured, press

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]

LIST = "/admin/customers/customer/"
WIDE = {"width": 1440, "height": 900}


def test_the_filters_are_a_bar_over_a_list_of_full_width(screens, transactional_db):
    shown = made_up_people()
    page = screens.open(LIST, viewport=WIDE)
    bar, rows = page.locator(".filters").bounding_box(), page.locator("#result_list").bounding_box()
    assert bar["y"] + bar["height"] <= rows["y"]
    assert rows["width"] > 1300
    look(page, "list-1440")
    page.get_by_label("Business").select_option(label=shown.business.name)
    page.get_by_label("Status").select_option(label="Inactive")
    press(page, "Show")
    expect(page.get_by_text("No customers.")).to_be_visible()
    # A blank box is in no list's way: only what was chosen filters.
    page.get_by_label("Status").select_option(label="Active")
    press(page, "Show")
    expect(page.locator("#result_list tbody tr")).to_have_count(50)
    page.get_by_role("link", name="Clear the filters").click()
    expect(page.get_by_label("Business")).to_have_value("")
    expect(page.get_by_role("link", name="Clear the filters")).to_have_count(0)


def test_a_search_goes_through_a_filter_and_a_filter_keeps_the_search(screens, ada):
    page = screens.open(LIST)
    page.get_by_label("Search").fill("ada")
    press(page, "Search")
    expect(page.get_by_role("link", name="Ada Obi")).to_be_visible()
    page.get_by_label("Status").select_option(label="Inactive")
    press(page, "Show")
    expect(page.get_by_text("No customers match the search.")).to_be_visible()
    expect(page.get_by_label("Search")).to_have_value("ada")


def test_on_a_phone_the_filters_are_folded_away_above_the_list(screens, transactional_db):
    made_up_people()
    page = screens.open(LIST, viewport=PHONE, is_mobile=True, has_touch=True)
    expect(page.get_by_label("Business")).to_be_hidden()
    summary, rows = page.locator(".filters summary"), page.locator("#result_list")
    assert summary.bounding_box()["y"] < rows.bounding_box()["y"]
    look(page, "list-390")
    summary.click()
    expect(page.get_by_label("Business")).to_be_visible()
    fits(page)
    look(page, "list-filters-390")


def test_the_lists_box_has_focus_and_the_first_result_is_three_tabs_away(screens, ada):
    page = screens.open(LIST)
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("ada")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Show all")).to_be_visible()
    expect(page.get_by_label("Search")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Ada Obi")).to_be_focused()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert measured(page, outline) == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Record")).to_be_visible()


@pytest.mark.parametrize("path", ["/admin/", LIST])
def test_a_slash_goes_to_the_search_box_and_into_a_box_it_is_typed(screens, ada, path):
    page = screens.open(path)
    box = page.get_by_role("searchbox")
    expect(box).to_be_focused()
    page.keyboard.type("a/b")
    expect(box).to_have_value("a/b")
    page.locator("#site-name a").focus()
    page.keyboard.press("/")
    expect(box).to_be_focused()
    expect(box).to_have_value("a/b")


def test_what_is_ticked_brings_the_actions_into_view(screens, transactional_db):
    made_up_people()
    page = screens.open(LIST, viewport=WIDE)
    run = page.get_by_role("button", name="Go", exact=True)
    expect(run).not_to_be_in_viewport()
    page.locator("#result_list tbody input[type=checkbox]").first.check()
    expect(run).to_be_in_viewport()
    look(page, "list-ticked-1440")
    page.get_by_label("All on this page").check()
    expect(page.locator("#result_list tbody input:checked")).to_have_count(50)


def luminance(colour: str) -> float:
    """Of `rgb(1, 2, 3)`, as WCAG 2 defines it."""
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["login/", "", "customers/customer/", "customers/customer/add/"])
def test_the_border_of_every_box_is_seen(screens, ada, path, scheme):
    page = screens.open(f"/admin/{path}", logged_in=path != "login/", color_scheme=scheme)
    expect(page.locator(":is(input, select, textarea):visible")).not_to_have_count(0)
    boxes = """[...document.querySelectorAll("input, select, textarea")]
        .filter(box => box.checkVisibility() && !["checkbox", "submit"].includes(box.type))
        .map(box => [box.name, getComputedStyle(box).borderTopColor])"""
    ground = measured(page, "getComputedStyle(document.body).backgroundColor")
    for name, border in measured(page, boxes):
        assert contrast(border, ground) >= 3, f"{name}: {border} on {ground}"


def test_links_are_underlined(screens, ada):
    for path in ("/admin/", LIST):
        page = screens.open(path)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        plain = """[...document.querySelectorAll("#content table a, #content li a, .breadcrumbs a")]
            .filter(link => !link.matches(".object-tools a"))
            .map(link => [link.textContent, getComputedStyle(link).textDecorationLine])"""
        links = measured(page, plain)
        assert links
        assert [name for name, line in links if line != "underline"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_front_page_has_no_empty_column_and_the_last_week_is_marked(
    screens, transactional_db, width, scheme
):
    made_up_people()
    window = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    page = screens.open("/admin/", **window)
    narrow = [box.bounding_box() for box in page.locator(".card:not(.wide)").all()]
    wide = page.locator(".card.wide").first.bounding_box()
    assert len(narrow) == 2
    assert max(box["x"] + box["width"] for box in narrow) > wide["x"] + wide["width"] - 1
    assert (narrow[0]["y"] == narrow[1]["y"]) is (width == 1440)
    last = page.locator(".chart rect").last.evaluate("bar => getComputedStyle(bar).strokeDasharray")
    first = page.locator(".chart rect").first.evaluate(
        "bar => getComputedStyle(bar).strokeDasharray"
    )
    assert (first, last != "none") == ("none", True)
    expect(page.locator(".chart").get_by_text("so far", exact=True)).to_be_visible()
    fits(page)
    look(page, f"front-{width}-{scheme}")
