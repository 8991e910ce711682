"""The staff's pages of customers as a browser sees them: what tests post and read."""

from __future__ import annotations

import re

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.models import Customer

LIST = "/admin/customers/customer/"
PERSONAL = {
    "name": "Ada Obi",
    "email": "ada.obi@acme.com",
    "phone": "+2348031235678",
    "address": "15 Adeola Odeku St",
    "tin": "12345678-0001",
}


def page(customer: Customer) -> str:
    return f"{LIST}{customer.pk}/change/"


def form_of(client: Client, customer: Customer) -> dict[str, str]:
    """What a browser would post back from the customer's page, unchanged."""
    form = client.get(page(customer)).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    values |= {
        form[name].html_initial_name: form[name].value()
        for name, field in form.fields.items()
        if field.show_hidden_initial
    }
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


def named_queries(staff: Client, url: str, counting: bool = False) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert staff.get(url).status_code == 200
    assert counting or not [q["sql"] for q in captured if "COUNT(" in q["sql"].upper()]
    tables = [re.search(r'FROM "(\w+)"', q["sql"])[1] for q in captured]
    return sorted(tables)
