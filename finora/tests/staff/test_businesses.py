"""The staff's businesses: added, renamed, suspended; never deleted."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from finora.tenants.models import Business
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import said

LIST = "/admin/tenants/business/"


def act(client: Client, action: str, *rows: Business, **extra: str):
    data = {"action": action, "_selected_action": [row.pk for row in rows], "index": "0"}
    return client.post(LIST, data | extra, follow=True)


def test_add_and_rename(staff):
    staff.post(f"{LIST}add/", {"name": "Acme"})
    made = Business.objects.get()
    assert made.public_id.startswith("biz_")
    data = {"name": "Acme Ltd", "public_id": "biz_other", "is_suspended": "on"}
    staff.post(f"{LIST}{made.pk}/change/", data)
    renamed = Business.objects.get()
    assert (renamed.name, renamed.public_id) == ("Acme Ltd", made.public_id)
    assert not renamed.is_suspended


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\x00b"])
def test_a_bad_name_is_told_beside_the_field(staff, name):
    response = staff.post(f"{LIST}add/", {"name": name})
    assert response.context["adminform"].form.errors["name"]


def test_suspending_asks_and_refuses_the_keys_until_it_ends(staff, business, api):
    two = [business, factories.business()]
    asked = act(staff, "suspend", *two).content.decode()
    assert "Suspend 2 businesses?" in asked
    assert "every API key" in asked
    assert api.get("/v1/customers").status_code == 200
    act(staff, "suspend", *two, confirmed="yes")
    assert api.get("/v1/customers").json()["error"]["code"] == "BUSINESS_SUSPENDED"
    assert "Nothing to suspend" in said(act(staff, "suspend", *two, confirmed="yes"))

    page = f"{LIST}{business.pk}/change/"
    assert "End suspension" in staff.get(page).content.decode()
    response = act(staff, "resume", business, confirmed="yes", from_page="yes")
    assert response.request["PATH_INFO"] == page
    assert api.get("/v1/customers").status_code == 200
    said_in_log = [e.get_change_message() for e in LogEntry.objects.order_by("pk")]
    assert said_in_log == ["Suspended.", "Suspended.", "Suspension ended."]


def test_a_business_cannot_be_deleted(staff, business):
    assert staff.post(f"{LIST}{business.pk}/delete/", {"post": "yes"}).status_code == 403
    act(staff, "delete_selected", business, post="yes")
    assert Business.objects.get() == business


def test_businesses_are_found_by_name_and_id(staff, business):
    factories.business(name="Other")
    for term in (business.name.upper(), business.public_id):
        response = staff.post(LIST, {"q": term}, follow=True)
        assert [row.pk for row in response.context["cl"].result_list] == [business.pk]
