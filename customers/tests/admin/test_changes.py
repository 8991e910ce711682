"""The staff's customers: added, changed, deactivated, restored, and what the log says of it."""

from __future__ import annotations

import re
import threading

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from customers.models import Customer
from finora.audit.models import AuditEvent
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import (
    LIST,
    PERSONAL,
    act,
    form_of,
    listed,
    page,
    said,
    save,
    search,
)


@pytest.fixture
def ada(business) -> Customer:
    return factories.customer(business, **PERSONAL)


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
    save(staff, ada, phone="0800 000 0000")
    after = {f: factories.stored(ada, f) for f in before}
    assert [field for field in before if before[field] != after[field]] == ["phone"]
    assert ada.business.customers.with_phone("08000000000").get() == ada


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
        [said] = response.context["adminform"].form.errors["email"]
        assert f'<a href="{page(ada)}">{ada.public_id}</a>' in said
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
    form = response.context["adminform"].form
    if times == 1:  # beside the field, with what was typed
        assert form.errors["email"]
        assert form["email"].value() == PERSONAL["email"]
    else:
        assert f"in use by {ada.public_id}" in said(response)
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


def test_who_saves_over_anothers_change_keeps_what_was_typed_and_touches_nothing_else(staff, ada):
    form = form_of(staff, ada)
    save(staff, ada, name="First", company_name="First Ltd")
    told = staff.post(page(ada), form | {"company_name": "Second Ltd", "phone": "0800 000 0000"})
    shown = told.context["adminform"].form
    values = {name: shown[name].value() for name in ("name", "company_name", "phone")}
    assert values == {"name": "First", "company_name": "Second Ltd", "phone": "0800 000 0000"}
    assert "Stored now: First Ltd" in told.text
    hidden = {
        name: shown.data[name] for name in ("version", "initial-name", "initial-company_name")
    }
    staff.post(page(ada), values | hidden)
    ada.refresh_from_db()
    assert (ada.name, ada.company_name, ada.phone) == ("First", "Second Ltd", "0800 000 0000")
    event = AuditEvent.objects.latest("id")
    assert event.fields == ["company_name", "phone"]


def test_a_refused_save_tells_of_the_stored_row(staff, ada):
    told = save(staff, ada, name="Typed Over", email="typed@elsewhere.example", tin="a_b")
    assert "<h1>Ada Obi</h1>" in told.text
    masks = {value.field: value.text for value in told.context["personal"]}
    assert masks["email"] == "a•••••@acme.com"
    assert masks["tin"] == "••••• 0001"


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
    "changes", [{"name": " "}, {"email": "no"}, {"phone": "1\x002"}, {"tin": "a_b"}]
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
