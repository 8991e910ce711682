"""The staff's customers: found, read, changed, deactivated and restored."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from urllib.parse import unquote, urlsplit

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers import clock
from customers.admin import customer as customer_admin
from customers.admin import search_terms
from customers.fields import SealedMixin
from customers.managers import BY_NAME
from customers.models import Customer
from customers.tests import factories

LIST = "/admin/customers/customer/"
PERSONAL = {
    "name": "Ada Obi",
    "email": "ada.obi@acme.com",
    "phone": "+2348031235678",
    "address": "15 Adeola Odeku St",
    "tin": "12345678-0001",
}


@pytest.fixture
def ada(business) -> Customer:
    return factories.customer(business, **PERSONAL)


def page(customer: Customer) -> str:
    return f"{LIST}{customer.pk}/change/"


def form_of(client: Client, customer: Customer) -> dict[str, str]:
    """What a browser would post back from the customer's page, unchanged."""
    form = client.get(page(customer)).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in values.items()}


def save(client: Client, customer: Customer, **changes: str):
    return client.post(page(customer), form_of(client, customer) | changes, follow=True)


def search(client: Client, term: str, filters: str = ""):
    return client.post(f"{LIST}?{filters}", {"q": term}, follow=True)


def listed(response) -> list[str]:
    return [row.public_id for row in response.context["cl"].result_list]


def act(client: Client, action: str, *customers: Customer, query: str = "", **extra: str):
    data = {"action": action, "_selected_action": [c.pk for c in customers], "index": "0"}
    return client.post(f"{LIST}?{query}", data | extra, follow=True)


def said(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


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
    ],
)
def test_one_box_finds_by_part_of_name_or_email_and_by_phone_and_tin(staff, ada, term):
    factories.customer(ada.business)
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


def test_with_too_many_businesses_staff_choose_one_first(staff, ada, monkeypatch):
    factories.business()
    monkeypatch.setattr(customer_admin, "BUSINESSES_SEARCHED", 1)
    response = search(staff, "ada")
    assert listed(response) == []
    assert "Choose a business" in said(response)
    assert listed(search(staff, "ada", f"business={ada.business.public_id}")) == [ada.public_id]


def test_an_inactive_customer_is_found_by_the_beginning_of_its_name_and_by_email(staff, ada):
    ada.delete()
    for term in ("ada", "ÁDA o", "ada.obi@acme.com"):
        assert listed(search(staff, term)) == []
        assert listed(search(staff, term, "status=inactive")) == [ada.public_id]
        assert listed(search(staff, term, "status=all")) == [ada.public_id]


def test_the_address_never_holds_the_term_and_filters_keep_it(staff, ada):
    response = staff.post(f"{LIST}?status=all", {"q": "ada.obi"})
    assert response.status_code == 302
    assert "ada" not in unquote(response["Location"])
    shown = staff.get(response["Location"])
    html = shown.content.decode()
    assert 'value="ada.obi"' in html  # in the box, and nowhere in a link
    links = re.findall(r'(?:href|action)="([^"]*)"', html)
    assert not [link for link in links if "ada" in unquote(link)]
    token = urlsplit(response["Location"]).query
    assert any("status=inactive" in link and "q=" in link for link in links), links
    assert "status=all" in token


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
    assert listed(search(staff, term)) == []


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
    assert shown("phone=yes") == shown("tin=yes") == ids(ada)
    assert shown("phone=no") == shown("tin=no") == ids(bare, other)
    assert shown("status=x&phone=x&p=x&o=1.-2&created=x") == ids(ada, bare, other)
    assert shown(f"p={'9' * 30}") == shown("p=-99999") == ids(ada, bare, other)


def test_the_created_filter_is_newest_first_within_a_business(staff, business, monkeypatch):
    monkeypatch.setattr(customer_admin.CustomerAdmin, "list_per_page", 2)
    made = [factories.customer(business, name=f"{5 - n}") for n in range(5)]
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
    assert b"By created" in pages[0].content
    made[0].delete()
    for query in ("?created=7", f"{url}7&status=inactive"):
        response = staff.get(LIST + query)
        assert b"By created" not in response.content
        assert listed(response)


def test_the_business_filter_is_always_there(staff, business):
    assert b'<select name="business"' in staff.get(LIST).content


@pytest.mark.parametrize(
    "query", ["name__startswith=A", "email_hash__startswith=a", "address__isnull=0", "email=a"]
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
    "session": "django_session",
    "staff": "auth_user",
    "businesses, for the filter": "customers_business",
    "customers": "customers_customer",
}


def named_queries(staff: Client, url: str, counting: bool = False) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert staff.get(url).status_code == 200
    assert counting or not [q["sql"] for q in captured if "COUNT(" in q["sql"].upper()]
    tables = [re.search(r'FROM "(\w+)"', q["sql"])[1] for q in captured]
    return sorted(tables)


def test_the_list_costs_four_queries_and_counts_nothing(staff, business):
    for _ in range(60):
        factories.customer(business)
    gone = [factories.customer(business) for _ in range(5)]
    four = sorted(QUERIES.values())
    assert named_queries(staff, f"{LIST}?created=7&business={business.public_id}") == four
    for customer in gone:
        customer.delete()
    assert named_queries(staff, f"{LIST}?status=inactive") == four
    assert named_queries(staff, LIST) == four
    assert named_queries(staff, f"{LIST}?status=all&phone=no") == four
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


def test_the_list_opens_only_what_it_shows(staff, ada, monkeypatch):
    opened = []
    real = SealedMixin.open

    def counting(self, token, instance):
        opened.append(self.attname)
        return real(self, token, instance)

    monkeypatch.setattr(SealedMixin, "open", counting)
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
    user = User.objects.create_user("viewer", is_staff=True)
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
    assert "Deactivate" not in html


@pytest.mark.parametrize("field", ["email", "phone", "address", "tin"])
def test_an_unreadable_value_says_so_and_breaks_nothing(staff, ada, business, field):
    factories.store(ada, field, "s1.forged")
    if field in ("email", "phone"):
        assert "unreadable" in staff.get(LIST).content.decode()
    shown = staff.get(page(ada)).content.decode()
    assert "Unreadable" in shown
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


# Changing.


def test_add(staff, business):
    data = {"business": business.pk, "name": " Bola ", "email": "BOLA@x.com", "phone": ""}
    response = staff.post(f"{LIST}add/", data, follow=True)
    made = Customer.objects.get()
    assert (made.name, made.email, made.phone) == ("Bola", "bola@x.com", None)
    assert made.public_id in said(response)
    assert listed(search(staff, "bola")) == [made.public_id]


def test_the_add_form_takes_nothing_from_the_address_but_the_business(staff, business):
    factories.business()
    query = f"email=a%40b.com&_changelist_filters=business%3D{business.public_id}"
    response = staff.get(f"{LIST}add/?{query}")
    form = response.context["adminform"].form
    assert form["email"].value() is None
    assert form["business"].value() == business.pk


def test_edit_writes_only_what_changed(staff, ada):
    ada.address = "1 Road\n2 Town"
    ada.save()
    before = {f: factories.stored(ada, f) for f in ("email", "phone", "tin", "address")}
    save(staff, ada, phone="0800 000 0000", address="1 Road\r\n2 Town")
    after = {f: factories.stored(ada, f) for f in before}
    assert [field for field in before if before[field] != after[field]] == ["phone"]
    assert Customer.objects.with_phone(ada.business_id, "08000000000").get() == ada


def test_saving_without_a_change_writes_nothing(staff, ada):
    save(staff, ada)
    assert Customer.objects.get(pk=ada.pk).updated_at == ada.updated_at


def test_an_email_in_use_is_a_message_beside_the_field(staff, ada):
    other = factories.customer(ada.business)
    added = staff.post(
        f"{LIST}add/", {"business": ada.business.pk, "name": "Eve", "email": "ADA.obi@acme.com"}
    )
    changed = save(staff, other, email=PERSONAL["email"])
    for response in (added, changed):
        assert response.status_code == 200
        assert response.context["adminform"].form.errors["email"]
    assert Customer.objects.get(pk=other.pk).email == other.email


@pytest.mark.parametrize("times", [1, 99])
def test_an_email_taken_after_the_check_is_a_message_too(staff, ada, monkeypatch, times):
    other = factories.customer(ada.business)
    real, calls = Customer.validate_constraints, []

    def blind(self, exclude=None):
        calls.append(1)
        if len(calls) > times:
            real(self, exclude)

    monkeypatch.setattr(Customer, "validate_constraints", blind)
    response = save(staff, other, email=PERSONAL["email"])
    assert response.status_code == 200
    assert "in use" in said(response) or response.context["adminform"].form.errors["email"]
    assert Customer.objects.get(pk=other.pk).email == other.email
    assert not LogEntry.objects.exists()


def test_the_second_of_two_saves_is_told(staff, ada):
    mine, theirs = form_of(staff, ada), form_of(staff, ada)
    staff.post(page(ada), mine | {"name": "First"})
    response = staff.post(page(ada), theirs | {"phone": "0800 000 0000"})
    assert "Somebody else changed this customer" in response.content.decode()
    now = Customer.objects.get(pk=ada.pk)
    assert (now.name, now.phone) == ("First", PERSONAL["phone"])
    # Also when the page is sent again, and without the version.
    again = staff.post(page(ada), theirs | {"phone": "0800 000 0000", "version": ""})
    assert "Somebody else changed this customer" in again.content.decode()


def test_a_change_of_the_api_counts_as_somebody_elses(staff, ada, api):
    mine = form_of(staff, ada)
    api.put(f"/v1/customers/{ada.public_id}", {"companyName": "Acme"})
    response = staff.post(page(ada), mine | {"name": "First"})
    assert "Somebody else changed this customer" in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_of_simultaneous_saves_one_wins_and_the_others_are_told(staff, business):
    user = User.objects.get()
    ada = factories.customer(business, **PERSONAL)
    clients = [Client() for _ in range(4)]
    for client in clients:
        client.force_login(user)
    form = form_of(clients[0], ada)
    barrier, told, won = threading.Barrier(4), [], []

    def run(number: int) -> None:
        try:
            barrier.wait()
            response = clients[number].post(page(ada), form | {"name": f"Name {number}"})
            (won if response.status_code == 302 else told).append(number)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(told)) == (1, 3)
    assert Customer.objects.get(pk=ada.pk).name == f"Name {won[0]}"


def test_a_save_after_somebody_deactivated_is_told(staff, ada):
    form = form_of(staff, ada)
    ada.delete()
    response = staff.post(page(ada), form | {"name": "First"}, follow=True)
    assert "inactive by now" in said(response)
    assert Customer.objects.get(pk=ada.pk).name == PERSONAL["name"]


@pytest.mark.parametrize(
    "changes", [{"name": " "}, {"email": "no"}, {"phone": "1\x002"}, {"tin": "a_b"}, {"email": ""}]
)
def test_bad_input_is_told_beside_its_field(staff, ada, changes):
    response = save(staff, ada, **changes)
    assert response.context["adminform"].form.errors.keys() == changes.keys()


# Deactivating and restoring.


def test_the_delete_page_deactivates_and_says_so(staff, ada):
    url = f"{LIST}{ada.pk}/delete/"
    asked = staff.get(url).content.decode()
    assert "Nothing is removed" in asked
    assert "delete" not in re.sub(r"<[^>]*>", "", asked).lower()
    response = staff.post(url, {"post": "yes"}, follow=True)
    assert "Nothing was removed" in said(response)
    assert response.request["PATH_INFO"] == page(ada)
    assert not Customer.objects.get(pk=ada.pk).is_active


def test_hard_delete_is_not_offered(staff, ada):
    assert "delete_selected" not in staff.get(LIST).content.decode()
    assert ">Delete<" not in staff.get(page(ada)).content.decode()
    act(staff, "delete_selected", ada, post="yes")
    assert Customer.objects.get(pk=ada.pk).is_active


def test_bulk_actions_ask_with_the_count_and_then_do(staff, business):
    three = [factories.customer(business) for _ in range(3)]
    asked = act(staff, "deactivate", *three)
    assert "Deactivate 3 customers?" in asked.content.decode()
    assert Customer.objects.active().count() == 3
    done = act(staff, "deactivate", *three, confirmed="yes")
    assert "3 customers deactivated" in said(done)
    assert Customer.objects.inactive().count() == 3
    asked = act(staff, "restore", *three[:2], query="status=inactive")
    assert "Restore 2 customers?" in asked.content.decode()
    done = act(staff, "restore", *three[:2], query="status=inactive", confirmed="yes")
    assert "2 customers restored" in said(done)
    assert Customer.objects.active().count() == 2
    again = act(staff, "restore", *three[:2], query="status=all", confirmed="yes")
    assert "Nothing to restore" in said(again)


def test_all_that_match_cannot_be_chosen(staff, business):
    two = [factories.customer(business) for _ in range(2)]
    act(staff, "deactivate", two[0], select_across="1", confirmed="yes")
    assert Customer.objects.inactive().get() == two[0]


def test_restore_from_the_customers_page(staff, ada):
    ada.delete()
    html = staff.get(page(ada)).content.decode()
    url = re.search(r'<form method="post" action="([^"]*)">', html)[1]
    data = {"action": "restore", "_selected_action": ada.pk, "index": "0", "from_page": "yes"}
    asked = staff.post(url, data)
    assert "Restore 1 customer?" in asked.content.decode()
    response = staff.post(url, data | {"confirmed": "yes"}, follow=True)
    assert response.request["PATH_INFO"] == page(ada)
    assert Customer.objects.get(pk=ada.pk).is_active


def test_an_email_in_use_at_restore_is_a_message_and_the_others_are_restored(staff, ada):
    ada.delete()
    holder = factories.customer(ada.business, email=PERSONAL["email"])
    fine = factories.customer(ada.business)
    fine.delete()
    response = act(staff, "restore", ada, fine, query="status=inactive", confirmed="yes")
    assert f"{ada.public_id} stays inactive" in said(response)
    assert holder.public_id in said(response)
    assert "1 customer restored" in said(response)
    assert not Customer.objects.get(pk=ada.pk).is_active
    assert Customer.objects.get(pk=fine.pk).is_active


# The log.


def test_the_log_names_fields_and_ids_and_holds_no_value(staff, business):
    staff.post(f"{LIST}add/", {"business": business.pk, **PERSONAL})
    ada = Customer.objects.get()
    save(staff, ada, email="new@acme.com", name="Ada New", tin="9999999999", address="2 Road")
    staff.post(f"{LIST}{ada.pk}/delete/", {"post": "yes"})
    act(staff, "restore", ada, query="status=all", confirmed="yes")
    act(staff, "deactivate", ada, confirmed="yes")
    entries = list(LogEntry.objects.order_by("pk"))
    assert [e.get_change_message() for e in entries] == [
        "Added.",
        "Changed Name, Email, TIN and Address.",
        "Deactivated.",
        "Restored.",
        "Deactivated.",
    ]
    assert {e.object_repr for e in entries} == {ada.public_id}
    shown = staff.get(f"{LIST}{ada.pk}/history/").content.decode()
    index = staff.get("/admin/").content.decode()
    for text in (*(e.change_message + e.object_repr for e in entries), shown, index):
        for value in (*PERSONAL.values(), "new@acme.com", "Ada New", "9999999999", "2 Road"):
            assert value not in text


def test_no_page_has_an_inline_script(staff, ada):
    urls = [LIST, page(ada), f"{LIST}add/", f"{LIST}{ada.pk}/delete/", "/admin/"]
    for url in urls:
        html = staff.get(url).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", html), url
        assert not re.search(r"\son\w+=", html), url
