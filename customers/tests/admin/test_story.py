"""What happened to a customer, on its page; and the limits of a key, on the key's."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from finora import clock
from finora.audit.models import AuditEvent
from finora.tenants.models import ApiKey
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import LIST, PERSONAL, act, page, save
from finora.tests.kit.staff import browser

KEYS = "/admin/tenants/apikey/"


def told(html: str) -> list[tuple[str, str]]:
    """What and by whom, the latest first."""
    table = html.partition('<table class="story">')[2].partition("</table>")[0]
    rows = re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td>\s*<td>(.*?)</td>", table, re.DOTALL)
    return [(what.strip(), who.strip()) for _, what, who in rows]


def test_the_page_tells_when_and_by_whom(staff, api, business):
    key = ApiKey.objects.get()
    made = api.post("/v1/customers", PERSONAL).json()["data"]
    ada = Customer.objects.get(public_id=made["id"])
    Customer.objects.filter(pk=ada.pk).update(account_balance_kobo=537500)
    save(staff, ada, name="Ada Two", phone="0800 000 0000")
    staff.post(f"{LIST}{ada.pk}/reveal/", {"field": "email"})
    list(act(staff, "export", ada, confirmed="yes"))
    api.delete(f"/v1/customers/{ada.public_id}")
    act(staff, "restore", ada, query="status=all", confirmed="yes")
    html = staff.get(page(ada)).content.decode()
    assert told(html) == [
        ("Restored", "staff staff"),
        ("Deactivated", f"key {key.name}"),
        ("Exported", "staff staff"),
        ("Revealed email", "staff staff"),
        ("Changed name and phone", "staff staff"),
        ("Created", f"key {key.name}"),
    ]
    assert "₦5,375.00" in html
    story = html.partition('<table class="story">')[2].partition("</table>")[0]
    for value in (*PERSONAL.values(), "Ada Two"):
        assert value not in story


def test_it_is_one_query_of_at_most_fifty_events(staff, business):
    ada, eve = factories.customer(business), factories.customer(business)
    for _ in range(60):
        AuditEvent.objects.record("revealed", business.pk, [ada.public_id], ["email"])
    assert len(told(staff.get(page(ada)).content.decode())) == 50
    assert len(told(staff.get(page(eve)).content.decode())) == 1
    with CaptureQueriesContext(connection) as captured:
        staff.get(page(ada))
    assert len([q for q in captured if "audit_auditevent" in q["sql"]]) == 1
    assert not [q for q in captured if "tenants_apikey" in q["sql"]]  # no key did any


def test_another_business_with_the_same_id_is_not_told_of(staff, business, other_business):
    ada = factories.customer(business)
    AuditEvent.objects.record("revealed", other_business.pk, [ada.public_id], ["email"])
    assert told(staff.get(page(ada)).content.decode()) == [("Created", "system")]


# Keys.


def test_administrators_set_the_limits_of_a_key(staff, business):
    key, _ = factories.api_key(business)
    administrator = browser("Administrator")
    administrator.post(f"{KEYS}{key.pk}/change/", {"name": "Till", "rate_limits": "5/minute"})
    key = ApiKey.objects.get()
    assert (key.name, key.rate_limits) == ("Till", "5/minute")
    event = AuditEvent.objects.filter(action="key changed").get()
    assert event.fields == ["name", "rate_limits"]


@pytest.mark.parametrize("text", ["many", "0/minute", "5/fortnight", "-1/minute"])
def test_limits_that_are_none_are_told_beside_the_field(staff, business, text):
    key, _ = factories.api_key(business)
    for url, data in (
        (f"{KEYS}{key.pk}/change/", {"name": "A"}),
        (f"{KEYS}add/", {"name": "A", "business": business.pk}),
    ):
        response = staff.post(url, data | {"rate_limits": text})
        assert response.context["adminform"].form.errors["rate_limits"]
    assert ApiKey.objects.get().rate_limits == ""


def test_the_limits_of_a_key_hold_at_once(staff, api):
    key = ApiKey.objects.get()
    data = {"name": key.name, "rate_limits": "2/minute"}
    staff.post(f"{KEYS}{key.pk}/change/", data)
    answers = [api.get("/v1/customers").status_code for _ in range(3)]
    assert answers == [200, 200, 429]


def imported(business, *names: str) -> AuditEvent:
    rows = [Customer(business=business, name=name, email=f"{name}@x.example") for name in names]
    business.customers.import_packed(rows)
    return AuditEvent.objects.filter(action="imported").latest("id")


def story_of(staff, name: str) -> list[tuple[int, str]]:
    shown = staff.get(page(Customer.objects.get(name=name))).context["story"]
    return [(event.pk, event.summary) for event in shown]


def test_who_came_by_an_import_has_that_one_in_the_story(staff, business):
    first = imported(business, "a", "b", "c")
    while clock.now() <= first.at:  # an id holds milliseconds
        pass
    second = imported(business, "d")
    assert story_of(staff, "b") == [(first.pk, "Imported")]
    assert story_of(staff, "d") == [(second.pk, "Imported")]
    save(staff, Customer.objects.get(name="b"), name="Ada Two")
    assert [what for _, what in story_of(staff, "Ada Two")] == ["Changed name", "Imported"]


def test_a_later_import_did_not_bring_whose_first_event_is_pruned(staff, business, monkeypatch):
    ada = factories.customer(business, name="Ada")
    later = clock.now() + timedelta(hours=2)
    AuditEvent.objects.older_than(later).prune()
    monkeypatch.setattr(clock, "now", lambda: later)
    imported(business, "b")
    assert story_of(staff, ada.name) == []


def test_who_was_added_by_hand_did_not_come_by_an_import_whatever_is_kept(staff, business):
    ada = factories.customer(business, name="Ada")
    imported(business, "b")
    assert [what for _, what in story_of(staff, ada.name)] == ["Created"]


def test_an_imported_customers_page_is_two_queries_more(staff, business):
    imported(business, "b")
    came, made = Customer.objects.get(), factories.customer(business)
    counts = []
    for customer in (made, came):
        with CaptureQueriesContext(connection) as captured:
            staff.get(page(customer))
        counts.append(len(captured))
    assert counts[1] == counts[0] + 2
