"""The staff's customers: found, read, changed, deactivated and restored."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import product
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from customers import finding
from customers.admin import customer as customer_admin
from customers.models import Customer
from customers.querysets import BY_NAME, NEWEST_FIRST
from customers.search import by_words
from finora import clock
from finora.orm import keyset
from finora.sealing.fields import SealedMixin
from finora.staff import search_terms
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import (
    LIST,
    PERSONAL,
    act,
    listed,
    named_queries,
    page,
    said,
    save,
    search,
)
from finora.tests.kit.staff import browser, member


@pytest.fixture
def ada(business) -> Customer:
    return factories.customer(business, **PERSONAL)


# Finding.


@pytest.mark.parametrize(
    "term",
    [
        "ADA",
        "obi",
        "a.obi@ac",
        "Ada.Obi@acme.com",
        "0803 123 5678",
        "12345678 0001",
        "123456780001",
        "5678",
        "obi ada",
        "acme  ADA 5678",
        "hardware",
        "obi ikejá",
    ],
)
def test_one_box_finds_by_words_in_any_order_and_by_phone_tin_and_company(staff, ada, term):
    ada.edit(company_name="Ikejá Hardware")
    factories.customer(ada.business, phone="0803 123 5670")
    assert listed(search(staff, term)) == [ada.public_id]


def test_a_pasted_id_leads_to_its_customer_whatever_the_filters(staff, ada, other_business):
    ada.delete()
    response = search(staff, f" {ada.public_id} ", f"business={other_business.public_id}")
    assert response.request["PATH_INFO"] == page(ada)


def test_an_unknown_id_finds_nothing(staff, ada):
    assert listed(search(staff, "cust_nobody")) == []


def test_a_search_looks_into_every_business_or_the_chosen_one(staff, ada, other_business):
    twin = factories.customer(other_business, name="Ada Two", phone=PERSONAL["phone"])
    assert listed(search(staff, "ada")) == [ada.public_id, twin.public_id]
    assert listed(search(staff, "0803 123 5678")) == [ada.public_id, twin.public_id]
    chosen = search(staff, "ada", f"business={other_business.public_id}")
    assert listed(chosen) == [twin.public_id]


def test_beyond_so_many_businesses_what_is_exact_is_found_and_a_part_asks_for_one(
    staff, ada, monkeypatch
):
    monkeypatch.setattr(finding, "READ_FOR_WORDS", 3)
    monkeypatch.setattr(finding, "AT_ONCE", 2)
    twins = [factories.customer(factories.business(), **PERSONAL) for _ in range(4)]
    everyone = [row.public_id for row in (ada, *twins)]
    for term in ("ADA.OBI@acme.com", "0803 123 5678", "123456780001"):
        response = search(staff, term)
        assert listed(response) == everyone
        assert "Choose a business to look for a part" in response.content.decode()
    assert search(staff, twins[2].public_id.upper()).request["PATH_INFO"] == page(twins[2])
    response = search(staff, "ada")
    assert listed(response) == []
    html = response.content.decode()
    assert "Choose a business to look for a part" in html
    assert "No customers" not in html
    response = search(staff, "ada", f"business={ada.business.public_id}")
    assert listed(response) == [ada.public_id]
    assert "Choose a business to look" not in response.content.decode()
    # What an account does not reach is not found, and does not count among the many.
    few = browser("Viewer", scope=[ada.business, twins[0].business])
    assert listed(search(few, "ADA.OBI@acme.com")) == everyone[:2]
    assert listed(search(few, "obi")) == everyone[:2]


def test_an_inactive_customer_is_found_as_an_active_one(staff, ada):
    ada.company_name = "Lekki Books"
    ada.save()
    ada.delete()
    for term in ("da", "BI ada", "ada.obi@acme.com", "bi@acme", "books lekki", "5678", "obi 5678"):
        assert listed(search(staff, term)) == []
        assert listed(search(staff, term, "status=inactive")) == [ada.public_id]
        assert listed(search(staff, term, "status=all")) == [ada.public_id]


def pages_of(staff, response) -> list[list[str]]:
    """What each page shows, following "Next" from this one."""
    pages = [listed(response)]
    while further := response.context["cl"].next_page:
        query = urlsplit(response.request["QUERY_STRING"]).path
        query = "&".join(part for part in query.split("&") if not part.startswith("p="))
        response = staff.get(f"{LIST}?{query}&{further}")
        pages.append(listed(response))
    return pages


@pytest.mark.parametrize("few_rows", [1000, 0])
def test_filters_apply_to_all_matches_and_pages_go_on_through_them(
    staff, business, other_business, monkeypatch, few_rows
):
    monkeypatch.setattr(by_words, "FEW_ROWS", few_rows)
    monkeypatch.setattr(customer_admin.CustomerAdmin, "list_per_page", 7)
    made = [
        factories.customer(each, name=f"{name} Obi {n:02}")
        for name, each, n in product(("Ada", "Bola"), (business, other_business), range(30))
    ]
    lately = clock.now() - timedelta(days=2)
    Customer.objects.exclude(pk__in=[c.pk for c in made[1::3]]).update(created_at=lately)
    for customer in made[::4]:
        customer.delete()
    days = {"1": timedelta(days=1), "7": timedelta(days=7)}
    for term, status, created in product(("obi ada", "obi"), ("active", "inactive", "all"), days):
        filters = f"business={business.public_id}&status={status}&created={created}"
        rows = Customer.objects.in_business(business.pk).with_status(status)
        rows = rows.filter(created_at__gte=clock.now() - days[created])
        if term == "obi ada":
            rows = rows.filter(name__startswith="Ada")
        expected = [row.public_id for row in rows.order_by(*BY_NAME)]
        first = search(staff, term, filters)
        pages = pages_of(staff, first)
        assert [row for shown in pages for row in shown] == expected
        assert all(len(shown) == 7 for shown in pages[:-1])
        html = first.content.decode()
        assert ("7 on this page, and more follow." in html) == (len(expected) > 7)
        assert (f"{len(expected)} customers." in html) == (1 < len(expected) <= 7)
    every = search(staff, "obi", "status=all")
    expected = [row.public_id for row in Customer.objects.order_by(*BY_NAME)]
    assert [row for shown in pages_of(staff, every) for row in shown] == expected
    last = staff.get(f"{LIST}?status=all&p={made[-2].pk}&q={search_token(every)}")
    assert "the last one" in last.content.decode()


def search_token(response) -> str:
    return dict(part.split("=") for part in response.request["QUERY_STRING"].split("&"))["q"]


def test_the_address_never_holds_the_term_and_filters_keep_it(staff, ada):
    response = staff.post(f"{LIST}?status=all", {"q": "ada.obi"})
    assert response.status_code == 302
    assert "ada" not in unquote(response["Location"])
    shown = staff.get(response["Location"])
    html = shown.content.decode()
    assert 'value="ada.obi"' in html  # in the box, and nowhere in a link
    links = re.findall(r'(?:href|action)="([^"]*)"', html)
    assert not [link for link in links if "ada" in unquote(link)]
    kept = parse_qs(urlsplit(response["Location"]).query)
    assert kept["status"] == ["all"]
    assert f'<input type="hidden" name="q" value="{kept["q"][0]}">' in html  # of the filters' form


def test_a_term_in_the_address_searches_nothing_and_is_not_kept(staff, ada):
    response = staff.get(f"{LIST}?q=ada.obi")
    assert response.status_code == 302
    assert "ada" not in response["Location"]


def test_a_sealed_term_serves_only_who_searched_and_only_for_a_while(monkeypatch):
    token = search_terms.seal("ada", 1)
    assert search_terms.unseal(token, 1) == "ada"
    assert search_terms.unseal(token, 2) is None
    monkeypatch.setattr(search_terms, "LIFETIME", -1)
    assert search_terms.unseal(token, 1) is None


@pytest.mark.parametrize("term", ["a\x00b", "a\nb", "x" * 255])
def test_a_term_that_no_value_can_be_is_refused(staff, ada, term):
    assert "Search for at most" in said(search(staff, term))


@pytest.mark.parametrize("term", ["%", "_", "'; --", "́", "\\", "💩"])
def test_odd_terms_are_ordinary_characters(staff, ada, term):
    factories.customer(ada.business).delete()
    assert listed(search(staff, term, "status=all")) == []


def test_search_needs_the_permission(db, client, ada):
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    assert client.post(LIST, {"q": "ada"}).status_code == 403
    assert client.post(LIST, {"q": ada.public_id}).status_code == 403


# Filters, order and pages.


def test_filters(staff, ada, other_business):
    bare = factories.customer(ada.business)
    gone = factories.customer(ada.business)
    gone.delete()
    other = factories.customer(other_business)

    def shown(query: str) -> list[str]:
        return sorted(listed(staff.get(f"{LIST}?{query}")))

    def ids(*customers: Customer) -> list[str]:
        return sorted(c.public_id for c in customers)

    assert shown("") == ids(ada, bare, other)
    assert shown("status=inactive") == ids(gone)
    assert shown("status=all") == ids(ada, bare, gone, other)
    assert shown(f"business={other_business.public_id}") == ids(other)
    assert shown("business=biz_unknown") == []
    # As the form sends boxes that choose nothing.
    assert shown("business=&status=&created=") == shown("")
    assert shown("status=x&p=x&o=1.-2&created=x") == ids(ada, bare, other)
    assert shown(f"p={'9' * 30}") == shown("p=-99999") == ids(ada, bare, other)


def test_the_created_filter_is_newest_first_within_a_business(staff, business, monkeypatch):
    monkeypatch.setattr(customer_admin.CustomerAdmin, "list_per_page", 2)
    made = [factories.customer(business, name=f"{n}") for n in range(5)]
    old = clock.now() - timedelta(days=8)
    Customer.objects.filter(pk=made[0].pk).update(created_at=old)
    Customer.objects.filter(pk__in=[made[1].pk, made[2].pk]).update(created_at=made[3].created_at)
    url = f"?business={business.public_id}&created="

    pages = [staff.get(f"{LIST}{url}7")]
    while pages[-1].context["cl"].next_page:
        pages.append(staff.get(f"{LIST}{url}7&{pages[-1].context['cl'].next_page}"))
    newest = [c.public_id for c in reversed(made)]
    assert [row for response in pages for row in listed(response)] == newest[:4]
    back = staff.get(f"{LIST}{url}7&{pages[-1].context['cl'].previous_page}")
    assert listed(back) == listed(pages[0])
    assert newest[4] in listed(staff.get(f"{LIST}{url}30&p={made[1].pk}"))
    # Where no index would serve it is not offered, and not obeyed.
    assert b"Past 7 days" in pages[0].content
    response = staff.get(f"{LIST}?created=7")
    assert b"Past 7 days" not in response.content
    assert len(listed(response)) == 2
    for customer in made:
        customer.delete()
    assert listed(staff.get(f"{LIST}{url}7&status=inactive")) == newest[:2]


@pytest.mark.parametrize("status", ["active", "inactive", "all"])
@pytest.mark.parametrize("order", [BY_NAME, NEWEST_FIRST])
def test_pages_of_filtered_lists_show_every_customer_once_forwards_and_back(
    business, other_business, status, order
):
    for number, each, active in product("0011", (business, other_business), (True, False)):
        customer = factories.customer(each, name=number)
        if not active:
            customer.delete()
    rows = Customer.objects.with_status(status)
    expected = list(rows.order_by(*order))
    place, forth = "", []
    while found := keyset.page(rows, order, count=3, beside=place):
        forth += found
        place = str(found[-1].pk)
    assert forth == expected
    *forth, last = forth
    place, back = str(last.pk), []
    while found := keyset.page(rows, order, count=3, beside=place, back=True):
        back = found + back
        place = str(found[0].pk)
    assert back == forth


def test_the_business_filter_is_always_there(staff, business):
    assert b'<select name="business"' in staff.get(LIST).content


@pytest.mark.parametrize(
    "query",
    ["name__startswith=A", "email_hash__startswith=a", "address__isnull=0", "email=a", "phone=yes"],
)
def test_an_address_cannot_ask_what_no_filter_offers(staff, ada, query):
    assert staff.get(f"{LIST}?{query}").status_code == 400


def test_pages_by_keyset_show_every_customer_once_forwards_and_back(
    staff, business, other_business, monkeypatch
):
    monkeypatch.setattr(customer_admin.CustomerAdmin, "list_per_page", 3)
    for name in ("b", "A", "a", "é", "E", "z", "a"):
        factories.customer(business, name=name)
    for name in ("c", "b"):
        factories.customer(other_business, name=name)
    expected = [c.public_id for c in Customer.objects.order_by(*BY_NAME)]

    def follow(response, rel: str):
        link = re.search(rf'href="([^"]*)" rel="{rel}"', response.content.decode())
        return staff.get(LIST + link[1].replace("&amp;", "&")) if link else None

    response, pages = staff.get(LIST), []
    while response:
        pages.append(listed(response))
        last, response = response, follow(response, "next")
    assert [len(rows) for rows in pages] == [3, 3, 3]
    assert [row for rows in pages for row in rows] == expected
    back = follow(last, "prev")
    assert listed(back) == pages[1]
    assert listed(follow(back, "prev")) == pages[0]
    assert follow(follow(back, "prev"), "prev") is None
    assert not re.search(r'href="[^"]*name', response.content.decode() if response else "")


QUERIES = {
    "session": "staff_staffsession",
    "staff": "auth_user",
    "businesses, for the filter": "tenants_business",
    "customers": "customers_customer",
}


def test_the_list_costs_four_queries_and_counts_nothing(staff, business):
    for _ in range(60):
        factories.customer(business)
    gone = [factories.customer(business) for _ in range(5)]
    four = sorted(QUERIES.values())
    assert named_queries(staff, f"{LIST}?created=7&business={business.public_id}") == four
    for customer in gone:
        customer.delete()
    assert named_queries(staff, LIST) == four
    assert named_queries(staff, f"{LIST}?status=inactive") == four
    assert named_queries(staff, f"{LIST}?status=all") == four
    # A further page: where it begins, and on a business's last page what follows in the others.
    first = staff.get(LIST).context["cl"].next_page
    assert named_queries(staff, f"{LIST}?{first}") == sorted([*four, *["customers_customer"] * 2])


def test_a_search_in_one_business_costs_a_fixed_number_of_queries(staff, business):
    for _ in range(5):
        factories.customer(business)
    url = staff.post(f"{LIST}?business={business.public_id}", {"q": "customer"})["Location"]
    few = named_queries(staff, url)
    for _ in range(40):
        factories.customer(business)
    assert named_queries(staff, url) == few
    assert len(few) <= 11, few


def test_a_search_in_all_businesses_costs_a_fixed_number_of_queries(
    staff, business, other_business
):
    factories.customer(business)
    factories.customer(other_business)
    url = staff.post(LIST, {"q": "customer"})["Location"]
    few = named_queries(staff, url)
    for _ in range(20):
        factories.customer(business)
        factories.customer(other_business)
    assert len(listed(staff.get(url))) == 42
    assert named_queries(staff, url) == few


def test_the_list_opens_only_what_it_shows(staff, ada, monkeypatch):
    opened = []
    real = SealedMixin.open_for

    def counting(self, *args):
        opened.append(self.attname)
        return real(self, *args)

    monkeypatch.setattr(SealedMixin, "open_for", counting)
    staff.get(LIST)
    assert sorted(opened) == ["email", "phone"]


# Masks.


def test_the_list_masks_and_shows_naira(staff, ada):
    Customer.objects.filter(pk=ada.pk).update(account_balance_kobo=-125050)
    html = staff.get(LIST).content.decode()
    assert "a•••••@acme.com" in html
    assert "+234 ••• ••• 5678" in html
    assert "−₦1,250.50" in html
    for value in ("ada.obi", "8031235678", "Adeola", "0001"):
        assert value not in html


@pytest.fixture
def viewer(staff) -> Client:
    user = member()
    of_customer = ContentType.objects.get_for_model(Customer)
    user.user_permissions.set(
        Permission.objects.filter(codename="view_customer", content_type=of_customer)
    )
    staff.force_login(user)
    return staff


def test_who_may_only_view_never_gets_a_value(viewer, ada):
    html = viewer.get(page(ada)).content.decode()
    assert "a•••••@acme.com" in html
    for value in ("ada.obi", "8031235678", "Adeola", "12345678"):
        assert value not in html
    assert viewer.post(page(ada), {"name": "Eve"}).status_code == 403
    assert "restore" not in html.lower()


def test_an_inactive_customer_is_shown_masked_and_cannot_be_edited(staff, ada):
    ada.delete()
    html = staff.get(page(ada)).content.decode()
    assert "a•••••@acme.com" in html
    assert "ada.obi" not in html
    assert "Inactive since" in html
    assert ">Deactivate<" not in html


@pytest.mark.parametrize("field", ["email", "phone", "address", "tin"])
def test_an_unreadable_value_says_so_and_breaks_nothing(staff, ada, business, field):
    factories.store(ada, field, "s1.forged")
    if field in ("email", "phone"):
        assert "unreadable" in staff.get(LIST).content.decode()
    shown = staff.get(page(ada)).content.decode()
    assert "unreadable" in shown
    assert "s1.forged" not in shown
    # It may stay as it is while another field is changed, and be given anew.
    save(staff, ada, company_name="Acme")
    assert factories.stored(ada, field) == "s1.forged"
    assert Customer.objects.get(pk=ada.pk).company_name == "Acme"
    save(staff, ada, **{field: PERSONAL[field]})
    assert getattr(Customer.objects.get(pk=ada.pk), field) == PERSONAL[field]
    factories.store(ada, field, "s1.forged")
    act(staff, "deactivate", ada, confirmed="yes")
    assert "unreadable" in staff.get(page(ada)).content.decode()
    act(staff, "restore", ada, query="status=all", confirmed="yes")
    assert Customer.objects.get(pk=ada.pk).is_active


# Scripts.


def test_no_page_has_an_inline_script(staff, ada):
    urls = [LIST, page(ada), f"{LIST}add/", f"{LIST}{ada.pk}/delete/", "/admin/"]
    for url in urls:
        html = staff.get(url).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", html), url
        assert not re.search(r"\son\w+=", html), url
